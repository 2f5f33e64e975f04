//! Takes over the packages of earlier versions, which kept a DXP file beside the expanded files.

use crate::{Folder, Store, StoreError};

impl Store {
    /// Gives packages that are expanded and have a DXP file as well, as earlier versions wrote
    /// them, a record in its place: then their files are there once. Altered files are restored
    /// from it before. Works while `goes_on` returns true; returns the number of packages.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn drop_second_copies(
        &self,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<usize, StoreError> {
        let mut dropped = 0;
        for shard in 0..=u8::MAX {
            for id in self.ids_in(Folder::Packages, &format!("{shard:02x}"), ".dxp")? {
                if !goes_on() {
                    return Ok(dropped);
                }
                if self.entry(Folder::Expanded, id, "").is_some()
                    && self.repair_expanded(id, None)?.is_complete
                {
                    // One that has its record already was about to lose it.
                    self.remove_packed(id);
                    dropped += 1;
                }
            }
        }
        Ok(dropped)
    }
}

#[cfg(test)]
mod tests;
