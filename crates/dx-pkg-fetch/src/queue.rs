//! The queue of transfers: a limit over all hosts, a limit per host, and an order among waiters.
//!
//! The order is priority, then the largest estimate, then arrival. A freed slot goes to the first
//! waiter whose host is below its limit. A waiter that is dropped leaves the queue; a [`Slot`] that
//! is dropped frees it.

use crate::budget::Lease;
use crate::priority::Priority;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

#[cfg(test)]
mod tests;

/// A waiter's place in the order; the greatest goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    priority: Priority,
    estimate: u64,
    arrival: Reverse<u64>,
}

/// A queue of transfers of one class.
#[derive(Clone)]
pub(crate) struct Queue(Arc<Shared>);

struct Shared {
    per_host: usize,
    state: Mutex<State>,
}

struct State {
    free: usize,
    arrivals: u64,
    hosts: HashMap<Arc<str>, Host>,
}

#[derive(Default)]
struct Host {
    active: usize,
    waiting: BinaryHeap<Waiter>,
}

struct Waiter {
    rank: Rank,
    grant: oneshot::Sender<Slot>,
}

impl Queue {
    /// Creates a queue of `limit` slots, of which one host gets at most `per_host`.
    pub(crate) fn new(limit: usize, per_host: usize) -> Self {
        let state = State { free: limit.max(1), arrivals: 0, hosts: HashMap::new() };
        Self(Arc::new(Shared { per_host: per_host.max(1), state: Mutex::new(state) }))
    }

    /// Returns a place in the order; it is kept when the same request has to wait again.
    pub(crate) fn rank(&self, priority: Priority, estimate: u64) -> Rank {
        let mut state = self.0.lock();
        state.arrivals += 1;
        Rank { priority, estimate, arrival: Reverse(state.arrivals) }
    }

    /// Waits for a slot.
    pub(crate) async fn acquire(&self, host: &Arc<str>, rank: Rank) -> Slot {
        loop {
            let turn = match self.take_or_wait(host, rank) {
                Ok(slot) => return slot,
                Err(turn) => turn,
            };
            // The sender is only ever dropped after sending; were it not so, waiting again would be
            // right.
            if let Ok(slot) = turn.await {
                return slot;
            }
        }
    }

    fn take_or_wait(&self, host: &Arc<str>, rank: Rank) -> Result<Slot, oneshot::Receiver<Slot>> {
        let mut state = self.0.lock();
        let has_free = state.free > 0;
        let entry = state.hosts.entry(Arc::clone(host)).or_default();
        // Waiters that remain while a slot is free wait for their host, so nobody is overtaken.
        if has_free && entry.active < self.0.per_host {
            entry.active += 1;
            state.free -= 1;
            return Ok(Slot { queue: Arc::clone(&self.0), host: Arc::clone(host), lease: None });
        }
        let (grant, turn) = oneshot::channel();
        entry.waiting.push(Waiter { rank, grant });
        Err(turn)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn release(self: &Arc<Self>, host: &Arc<str>) {
        let granted = {
            let mut state = self.lock();
            state.free += 1;
            if let Some(entry) = state.hosts.get_mut(host) {
                entry.active -= 1;
            }
            let next = state.grant_next(self.per_host);
            if state
                .hosts
                .get(host)
                .is_some_and(|entry| entry.active == 0 && entry.waiting.is_empty())
            {
                state.hosts.remove(host);
            }
            next
        };
        if let Some((host, grant)) = granted {
            // Sent without the lock: a waiter that was just dropped returns the slot, which is
            // released again.
            drop(grant.send(Slot { queue: Arc::clone(self), host, lease: None }));
        }
    }
}

impl State {
    /// Takes the first waiter whose host is below its limit, skipping dropped ones.
    fn grant_next(&mut self, per_host: usize) -> Option<(Arc<str>, oneshot::Sender<Slot>)> {
        for host in self.hosts.values_mut() {
            while host.waiting.peek().is_some_and(|waiter| waiter.grant.is_closed()) {
                host.waiting.pop();
            }
        }
        let (name, host) = self
            .hosts
            .iter_mut()
            .filter(|(_, host)| host.active < per_host)
            .filter_map(|(name, host)| {
                host.waiting.peek().map(|waiter| waiter.rank).map(|rank| (rank, name, host))
            })
            .max_by_key(|(rank, ..)| *rank)
            .map(|(_, name, host)| (name, host))?;
        let waiter = host.waiting.pop()?;
        host.active += 1;
        self.free -= 1;
        Some((Arc::clone(name), waiter.grant))
    }
}

/// Permission to run one transfer; dropping it lets the next one start.
pub struct Slot {
    queue: Arc<Shared>,
    host: Arc<str>,
    /// The memory that the transfer's body takes.
    pub(crate) lease: Option<Lease>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.queue.release(&self.host);
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("host", &self.host).finish_non_exhaustive()
    }
}

impl PartialEq for Waiter {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Waiter {}

impl PartialOrd for Waiter {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiter {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank.cmp(&other.rank)
    }
}
