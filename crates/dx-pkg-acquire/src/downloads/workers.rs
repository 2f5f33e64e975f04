//! Threads that unpack tarballs.
//!
//! Each takes the next job by itself. If the network's thread handed out the jobs, a worker would
//! wait for that thread between any two packages.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The memory in bytes below which a job is not counted: few jobs take more.
const COUNTED_FROM: u64 = 4 << 20;
/// The most bytes that jobs may take together; a larger job runs alone.
const MOST_MEMORY: u64 = 96 << 20;

struct Job {
    work: Box<dyn FnOnce() + Send>,
    /// The memory it takes in bytes, if that counts.
    memory: u64,
}

impl Job {
    fn new(memory: u64, work: impl FnOnce() + Send + 'static) -> Self {
        Job { work: Box::new(work), memory: if memory < COUNTED_FROM { 0 } else { memory } }
    }
}

/// At most one thread per processor, each started when a job finds none waiting.
pub(super) struct Workers {
    queue: Arc<Queue>,
    most: usize,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    waiting: usize,
    /// The counted memory of running jobs, in bytes.
    memory: u64,
    closed: bool,
}

impl State {
    /// Takes the first job that may run now.
    fn next(&mut self) -> Option<Job> {
        let fits = |job: &Job| {
            job.memory == 0 || self.memory == 0 || self.memory + job.memory <= MOST_MEMORY
        };
        let job = self.jobs.remove(self.jobs.iter().position(fits)?)?;
        self.memory += job.memory;
        Some(job)
    }
}

impl Workers {
    /// Returns workers without any thread.
    pub(super) fn new() -> Self {
        Workers { queue: Arc::default(), most: dx_pkg_os::process::processors() }
    }

    /// Runs a job that takes `memory` bytes; `None` where it panicked or no thread could be
    /// started.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        memory: u64,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, result) = oneshot::channel();
        // A receiver that is gone does not want the result.
        self.take(Job::new(memory, move || drop(sender.send(job()))));
        result.await.ok()
    }

    fn take(&self, job: Job) {
        let mut state = self.queue.lock();
        state.jobs.push_back(job);
        if state.waiting > 0 {
            self.queue.changed.notify_one();
        } else if state.threads < self.most {
            let queue = Arc::clone(&self.queue);
            let started =
                std::thread::Builder::new().name("dx-unpack".into()).spawn(move || queue.work());
            state.threads += usize::from(started.is_ok());
            if state.threads == 0 {
                state.jobs.clear();
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(Job { work, memory }) = state.next() {
                drop(state);
                // A panic drops the sender, which tells the receiver.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
                state = self.lock();
                if memory > 0 {
                    state.memory -= memory;
                    // Jobs that did not fit may fit now.
                    self.changed.notify_all();
                }
            } else if state.closed {
                return;
            } else {
                state.waiting += 1;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.waiting -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
    }

    #[test]
    fn a_job_that_panics_keeps_no_other_from_running() {
        let workers = Arc::new(Workers::new());
        let done = block_on(async {
            let jobs: Vec<_> = (0..100_u32)
                .map(|number| {
                    let workers = workers.clone();
                    async move {
                        workers
                            .run(
                                0,
                                move || if number == 50 { panic!("on purpose") } else { number },
                            )
                            .await
                    }
                })
                .collect();
            let mut done = Vec::new();
            for job in jobs {
                done.push(job.await);
            }
            done
        });
        let expected: Vec<_> = (0..100).map(|number| (number != 50).then_some(number)).collect();
        assert_eq!(done, expected);
    }

    #[test]
    fn no_more_threads_than_processors() {
        let workers = Workers { queue: Arc::default(), most: 2 };
        let (sender, started) = std::sync::mpsc::channel();
        for _ in 0..5 {
            let sender = sender.clone();
            workers.take(Job::new(0, move || {
                let _ = sender.send(std::thread::current().id());
                std::thread::sleep(std::time::Duration::from_millis(20));
            }));
        }
        drop(sender);
        let threads: std::collections::HashSet<_> = started.iter().collect();
        assert_eq!(threads.len(), 2);
    }

    #[test]
    fn large_jobs_wait_for_each_other_and_small_ones_for_none() {
        let workers = Workers { queue: Arc::default(), most: 3 };
        let (sender, seen) = std::sync::mpsc::channel();
        let at_once = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let (light_done, first_waits) = std::sync::mpsc::channel();
        let mut first_waits = Some(first_waits);
        // Two of these may be done at once, and the last one alone.
        for memory in [40 << 20, 40 << 20, 40 << 20, 40 << 20, 2 * MOST_MEMORY] {
            let (sender, at_once, waits) = (sender.clone(), at_once.clone(), first_waits.take());
            workers.take(Job::new(memory, move || {
                let taken = at_once.fetch_add(memory, std::sync::atomic::Ordering::SeqCst) + memory;
                // The first goes on until a job behind all of these is done.
                let in_time = waits.is_none_or(|waits| {
                    waits.recv_timeout(std::time::Duration::from_secs(60)).is_ok()
                });
                at_once.fetch_sub(memory, std::sync::atomic::Ordering::SeqCst);
                let _ = sender.send(in_time && (taken <= MOST_MEMORY || taken == memory));
            }));
        }
        workers.take(Job::new(0, move || light_done.send(()).unwrap_or_default()));
        drop(sender);
        assert_eq!(seen.iter().collect::<Vec<_>>(), [true; 5]);
    }
}
