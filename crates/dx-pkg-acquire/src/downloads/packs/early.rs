//! Large packages, unpacked by a thread of their own while their message arrives.
//!
//! The message is kept whole as well: where its stream breaks off, it goes on from another one.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
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

/// A package that is being unpacked.
pub(super) struct Early {
    id: PackageId,
    /// The bytes of the message that were handed over.
    handed: usize,
    pieces: Option<SyncSender<Vec<u8>>>,
    thread: Option<JoinHandle<Result<(), Refusal>>>,
}

impl Early {
    /// Decides about a message of which this has come, and begins if it is worth it; `None` where
    /// its head has not come whole, so that nothing is known. `find` returns the download of a
    /// package that is wanted.
    pub(super) fn decide(
        so_far: &[u8],
        key: &ServerKey,
        find: impl FnOnce(PackageId) -> Option<Download>,
    ) -> Option<Option<Self>> {
        let (head, contents) = PackHead::decode(so_far).ok()?;
        let is_worth_it = head.from.is_none() && head.package.size() >= EARLY;
        let download = is_worth_it.then(|| find(head.package.id)).flatten();
        let handed = so_far.len() - contents.len();
        Some(download.and_then(|download| Self::begin(head, handed, download, key.clone())))
    }

    fn begin(head: PackHead, handed: usize, download: Download, key: ServerKey) -> Option<Self> {
        let id = head.package.id;
        let (pieces, arriving) = sync_channel(PIECES);
        let work = move || {
            check(&head, &download, &key)?;
            let contents = Arriving { pieces: arriving, piece: Vec::new(), read: 0 };
            store_in_pieces(&head, contents, &download)
        };
        let thread = thread::Builder::new().name("dx-pack".into()).spawn(work).ok()?;
        Some(Self { id, handed, pieces: Some(pieces), thread: Some(thread) })
    }

    /// Returns the package.
    pub(super) fn id(&self) -> PackageId {
        self.id
    }

    /// Hands over what of the message is new.
    pub(super) fn feed(&mut self, message: &[u8]) {
        if let (Some(pieces), Some(new)) = (&self.pieces, message.get(self.handed..)) {
            self.handed = message.len();
            // Who does not take it any more has failed already.
            let _ = pieces.send(new.to_vec());
        }
    }

    /// Hands over the rest of the message, and returns what became of the package.
    pub(super) fn finish(mut self, message: &[u8]) -> Result<(), Refusal> {
        self.feed(message);
        self.join().unwrap_or(Err(Refusal::Server(DxrpError::Thread)))
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
