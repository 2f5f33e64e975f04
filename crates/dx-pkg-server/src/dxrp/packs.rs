//! Packages in the form in which they are sent: converted once, kept as objects of the cache, and
//! mapped.
//!
//! The object `cache/dxrp/<key>/<aa>/<id>`, where `<key>` is of the key by which packages are
//! signed, has the frames of the PACK message; then the name and the version of the package
//! (`name@version`); then the length (u32) and the XXH3-64 (u64) of these.
//!
//! An object is checked when this process serves it first, and again after a day.

use super::convert;
use super::frames::are_sound;
use super::work::Work;
use crate::failure::Failure;
use crate::lru::Lru;
use crate::signing::Signing;
use crate::storage::{Key, Storage, blocking};
use crate::turns::Turns;
use bytes::Bytes;
use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxrp::{Kind, Reason};
use dx_pkg_format::wire;
use dx_pkg_os::files::Map;
use std::fs::File;
use std::time::{Duration, Instant, SystemTime};

/// The length up to which an object is in memory rather than mapped, in bytes; what an entry of the
/// index counts as is at most that.
const IN_MEMORY: usize = 64 << 10;
/// The time after which an object is looked at again, and marked as used.
const CHECKED: Duration = Duration::from_secs(24 * 3600);
/// The time for which a package that cannot be converted is not tried again.
const REFUSED: Duration = Duration::from_secs(600);
/// The length of what ends an object.
const TAIL: usize = 12;

/// A package that is ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    /// The frames of its message.
    pub(super) frames: Bytes,
    /// `name@version` for which it was converted.
    label: Bytes,
}

impl Packed {
    /// Returns whether it is a difference.
    pub(super) fn is_delta(&self) -> bool {
        self.frames.first() == Some(&(Kind::Delta as u8))
    }

    /// Returns the name and the version of the package.
    pub(super) fn label(&self) -> Option<(&str, &str)> {
        std::str::from_utf8(&self.label).ok()?.rsplit_once('@')
    }
}

/// What is known of a package: its message, or why there is none.
pub(super) type Outcome = Result<Packed, Reason>;

/// The packages; see the module.
pub(super) struct Packs {
    storage: Storage,
    index: Lru<PackageId, (Instant, Outcome)>,
    turns: Turns<PackageId>,
}

/// A verified tarball with what it is.
pub(super) struct Tarball<'a> {
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    pub(super) integrity: &'a Integrity,
    pub(super) bytes: Bytes,
}

impl Packs {
    /// Opens the packages of a storage; what is known of them takes `memory` bytes.
    pub(super) fn new(storage: Storage, memory: usize) -> Self {
        Self { storage, index: Lru::new(memory), turns: Turns::default() }
    }

    /// Returns what is in memory.
    pub(super) fn get(&self, id: PackageId) -> Option<Outcome> {
        let (since, outcome) = self.index.get(&id)?;
        let lasts = if outcome.is_ok() { CHECKED } else { REFUSED };
        (since.elapsed() < lasts).then_some(outcome)
    }

    /// Returns the number of packages in memory.
    pub(super) fn len(&self) -> usize {
        self.index.size().0
    }

    /// Returns a package from memory or storage.
    ///
    /// # Errors
    /// 5xx where the storage cannot be read.
    pub(super) async fn find(
        &self,
        id: PackageId,
        signing: &Signing,
    ) -> Result<Option<Outcome>, Failure> {
        if let Some(outcome) = self.get(id) {
            return Ok(Some(outcome));
        }
        let key = Self::key(id, signing);
        let Some(file) = self.storage.open_object(&key)? else { return Ok(None) };
        match blocking(move || open(&file)).await? {
            Some(packed) => Ok(Some(self.keep(id, Ok(packed)))),
            None => {
                self.storage.remove(&key).await?;
                Ok(None)
            }
        }
    }

    /// Returns a package that `bring` has the tarball of; converts it if nobody has.
    ///
    /// # Errors
    /// What `bring` fails with; 5xx where the storage cannot be written.
    pub(super) async fn get_or_convert<'a, B>(
        &self,
        id: PackageId,
        signing: &Signing,
        work: &Work,
        bring: impl FnOnce() -> B,
    ) -> Result<Outcome, Failure>
    where
        B: Future<Output = Result<Tarball<'a>, Failure>>,
    {
        if let Some(outcome) = self.find(id, signing).await? {
            return Ok(outcome);
        }
        let _turn = self.turns.take(&id).await;
        if let Some(outcome) = self.find(id, signing).await? {
            return Ok(outcome);
        }
        let Tarball { name, version, integrity, bytes } = bring().await?;
        let _room = work.room_to_convert(&bytes).await;
        let (own, integrity) = (signing.clone(), integrity.clone());
        let converted = blocking(move || convert::pack(&bytes, &integrity, &own)).await?;
        let frames = match converted {
            Ok(frames) => frames,
            Err(reason) => return Ok(self.keep(id, Err(reason))),
        };
        let object = object(frames, &format!("{name}@{version}"));
        let key = Self::key(id, signing);
        // A full disk costs time, nothing else.
        let _ = self.storage.replace(&key, object.clone()).await;
        let packed = match self.storage.open_object(&key)? {
            Some(file) => {
                blocking(move || split(Bytes::from_owner(Map::of_any_size(&file).ok()?))).await?
            }
            None => None,
        };
        // Where it could not be written, it stays in memory for as long as it is sent.
        Ok(match packed {
            Some(packed) => self.keep(id, Ok(packed)),
            None => split(object).ok_or(Reason::Unavailable),
        })
    }

    fn keep(&self, id: PackageId, outcome: Outcome) -> Outcome {
        let length = outcome.as_ref().map_or(0, |packed| packed.frames.len());
        self.index.put(id, (Instant::now(), outcome.clone()), length.min(IN_MEMORY));
        outcome
    }

    fn key(id: PackageId, signing: &Signing) -> Key {
        let id = id.to_string();
        let folder = Key::of("cache").with("dxrp").with(signing.short_id());
        folder.with(id.get(..2).unwrap_or_default()).with(&id)
    }
}

/// Returns the object of a package.
pub(super) fn object(mut frames: Vec<u8>, label: &str) -> Bytes {
    frames.extend_from_slice(label.as_bytes());
    frames.extend_from_slice(&(label.len() as u32).to_le_bytes());
    frames.extend_from_slice(&wire::checksum(label.as_bytes()).to_le_bytes());
    frames.into()
}

/// Splits an object, without a look at the frames.
pub(super) fn split(object: Bytes) -> Option<Packed> {
    let tail = object.len().checked_sub(TAIL)?;
    let label_at = tail.checked_sub(wire::u32_at(&object, tail) as usize)?;
    let label = object.slice(label_at..tail);
    let is_sound = wire::checksum(&label) == wire::u64_at(&object, tail + 4);
    is_sound.then(|| Packed { frames: object.slice(..label_at), label })
}

/// Maps an object, checks it, and marks it as used.
pub(super) fn open(file: &File) -> Option<Packed> {
    let packed = split(Bytes::from_owner(Map::of_any_size(file).ok()?))?;
    if !are_sound(&packed.frames) {
        return None;
    }
    let modified = file.metadata().ok().and_then(|metadata| metadata.modified().ok());
    if modified.is_some_and(|time| time.elapsed().unwrap_or_default() > CHECKED) {
        // A mark that cannot be set makes it go earlier, nothing else.
        let _ = file.set_modified(SystemTime::now());
    }
    Some(packed)
}
