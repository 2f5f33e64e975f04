//! A map within a limit of memory, which loses what was used least recently.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// What an entry costs besides its value, in bytes.
const OVERHEAD: usize = 256;

/// The map.
pub(crate) struct Lru<K, V> {
    limit: usize,
    entries: Mutex<Entries<K, V>>,
}

struct Entries<K, V> {
    by_key: HashMap<K, Entry<V>>,
    bytes: usize,
    clock: u64,
}

struct Entry<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<K: Eq + Hash, V: Clone> Lru<K, V> {
    /// Creates a map for `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        let entries = Entries { by_key: HashMap::new(), bytes: 0, clock: 0 };
        Self { limit, entries: Mutex::new(entries) }
    }

    /// Returns the value of a key.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.clock += 1;
        let clock = entries.clock;
        let entry = entries.by_key.get_mut(key)?;
        entry.used = clock;
        Some(entry.value.clone())
    }

    /// Sets the value of a key, which takes `bytes` bytes.
    pub(crate) fn put(&self, key: K, value: V, bytes: usize) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = bytes + OVERHEAD;
        entries.clock += 1;
        let used = entries.clock;
        if let Some(former) = entries.by_key.insert(key, Entry { value, bytes, used }) {
            entries.bytes -= former.bytes;
        }
        entries.bytes += bytes;
        while entries.bytes > self.limit && entries.by_key.len() > 1 {
            entries.shrink(used);
        }
    }

    /// Removes a key.
    pub(crate) fn remove(&self, key: &K) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(former) = entries.by_key.remove(key) {
            entries.bytes -= former.bytes;
        }
    }

    /// Returns the number of entries and their bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        (entries.by_key.len(), entries.bytes)
    }
}

impl<K: Eq + Hash, V> Entries<K, V> {
    /// Removes the least recently used eighth, at least one, but not what was used at `now`.
    fn shrink(&mut self, now: u64) {
        let mut ages: Vec<u64> = self.by_key.values().map(|entry| entry.used).collect();
        let eighth = ages.len() / 8;
        let (_, &mut limit, _) = ages.select_nth_unstable(eighth);
        self.by_key.retain(|_, entry| entry.used > limit || entry.used == now);
        self.bytes = self.by_key.values().map(|entry| entry.bytes).sum();
    }
}
