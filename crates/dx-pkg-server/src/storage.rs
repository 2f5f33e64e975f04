//! Objects by key, in a folder: what the registry keeps, through the interface of an object store.
//!
//! An object is created whole or not at all, and at most once ([`Storage::create`]); nothing else
//! that several processes write at once is relied on. What may be replaced is what any writer would
//! write equally well: caches and hints. [`documents`](crate::documents) makes documents that
//! change from objects that do not.

mod key;
mod temporary;
#[cfg(test)]
mod tests;

pub(crate) use key::Key;
pub(crate) use temporary::Temporary;

use crate::failure::Failure;
use axum::http::StatusCode;
use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// The result of creating an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Created {
    /// It was not there before.
    New,
    /// Another one has that key.
    Exists,
}

/// An object in a listing.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) key: Key,
    /// The size in bytes.
    pub(crate) size: u64,
    pub(crate) modified: SystemTime,
}

/// The storage. Clones share it.
#[derive(Clone)]
pub(crate) struct Storage {
    /// Writes are on the disk when they return: what is published.
    durable: Arc<LocalFileSystem>,
    /// Writes may be lost with the machine's power: caches and hints.
    relaxed: Arc<LocalFileSystem>,
    folder: Arc<Path>,
}

impl Storage {
    /// Opens the folder, and creates it where it is missing, readable by its owner only.
    pub(crate) fn open(folder: &Path) -> Result<Self, String> {
        let fault = |what: &str, error: &dyn std::fmt::Display| {
            format!("cannot {what} the storage folder {}: {error}", folder.display())
        };
        create_private(folder).map_err(|error| fault("create", &error))?;
        let folder = folder.canonicalize().map_err(|error| fault("open", &error))?;
        let store =
            LocalFileSystem::new_with_prefix(&folder).map_err(|error| fault("open", &error))?;
        let temporary = folder.join(temporary::FOLDER);
        create_private(&temporary).map_err(|error| fault("write to", &error))?;
        Ok(Self {
            durable: Arc::new(store.clone().with_fsync(true)),
            relaxed: Arc::new(store),
            folder: folder.into(),
        })
    }

    /// Returns the folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the folder of temporary files.
    pub(crate) fn temporary_folder(&self) -> PathBuf {
        self.folder.join(temporary::FOLDER)
    }

    /// Returns when the object was written or marked as used; `None` where there is none.
    pub(crate) fn modified(&self, key: &Key) -> Option<SystemTime> {
        std::fs::metadata(self.path(key)).ok()?.modified().ok()
    }

    /// Returns the object's file.
    pub(crate) fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(key.as_str())
    }

    /// Returns whether the object is there. Takes one system call, and no thread.
    pub(crate) fn exists(&self, key: &Key) -> bool {
        std::fs::symlink_metadata(self.path(key)).is_ok()
    }

    /// Reads an object; `None` where there is none.
    pub(crate) async fn read(&self, key: &Key) -> Result<Option<Bytes>, Failure> {
        let found = match self.relaxed.get(&key.location()).await {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        };
        match found {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failure_of("read", key, &error)),
        }
    }

    /// Opens an object; `None` where there is none. On the thread of the caller: handing the work
    /// to another one costs five times as many system calls as the work itself.
    pub(crate) fn open_object(&self, key: &Key) -> Result<Option<File>, Failure> {
        match File::open(self.path(key)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::of_io("open", key.as_str(), &error)),
        }
    }

    /// Creates an object that is on the disk when this returns. It is there whole or not at all.
    pub(crate) async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Failure> {
        match self.durable.put_opts(&key.location(), bytes.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(Created::New),
            Err(Error::AlreadyExists { .. }) => Ok(Created::Exists),
            Err(error) => Err(failure_of("create", key, &error)),
        }
    }

    /// Writes an object of a cache, or a hint, over the one that may be there.
    pub(crate) async fn replace(&self, key: &Key, bytes: Bytes) -> Result<(), Failure> {
        let put = self.relaxed.put(&key.location(), bytes.into()).await;
        put.map(|_| ()).map_err(|error| failure_of("write", key, &error))
    }

    /// Creates an object from a complete temporary file, which is gone afterwards.
    pub(crate) async fn adopt(&self, key: &Key, file: Temporary) -> Result<Created, Failure> {
        let path = self.path(key);
        let adopting = move || {
            file.sync()?;
            let link = || std::fs::hard_link(file.path(), &path);
            let linked = link().or_else(|error| match (error.kind(), path.parent()) {
                (std::io::ErrorKind::NotFound, Some(folder)) => {
                    std::fs::create_dir_all(folder)?;
                    link()
                }
                _ => Err(error),
            });
            match linked {
                Ok(()) => {
                    if let Some(folder) = path.parent() {
                        File::open(folder)?.sync_all()?;
                    }
                    Ok(Created::New)
                }
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    Ok(Created::Exists)
                }
                Err(error) => Err(error),
            }
        };
        blocking(adopting).await?.map_err(|error| Failure::of_io("create", key.as_str(), &error))
    }

    /// Removes an object; one that is not there is no fault.
    pub(crate) async fn remove(&self, key: &Key) -> Result<(), Failure> {
        match self.relaxed.delete(&key.location()).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failure_of("remove", key, &error)),
        }
    }

    /// Lists the objects below `folder`, whatever their depth, in no order.
    pub(crate) async fn list(&self, folder: &Key) -> Result<Vec<Listed>, Failure> {
        let (root, start) = (Arc::clone(&self.folder), self.path(folder));
        let walk = move || {
            let mut found = Vec::new();
            walk_below(&root, &start, &mut found).map(|()| found)
        };
        blocking(walk).await?.map_err(|error| Failure::of_io("list", folder.as_str(), &error))
    }
}

/// Adds the objects below `folder`. Files that an interrupted write left behind are no objects.
fn walk_below(root: &Path, folder: &Path, found: &mut Vec<Listed>) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            walk_below(root, &path, found)?;
            continue;
        }
        let inside = path.strip_prefix(root).ok().and_then(Path::to_str);
        let Some(inside) = inside.filter(|name| !name.contains('#')) else {
            continue;
        };
        let metadata = match entry.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        found.push(Listed {
            key: Key::of_path(inside),
            size: metadata.len(),
            modified: metadata.modified()?,
        });
    }
    Ok(())
}

/// Runs `work`, which may wait for the disk, on a thread for such work.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(Failure::internal)
}

/// Creates a folder that only its owner may look into, with those above it.
pub(crate) fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

impl Failure {
    /// Converts an error of the disk: 507 where it is full.
    pub(crate) fn of_io(action: &str, what: &str, error: &std::io::Error) -> Self {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        let detail = format!("cannot {action} {what}: {error}");
        if matches!(error.kind(), StorageFull | QuotaExceeded) {
            let message = "the registry's disk is full: nothing was stored";
            return Self::new(StatusCode::INSUFFICIENT_STORAGE, message).detail(detail);
        }
        Self::internal(detail)
    }
}

fn failure_of(action: &str, key: &Key, error: &Error) -> Failure {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return Failure::of_io(action, key.as_str(), error);
        }
        cause = error.source();
    }
    Failure::internal(format!("cannot {action} {}: {error}", key.as_str()))
}
