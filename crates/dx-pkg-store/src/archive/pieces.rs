//! The contents of one package, handed from the thread that decompresses to one that writes.

use std::sync::mpsc::Receiver;

/// Bytes that arrive in pieces.
pub(super) struct Pieces {
    arriving: Receiver<Vec<u8>>,
    current: Vec<u8>,
    used: usize,
}

impl Pieces {
    /// The most bytes of a piece.
    pub(super) const MOST: usize = 256 << 10;
    /// The number of pieces that wait for their reader.
    pub(super) const WAITING: usize = 4;

    pub(super) fn new(arriving: Receiver<Vec<u8>>) -> Self {
        Self { arriving, current: Vec::new(), used: 0 }
    }

    /// Returns the next bytes, at least one and at most `most`; `None` if no more arrive.
    pub(super) fn next(&mut self, most: u64) -> Option<&[u8]> {
        if self.used == self.current.len() {
            self.current = self.arriving.recv().ok()?;
            self.used = 0;
        }
        let left = self.current.len() - self.used;
        let taken = usize::try_from(most).unwrap_or(usize::MAX).min(left);
        let start = self.used;
        self.used += taken;
        self.current.get(start..self.used)
    }

    /// Returns the next `N` bytes; `None` if fewer arrive.
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut array = [0; N];
        let mut filled = 0;
        while filled < N {
            let bytes = self.next((N - filled) as u64)?;
            array.get_mut(filled..filled + bytes.len())?.copy_from_slice(bytes);
            filled += bytes.len();
        }
        Some(array)
    }
}
