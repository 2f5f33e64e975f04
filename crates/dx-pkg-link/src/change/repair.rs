//! Repairs of the tree in place: entries that are taken away, files and commands that are restored.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use dx_pkg_os::files::Dir;

use super::difference::{Difference, Fate};
use crate::mend::{Present, restore_file};
use crate::report::ChangedPaths;
use crate::run::Run;
use crate::staging::{Staging, missing};
use crate::tree::{NODE_MODULES, Sites, by_segments, split, split_folder};
use crate::{LinkError, Repairs};

/// The repairs of one run, with what came of them.
pub(super) struct Repair<'r> {
    run: &'r Run<'r>,
    /// Entries to be taken away: importer, and path below its `node_modules`.
    foreign: Vec<(&'r str, &'r str)>,
    /// Files to be restored: the site, and the path within it.
    files: Vec<(usize, &'r str)>,
    /// Commands to be linked: importer, folder below its `node_modules`, and name.
    commands: Vec<(&'r str, &'r str, &'r str)>,
    removed: RefCell<Vec<String>>,
    /// Paths of the packages that were not as they should be.
    packages: RefCell<BTreeSet<String>>,
}

impl<'r> Repair<'r> {
    /// Returns the repairs of the run's options, without what the difference does anyway.
    pub(super) fn of(run: &'r Run<'r>, next: &Sites<'r>, difference: &Difference<'r>) -> Self {
        let repairs: Option<&'r Repairs> = run.options.repairs;
        let place = |path: &str| {
            next.0.binary_search_by(|site| by_segments(&site.placement.path, path)).ok()
        };
        let kept = |path: &str| {
            place(path).filter(|&index| difference.fates.get(index) == Some(&Fate::Kept))
        };
        // A new package takes the place of what is there.
        let foreign = repairs.into_iter().flat_map(|repairs| &repairs.foreign);
        let foreign = foreign.filter(|path| place(path).is_none());
        let files = repairs.into_iter().flat_map(|repairs| &repairs.files);
        let commands = repairs.into_iter().flat_map(|repairs| &repairs.commands);
        Repair {
            run,
            foreign: foreign.filter_map(|path| split(path)).collect(),
            files: files.filter_map(|(path, file)| Some((kept(path)?, file.as_str()))).collect(),
            commands: commands
                .filter_map(|(folder, name)| {
                    let (importer, inner) = split_folder(folder)?;
                    Some((importer, inner, name.as_str()))
                })
                .collect(),
            removed: RefCell::default(),
            packages: RefCell::default(),
        }
    }

    /// Returns the importers in whose `node_modules` something is to be taken away or linked.
    pub(super) fn importers(&self) -> impl Iterator<Item = &'r str> {
        let foreign = self.foreign.iter().map(|(importer, _)| *importer);
        foreign.chain(self.commands.iter().map(|(importer, ..)| *importer))
    }

    /// Moves foreign entries of an importer's `node_modules` into the staging folder, where they
    /// are removed with it.
    pub(super) fn take_away(
        &self,
        importer: &str,
        staging: &Staging,
        visible: &Dir,
    ) -> Result<(), LinkError> {
        let foreign = self.foreign.iter().filter(|(other, _)| *other == importer);
        for (index, (_, inner)) in foreign.enumerate() {
            match visible.rename(inner, &staging.dir, format!("foreign-{index}")) {
                // What dx itself has left is no package.
                Ok(()) if inner.starts_with('.') => {}
                Ok(()) => self.removed.borrow_mut().push(path_of(importer, inner)),
                // A mount cannot be renamed; it is not dx's to remove.
                Err(error) if missing(&error) || error.kind() == ErrorKind::ResourceBusy => {}
                Err(error) => {
                    let place = self.run.project.join(importer).join(NODE_MODULES).join(inner);
                    return Err(LinkError::io("remove", place)(error));
                }
            }
            for folder in Path::new(inner).ancestors().skip(1) {
                let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                if !name.starts_with('@') && name != NODE_MODULES {
                    break;
                }
                // The system refuses unless the folder is empty.
                let _ = visible.remove_dir(folder);
            }
        }
        Ok(())
    }

    /// Returns the commands of an importer: folder below its `node_modules`, and name.
    pub(super) fn commands(&self, importer: &str) -> impl Iterator<Item = (&'r str, &'r str)> {
        let of_importer = self.commands.iter().filter(move |(other, ..)| *other == importer);
        of_importer.map(|(_, folder, name)| (*folder, *name))
    }

    /// Notes that a command was linked to `target`, relative to its folder.
    pub(super) fn linked(&self, importer: &str, folder: &str, name: &str, target: &str) {
        if self.commands.contains(&(importer, folder, name)) {
            let target = target.trim_start_matches("../");
            let segments = if target.starts_with('@') { 2 } else { 1 };
            let package: Vec<&str> = target.split('/').take(segments).collect();
            let parts = [importer, NODE_MODULES, folder, &package.join("/")];
            let path: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            self.packages.borrow_mut().insert(path.join("/"));
        }
    }

    /// Restores the missing and altered files of packages that stay in place.
    pub(super) fn restore_files(&self, next: &Sites<'_>) -> Result<(), LinkError> {
        for (index, file) in &self.files {
            self.run.check_cancelled()?;
            let sites = next.0.get(*index..).unwrap_or_default();
            let Some(site) = sites.first() else { continue };
            // An altered file may be shared: it is replaced, never written.
            restore_file(self.run, sites, file, Present::Replace)?;
            self.packages.borrow_mut().insert(site.placement.path.clone());
        }
        Ok(())
    }

    /// Adds the entries that were taken away, and the packages of which something was restored.
    pub(super) fn report(&self, paths: &mut ChangedPaths) {
        paths.removed.extend(self.removed.take());
        paths.replaced.extend(self.packages.take());
    }
}

/// Returns the path of an entry of an importer's `node_modules`.
fn path_of(importer: &str, inner: &str) -> String {
    let separator = if importer.is_empty() { "" } else { "/" };
    format!("{importer}{separator}{NODE_MODULES}/{inner}")
}
