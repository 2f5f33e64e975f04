//! The revisions last seen, within a limit of memory, and the turns of those who change documents.

use super::Name;
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The memory for values, counted by the length of their JSON, in bytes.
const LIMIT: usize = 32 << 20;
/// What an entry costs besides its value, in bytes.
const OVERHEAD: usize = 256;

type Value = Option<Arc<dyn Any + Send + Sync>>;

#[derive(Default)]
pub(super) struct Cache {
    entries: Mutex<Entries>,
    turns: Mutex<HashMap<Name, Weak<tokio::sync::Mutex<()>>>>,
}

#[derive(Default)]
struct Entries {
    by_name: HashMap<Name, Entry>,
    bytes: usize,
    clock: u64,
}

struct Entry {
    number: u64,
    value: Value,
    bytes: usize,
    used: u64,
}

impl Cache {
    /// Returns the number, the value and its size, of the revision last seen.
    pub(super) fn get(&self, name: &Name) -> Option<(u64, Value, usize)> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let clock = entries.clock;
        let entry = entries.by_name.get_mut(name)?;
        entry.used = clock;
        Some((entry.number, entry.value.clone(), entry.bytes))
    }

    /// Keeps a revision, unless a later one is known.
    pub(super) fn put(&self, name: &Name, number: u64, value: Value, bytes: usize) {
        let bytes = bytes + OVERHEAD;
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let used = entries.clock;
        if entries.by_name.get(name).is_some_and(|entry| entry.number > number) {
            return;
        }
        let entry = Entry { number, value, bytes, used };
        if let Some(former) = entries.by_name.insert(name.clone(), entry) {
            entries.bytes -= former.bytes;
        }
        entries.bytes += bytes;
        if entries.bytes > LIMIT {
            entries.shrink();
        }
    }

    /// Returns the lock that a change of this document holds in this process.
    pub(super) fn turn(&self, name: &Name) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(name).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(name.clone(), Arc::downgrade(&turn));
        turn
    }
}

impl Entries {
    /// Removes the least recently used quarter.
    fn shrink(&mut self) {
        let mut ages: Vec<u64> = self.by_name.values().map(|entry| entry.used).collect();
        let quarter = ages.len() / 4;
        let (_, &mut limit, _) = ages.select_nth_unstable(quarter);
        self.by_name.retain(|_, entry| entry.used > limit);
        self.bytes = self.by_name.values().map(|entry| entry.bytes).sum();
    }
}
