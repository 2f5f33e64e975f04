//! The way back from an install whose packages cannot be built: what their scripts need is in
//! place by then, and the project's files are written.

use std::path::Path;

use dx_pkg_core::PackageId;
use dx_pkg_core::coded::message_with_causes;
use dx_pkg_link::{LinkOptions, Retired, Tree};
use dx_pkg_os::files::{Durability, Identity, write_user_file};

use super::Run;
use super::leftovers::remove_folders;
use crate::installed::{HIDDEN, RECORD, identity_of};
use crate::plan::Plan;
use crate::project::{Project, manifest_of};
use crate::{InstallError, built, own_files};

/// The files below `node_modules` that describe a tree.
const DESCRIBING: [&str; 3] = [RECORD, built::FILE, HIDDEN];

/// The tree before a change.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) retired: Retired,
    /// What was in place and known; `None` where the whole tree was built anew.
    pub(super) tree: Option<Tree>,
    /// The files that described it; `None` for one that was not there.
    files: Vec<(String, Option<Vec<u8>>)>,
    /// The record of the tree as this install last wrote it.
    pub(super) record: Option<Identity>,
}

impl Before {
    /// Returns what is known before anything changes.
    pub(super) fn of(root: &Path) -> Self {
        let read = |name: &str| own_files::bytes(root, name).ok();
        let files = DESCRIBING.map(|name| (name.to_owned(), read(name)));
        Before { retired: Retired::default(), tree: None, files: files.into(), record: None }
    }

    /// Removes what the change has taken out of the tree: it stays. Returns a warning for each
    /// folder that this user may not remove.
    pub(super) fn forget(self, run: &Run<'_>) -> Vec<String> {
        remove_folders(&self.retired.discard(run.session.store()))
    }

    /// Puts the tree back. Where a script has started another install, that one's tree stays.
    pub(super) fn put_back(
        self,
        run: &Run<'_>,
        project: &Project,
        plan: &Plan,
        fetched: &[PackageId],
    ) -> Result<(), InstallError> {
        let root = &project.root;
        if identity_of(root, RECORD) != self.record {
            return Ok(());
        }
        let mut files = Vec::new();
        for (name, contents) in self.files {
            match contents.filter(|_| self.tree.is_some()) {
                Some(contents) => files.push((name, contents)),
                // A tree without its record is looked at by the next install.
                None => _ = own_files::remove_any(root, &name),
            }
        }
        let options = LinkOptions {
            import: run.session.import_method()?,
            leaves_own_commands: run.session.is_global()?,
            links_outside: true,
            movable: fetched,
            extra_files: &files,
            ..LinkOptions::default()
        };
        let (now, before) = (plan.tree()?, self.tree.unwrap_or_default());
        let store = run.session.store();
        let report = self.retired.put_back(root, store, (&now, &before), &options)?;
        remove_folders(&report.leftovers);
        Ok(())
    }
}

/// Files of the project that an install has written.
#[derive(Debug, Default)]
pub(super) struct Saved(Vec<SavedFile>);

#[derive(Debug)]
struct SavedFile {
    /// The path, relative to the project.
    path: String,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
}

impl Saved {
    /// Returns the files that are about to be written: those manifests, and the lockfile if that
    /// changes.
    pub(super) fn of(
        project: &Project,
        manifests: &[(String, String)],
        writes_lockfile: bool,
    ) -> Self {
        let changed = project.changed_manifests(manifests);
        let lockfile = writes_lockfile.then(|| project.lockfile.to_owned());
        let paths = changed.map(|(importer, _)| manifest_of(importer)).chain(lockfile);
        let file = |path: String| {
            let before = std::fs::read(project.root.join(&path)).ok();
            SavedFile { path, before, after: None }
        };
        Saved(paths.map(file).collect())
    }

    /// Notes what has been written.
    pub(super) fn written(&mut self, project: &Project) {
        for file in &mut self.0 {
            file.after = std::fs::read(project.root.join(&file.path)).ok();
        }
    }

    /// Puts back what was there, but for files that a script has changed since.
    pub(super) fn put_back(self, project: &Project) -> Result<(), InstallError> {
        for SavedFile { path, before, after } in self.0 {
            let place = project.root.join(&path);
            if std::fs::read(&place).ok() != after {
                continue;
            }
            let restored = match before {
                Some(before) => write_user_file(&project.root, &path, &before, Durability::Fsync),
                None => std::fs::remove_file(&place),
            };
            restored.map_err(|error| InstallError::io(format!("restoring {path}"), error))?;
        }
        Ok(())
    }
}

/// Makes tree and files what they were before the install. Where that fails, a warning says so, as
/// the reason for it is another error.
pub(super) fn roll_back(
    run: &Run<'_>,
    project: &Project,
    (saved, before): (Saved, Option<Before>),
    (plan, fetched): (&Plan, &[PackageId]),
) {
    let tree = before.map_or(Ok(()), |before| before.put_back(run, project, plan, fetched));
    for (what, result) in [("node_modules", tree), ("the project's files", saved.put_back(project))]
    {
        if let Err(error) = result {
            let why = message_with_causes(&error);
            run.events.warning(&format!("{what} could not be put back as before: {why}"));
        }
    }
}
