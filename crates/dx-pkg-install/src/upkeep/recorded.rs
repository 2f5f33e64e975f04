//! dx's record of what is in a `node_modules`, for commands that ask about it.

use std::path::Path;

use dx_pkg_lock::dxl::DxlView;
use dx_pkg_lock::{ALTERATIONS, LockPackage};
use dx_pkg_os::files::Map;

use crate::own_files::{self, HIDDEN, RECORD};
use crate::session::seals;
use crate::{Environment, in_place};

/// dx's record of a tree, read in place. It says what npm's hidden lockfile says, which dx writes
/// with it, in a form that need not be parsed.
pub struct RecordedTree(Map);

impl RecordedTree {
    /// Reads the record of the project at `root`; `None` where there is none that a store of this
    /// machine has sealed, or where npm has changed the tree since.
    #[must_use]
    pub fn read(environment: &Environment, root: &Path) -> Option<Self> {
        let identities = own_files::identities(root, [HIDDEN, RECORD])?;
        let [Some(hidden), Some(record)] = identities else { return None };
        if in_place::is_newer(hidden, record) {
            return None;
        }
        let found = seals(environment, root).find_map(|seal| own_files::record(root, Some(seal)));
        found.map(Self)
    }

    /// Returns the entries.
    #[must_use]
    pub fn entries(&self) -> Option<DxlView<'_>> {
        DxlView::open(&self.0).ok()
    }

    /// Takes from an entry of the record what npm's hidden lockfile does not have.
    pub fn as_hidden(entry: &mut LockPackage) {
        entry.extra.retain(|(key, _)| ALTERATIONS.contains(&key.as_str()));
        entry.private_copy = false;
        if entry.link {
            entry.bin.clear();
        }
    }
}
