//! The size of the cache in packuments, and the removal of those that are no longer used.

use std::time::{Duration, SystemTime};

use super::{PEER, registries};
use crate::packuments::unsaved::Unsaved;
use crate::packuments::view::{INDEX, PACK, View};
use crate::{Folder, Store, StoreError};

/// Returns whether a file of the cache holds packuments of the index, or is the index, or the
/// record of a registry's key: it is no document of its own, and stays.
pub(crate) fn is_part_of_cache(file: &str) -> bool {
    matches!(file, INDEX | PEER) || file.ends_with(PACK)
}

impl Store {
    /// Returns the number of packuments in packs.
    pub(crate) fn packed_packuments(&self) -> usize {
        let Some(dir) = self.existing(Folder::Metadata) else { return 0 };
        registries(dir).iter().map(|registry| View::open(dir, registry).entries().count()).sum()
    }

    /// Removes packuments that no registry confirmed since `unused_since`; returns their number and
    /// size in bytes.
    pub(crate) fn prune_packuments(
        &self,
        unused_since: SystemTime,
    ) -> Result<(usize, u64), StoreError> {
        let Some(dir) = self.existing(Folder::Metadata) else { return Ok((0, 0)) };
        let since = unused_since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let since = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        let (mut packuments, mut bytes) = (0, 0);
        for registry in registries(dir) {
            let view = View::open(dir, &registry);
            let old = view.entries().filter(|entry| entry.answer.fetched_ms < since);
            let size: u64 = old.map(|entry| entry.place.length).sum();
            if size > 0 {
                packuments += self.save_registry(&registry, &mut Unsaved::default(), since)?;
                bytes += size;
            }
        }
        Ok((packuments, bytes))
    }
}
