//! What a change starts from: whether project, tree and records are what the last install left.

use std::path::Path;

use dx_pkg_lock::dxl::DxlView;
use dx_pkg_os::Map;

use crate::ops::installed;
use crate::project::Project;
use crate::session::Session;
use crate::state::{self, Settled, State};

/// The records of a tree in place, which nobody has changed since.
pub(super) struct Ground {
    pub(super) settled: Settled,
    /// The record of the tree.
    pub(super) record: Map,
    /// The text of the hidden lockfile.
    pub(super) hidden: String,
}

impl Ground {
    /// Of the project, where nothing but its manifest may have been changed since the last install with these settings.
    pub(super) fn of(session: &Session, project: &Project, settings: [u8; 32]) -> Option<Self> {
        let root = &project.root;
        let state = State::decode(&Map::open(root.join(state::PATH)).ok()?)?;
        let is_ours = |path: &Path| state.files.iter().any(|(known, _)| known == path);
        let lockfile_is_known = is_ours(Path::new(project.lockfile));
        if state.settings != settings
            || !lockfile_is_known
            || !state.holds_but(root, Path::new("package.json"))
        {
            return None;
        }
        // A file of settings that the last install did not know may say anything.
        let known = |path: &Path| is_ours(path.strip_prefix(root).unwrap_or(path));
        if !session.config_files.iter().all(|(path, _)| known(path)) {
            return None;
        }
        let settled = state.settled?;
        let modules = root.join("node_modules");
        let (record, hidden) = (modules.join(installed::RECORD), modules.join(installed::HIDDEN));
        let is =
            |path: &Path, noted| dx_pkg_os::identity(path).is_ok_and(|found| found == Some(noted));
        if !is(&record, settled.record) || !is(&hidden, settled.hidden) {
            return None;
        }
        Some(Ground {
            settled,
            record: Map::open(record).ok()?,
            hidden: std::fs::read_to_string(hidden).ok()?,
        })
    }

    /// Whether lockfile and record are of the same project, and every scope's folder is as the record says.
    pub(super) fn holds(
        &self,
        project: &Project,
        locked: &DxlView<'_>,
        record: &DxlView<'_>,
    ) -> bool {
        let own = &project.manifest;
        let name = own.name.as_deref().or(locked.name());
        let version = own.version.as_deref().or(locked.version());
        let is_same = |view: &DxlView<'_>| view.name() == name && view.version() == version;
        let is_plain =
            record.packages().all(|package| !package.link() && package.extra().is_empty());
        is_same(locked)
            && is_same(record)
            && is_plain
            && installed::scopes_hold(&project.root, record)
    }
}
