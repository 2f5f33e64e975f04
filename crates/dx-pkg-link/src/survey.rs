//! The search for what differs between the tree that should be in place and what is there.
//!
//! Names are compared in every `node_modules` folder that the tree has. A package counts as in
//! place while it has its manifest; its files are looked at only on request. Entries whose names
//! begin with a dot and plain files belong to tools and to the user.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use dx_pkg_os::files::{Dir, EntryKind};
use dx_pkg_store::{PackageTables, Store};

use crate::bins::{self, BIN};
use crate::place::{descendants, occupied, relative};
use crate::repairs::{Look, Repairs};
use crate::run::Run;
use crate::staging::{is_garbage, missing};
use crate::tree::{NODE_MODULES, PlacementSource, Site, Sites, below};
use crate::{LinkError, LinkOptions, NoProgress, Placement, Tree, parallel};

/// The file by which a package counts as in place.
const MANIFEST: &str = "package.json";

/// Looks at the tree in place. Returns `tree` without the packages and links that are not there,
/// and the repairs of the rest; `None` if an importer's `node_modules` is no folder, so that the
/// whole tree has to be built anew.
///
/// # Errors
/// An unsafe path, a damaged package in the store, and any refusal of the system.
pub fn survey(
    project: &Path,
    store: &Store,
    tree: &Tree,
    look: Look,
) -> Result<Option<(Tree, Repairs)>, LinkError> {
    let options = LinkOptions::default();
    let run = Run::new(project, store, HashSet::new(), &options, &NoProgress);
    let sites = Sites::of(tree, true)?;
    let mut folders: BTreeMap<&str, Vec<usize>> = BTreeMap::from([(NODE_MODULES, Vec::new())]);
    for (index, site) in sites.0.iter().enumerate() {
        folders.entry(site.folder()).or_default().push(index);
    }
    let gone = vec![false; sites.0.len()];
    let mut survey = Survey { run: &run, look, sites: &sites.0, gone, repairs: Repairs::default() };
    // The folder around a package comes before those within it.
    for (folder, members) in &folders {
        if !survey.folder(folder, members, &folders)? {
            return Ok(None);
        }
    }
    if look == Look::Files {
        survey.files()?;
    }
    let Survey { gone, mut repairs, .. } = survey;
    repairs.files.sort();
    let there = sites.0.iter().zip(gone).filter(|(_, gone)| !gone);
    let placements: Vec<Placement> = there.map(|(site, _)| site.placement.clone()).collect();
    Ok(Some((Tree::new(placements), repairs)))
}

struct Survey<'s> {
    run: &'s Run<'s>,
    look: Look,
    sites: &'s [Site<'s>],
    /// Whether each site is to be built anew, with all within it.
    gone: Vec<bool>,
    repairs: Repairs,
}

impl Survey<'_> {
    /// Compares a `node_modules` folder with its `members`; returns `false` if it is an importer's
    /// and no folder.
    fn folder(
        &mut self,
        folder: &str,
        members: &[usize],
        folders: &BTreeMap<&str, Vec<usize>>,
    ) -> Result<bool, LinkError> {
        if !members.is_empty() && members.iter().all(|&index| self.gone[index]) {
            return Ok(true);
        }
        let fail = |error| LinkError::io("list", self.run.project.join(folder))(error);
        let dir = match self.run.open(folder) {
            Ok(dir) => dir,
            Err(error) if missing(&error) => {
                let is_there = self.run.project.join(folder).symlink_metadata().is_ok();
                if is_there && self.is_importers(folder, members) {
                    return Ok(false);
                }
                if is_there {
                    self.repairs.foreign.push(folder.to_owned());
                }
                members.iter().for_each(|&index| self.lose(index));
                return Ok(true);
            }
            Err(error) => return Err(fail(error)),
        };
        let mut found = self.entries(&dir, folder).map_err(fail)?;
        for &index in members {
            let site = &self.sites[index];
            let kind = found.remove(site.name);
            if self.is_in_place(&dir, site, kind) {
                self.package(&dir, index, folders)?;
            } else {
                self.lose(self.unpacked_with(index));
            }
        }
        for (name, kind) in found {
            let path = format!("{folder}/{name}");
            if matches!(kind, EntryKind::Directory | EntryKind::Symlink) && !self.is_bundled(&path)
            {
                self.repairs.foreign.push(path);
            }
        }
        self.commands(&dir, folder, members);
        Ok(true)
    }

    /// Returns the packages of a folder with their kinds, those of scopes with both segments.
    fn entries(&mut self, dir: &Dir, folder: &str) -> io::Result<HashMap<String, EntryKind>> {
        let mut found = HashMap::new();
        for entry in dir.entries()? {
            if is_garbage(dir, &entry.name) {
                self.repairs.foreign.push(format!("{folder}/{}", entry.name.display()));
                continue;
            }
            let Ok(name) = entry.name.into_string() else { continue };
            let is_folder = entry.kind == EntryKind::Directory;
            if name.starts_with('@') && is_folder {
                for inner in dir.open_dir(&name)?.entries()? {
                    if let Ok(inner_name) = inner.name.into_string()
                        && !inner_name.starts_with('.')
                    {
                        found.insert(format!("{name}/{inner_name}"), inner.kind);
                    }
                }
            } else if name.starts_with('@') || name == BIN {
                if !is_folder {
                    // Nothing may be written through a link.
                    self.repairs.foreign.push(format!("{folder}/{name}"));
                }
            } else if !name.starts_with('.') {
                found.insert(name, entry.kind);
            }
        }
        Ok(found)
    }

    fn is_in_place(&self, dir: &Dir, site: &Site<'_>, kind: Option<EntryKind>) -> bool {
        match &site.placement.source {
            PlacementSource::Package(_) | PlacementSource::Bundled { .. } => {
                kind == Some(EntryKind::Directory)
            }
            PlacementSource::Symlink { target } if cfg!(unix) => {
                let target = relative(&site.placement.path, target);
                kind == Some(EntryKind::Symlink)
                    && dir.read_link(site.name).is_ok_and(|found| found.as_os_str() == &*target)
            }
            PlacementSource::Symlink { .. } => kind.is_some(),
        }
    }

    /// Looks at a package whose folder is there.
    fn package(
        &mut self,
        dir: &Dir,
        index: usize,
        folders: &BTreeMap<&str, Vec<usize>>,
    ) -> Result<(), LinkError> {
        let site = &self.sites[index];
        if matches!(site.placement.source, PlacementSource::Symlink { .. }) {
            return Ok(());
        }
        if matches!(dir.identity(format!("{}/{MANIFEST}", site.name)), Ok(None)) {
            self.without_manifest(self.unpacked_with(index))?;
        }
        // Scripts may install packages of their own within a package.
        let nested = format!("{}/{NODE_MODULES}", site.placement.path);
        if !site.placement.private_copy
            && !folders.contains_key(nested.as_str())
            && matches!(dir.identity(format!("{}/{NODE_MODULES}", site.name)), Ok(Some(_)))
        {
            self.folder(&nested, &[], folders)?;
        }
        Ok(())
    }

    /// Returns the site of the package whose tarball has the files: for a bundled package the one
    /// around it.
    fn unpacked_with(&self, index: usize) -> usize {
        let site = &self.sites[index];
        let PlacementSource::Bundled { folder, .. } = &site.placement.source else { return index };
        let around = site.placement.path.strip_suffix(folder.as_str()).unwrap_or_default();
        let around = around.trim_end_matches('/');
        let is_around = |index: &usize| self.sites[*index].placement.path == around;
        (0..index).rev().find(is_around).unwrap_or(index)
    }

    /// Notes the missing files of a package without manifest. One with scripts is built anew, as
    /// nothing tells which files they made.
    fn without_manifest(&mut self, index: usize) -> Result<(), LinkError> {
        let site = &self.sites[index];
        let Some(package) = self.tables(site)? else { return Ok(()) };
        if !site.placement.private_copy {
            let lost = self.lost_files(index, &package, false);
            self.repairs.files.extend(lost);
        } else if package.dxp().find(MANIFEST).is_some() {
            self.lose(index);
        }
        Ok(())
    }

    fn tables(&self, site: &Site<'_>) -> Result<Option<PackageTables>, LinkError> {
        let PlacementSource::Package(id) = site.placement.source else { return Ok(None) };
        self.run.packages.open(id, &site.placement.path).map(Some)
    }

    /// Returns the files of a package that are missing and, with `by_size`, those of another size.
    fn lost_files(
        &self,
        index: usize,
        package: &PackageTables,
        by_size: bool,
    ) -> Vec<(String, String)> {
        let site = &self.sites[index];
        let path = site.placement.path.as_str();
        let Ok(dir) = self.run.open(path) else { return Vec::new() };
        let within = descendants(&self.sites[index..]);
        let commands = bins::command_files(site, within);
        let mut lost = Vec::new();
        for entry in package.dxp().entries() {
            let is_intact = match dir.identity(entry.path) {
                // A command may have lost a carriage return.
                Ok(Some(found)) if by_size => {
                    found.size == entry.size
                        || found.size + 1 == entry.size
                            && commands.iter().any(|command| command == entry.path)
                }
                Ok(None) => false,
                _ => true,
            };
            if !is_intact && !occupied(entry.path, path, within) {
                lost.push((path.to_owned(), entry.path.to_owned()));
            }
        }
        lost
    }

    /// Looks at every file of the packages that are there.
    fn files(&mut self) -> Result<(), LinkError> {
        let known: HashSet<&str> =
            self.repairs.files.iter().map(|(path, _)| path.as_str()).collect();
        let jobs: Vec<usize> = (0..self.sites.len())
            .filter(|&index| {
                let placement = self.sites[index].placement;
                !self.gone[index] && !placement.private_copy && !known.contains(&*placement.path)
            })
            .collect();
        let lost = Mutex::new(Vec::new());
        parallel::for_each(&jobs, self.run.threads, |&index| {
            if let Some(package) = self.tables(&self.sites[index])? {
                let files = self.lost_files(index, &package, true);
                lost.lock().unwrap_or_else(PoisonError::into_inner).extend(files);
            }
            Ok(())
        })?;
        self.repairs.files.extend(lost.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// Notes the commands of the folder's packages that are not in its `.bin`.
    fn commands(&mut self, dir: &Dir, folder: &str, members: &[usize]) {
        let there = members.iter().filter(|&&index| !self.gone[index]);
        let sites = there.map(|&index| &self.sites[index]);
        let mut wanted: HashSet<String> = sites
            .flat_map(|site| bins::commands(site))
            .map(|command| command.name.to_owned())
            .collect();
        if self.look == Look::Folders && !wanted.is_empty() {
            let entries = dir.open_dir(BIN).and_then(|bin| bin.entries()).unwrap_or_default();
            for entry in entries {
                entry.name.to_str().map(|name| wanted.remove(name));
            }
        }
        let mut wanted: Vec<String> = wanted.into_iter().collect();
        wanted.sort();
        self.repairs.commands.extend(wanted.into_iter().map(|name| (folder.to_owned(), name)));
    }

    /// Marks a site as gone, with all within it.
    fn lose(&mut self, index: usize) {
        let within = descendants(&self.sites[index..]).len();
        self.gone[index..=index + within].fill(true);
    }

    /// Returns whether an entry within a package is from the package's tarball, or may be from it
    /// or of its scripts.
    fn is_bundled(&self, path: &str) -> bool {
        path.match_indices("/node_modules/").any(|(end, _)| {
            let around = &path[..end];
            let Some(site) = self.sites.iter().find(|site| site.placement.path == around) else {
                return false;
            };
            let inner = &path[end + 1..];
            let bundles = |package: &PackageTables| {
                package.dxp().entries().any(|entry| below(entry.path, inner))
            };
            site.placement.private_copy
                || match self.tables(site) {
                    Ok(package) => package.is_some_and(|package| bundles(&package)),
                    Err(error) => matches!(error, LinkError::MissingPackage { .. }),
                }
        })
    }

    /// Returns whether a folder belongs to the project or a workspace itself.
    fn is_importers(&self, folder: &str, members: &[usize]) -> bool {
        folder == NODE_MODULES
            || members.first().is_some_and(|&index| self.sites[index].inner_folder().is_empty())
    }
}
