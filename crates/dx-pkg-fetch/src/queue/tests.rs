use super::*;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

fn host(name: &str) -> Arc<str> {
    name.into()
}

/// Lets every task that can run do so.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn order_is_priority_then_longest_then_first_come() {
    let queue = Queue::new(1, 1);
    let held = queue.acquire(&host("a"), queue.rank(Priority::Normal, 0)).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let jobs = [
        ("low", Priority::Low, 900),
        ("normal-short", Priority::Normal, 1),
        ("normal-long-1", Priority::Normal, 5),
        ("normal-long-2", Priority::Normal, 5),
        ("critical", Priority::Critical, 0),
        ("high", Priority::High, 0),
    ];
    let mut tasks = Vec::new();
    for (name, priority, estimate) in jobs {
        let (queue, order) = (queue.clone(), Arc::clone(&order));
        tasks.push(tokio::spawn(async move {
            let _slot = queue.acquire(&host("a"), queue.rank(priority, estimate)).await;
            order.lock().unwrap().push(name);
        }));
        settle().await;
    }
    drop(held);
    for task in tasks {
        task.await.unwrap();
    }
    let expected = ["critical", "high", "normal-long-1", "normal-long-2", "normal-short", "low"];
    assert_eq!(*order.lock().unwrap(), expected);
}

#[tokio::test]
async fn a_full_host_does_not_hold_up_another() {
    let queue = Queue::new(3, 1);
    let first = queue.acquire(&host("a"), queue.rank(Priority::Normal, 0)).await;
    let waiting = {
        let queue = queue.clone();
        tokio::spawn(
            async move { queue.acquire(&host("a"), queue.rank(Priority::Critical, 0)).await },
        )
    };
    settle().await;
    assert!(!waiting.is_finished());
    let other = queue.acquire(&host("b"), queue.rank(Priority::Low, 0)).await;
    drop(other);
    settle().await;
    assert!(!waiting.is_finished(), "a slot freed by another host broke the limit");
    drop(first);
    waiting.await.unwrap();
}

#[tokio::test]
async fn a_waiter_that_gives_up_leaves_its_place() {
    let queue = Queue::new(1, 1);
    let held = queue.acquire(&host("a"), queue.rank(Priority::Normal, 0)).await;
    let spawn = |priority| {
        let queue = queue.clone();
        tokio::spawn(async move { queue.acquire(&host("a"), queue.rank(priority, 0)).await })
    };
    let (gone, stays) = (spawn(Priority::Critical), spawn(Priority::Low));
    settle().await;
    gone.abort();
    settle().await;
    drop(held);
    tokio::time::timeout(Duration::from_secs(5), stays).await.expect("the slot was lost").unwrap();
}

#[tokio::test]
async fn a_slot_granted_to_one_who_has_just_gone_is_not_lost() {
    let queue = Queue::new(1, 1);
    let held = queue.acquire(&host("a"), queue.rank(Priority::Normal, 0)).await;
    let name = host("a");
    let mut gone = Box::pin(queue.acquire(&name, queue.rank(Priority::Normal, 0)));
    assert!(tokio::time::timeout(Duration::ZERO, &mut gone).await.is_err());
    drop(held);
    drop(gone);
    let rank = queue.rank(Priority::Normal, 0);
    tokio::time::timeout(Duration::from_secs(5), queue.acquire(&name, rank))
        .await
        .expect("the slot was lost");
}

/// Counts a job as running until it ends or is cancelled, which is before its slot is dropped.
struct Running<'a>([&'a AtomicUsize; 2]);

impl<'a> Running<'a> {
    /// Adds one to the counts of its host and of all.
    fn start(counts: [&'a AtomicUsize; 2]) -> Self {
        for count in counts {
            count.fetch_add(1, SeqCst);
        }
        Self(counts)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        for count in self.0 {
            count.fetch_sub(1, SeqCst);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_while_many_come_and_go() {
    const LIMIT: usize = 5;
    const PER_HOST: usize = 3;
    let queue = Queue::new(LIMIT, PER_HOST);
    let (active, all): (Arc<[AtomicUsize; 3]>, Arc<AtomicUsize>) = Default::default();
    let done = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for job in 0..600usize {
        let (queue, active, all, done) =
            (queue.clone(), Arc::clone(&active), Arc::clone(&all), Arc::clone(&done));
        tasks.push(tokio::spawn(async move {
            let at = job % 3;
            let slot = queue
                .acquire(&host(["a", "b", "c"][at]), queue.rank(Priority::Normal, job as u64 % 7))
                .await;
            let running = Running::start([&active[at], &all]);
            assert!(active[at].load(SeqCst) <= PER_HOST);
            assert!(all.load(SeqCst) <= LIMIT);
            tokio::task::yield_now().await;
            done.fetch_add(1, SeqCst);
            drop(running);
            drop(slot);
        }));
        if job % 11 == 0 {
            tasks.remove(tasks.len() / 2).abort();
        }
    }
    for task in tasks {
        if let Err(error) = task.await {
            assert!(error.is_cancelled(), "a limit was exceeded");
        }
    }
    assert!(done.load(SeqCst) > 500);
    let state = queue.0.lock();
    assert_eq!(state.free, LIMIT);
    assert!(state.hosts.is_empty(), "hosts without transfers are kept");
}
