//! Large packages, unpacked while they arrive: of a tarball of 45 MB that holds 140 there are never more than two MiB in
//! memory, and it is in its place as soon as its last byte has come.
//!
//! Nothing is believed before it is whole and its digest is right: until then its files are in a folder in `tmp/`.

use std::io::{self, BufRead, Read};

use dx_pkg_compat::tarball::{Entries, Limits, StreamedFile};
use dx_pkg_core::{Checker, Integrity};
use dx_pkg_fetch::{Bytes, Piece};
use dx_pkg_store::{Incoming, IncomingTarball, Keeping};
use tokio::sync::mpsc::Receiver;

use super::Storing;
use super::package::Download;

/// Tarballs of at least this many bytes are unpacked as they arrive: few are that large, and most of the memory was theirs.
pub(super) const STREAMED_FROM: u64 = 1 << 20;
/// How many pieces may wait to be unpacked. The network gives up to 400 KiB at once.
pub(super) const PIECES: usize = 4;
/// A manifest that is longer is not looked into, in bytes.
const LONGEST_MANIFEST: u64 = 4 << 20;

/// A tarball has to be fetched once more and unpacked whole; that tells what is the matter.
pub(super) struct GaveUp;

impl<E: std::error::Error> From<E> for GaveUp {
    fn from(_: E) -> Self {
        Self
    }
}

/// Unpacks a tarball of `length` bytes from its pieces.
pub(super) fn unpack(
    download: &Download,
    integrity: &Integrity,
    length: u64,
    pieces: Receiver<Piece>,
) -> Result<(), GaveUp> {
    let store = &download.shared.store;
    let (keeping, kept) = match download.storing {
        Storing::Now => (Keeping::Now, None),
        Storing::Later => (Keeping::Later, None),
        Storing::Packed => (Keeping::Later, Some(store.receive_tarball(download.id)?)),
    };
    let arriving = Arriving {
        download,
        pieces,
        next: Bytes::new(),
        is_whole: false,
        checker: integrity.checker(),
        kept,
    };
    let mut entries = Entries::new(arriving, length, Limits::default())?;
    let mut incoming = store.receive(download.id, keeping)?;
    let manifest = take_files(download, &mut entries, &mut incoming)?;
    let Arriving { is_whole: true, checker, kept, .. } = entries.finish()? else {
        return Err(GaveUp);
    };
    checker.finish()?;
    if let Some(kept) = kept {
        kept.keep()?;
    }
    incoming.keep(Some(integrity))?;
    if download.wants_license {
        download.note_license(manifest.as_deref());
    }
    download.note_inserted();
    Ok(())
}

/// Writes the files, and gives the manifest.
fn take_files(
    download: &Download,
    entries: &mut Entries<Arriving<'_>>,
    incoming: &mut Incoming<'_>,
) -> Result<Option<Vec<u8>>, GaveUp> {
    let mut manifest = None;
    while let Some(StreamedFile { path, executable, size }) = entries.next_file()? {
        let is_manifest = path == "package.json" && size <= LONGEST_MANIFEST;
        if is_manifest {
            manifest = Some(Vec::new());
        }
        let executable = executable || download.commands.contains(&path);
        incoming.begin(path, executable)?;
        while let Some(chunk) = entries.chunk()? {
            incoming.write(chunk)?;
            if is_manifest && let Some(manifest) = &mut manifest {
                manifest.extend_from_slice(chunk);
            }
        }
    }
    Ok(manifest)
}

/// The bytes of a tarball, as they come.
struct Arriving<'d> {
    download: &'d Download,
    pieces: Receiver<Piece>,
    next: Bytes,
    is_whole: bool,
    checker: Checker,
    kept: Option<IncomingTarball<'d>>,
}

impl Read for Arriving<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Arriving<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.next.is_empty() && !self.is_whole {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => {
                    self.download.shared.progress.received(bytes.len() as u64);
                    self.checker.update(&bytes);
                    if let Some(kept) = &mut self.kept {
                        kept.write(&bytes)?;
                    }
                    self.next = bytes;
                }
                Some(Piece::End) => self.is_whole = true,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        Ok(&self.next)
    }

    fn consume(&mut self, amount: usize) {
        drop(self.next.split_to(amount));
    }
}
