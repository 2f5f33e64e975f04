//! Documents that change, each kept as numbered revisions that do not.
//!
//! | Object | What it is |
//! |---|---|
//! | `documents/<kind>/<key>/<number>` | a revision: JSON, `null` where the document was removed |
//! | `documents/<kind>/<key>/hint` | a number that the latest revision is not below |
//!
//! A change reads the latest revision and creates the one with the next number. Of several writers,
//! in this process or in others, one creates it, and the others read again: no change is lost, and
//! none is half there. The latest revision is found from the one last seen here, or from the hint,
//! by probing for the following numbers: two system calls for a document that has not changed, one
//! for a name that never had one.
//!
//! Revisions that were followed by [`KEPT`] others are removed once they are older than
//! [`UNDISTURBED`], lowest number first. A writer that stood still for longer could create a number
//! that was removed: it finds its predecessor gone, and counts as having lost.

mod cache;
mod find;
#[cfg(test)]
mod tests;

use crate::failure::Failure;
use crate::storage::{Created, Key, Storage};
use bytes::Bytes;
use cache::Cache;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

/// The number of revisions that are kept besides the latest.
const KEPT: u64 = 8;
/// The age that a revision reaches before it may be removed.
const UNDISTURBED: Duration = Duration::from_secs(3600);
/// The number of revisions after which the hint is renewed and old ones are removed.
const HINTED: u64 = 8;
/// The tries of a change before it gives up; only other processes can make one fail.
const TRIES: u32 = 200;

/// The name of a document: its kind, such as `token`, and its key within the kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name(Key);

impl Name {
    /// Names a document by any text.
    pub(crate) fn new(kind: &'static str, key: &str) -> Self {
        Self(Self::folder(kind).with(key))
    }

    /// Names the document of a package.
    pub(crate) fn of_package(kind: &'static str, name: &dx_pkg_core::PackageName) -> Self {
        Self(Self::folder(kind).name(name))
    }

    /// Returns the key within the kind; `None` for one that is too long to be told from its files.
    pub(crate) fn key(&self) -> Option<String> {
        Some(self.0.texts()?.get(2..)?.join("/"))
    }

    fn folder(kind: &'static str) -> Key {
        Key::of("documents").with(kind)
    }

    fn revision(&self, number: u64) -> Key {
        self.0.clone().with(&format!("{number:012}"))
    }

    fn hint(&self) -> Key {
        self.0.clone().with("hint")
    }
}

/// A document as it was read: its value, and the number of its revision.
pub(crate) struct Document<T> {
    /// The number; 0 where there was never one.
    pub(crate) number: u64,
    /// The value; `None` where there is none, or where it was removed.
    pub(crate) value: Option<Arc<T>>,
}

impl<T> Clone for Document<T> {
    fn clone(&self) -> Self {
        Self { number: self.number, value: self.value.clone() }
    }
}

/// A decision about a document; see [`Documents::change`].
pub(crate) enum Change<T, R> {
    /// Becomes this.
    To(T, R),
    /// Is removed.
    Remove(R),
    /// Stays.
    Keep(R),
}

/// The documents of a storage. Clones share a cache.
#[derive(Clone)]
pub(crate) struct Documents {
    storage: Storage,
    cache: Arc<Cache>,
}

impl Documents {
    /// Opens the documents of `storage`.
    pub(crate) fn new(storage: Storage) -> Self {
        Self { storage, cache: Arc::default() }
    }

    /// Reads the latest revision. The value is parsed once per revision, and shared.
    pub(crate) async fn read<T>(&self, name: &Name) -> Result<Document<T>, Failure>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let seen = self.cache.get(name);
        let start = seen.as_ref().map_or(0, |seen| seen.0);
        let number = self.latest(name, start).await?;
        if let Some((known, value, _)) = seen
            && known == number
            && let Ok(value) = typed::<T>(value)
        {
            return Ok(Document { number, value });
        }
        self.read_revision(name, number).await
    }

    /// Creates the revision after `number`; `None` as value removes the document. Returns whether
    /// that was the next one: if not, another writer was first.
    pub(crate) async fn append<T>(
        &self,
        name: &Name,
        number: u64,
        value: Option<T>,
    ) -> Result<bool, Failure>
    where
        T: Serialize + Send + Sync + 'static,
    {
        let bytes = serde_json::to_vec(&value).map_err(Failure::internal)?;
        let next = number + 1;
        let size = bytes.len();
        let created = self.storage.create(&name.revision(next), Bytes::from(bytes)).await?;
        if created == Created::Exists {
            return Ok(false);
        }
        if number > 0 && !self.storage.exists(&name.revision(number)) {
            // This writer stood still while others went on and removed what it had read.
            self.storage.remove(&name.revision(next)).await?;
            return Ok(false);
        }
        let value = value.map(|value| Arc::new(value) as Arc<dyn Any + Send + Sync>);
        self.cache.put(name, next, value, size);
        if next.is_multiple_of(HINTED) {
            self.tidy(name.clone(), next);
        }
        Ok(true)
    }

    /// Changes a document by what `decide` makes of its latest value, which is asked again if
    /// another writer was first. Changes of one document within this process wait for each other.
    pub(crate) async fn change<T, R>(
        &self,
        name: &Name,
        mut decide: impl FnMut(Option<&T>) -> Result<Change<T, R>, Failure>,
    ) -> Result<R, Failure>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let turn = self.cache.turn(name);
        let _turn = turn.lock().await;
        for attempt in 0..TRIES {
            let current = self.read::<T>(name).await?;
            let (next, result) = match decide(current.value.as_deref())? {
                Change::To(value, result) => (Some(value), result),
                Change::Remove(result) => (None, result),
                Change::Keep(result) => return Ok(result),
            };
            if self.append(name, current.number, next).await? {
                return Ok(result);
            }
            tokio::time::sleep(Duration::from_millis(u64::from(attempt % 20))).await;
        }
        Err(Failure::conflict("others change the same document all the time: try again"))
    }

    /// Lists the keys of a kind, ascending; with those of documents that were removed, without
    /// those that are too long to be told from their files. For a package, its name.
    pub(crate) async fn keys(&self, kind: &'static str) -> Result<Vec<String>, Failure> {
        let mut keys: Vec<String> =
            self.names(kind).await?.into_iter().filter_map(|name| name.key()).collect();
        keys.sort_unstable();
        Ok(keys)
    }

    /// Lists the documents of a kind, with those that were removed.
    pub(crate) async fn names(&self, kind: &'static str) -> Result<Vec<Name>, Failure> {
        let listed = self.storage.list(&Name::folder(kind)).await?;
        let mut names: Vec<Name> = listed
            .into_iter()
            .filter(|object| object.key.last() != "hint")
            .map(|object| Name(object.key.folder()))
            .collect();
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        names.dedup();
        Ok(names)
    }

    async fn read_revision<T>(&self, name: &Name, number: u64) -> Result<Document<T>, Failure>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        let mut number = number;
        for _ in 0..TRIES {
            if number == 0 {
                return Ok(Document { number, value: None });
            }
            let Some(bytes) = self.storage.read(&name.revision(number)).await? else {
                // Removed meanwhile: there are later ones.
                number = self.newest(name).await?;
                continue;
            };
            let parsed: Option<T> = serde_json::from_slice(&bytes).map_err(|error| {
                Failure::internal(format!("{:?} is damaged: {error}", name.revision(number)))
            })?;
            let value = parsed.map(Arc::new);
            let kept = value.clone().map(|value| value as Arc<dyn Any + Send + Sync>);
            self.cache.put(name, number, kept, bytes.len());
            return Ok(Document { number, value });
        }
        Err(Failure::internal(format!("{name:?} changes faster than it can be read")))
    }
}

fn typed<T: Send + Sync + 'static>(
    value: Option<Arc<dyn Any + Send + Sync>>,
) -> Result<Option<Arc<T>>, ()> {
    value.map(|value| value.downcast::<T>().map_err(|_| ())).transpose()
}
