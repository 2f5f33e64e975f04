//! The tree that an incremental install starts from: whether project, tree and records are what the
//! last install left.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use dx_pkg_lock::dxl::DxlView;
use dx_pkg_os::files::{Identity, Map};

use super::solvable::Edited;
use super::{links, scopes};
use crate::project::alterations::are_told;
use crate::project::{Project, Seen, manifest_of};
use crate::seal::Seal;
use crate::state::{self, Baseline, State};
use crate::{Session, installed, own_files, visits};

/// The records of a tree in place that was not changed since.
pub(super) struct InstalledTree {
    pub(super) baseline: Baseline,
    /// The record of the tree.
    pub(super) record: Map,
    /// The text of the hidden lockfile.
    pub(super) hidden: String,
    /// The manifests as the last install left them, relative to the project.
    manifests: Seen,
}

impl InstalledTree {
    /// Returns the project's tree, if nothing but manifests was changed since the last install with
    /// these settings.
    pub(super) fn of(session: &Session, project: &Project, settings: [u8; 32]) -> Option<Self> {
        let root = &project.root;
        let seal = Seal::of_store(session.store())?;
        let state = State::decode(&Map::open(root.join(state::PATH)).ok()?, seal)?;
        let is_ours = |path: &Path| state.files.iter().any(|(known, _)| known == path);
        let manifests: HashSet<PathBuf> = project
            .workspaces
            .iter()
            .map(|(folder, _)| Path::new(folder).join("package.json"))
            .chain([PathBuf::from("package.json")])
            .collect();
        let is_manifest = |path: &Path| manifests.contains(path);
        let lockfile_is_known = is_ours(Path::new(project.lockfile));
        if state.settings != settings
            || !lockfile_is_known
            || !state.names_lockfile(root)
            || !state.holds_but(root, is_manifest)
            || !state.is_since_boot()
        {
            return None;
        }
        // A settings file that the last install did not read may change anything.
        let known = |path: &Path| is_ours(path.strip_prefix(root).unwrap_or(path));
        if !session.config_files.iter().all(|(path, _)| known(path)) {
            return None;
        }
        let of_state = state.files.iter().filter(|(path, _)| is_manifest(path));
        let known_manifests: Seen = of_state.cloned().collect();
        let baseline = state.baseline?;
        let (record, found) = own_files::map(root, installed::RECORD).ok()?;
        let (hidden, hidden_found) = own_files::text(root, installed::HIDDEN).ok()?;
        let is_same = found == baseline.record && hidden_found == baseline.hidden;
        let manifests = known_manifests;
        is_same.then_some(InstalledTree { baseline, record, hidden, manifests })
    }

    /// Returns the manifests that were edited since the last install.
    pub(super) fn edited(&self, project: &Project) -> Edited {
        let before: HashMap<&Path, Option<Identity>> =
            self.manifests.iter().map(|(path, found)| (path.as_path(), *found)).collect();
        let mut unchanged: HashSet<&Path> = HashSet::new();
        for (path, found) in &project.seen {
            let path = path.strip_prefix(&project.root).unwrap_or(path);
            if before.get(path).is_some_and(|known| known == found) {
                unchanged.insert(path);
            }
        }
        let is_edited = |folder: &str| !unchanged.contains(Path::new(&manifest_of(folder)));
        let workspaces = project.workspaces.iter().map(|(folder, _)| folder);
        Edited {
            is_project: is_edited(""),
            workspaces: workspaces.filter(|folder| is_edited(folder)).cloned().collect(),
        }
    }

    /// Returns whether lockfile and record belong to this project, and hold nothing that takes a
    /// full install.
    pub(super) fn belongs_to(
        &self,
        project: &Project,
        locked: &DxlView<'_>,
        record: &DxlView<'_>,
    ) -> bool {
        let own = &project.manifest;
        let name = own.name.as_deref().or(locked.name());
        let version = own.version.as_deref().or(locked.version());
        let is_same = |view: &DxlView<'_>| view.name() == name && view.version() == version;
        // One of version 4 keeps the name that it had, or has none.
        let is_named = match locked.format_version() {
            4 => record.name() == locked.name() && record.version() == locked.version(),
            _ => is_same(locked) && is_same(record),
        };
        let is_plain = record.packages().all(|package| {
            let is_altered = package.patched().is_some() || !package.extra().is_empty();
            !package.private_copy() && !is_altered
        });
        let own = locked.get("").into_iter().flat_map(|own| own.extra());
        is_named
            && !are_told(own.map(|(key, _)| key))
            && is_plain
            && links::lead_to_workspaces(project, locked)
    }

    /// Returns whether every scope's folder is as the record says, all packages are there, and so
    /// are the commands of linked folders.
    pub(super) fn is_in_place(&self, root: &Path, record: &DxlView<'_>) -> bool {
        links::are_as_installed(root, record)
            && scopes::hold(root, record)
            && visits::others_are_there(root, record)
    }
}
