//! Unpacks large tarballs while they arrive: of one of 45 MB that holds 140 MB never more than two
//! MiB are in memory.
//!
//! Until the tarball is whole and its digest is right, its files are in a folder in `tmp/`.

use std::io::{self, BufRead, Read};

use dx_pkg_compat::tarball::{Entries, Limits, StreamedFile};
use dx_pkg_core::Integrity;
use dx_pkg_core::integrity::Checker;
use dx_pkg_fetch::Bytes;
use dx_pkg_fetch::stream::Piece;
use dx_pkg_format::dxp::FileMode;

use dx_pkg_store::{Incoming, IncomingTarball, StoreMode};
use tokio::sync::mpsc::Receiver;

use super::package::Download;

/// The size in bytes from which tarballs are unpacked as they arrive: few are that large, and they
/// took most memory.
pub(super) const STREAMED_FROM: u64 = 1 << 20;
/// The most pieces that wait to be unpacked; one has up to 400 KiB.
pub(super) const PIECES: usize = 4;
/// The longest manifest that is read, in bytes.
const LONGEST_MANIFEST: u64 = 4 << 20;

/// A stream that failed. The tarball is fetched once more and unpacked whole, which yields the
/// error.
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
    let kept = match download.mode {
        StoreMode::Tarball => Some(store.receive_tarball(download.id)?),
        StoreMode::Now | StoreMode::Deferred => None,
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
    let mut incoming = store.receive(download.id, download.mode)?;
    let Taken { manifest, has_gyp } = take_files(download, &mut entries, &mut incoming)?;
    let Arriving { is_whole: true, checker, kept, .. } = entries.finish()? else {
        return Err(GaveUp);
    };
    checker.finish()?;
    if let Some(kept) = kept {
        kept.keep()?;
    }
    if has_gyp {
        download.mark_gyp(manifest.as_deref())?;
    }
    incoming.keep(Some(integrity))?;
    if download.wants_license {
        download.record_own_fields(manifest.as_deref());
    }
    download.record_inserted();
    Ok(())
}

/// What was seen of the files while they were written.
#[derive(Default)]
struct Taken {
    manifest: Option<Vec<u8>>,
    /// Whether there is a `binding.gyp`.
    has_gyp: bool,
}

/// Writes the files.
fn take_files(
    download: &Download,
    entries: &mut Entries<Arriving<'_>>,
    incoming: &mut Incoming<'_>,
) -> Result<Taken, GaveUp> {
    let mut taken = Taken::default();
    while let Some(StreamedFile { path, mode, size }) = entries.next_file()? {
        let is_manifest = path == "package.json" && size <= LONGEST_MANIFEST;
        if is_manifest {
            taken.manifest = Some(Vec::new());
        }
        taken.has_gyp |= path == "binding.gyp";
        let is_command = download.commands.contains(&path);
        incoming.begin(path, if is_command { FileMode::EXECUTABLE } else { mode })?;
        while let Some(chunk) = entries.chunk()? {
            incoming.write(chunk)?;
            if is_manifest && let Some(manifest) = &mut taken.manifest {
                manifest.extend_from_slice(chunk);
            }
        }
    }
    Ok(taken)
}

/// The bytes of a tarball as they arrive.
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
                    self.download.shared.counters.tarball_bytes.add(bytes.len() as u64);
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
