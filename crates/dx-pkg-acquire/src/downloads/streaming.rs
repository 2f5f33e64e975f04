//! Unpacks large tarballs from their beginning to their end: of one of 45 MB that holds 140 MB
//! never more than one MiB is in memory.
//!
//! Until the tarball is whole and its digest is right, its files are in a folder in `tmp/`.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use dx_pkg_compat::tarball::{Entries, StreamError, StreamedFile};
use dx_pkg_core::integrity::{Checker, Sha512Digest};
use dx_pkg_core::{Integrity, IntegrityMismatch, PackageId};
use dx_pkg_fetch::Bytes;
use dx_pkg_fetch::stream::Piece;
use dx_pkg_format::dxp::FileMode;

use dx_pkg_registry::Streaming;
use dx_pkg_store::{Incoming, IncomingTarball, Store};
use tokio::sync::mpsc::{self, Receiver};
use tokio::sync::oneshot;

use super::download::Download;
use crate::{AcquireError, Counters};

/// The size in bytes from which tarballs are unpacked as they arrive: few are that large, and they
/// took most memory.
pub(super) const STREAMED_FROM: u64 = 1 << 20;
/// The most pieces that wait to be unpacked; one has up to 400 KiB.
const PIECES: usize = 2;

/// The reason why a tarball was not stored.
pub(super) enum Failure {
    /// Its bytes do not arrive.
    Source(io::Error),
    /// Its bytes are not the right ones.
    Mismatch(IntegrityMismatch),
    /// It is refused, or cannot be written.
    Refused(AcquireError),
}

impl<E: Into<AcquireError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// Begins a tarball that is taken while it arrives; `None` for a small one. `take` returns what the
/// sender is told: nothing where the tarball breaks off, as nobody waits for it then.
pub(super) fn begin(
    length: Option<u64>,
    counters: &Arc<Counters>,
    take: impl FnOnce(Arriving) -> Option<Result<(), IntegrityMismatch>> + Send + 'static,
) -> Option<Streaming> {
    if length.is_some_and(|length| length < STREAMED_FROM) {
        return None;
    }
    let (pieces, arriving) = mpsc::channel(PIECES);
    let (done, unpacked) = oneshot::channel();
    let source = Arriving::new(arriving, counters);
    let take = move || {
        if let Some(told) = take(source) {
            let _ = done.send(told);
        }
    };
    // A thread of its own: it waits for the network most of the time, and would keep a worker from
    // its work.
    std::thread::Builder::new().name("dx-stream".into()).spawn(take).ok()?;
    Some(Streaming { pieces, unpacked })
}

/// Unpacks the tarball that `source` delivers. It is verified unless there is no `integrity`, and
/// written to `kept` too.
pub(super) fn unpack(
    download: &Download,
    source: impl BufRead,
    integrity: Option<&Integrity>,
    kept: Option<IncomingTarball<'_>>,
) -> Result<(), Failure> {
    let shared = &download.shared;
    let checker = integrity.map(Integrity::checker);
    let source = Checked { source, checker, kept, failure: None };
    let mut entries = Entries::new(source, shared.limits.clone());
    let mut incoming = shared.store.receive(download.id, download.mode)?;
    let taken = take_files(download, &mut entries, &mut incoming);
    let Some(mut source) = entries.into_source() else {
        return Err(Failure::Source(io::ErrorKind::UnexpectedEof.into()));
    };
    // Bytes that are not the right ones are not looked at any further: they are requested again.
    source.pass_over_rest().map_err(Failure::Source)?;
    if let Some(checker) = source.checker {
        checker.finish().map_err(Failure::Mismatch)?;
    }
    let Taken { manifest, has_gyp } = taken?;
    if let Some(kept) = source.kept {
        kept.keep(download.id)?;
    }
    if has_gyp {
        download.mark_gyp(manifest.as_deref())?;
    }
    incoming.keep(download.integrity.as_ref())?;
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
fn take_files<R: BufRead>(
    download: &Download,
    entries: &mut Entries<R>,
    incoming: &mut Incoming<'_>,
) -> Result<Taken, Failure> {
    let mut taken = Taken::default();
    let refused = |error| refusal(download, error);
    while let Some(file) = entries.next_file().map_err(refused)? {
        if let Err(error) = take_file(download, file, entries, incoming, &mut taken) {
            // A file that cannot be written may be the fault of the tarball.
            let Failure::Refused(_) = error else { return Err(error) };
            while entries.next_file().map_err(refused)?.is_some() {}
            entries.finish().map_err(refused)?;
            return Err(error);
        }
    }
    entries.finish().map_err(refused)?;
    Ok(taken)
}

fn take_file<R: BufRead>(
    download: &Download,
    file: StreamedFile,
    entries: &mut Entries<R>,
    incoming: &mut Incoming<'_>,
    taken: &mut Taken,
) -> Result<(), Failure> {
    let StreamedFile { path, mode, replaces, .. } = file;
    let is_manifest = path == "package.json";
    if is_manifest {
        taken.manifest = Some(Vec::new());
    }
    taken.has_gyp |= path == "binding.gyp";
    let mode = if download.commands.contains(&path) { FileMode::EXECUTABLE } else { mode };
    if replaces {
        incoming.replace(path, mode)?;
    } else {
        incoming.begin(path, mode)?;
    }
    while let Some(chunk) = entries.chunk().map_err(|error| refusal(download, error))? {
        incoming.write(chunk)?;
        if is_manifest && let Some(manifest) = &mut taken.manifest {
            manifest.extend_from_slice(chunk);
        }
    }
    Ok(())
}

fn refusal(download: &Download, error: StreamError) -> Failure {
    match error {
        StreamError::Source(error) => Failure::Source(error),
        StreamError::Tarball(error) => Failure::Refused(AcquireError::Tarball {
            name: download.name.clone(),
            source: Arc::new(error),
        }),
    }
}

/// A source whose bytes are hashed and written as they are consumed.
struct Checked<'d, R> {
    source: R,
    checker: Option<Checker>,
    kept: Option<IncomingTarball<'d>>,
    /// The failure to write.
    failure: Option<io::Error>,
}

impl<R: BufRead> Checked<'_, R> {
    /// Consumes what nobody has read.
    fn pass_over_rest(&mut self) -> io::Result<()> {
        loop {
            match self.fill_buf()?.len() {
                0 => return Ok(()),
                rest => self.consume(rest),
            }
        }
    }
}

impl<R: BufRead> Read for Checked<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Checked<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => self.source.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        // They were filled already.
        let filled = self.source.fill_buf().unwrap_or_default();
        let consumed = filled.get(..amount).unwrap_or(filled);
        if let Some(checker) = &mut self.checker {
            checker.update(consumed);
        }
        if let Some(kept) = &mut self.kept {
            self.failure = kept.write(consumed).err();
        }
        self.source.consume(amount);
    }
}

/// The bytes of a tarball as they arrive.
pub(super) struct Arriving {
    pieces: Receiver<Piece>,
    counters: Arc<Counters>,
    next: Bytes,
    is_whole: bool,
}

impl Arriving {
    pub(super) fn new(pieces: Receiver<Piece>, counters: &Arc<Counters>) -> Self {
        Self { pieces, counters: counters.clone(), next: Bytes::new(), is_whole: false }
    }
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
        while self.next.is_empty() && !self.is_whole {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => {
                    self.counters.tarball_bytes.add(bytes.len() as u64);
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

/// Writes a tarball whose digest nobody knows to the store; returns its digest.
pub(super) fn store_first(store: &Store, mut source: Arriving) -> Result<Integrity, Failure> {
    let mut kept = store.receive_tarball()?;
    let mut digest = Sha512Digest::default();
    loop {
        let bytes = source.fill_buf().map_err(Failure::Source)?;
        if bytes.is_empty() {
            break;
        }
        digest.update(bytes);
        let written = kept.write(bytes);
        written.map_err(|error| AcquireError::io("writing a tarball to the store", error))?;
        let length = bytes.len();
        source.consume(length);
    }
    let integrity = digest.finish();
    let id = PackageId::from_integrity(&integrity);
    if !store.has(id) {
        kept.keep(id)?;
    }
    Ok(integrity)
}
