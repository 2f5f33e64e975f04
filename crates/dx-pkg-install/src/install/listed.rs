//! All peer conflicts of a project's lockfile.

use std::sync::Arc;

use dx_pkg_acquire::input::LockedImporters;
use dx_pkg_acquire::{Counters, ResolverInput, resolve};

use super::OpenProject;
use crate::InstallError;
use crate::summary::conflicts::{ExplainedConflict, ListedConflicts};

impl OpenProject {
    /// Returns all peer conflicts that the lockfile has. Nothing is written or installed;
    /// registries are asked only for what would help.
    ///
    /// # Errors
    /// There is no lockfile, or it does not fit `package.json`.
    pub fn peer_conflicts(self) -> Result<ListedConflicts, InstallError> {
        let OpenProject { session, mut project, .. } = self;
        project.read_lockfile(session.store())?;
        let Some((_, lock)) = &project.locked else {
            return Err(InstallError::NoLockfile { root: project.root.clone() });
        };
        let requirements = project.requirements()?;
        let locked = Some(LockedImporters::Parsed(lock));
        let mut input = ResolverInput::new(session.config(), requirements, None, locked)?;
        input.options.pick.node = session.node_version()?;
        input.options.workspaces =
            project.workspaces.iter().map(|(path, _)| path.clone()).collect();
        input.options.frozen = true;
        input.options.strict_peer_deps = false;
        input.options.explains_conflicts = true;
        let counters = Arc::new(Counters::default());
        let (context, root) = (&session.context, &project.root);
        let resolved = resolve(context, root, &input, Some(lock), None, &counters, None)?;
        let resolution = resolved.resolution;
        let told = resolution.explanations.into_iter();
        let explained =
            told.map(|one| ExplainedConflict::new(&project, one, &resolution.conflicts)).collect();
        let conflicts = resolution.conflicts.iter().map(ToString::to_string).collect();
        let solvable = resolution.moves.iter().map(ToString::to_string).collect();
        Ok(ListedConflicts { conflicts, explained, solvable })
    }
}
