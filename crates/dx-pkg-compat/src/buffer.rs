//! Buffers that inflated tarballs and packuments lie in, used again for the next ones.
//!
//! A buffer from the system is zeroed page by page as it is first written to. Page faults of the threads that unpack were
//! 2.6 % of all samples of an install with an empty store (`perf`, before buffers were used again); what the reuse saves in
//! time is less than the noise of the machine it was measured on.

use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

/// How many buffers wait to be used again; as many as tarballs are unpacked at once on a usual machine.
const MOST_KEPT: usize = 4;
/// Larger buffers go back to the system, in bytes.
const LARGEST_KEPT: usize = 4 << 20;

static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// Some bytes, and room that is used again.
#[derive(Debug)]
pub(crate) struct Buffer {
    room: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// A buffer of `size` bytes with any contents.
    pub(crate) fn of(size: usize) -> Self {
        let mut room = if size <= LARGEST_KEPT { take() } else { Vec::new() };
        if room.is_empty() {
            room = vec![0; size];
        } else if room.len() < size {
            room.resize(size, 0);
        }
        Self { room, length: size }
    }

    /// All bytes.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.room.get_mut(..self.length).unwrap_or_default()
    }

    /// Keeps the first `length` bytes.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(room: Vec<u8>) -> Self {
        Self { length: room.len(), room }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.room.get(..self.length).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.room.len() <= LARGEST_KEPT {
            let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < MOST_KEPT {
                kept.push(std::mem::take(&mut self.room));
            }
        }
    }
}

fn take() -> Vec<u8> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
}
