use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;

fn grows(lease: &mut Lease, length: u64) -> bool {
    let grown = pin!(lease.grow(length)).poll(&mut Context::from_waker(Waker::noop()));
    grown == Poll::Ready(())
}

#[test]
fn bodies_wait_beyond_the_budget_and_one_of_them_goes_on() {
    let budget = Budget::new(3 * STEP);
    let leases = || Lease::new(&budget);
    let (mut first, mut second, mut third, mut small) = (leases(), leases(), leases(), leases());
    assert!(grows(&mut first, STEP) && grows(&mut second, STEP) && grows(&mut third, STEP));
    assert!(grows(&mut second, 9 * STEP), "one may always go on");
    assert!(!grows(&mut first, 2 * STEP) && !grows(&mut third, 2 * STEP));
    assert!(grows(&mut small, UNCOUNTED), "small bodies are not counted");
    drop(second);
    assert!(grows(&mut third, 2 * STEP), "there is room again");
    assert!(grows(&mut first, 4 * STEP), "and another may go beyond it");
    assert!(!grows(&mut third, 4 * STEP));
    drop((first, third));
    assert_eq!(budget.lock().taken, 0);
}

#[tokio::test]
async fn a_body_that_waits_is_woken() {
    let budget = Budget::new(0);
    let mut first = Lease::new(&budget);
    first.grow(5 * STEP).await;
    let mut second = Lease::new(&budget);
    let waiting = tokio::spawn(async move { second.grow(5 * STEP).await });
    tokio::task::yield_now().await;
    drop(first);
    waiting.await.unwrap();
}
