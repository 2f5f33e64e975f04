//! Repair of a prepared tree after it was put in place.
//!
//! A prepared tree may have lost files in the store before it was used. An install does not check
//! 41,000 files; the background process does afterwards. An entry that was removed after the tree
//! was put in place stays removed: the modification time of the folder around it tells the two
//! apart.

use std::path::{Path, PathBuf};

use dx_pkg_os::files::{Dir, make_dirs};
use dx_pkg_store::Store;

use crate::bins::{self, BIN};
use crate::import::{Counts, Folder, Need};
use crate::place::{descendants, occupied, place};
use crate::run::Run;
use crate::tree::{NODE_MODULES, PlacementSource, Site, Sites};
use crate::{LinkError, LinkOptions, NoProgress, Tree};

/// Restores packages, files, links and commands of `tree` that are missing in the project, in
/// folders that were last changed before `before` (nanoseconds since 1970). Returns their number.
///
/// Files of private copies are not checked, as scripts may remove them.
///
/// # Errors
/// An unsafe path, a package that is not in the store, and any refusal of the system.
pub fn mend(
    project: &Path,
    store: &Store,
    tree: &Tree,
    options: &LinkOptions<'_>,
    before: i64,
) -> Result<usize, LinkError> {
    let run = Run::new(project, store, Default::default(), options, &NoProgress);
    let sites = Sites::of(tree, options.links_outside)?;
    let mut lost = Vec::new();
    for (index, site) in sites.0.iter().enumerate() {
        run.check_cancelled()?;
        Search { run: &run, before }.site(&sites.0, index, site, &mut lost)?;
    }
    let mut folders: Vec<Site<'_>> = sites.0.clone();
    folders.sort_by_key(Site::folder);
    for sites in folders.chunk_by(|a, b| a.folder() == b.folder()) {
        Search { run: &run, before }.commands(sites, &mut lost)?;
    }
    lost.iter().try_for_each(|lost| lost.restore(&run, &sites.0))?;
    Ok(lost.len())
}

/// A missing entry.
enum Lost<'l> {
    /// The whole site at this index.
    Site(usize),
    /// A file of the site at this index.
    File(usize, String),
    /// A command of a `node_modules` folder.
    Command { folder: &'l str, name: &'l str, target: String },
}

struct Search<'s> {
    run: &'s Run<'s>,
    before: i64,
}

impl Search<'_> {
    fn site<'l>(
        &self,
        sites: &[Site<'l>],
        index: usize,
        site: &Site<'l>,
        lost: &mut Vec<Lost<'l>>,
    ) -> Result<(), LinkError> {
        let path = site.placement.path.as_str();
        let place = self.run.project.join(path);
        if place.symlink_metadata().is_err() {
            if self.is_old(&place) {
                lost.push(Lost::Site(index));
            }
            return Ok(());
        }
        let PlacementSource::Package(id) = site.placement.source else { return Ok(()) };
        if site.placement.private_copy {
            return Ok(());
        }
        let package = self.run.packages.open(id, path)?;
        // Another kind of entry is the user's.
        let Ok(dir) = Dir::open(&place) else { return Ok(()) };
        let within = descendants(&sites[index..]);
        for entry in package.dxp().entries() {
            let is_missing = matches!(dir.identity(entry.path), Ok(None));
            if is_missing
                && !occupied(entry.path, path, within)
                && self.is_old(&place.join(entry.path))
            {
                lost.push(Lost::File(index, entry.path.to_owned()));
            }
        }
        Ok(())
    }

    fn commands<'l>(&self, sites: &[Site<'l>], lost: &mut Vec<Lost<'l>>) -> Result<(), LinkError> {
        let folder = sites[0].folder();
        let bin = self.run.project.join(folder).join(BIN);
        for (name, target) in bins::winners(self.run, sites, |_| true)? {
            let place = bin.join(name);
            if cfg!(unix) && place.symlink_metadata().is_err() && self.is_old(&place) {
                lost.push(Lost::Command { folder, name, target });
            }
        }
        Ok(())
    }

    /// Returns whether the folder around `missing` was last changed before the tree was put in
    /// place.
    fn is_old(&self, missing: &Path) -> bool {
        let found = missing
            .ancestors()
            .skip(1)
            .find_map(|folder| dx_pkg_os::files::identity(folder).ok().flatten());
        found.is_some_and(|folder| folder.mtime_ns < self.before)
    }
}

impl Lost<'_> {
    fn restore(&self, run: &Run<'_>, sites: &[Site<'_>]) -> Result<(), LinkError> {
        match self {
            Self::Site(index) => {
                let site = &sites[*index];
                let visible = modules(run, site.importer)?;
                place(run, &visible, site.inner, site, descendants(&sites[*index..]))
            }
            Self::File(index, file) => restore_file(run, &sites[*index..], file),
            Self::Command { folder, name, target } => {
                let path = run.project.join(folder).join(BIN);
                make_dirs(&path)
                    .and_then(|()| bins::make(&Dir::open(&path)?, name, target))
                    .map_err(LinkError::io("link the command", path.join(name)))
            }
        }
    }
}

/// Creates a missing file of the first of `sites` in place.
pub(crate) fn restore_file(run: &Run<'_>, sites: &[Site<'_>], file: &str) -> Result<(), LinkError> {
    let Some(site) = sites.first() else { return Ok(()) };
    let PlacementSource::Package(id) = site.placement.source else { return Ok(()) };
    let path = site.placement.path.as_str();
    let place: PathBuf = run.project.join(path);
    let package = run.packages.open(id, path)?;
    let source = run.importer.source(run.packages.store, id, path, &package);
    let Some(entry) = source.dxp.find(file) else { return Ok(()) };
    let parent = place.join(file).parent().map(Path::to_owned).unwrap_or_default();
    make_dirs(&parent).map_err(LinkError::io("make the folder", parent))?;
    let dir = Dir::open(&place).map_err(LinkError::io("open", &place))?;
    let is_command = bins::command_files(site, descendants(sites)).iter().any(|own| own == file);
    let need = if is_command { Need::Command { private: false } } else { Need::Shared };
    run.importer.file(&source, &entry, Folder { dir: &dir, path }, need, &mut Counts::default())
}

/// Opens the importer's `node_modules`, which is created if missing.
fn modules(run: &Run<'_>, importer: &str) -> Result<Dir, LinkError> {
    let path = run.folder(importer)?.join(NODE_MODULES);
    make_dirs(&path).and_then(|()| Dir::open(&path)).map_err(LinkError::io("open", path))
}
