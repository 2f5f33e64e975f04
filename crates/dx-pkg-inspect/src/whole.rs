//! Whether the tree in `node_modules` is the recorded one, package for package.

use std::collections::HashSet;
use std::path::Path;
use std::time::SystemTime;

use dx_pkg_lock::dxl::{DxlView, Package};

use crate::installed::{MODULES, folders, joined, record_time};

/// Returns whether `recorded` tells all that is in the `node_modules` of `root`: each package of it
/// is there, unchanged since npm's record of the tree was written, and nothing else. Of trees with
/// links it says no, as the folders that these lead to are in no record.
pub(crate) fn is_whole(root: &Path, recorded: DxlView<'_>) -> bool {
    let is_own =
        |package: Package<'_>| !package.link() && package.path().starts_with("node_modules/");
    let Some(written) = record_time(root) else { return false };
    if !recorded.packages().all(is_own) {
        return false;
    }
    let paths = recorded.packages().map(Package::path);
    let with_modules = paths.filter_map(|path| path.rsplit_once("/node_modules/"));
    let with_modules = with_modules.map(|(folder, _)| folder).collect();
    let mut walk = Walk { root, recorded, written, with_modules, found: 0 };
    walk.modules("") && walk.found == recorded.len()
}

struct Walk<'w> {
    root: &'w Path,
    recorded: DxlView<'w>,
    /// When npm's record was written.
    written: SystemTime,
    /// The paths of packages with packages in their own `node_modules`.
    with_modules: HashSet<&'w str>,
    found: usize,
}

impl Walk<'_> {
    /// Looks at the packages in the `node_modules` of the folder `of`, relative to the root.
    fn modules(&mut self, of: &str) -> bool {
        let modules = joined(of, MODULES);
        folders(&self.root.join(&modules)).into_iter().all(|(name, is_link)| {
            let path = joined(&modules, &name);
            if is_link || !name.starts_with('@') {
                return self.package(&path, is_link);
            }
            let inner = folders(&self.root.join(&path));
            inner.into_iter().all(|(name, is_link)| self.package(&joined(&path, &name), is_link))
        })
    }

    fn package(&mut self, path: &str, is_link: bool) -> bool {
        if is_link || self.recorded.position(path).is_none() {
            return false;
        }
        let changed = std::fs::metadata(self.root.join(path)).and_then(|found| found.modified());
        if !changed.is_ok_and(|changed| changed <= self.written) {
            return false;
        }
        self.found += 1;
        // What would be new in the others would have changed their folders.
        !self.with_modules.contains(path) || self.modules(path)
    }
}
