//! Buffers that bodies, and archives inflated from them, lie in, used again for the next ones.
//!
//! Memory that comes from the system is zeroed page by page as it is first written to, on a virtual machine at several
//! microseconds a page.

use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most that waits to be used again, in bytes.
const MOST_KEPT: usize = 64 << 20;
/// Buffers have the size of a power of two, from this one on.
const SMALLEST: usize = 4 << 10;
const SIZES: usize = 14;
/// Who asks for at least this much, in bytes, is given a larger buffer where there is one: few are that large.
const LARGE: usize = 512 << 10;

static KEPT: Mutex<Kept> = Mutex::new(Kept { bytes: 0, by_size: [const { Vec::new() }; SIZES] });

/// What waits to be used again.
struct Kept {
    bytes: usize,
    by_size: [Vec<Vec<u8>>; SIZES],
}

/// Some bytes, and room that is used again.
#[derive(Debug, Default)]
pub struct Buffer {
    room: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// A buffer of `size` bytes with any contents.
    #[must_use]
    pub fn of(size: usize) -> Self {
        let room = match place(size) {
            Some(place) => take(place).unwrap_or_else(|| vec![0; SMALLEST << place]),
            None => vec![0; size],
        };
        Self { room, length: size }
    }

    /// An empty buffer with room for `size` bytes.
    #[must_use]
    pub fn with_room(size: usize) -> Self {
        let mut buffer = Self::of(size);
        buffer.truncate(0);
        buffer
    }

    /// All bytes.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.room.get_mut(..self.length).unwrap_or_default()
    }

    /// Keeps the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// Adds `bytes`, in a larger buffer where there is no room.
    pub fn extend(&mut self, bytes: &[u8]) {
        let length = self.length + bytes.len();
        if length > self.room.len() {
            let mut larger = Self::with_room(length.max(self.room.len().saturating_mul(2)));
            larger.extend(self);
            *self = larger;
        }
        if let Some(end) = self.room.get_mut(self.length..length) {
            end.copy_from_slice(bytes);
            self.length = length;
        }
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

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let size = self.room.len();
        if let Some(place) = place(size)
            && size == SMALLEST << place
        {
            let mut kept = kept();
            if kept.bytes + size <= MOST_KEPT
                && let Some(same) = kept.by_size.get_mut(place)
            {
                same.push(std::mem::take(&mut self.room));
                kept.bytes += size;
            }
        }
    }
}

/// Where buffers that have room for `size` bytes are kept; none for those that are given back.
fn place(size: usize) -> Option<usize> {
    let place = size.max(SMALLEST).checked_next_power_of_two()?.ilog2() - SMALLEST.ilog2();
    usize::try_from(place).ok().filter(|place| *place < SIZES)
}

fn take(place: usize) -> Option<Vec<u8>> {
    let mut kept = kept();
    let last = if SMALLEST << place < LARGE { place } else { SIZES - 1 };
    let room = kept.by_size.get_mut(place..=last)?.iter_mut().find_map(Vec::pop)?;
    kept.bytes -= room.len();
    Some(room)
}

fn kept() -> MutexGuard<'static, Kept> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
