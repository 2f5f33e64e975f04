//! Large packages, unpacked by a thread of their own while their message arrives.
//!
//! What was unpacked is not kept. Where the stream breaks off the thread waits, and goes on with
//! what another stream brings.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use dx_pkg_core::PackageId;
use dx_pkg_format::dxrp::{PackHead, ServerKey};

use super::super::download::Download;
use super::unpack::{Refusal, check, store_in_pieces};
use crate::dxrp::DxrpError;

/// The size of contents from which on a package is unpacked while it arrives, in bytes.
const EARLY: u64 = 16 << 20;
/// The most pieces that wait to be unpacked; one is a frame.
const PIECES: usize = 4;
/// The most packages that are unpacked like that at once: each takes the window of Zstandard.
const SEATS: usize = 2;

/// The places of packages that are being unpacked.
#[derive(Default)]
pub(super) struct Seats {
    taken: Mutex<usize>,
    is_free: Condvar,
}

impl Seats {
    /// Waits for a place.
    fn sit_down(self: &Arc<Self>) -> Seat {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = self.is_free.wait_while(taken, |taken| *taken >= SEATS);
        *taken.unwrap_or_else(PoisonError::into_inner) += 1;
        Seat(self.clone())
    }
}

/// A place, until it is dropped.
struct Seat(Arc<Seats>);

impl Drop for Seat {
    fn drop(&mut self) {
        *self.0.taken.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.is_free.notify_one();
    }
}

/// A package that is being unpacked.
pub(super) struct Early {
    id: PackageId,
    /// The bytes at the beginning of the message that are no contents, until they are cut off.
    head: usize,
    /// The bytes of the message that were handed over, its head included.
    handed: u64,
    seat: Option<Seat>,
    pieces: Option<SyncSender<Vec<u8>>>,
    thread: Option<JoinHandle<Result<(), Refusal>>>,
}

impl Early {
    /// Decides about a message of which this has come, and begins if it is worth it, once there is
    /// a place; `None` where its head has not come whole, so that nothing is known. `find` returns
    /// the download of a package that is wanted.
    pub(super) fn decide(
        so_far: &[u8],
        key: &ServerKey,
        seats: &Arc<Seats>,
        find: impl FnOnce(PackageId) -> Option<Download>,
    ) -> Option<Option<Self>> {
        let (head, contents) = PackHead::decode(so_far).ok()?;
        let is_worth_it = head.from.is_none() && head.package.size() >= EARLY;
        let download = is_worth_it.then(|| find(head.package.id)).flatten();
        let length = so_far.len() - contents.len();
        Some(download.and_then(|download| {
            let seat = seats.sit_down();
            Self::begin((head, length), download, key.clone(), seat)
        }))
    }

    fn begin(
        (head, length): (PackHead, usize),
        download: Download,
        key: ServerKey,
        seat: Seat,
    ) -> Option<Self> {
        let id = head.package.id;
        let (pieces, arriving) = sync_channel(PIECES);
        let work = move || {
            check(&head, &download, &key)?;
            let contents = Arriving { pieces: arriving, piece: Vec::new(), read: 0 };
            store_in_pieces(&head, contents, &download)
        };
        let thread = thread::Builder::new().name("dx-pack".into()).spawn(work).ok()?;
        let (pieces, thread) = (Some(pieces), Some(thread));
        Some(Self { id, head: length, handed: 0, seat: Some(seat), pieces, thread })
    }

    /// Returns the package.
    pub(super) fn id(&self) -> PackageId {
        self.id
    }

    /// Gives its place up.
    pub(super) fn stand_up(&mut self) {
        self.seat = None;
    }

    /// Takes what has come of the message.
    pub(super) fn feed(&mut self, message: &mut Vec<u8>) {
        let mut new = std::mem::take(message);
        self.handed += new.len() as u64;
        // All of it has come before this began.
        new.drain(..std::mem::take(&mut self.head));
        if let Some(pieces) = self.pieces.as_ref().filter(|_| !new.is_empty()) {
            // Who does not take it any more has failed already.
            let _ = pieces.send(new);
        }
    }

    /// Takes the rest of the message; returns its whole length, and what became of the package.
    pub(super) fn finish(mut self, message: &mut Vec<u8>) -> (u64, Result<(), Refusal>) {
        self.feed(message);
        let outcome = self.join().unwrap_or(Err(Refusal::Server(DxrpError::Thread)));
        (self.handed, outcome)
    }

    fn join(&mut self) -> Option<Result<(), Refusal>> {
        self.pieces = None;
        self.thread.take()?.join().ok()
    }
}

impl Drop for Early {
    fn drop(&mut self) {
        // What was not handed over whole is not kept.
        self.join();
    }
}

/// The contents of a message as they arrive.
struct Arriving {
    pieces: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    /// How many bytes of the piece were read.
    read: usize,
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Arriving {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.read >= self.piece.len() {
            match self.pieces.recv() {
                Ok(piece) => (self.piece, self.read) = (piece, 0),
                // All has come.
                Err(_) => break,
            }
        }
        Ok(self.piece.get(self.read..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.read += amount;
    }
}
