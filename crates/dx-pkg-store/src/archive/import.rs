//! Reading of archives: one thread decompresses and checks, the others write packages.

use std::collections::HashSet;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use dx_pkg_format::archive::{CONTENT_ROOT, PackageHead};

use super::ArchiveError;
use super::pieces::Pieces;
use super::stream::Stream;
use crate::{Store, StoreError, StoreMode};

/// The number of packages that wait for a thread to write them.
const WAITING: usize = 16;

/// The most files of all packages that wait or are written; one package may have more.
const MOST_FILES: usize = 200_000;

/// The packages of an archive that was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// The number of packages that the store lacked and has now.
    pub packages: usize,
    /// The number of packages that it had already.
    pub present: usize,
    /// The number of files that were written.
    pub files: usize,
    /// The size of their contents in bytes.
    pub contents: u64,
}

/// A package whose contents arrive.
struct Arriving {
    head: PackageHead,
    contents: Pieces,
}

/// Room for the lists of files of packages that wait or are written, as an archive may have many
/// long ones.
#[derive(Default)]
struct Room {
    taken: Mutex<usize>,
    freed: Condvar,
}

impl Room {
    /// Waits until there is room for so many files, or nobody else has any.
    fn take(&self, files: usize) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken > 0 && *taken + files > MOST_FILES {
            taken = self.freed.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken += files;
    }

    fn free(&self, files: usize) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) -= files;
        self.freed.notify_all();
    }
}

/// What the threads of one import share.
struct Shared<'s> {
    store: &'s Store,
    room: Room,
    cancelled: &'s AtomicBool,
    /// The first error of a thread that writes.
    failed: Mutex<Option<ArchiveError>>,
}

impl Store {
    /// Stores the packages of an archive that this store lacks. What it has stays as it is.
    ///
    /// Each package is complete and verified before it is visible; an error leaves those before
    /// it in the store.
    ///
    /// # Errors
    /// When the archive is damaged or refused, the store cannot be written, or `cancelled` is set.
    pub fn import(
        &self,
        from: impl Read,
        cancelled: &AtomicBool,
    ) -> Result<Imported, ArchiveError> {
        let (mut stream, packages) = Stream::open(from)?;
        let shared =
            Shared { store: self, room: Room::default(), cancelled, failed: Mutex::default() };
        let imported = std::thread::scope(|scope| {
            let (jobs, waiting) = sync_channel(WAITING);
            let waiting = Arc::new(Mutex::new(waiting));
            for _ in 0..dx_pkg_os::process::processors() {
                let waiting = waiting.clone();
                scope.spawn(|| shared.write_packages(waiting));
            }
            drop(waiting);
            shared.read_packages(&mut stream, packages, &jobs)
        });
        match shared.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => imported.and_then(|imported| stream.end().map(|()| imported)),
        }
    }
}

impl Shared<'_> {
    /// Reads all packages and hands on those that the store lacks.
    fn read_packages<R: Read>(
        &self,
        stream: &mut Stream<R>,
        packages: u32,
        jobs: &SyncSender<Arriving>,
    ) -> Result<Imported, ArchiveError> {
        let mut imported = Imported::default();
        let mut seen = HashSet::new();
        while let Some(head) = stream.head()? {
            if !seen.insert(head.id) {
                return Err(ArchiveError::refused(format!(
                    "the package {} is in it twice",
                    head.id
                )));
            }
            if seen.len() > packages as usize {
                return Err(ArchiveError::damaged("it has more packages than its header says"));
            }
            let bytes = head.size() + CONTENT_ROOT as u64;
            if self.store.ensure_expanded(head.id)? {
                imported.present += 1;
                self.remember(&head)?;
                self.transfer(stream, bytes, |_| true)?;
                continue;
            }
            imported.packages += 1;
            imported.files += head.files.len();
            imported.contents += head.size();
            let (pieces, arriving) = sync_channel(Pieces::WAITING);
            // Those before arrived as a whole, and are written without this thread.
            self.room.take(head.files.len());
            let job = Arriving { head, contents: Pieces::new(arriving) };
            // Nobody receives after a failure, which is reported in place of this.
            if jobs.send(job).is_err()
                || !self.transfer(stream, bytes, |piece| pieces.send(piece).is_ok())?
            {
                return Err(ArchiveError::Cancelled);
            }
        }
        match seen.len() == packages as usize {
            true => Ok(imported),
            false => Err(ArchiveError::damaged("it has fewer packages than its header says")),
        }
    }

    /// Reads so many bytes and gives them to `take` in pieces; returns whether it took all.
    fn transfer<R: Read>(
        &self,
        stream: &mut Stream<R>,
        bytes: u64,
        mut take: impl FnMut(Vec<u8>) -> bool,
    ) -> Result<bool, ArchiveError> {
        let mut left = bytes;
        while left > 0 {
            if self.cancelled.load(Ordering::Relaxed) {
                return Err(ArchiveError::Cancelled);
            }
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(Pieces::MOST);
            let mut piece = vec![0; length];
            stream.fill(&mut piece)?;
            left -= length as u64;
            if !take(piece) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes packages as they arrive, until there are no more. After an error the rest is dropped.
    fn write_packages(&self, waiting: Arc<Mutex<Receiver<Arriving>>>) {
        loop {
            let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(arriving) = next else { return };
            let files = arriving.head.files.len();
            let written = self.write_package(arriving);
            self.room.free(files);
            if let Err(error) = written {
                let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.get_or_insert(error);
            }
        }
    }

    /// Writes a package. One that does not arrive whole is dropped: the thread that reads reports
    /// why.
    fn write_package(&self, arriving: Arriving) -> Result<(), ArchiveError> {
        let Arriving { head, mut contents } = arriving;
        let mut incoming = self.store.receive_unproven(head.id, StoreMode::Now)?;
        for file in &head.files {
            incoming.begin(file.path.clone(), file.mode)?;
            let mut left = file.size;
            while left > 0 {
                let Some(bytes) = contents.next(left) else { return Ok(()) };
                incoming.write(bytes)?;
                left -= bytes.len() as u64;
            }
        }
        let Some(root) = contents.array::<CONTENT_ROOT>() else { return Ok(()) };
        let found = incoming.keep_if_sound(Some(&head.integrity), root, || self.remember(&head))?;
        if found.is_some() {
            let what = format!("the files of the package {} are not what it says", head.id);
            return Err(ArchiveError::damaged(what));
        }
        // A tarball that stays does no harm.
        let _ = self.store.remove_tarball(head.id);
        Ok(())
    }

    /// Takes over what the other store remembered about a package.
    fn remember(&self, head: &PackageHead) -> Result<(), StoreError> {
        if head.marks.gyp {
            self.store.mark_gyp(head.id)?;
        }
        if head.marks.written {
            self.store.mark_written(head.id)?;
        }
        Ok(())
    }
}
