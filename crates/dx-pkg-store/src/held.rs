//! The packages that the store holds, by their ids alone.

use dx_pkg_core::PackageId;

use crate::layout::RECORD;
use crate::{Folder, Store};

impl Store {
    /// Returns the packages that are expanded or whole in one file; `None` where there are more
    /// than `most`. What cannot be read counts as missing.
    #[must_use]
    pub fn ids(&self, most: usize) -> Option<Vec<PackageId>> {
        let mut ids = Vec::new();
        let Ok(shards) = std::fs::read_dir(self.folder(Folder::Packages)) else { return Some(ids) };
        for shard in shards.flatten() {
            let Ok(files) = std::fs::read_dir(shard.path()) else { continue };
            let names = files.flatten().filter_map(|file| file.file_name().into_string().ok());
            ids.extend(names.filter_map(|name| {
                let digits = name.strip_suffix(RECORD).or_else(|| name.strip_suffix(".dxp"))?;
                PackageId::from_hex(digits)
            }));
            if ids.len() > most {
                return None;
            }
        }
        Some(ids)
    }
}
