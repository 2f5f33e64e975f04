//! Threads that unpack what the network brings.
//!
//! They take the next job themselves: were they given it by the thread that serves the network, each would wait for that one
//! between any two packages.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

struct Job {
    work: Box<dyn FnOnce() + Send>,
    weight: Weight,
}

/// How much memory a job takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// As many may be done at once as there are threads.
    Light,
    /// Only one of these is done at a time.
    Heavy,
}

/// As many threads as there are processors, each started when there is a job that no other waits for.
pub struct Workers {
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
    /// A heavy job is being done.
    burdened: bool,
    closed: bool,
}

impl State {
    /// The first job that may be done now.
    fn next(&mut self) -> Option<Job> {
        let may = |job: &Job| job.weight == Weight::Light || !self.burdened;
        let job = self.jobs.remove(self.jobs.iter().position(may)?)?;
        self.burdened |= job.weight == Weight::Heavy;
        Some(job)
    }
}

impl Workers {
    /// No thread yet.
    pub fn new() -> Self {
        Workers { queue: Arc::default(), most: std::thread::available_parallelism().map_or(1, std::num::NonZero::get) }
    }

    /// What `job` returns, once a thread has had time for it; `None` where it panicked or no thread could be started.
    pub async fn run<T: Send + 'static>(&self, weight: Weight, job: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (sender, result) = oneshot::channel();
        // Who no longer waits for it does not want it.
        self.take(Job { work: Box::new(move || drop(sender.send(job()))), weight });
        result.await.ok()
    }

    fn take(&self, job: Job) {
        let mut state = self.queue.lock();
        state.jobs.push_back(job);
        if state.waiting > 0 {
            self.queue.changed.notify_one();
        } else if state.threads < self.most {
            let queue = Arc::clone(&self.queue);
            let started = std::thread::Builder::new().name("dx-unpack".into()).spawn(move || queue.work());
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
            if let Some(Job { work, weight }) = state.next() {
                drop(state);
                // Whoever waits for what panicked is told so by the result that does not come.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
                state = self.lock();
                if weight == Weight::Heavy {
                    state.burdened = false;
                    // There may be one that nobody could take.
                    self.changed.notify_one();
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
    fn every_job_is_done_whatever_becomes_of_the_others() {
        let workers = Arc::new(Workers::new());
        let done = block_on(async {
            let jobs: Vec<_> = (0..100_u32)
                .map(|number| {
                    let workers = workers.clone();
                    async move {
                        workers
                            .run(Weight::Light, move || if number == 50 { panic!("on purpose") } else { number })
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
            let work = Box::new(move || {
                let _ = sender.send(std::thread::current().id());
                std::thread::sleep(std::time::Duration::from_millis(20));
            });
            workers.take(Job { work, weight: Weight::Light });
        }
        drop(sender);
        let threads: std::collections::HashSet<_> = started.iter().collect();
        assert_eq!(threads.len(), 2);
    }

    #[test]
    fn heavy_jobs_are_done_one_at_a_time_and_keep_no_other_waiting() {
        let workers = Workers { queue: Arc::default(), most: 2 };
        let (sender, seen) = std::sync::mpsc::channel();
        let heavy = Arc::new(Mutex::new(()));
        let (light_done, first_waits) = std::sync::mpsc::channel();
        let mut first_waits = Some(first_waits);
        for _ in 0..4 {
            let (sender, heavy, waits) = (sender.clone(), heavy.clone(), first_waits.take());
            let work = Box::new(move || {
                let _ = sender.send(heavy.try_lock().is_ok_and(|_alone| {
                    // The first goes on until a light job behind all heavy ones is done.
                    waits.is_none_or(|waits| waits.recv_timeout(std::time::Duration::from_secs(60)).is_ok())
                }));
            });
            workers.take(Job { work, weight: Weight::Heavy });
        }
        let light = move || light_done.send(()).unwrap_or_default();
        workers.take(Job { work: Box::new(light), weight: Weight::Light });
        drop(sender);
        assert_eq!(seen.iter().collect::<Vec<_>>(), [true; 4]);
    }
}
