//! Change of the tree in place by its difference from the wanted tree.
//!
//! New packages are first built in a staging folder, in parallel. Then removed packages are renamed
//! into that folder, and new ones out of it. Packages nested in a replaced one are moved into the
//! new.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use dx_pkg_format::dxp::FileMode;
use dx_pkg_os::files::{Dir, Swap, exchange_or_rename};

use crate::bins::{self, BIN};
use crate::build;
use crate::import::Counts;
use crate::place::{descendants, link_commands, place, with_parents};
use crate::report::ChangedPaths;
use crate::retired::{Restored, Undo};
use crate::run::Run;
use crate::staging::{self, Staging, missing};
use crate::tree::{NODE_MODULES, Site, Sites, below};
use crate::{LinkError, LinkReport, parallel};

mod difference;
mod repair;
#[cfg(test)]
mod tests;

use difference::{Difference, Fate};
use repair::Repair;

/// Changes the tree in place from `previous` to `next`.
pub(crate) fn apply(
    run: &Run<'_>,
    previous: &Sites<'_>,
    next: &Sites<'_>,
    undo: Undo<'_>,
) -> Result<LinkReport, LinkError> {
    let mut difference = Difference::of(previous, next);
    difference.uncover(next, |site| run.packages.bundles(site))?;
    difference.replace(next, |path| undo.has(path));
    let mut report =
        LinkReport { paths: difference.paths(previous, next), ..LinkReport::default() };
    let repair = Repair::of(run, next, &difference);
    report.leftovers.extend(sweep(run, previous, next)?);
    let mut stagings = BTreeMap::new();
    for importer in difference.importers(next).into_iter().chain(repair.importers()) {
        if !stagings.contains_key(importer) {
            stagings.insert(importer, Staging::create(&run.folder(importer)?)?);
        }
    }

    let mut jobs: Vec<usize> = difference.changed().collect();
    let restored = undo.restore(next, &jobs, |importer| stagings.get(importer), new_name);
    jobs.retain(|index| !restored.there.contains(index));
    let built = parallel::for_each(&jobs, run.threads, |&index| {
        run.check_cancelled()?;
        let site = &next.0[index];
        let Some(staging) = stagings.get(site.importer) else {
            return Ok(());
        };
        place(run, &staging.dir, &new_name(index), site, descendants(&next.0[index..]))
    });
    if let Err(error) = built {
        let sites = jobs.iter().map(|&index| (&next.0[index], new_name(index)));
        build::give_back(run, sites, |importer| stagings.get(importer));
        return Err(error);
    }

    if let Some(root) = stagings.get("") {
        root.forget_extra_files(run.options.extra_files)?;
    }
    for (importer, staging) in &stagings {
        let visible = staging.visible()?;
        let change = Change {
            run,
            next,
            difference: &difference,
            repair: &repair,
            restored: &restored,
            undo,
            importer,
            staging,
            visible,
        };
        let in_place_of_others = change.apply()?;
        report.paths.added.retain(|path| !in_place_of_others.contains(&path.as_str()));
        report.paths.replaced.extend(in_place_of_others.into_iter().map(str::to_owned));
    }
    repair.restore_files(next)?;
    repair.report(&mut report.paths);
    let count = |paths: &[String]| paths.len() as u64;
    let ChangedPaths { added, replaced, removed } = &report.paths;
    (report.added, report.replaced, report.removed) =
        (count(added), count(replaced), count(removed));
    if let Some(root) = stagings.get("") {
        write_extra_files(run, root)?;
    }
    let store = run.packages.store;
    let finish = |(importer, staging)| undo.finish(importer, staging, store);
    report.leftovers.extend(stagings.into_iter().filter_map(finish));
    Ok(report)
}

/// Removes what killed runs left beside every `node_modules` of the trees. Returns the folders that
/// are still to be removed.
fn sweep(run: &Run<'_>, previous: &Sites<'_>, next: &Sites<'_>) -> Result<Vec<PathBuf>, LinkError> {
    let mut importers: BTreeSet<&str> = build::importers(run, next).into_iter().collect();
    importers.extend(previous.0.iter().map(|site| site.importer));
    let mut leftovers = Vec::new();
    for importer in importers {
        let (folder, keep) = (run.folder(importer)?, run.options.keep_foreign);
        leftovers.extend(Staging::sweep(&folder, run.packages.store, keep)?);
    }
    Ok(leftovers)
}

/// Returns the name, in the staging folder, of the site at `index` of the wanted tree.
fn new_name(index: usize) -> String {
    format!("new-{index}")
}

/// The part of the difference in one importer's `node_modules`.
struct Change<'c> {
    run: &'c Run<'c>,
    next: &'c Sites<'c>,
    difference: &'c Difference<'c>,
    repair: &'c Repair<'c>,
    restored: &'c Restored,
    undo: Undo<'c>,
    importer: &'c str,
    staging: &'c Staging,
    /// The importer's `node_modules`.
    visible: Dir,
}

impl Change<'_> {
    /// Makes the change; returns the paths of new packages that took the place of something that
    /// was not of the tree.
    fn apply(&self) -> Result<Vec<&str>, LinkError> {
        self.repair.take_away(self.importer, self.staging, &self.visible)?;
        let removed =
            || self.difference.removed.iter().filter(|site| site.importer == self.importer);
        for (index, site) in removed().enumerate() {
            self.remove(index, site)?;
        }
        let mut rebuilt = BTreeSet::new();
        let mut in_place_of_others = Vec::new();
        for index in
            self.difference.changed().filter(|&index| self.next.0[index].importer == self.importer)
        {
            let swap = self.put(index)?;
            let is_replaced = self.difference.fates[index] == Fate::Replaced;
            if is_replaced || swap == Swap::Exchanged {
                // Packages of the tree can be nested in a folder that was none of it.
                rebuilt.extend(self.take_along(index)?);
            }
            if !is_replaced && swap == Swap::Exchanged {
                in_place_of_others.push(self.next.0[index].placement.path.as_str());
            }
        }
        self.update_commands(&rebuilt)?;
        for site in removed() {
            self.remove_empty(site);
        }
        if !self.importer.is_empty() {
            self.staging.remove_empty();
        }
        Ok(in_place_of_others)
    }

    fn place(&self, inner: &str) -> PathBuf {
        self.run.project.join(self.importer).join(NODE_MODULES).join(inner)
    }

    fn remove(&self, index: usize, site: &Site<'_>) -> Result<(), LinkError> {
        let name = format!("old-{index}");
        match self.visible.rename(site.inner, &self.staging.dir, &name) {
            Ok(()) => self.undo.note(site, &name),
            Err(error) if missing(&error) => {}
            Err(error) => return Err(LinkError::io("remove", self.place(site.inner))(error)),
        }
        Ok(())
    }

    /// Renames the new package to its place, and the old one into the staging folder. A bundled one
    /// comes with the package around it.
    fn put(&self, index: usize) -> Result<Swap, LinkError> {
        let site = &self.next.0[index];
        if site.placement.source.is_bundled() || self.restored.within.contains(&index) {
            return Ok(Swap::Renamed);
        }
        let new = new_name(index);
        let swap = with_parents(&self.visible, site.inner, &mut Counts::default(), || {
            exchange_or_rename(&self.staging.dir, &new, &self.visible, site.inner)
        })
        .map_err(LinkError::io("put a package at", self.place(site.inner)))?;
        if swap == Swap::Exchanged && self.difference.fates[index] == Fate::Replaced {
            self.undo.note(site, &new);
        }
        Ok(swap)
    }

    /// Moves the packages nested in a replaced package into the new one. Returns the folders within
    /// it that have packages.
    fn take_along(&self, index: usize) -> Result<BTreeSet<String>, LinkError> {
        let parent = &self.next.0[index];
        let mut moved = "";
        let mut folders = BTreeSet::new();
        for (offset, site) in descendants(&self.next.0[index..]).iter().enumerate() {
            let path = site.placement.path.as_str();
            if !moved.is_empty() && below(path, moved) {
                continue;
            }
            folders.insert(site.inner_folder().to_owned());
            let comes_along = site.placement.source.is_bundled()
                || self.restored.within.contains(&(index + 1 + offset));
            if comes_along || self.difference.fates[index + 1 + offset] == Fate::Added {
                continue;
            }
            moved = path;
            let old = format!("{}{}", new_name(index), &site.inner[parent.inner.len()..]);
            with_parents(&self.visible, site.inner, &mut Counts::default(), || {
                self.staging.dir.rename(&old, &self.visible, site.inner)
            })
            .map_err(LinkError::io("keep", self.place(site.inner)))?;
        }
        Ok(folders)
    }

    fn update_commands(&self, rebuilt: &BTreeSet<String>) -> Result<(), LinkError> {
        let mut names = BTreeMap::<&str, BTreeSet<String>>::new();
        let sites: Vec<Site<'_>> = self.difference.before_and_after(self.next).collect();
        for site in &sites {
            if site.importer == self.importer && !rebuilt.contains(site.inner_folder()) {
                let commands = bins::commands(site);
                let affected = names.entry(site.inner_folder()).or_default();
                affected.extend(commands.into_iter().map(|command| command.name.to_owned()));
            }
        }
        for (folder, name) in self.repair.commands(self.importer) {
            if !rebuilt.contains(folder) {
                names.entry(folder).or_default().insert(name.to_owned());
            }
        }
        names.retain(|_, names| !names.is_empty());
        if names.is_empty() && rebuilt.is_empty() {
            return Ok(());
        }
        let mut folders = BTreeMap::<&str, Vec<Site<'_>>>::new();
        for site in self.next.0.iter().filter(|site| site.importer == self.importer) {
            let folder = site.inner_folder();
            if names.contains_key(folder) || rebuilt.contains(folder) {
                folders.entry(folder).or_default().push(*site);
            }
        }
        for folder in rebuilt {
            if let Some(sites) = folders.get(folder.as_str()) {
                link_commands(self.run, &self.visible, folder, sites)?;
            }
        }
        for (folder, names) in &names {
            let sites = folders.get(folder).map_or(&[][..], Vec::as_slice);
            self.update_folder(folder, sites, names)?;
        }
        Ok(())
    }

    /// Updates the commands called `names` of one folder.
    fn update_folder(
        &self,
        folder: &str,
        sites: &[Site<'_>],
        names: &BTreeSet<String>,
    ) -> Result<(), LinkError> {
        let winners = bins::winners(self.run, sites, |name| names.contains(name))?;
        let bin = Path::new(folder).join(BIN);
        let at = |name: &str| self.place("").join(&bin).join(name);
        let Some(bin) = self.open_bin(folder, !winners.is_empty())? else {
            return Ok(());
        };
        let mut counts = Counts::default();
        for name in names {
            let target = winners.get(name.as_str());
            if target.is_some_and(|target| bins::is(&bin, name, target)) {
                continue;
            }
            bins::remove(&bin, name).map_err(LinkError::io("remove the command", at(name)))?;
            if let Some(target) = target {
                bins::make(&bin, name, target)
                    .map_err(LinkError::io("link the command", at(name)))?;
                counts.symlinks += 1;
                self.repair.linked(self.importer, folder, name, target);
            }
        }
        self.run.count(counts);
        if winners.is_empty() {
            // The system refuses if other commands are left.
            let _ = self.visible.remove_dir(Path::new(folder).join(BIN));
        }
        Ok(())
    }

    fn open_bin(&self, folder: &str, make: bool) -> Result<Option<Dir>, LinkError> {
        let path = if folder.is_empty() { BIN.to_owned() } else { format!("{folder}/{BIN}") };
        let fail = LinkError::io("open", self.place(&path));
        match self.visible.open_dir(&path) {
            Ok(dir) => Ok(Some(dir)),
            Err(error) if missing(&error) && !make => Ok(None),
            Err(error) if missing(&error) => self.visible.make_dir(&path).map(Some).map_err(fail),
            Err(error) => Err(fail(error)),
        }
    }

    /// Removes the folders that are empty without a removed package: its scope, and a nested
    /// `node_modules`.
    fn remove_empty(&self, site: &Site<'_>) {
        if let Some((scope, _)) = site.name.split_once('/') {
            let _ = self.visible.remove_dir(Path::new(site.inner_folder()).join(scope));
        }
        if !site.inner_folder().is_empty() {
            // The system refuses unless the folder is empty; it may be gone with the package around
            // it.
            let _ = self.visible.remove_dir(site.inner_folder());
        }
    }
}

fn write_extra_files(run: &Run<'_>, root: &Staging) -> Result<(), LinkError> {
    let visible = root.visible()?;
    for (index, (name, data)) in run.options.extra_files.iter().enumerate() {
        let draft = staging::draft(index);
        root.dir
            .write_file(&draft, data, FileMode::PLAIN.bits())
            .and_then(|()| {
                // Nothing is written through a link in the place of dx's folder.
                match Path::new(name).parent().filter(|folder| !folder.as_os_str().is_empty()) {
                    Some(folder) => visible.make_real_dir(folder).map(drop),
                    None => Ok(()),
                }
            })
            .and_then(|()| root.dir.rename_over(&draft, &visible, name))
            .map_err(LinkError::io("write", run.project.join(NODE_MODULES).join(name)))?;
    }
    staging::touch(&visible, run.options.extra_files)
        .map_err(LinkError::io("touch the state in", run.project.join(NODE_MODULES)))
}
