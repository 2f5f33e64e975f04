//! Repair of a prepared tree after it was put in place.
//!
//! A prepared tree may have lost files in the store before it was used. An install does not check
//! 41,000 files; the background process does afterwards. An entry that was removed after the tree
//! was put in place stays removed: the modification time of the folder around it tells the two
//! apart.

use std::path::Path;

use dx_pkg_os::files::Dir;
use dx_pkg_store::Store;

use crate::bins::{self, BIN};
use crate::import::{Counts, Folder, Need};
use crate::place::{descendants, make_parents, occupied, place};
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
        let Some(importer) = self.importer(site) else { return Ok(()) };
        let place = format!("{NODE_MODULES}/{}", site.inner);
        if matches!(importer.identity(&place), Ok(None)) {
            if self.is_old(&importer, Path::new(&place)) {
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
        let Ok(dir) = importer.open_dir(&place) else { return Ok(()) };
        let within = descendants(&sites[index..]);
        for entry in package.dxp().entries() {
            let is_missing = matches!(dir.identity(entry.path), Ok(None));
            if is_missing
                && !occupied(entry.path, path, within)
                && self.is_old(&importer, &Path::new(&place).join(entry.path))
            {
                lost.push(Lost::File(index, entry.path.to_owned()));
            }
        }
        Ok(())
    }

    fn commands<'l>(&self, sites: &[Site<'l>], lost: &mut Vec<Lost<'l>>) -> Result<(), LinkError> {
        let folder = sites[0].folder();
        let Some(importer) = self.importer(&sites[0]) else { return Ok(()) };
        let bin = Path::new(NODE_MODULES).join(sites[0].inner_folder()).join(BIN);
        for (name, target) in bins::winners(self.run, sites, |_| true)? {
            let place = bin.join(name);
            let is_missing = matches!(importer.identity(&place), Ok(None));
            if cfg!(unix) && is_missing && self.is_old(&importer, &place) {
                lost.push(Lost::Command { folder, name, target });
            }
        }
        Ok(())
    }

    /// Opens the folder of a site's importer; `None` if it is gone.
    fn importer(&self, site: &Site<'_>) -> Option<Dir> {
        Dir::open(self.run.project.join(site.importer)).ok()
    }

    /// Returns whether the folder around `missing`, an entry below an importer's folder, was last
    /// changed before the tree was put in place.
    fn is_old(&self, importer: &Dir, missing: &Path) -> bool {
        let around = missing.ancestors().skip(1);
        let mut around =
            around.map(|it| if it.as_os_str().is_empty() { Path::new(".") } else { it });
        let found = around.find_map(|folder| importer.identity(folder).ok().flatten());
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
            Self::File(index, file) => restore_file(run, &sites[*index..], file, Present::Keep),
            Self::Command { folder, name, target } => run
                .open(folder)
                .and_then(|modules| bins::make(&modules.make_or_open_dir(BIN)?, name, target))
                .map_err(LinkError::io("link the command", Path::new(folder).join(BIN).join(name))),
        }
    }
}

/// What becomes of an entry in the place of a file that is restored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Present {
    /// It stays, and is an error.
    Keep,
    /// It is removed.
    Replace,
}

/// Creates a file of the first of `sites` in place.
pub(crate) fn restore_file(
    run: &Run<'_>,
    sites: &[Site<'_>],
    file: &str,
    present: Present,
) -> Result<(), LinkError> {
    let Some(site) = sites.first() else { return Ok(()) };
    let PlacementSource::Package(id) = site.placement.source else { return Ok(()) };
    let path = site.placement.path.as_str();
    let package = run.packages.open(id, path)?;
    let source = run.importer.source(run.packages.store, id, path, &package);
    let Some(entry) = source.dxp.find(file) else { return Ok(()) };
    let dir = run.open(path).map_err(LinkError::io("open", path))?;
    if present == Present::Replace {
        dir.remove_tree(file).map_err(LinkError::io("replace", Path::new(path).join(file)))?;
    }
    make_parents(&dir, file, &mut Counts::default())
        .map_err(LinkError::io("make the folder of", Path::new(path).join(file)))?;
    let is_command = bins::command_files(site, descendants(sites)).iter().any(|own| own == file);
    let need = if is_command { Need::Command { private: false } } else { Need::Shared };
    run.importer.file(&source, &entry, Folder { dir: &dir, path }, need, &mut Counts::default())
}

/// Opens the importer's `node_modules`, which is created if missing.
fn modules(run: &Run<'_>, importer: &str) -> Result<Dir, LinkError> {
    let folder = run.folder(importer)?;
    Dir::open(&folder)
        .and_then(|folder| folder.make_or_open_dir(NODE_MODULES))
        .map_err(LinkError::io("open", folder.join(NODE_MODULES)))
}
