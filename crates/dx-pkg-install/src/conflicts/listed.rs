//! All peer conflicts of a lockfile, for `dx peers`.

use std::sync::Arc;

use dx_pkg_acquire::{Counters, ResolverInput, resolve};
use dx_pkg_resolve::peers::Ending;
use serde_json::{Value, json};

use super::ExplainedConflict;
use crate::{InstallError, OpenProject};

/// The peer conflicts of a project.
#[derive(Debug, Default)]
pub struct ListedConflicts {
    /// The unmet peer requirements, in words.
    pub conflicts: Vec<String>,
    /// Those of the project and its workspaces, with the reasons.
    pub explained: Vec<ExplainedConflict>,
    /// Versions that agree within the project's ranges, in words.
    pub solvable: Vec<String>,
}

/// Returns all peer conflicts that the lockfile has. Nothing is written or installed; registries
/// are asked only for what would help.
///
/// # Errors
/// There is no lockfile, or it does not fit `package.json`.
pub fn list(open: OpenProject) -> Result<ListedConflicts, InstallError> {
    let OpenProject { session, mut project, .. } = open;
    project.read_lockfile(session.store())?;
    let Some((_, lock)) = &project.locked else {
        return Err(InstallError::NoLockfile { root: project.root.clone() });
    };
    let requirements = project.requirements()?;
    let mut input = ResolverInput::new(session.config(), requirements, None, Some(lock))?;
    input.options.pick.node = session.node_version()?;
    input.options.workspaces = project.workspaces.iter().map(|(path, _)| path.clone()).collect();
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

impl ListedConflicts {
    /// Returns the conflicts as text: those with a reason first.
    #[must_use]
    pub fn text(&self) -> String {
        if self.conflicts.is_empty() {
            return "no peer conflicts".to_owned();
        }
        let explained = self.explained.iter().map(|one| one.text(Ending::Listed));
        let is_left = |text: &&String| {
            !self.explained.iter().any(|explained| explained.conflicts.contains(text))
        };
        let left = self.conflicts.iter().filter(is_left).cloned();
        let count = crate::summary::count(self.conflicts.len() as u64, "peer requirement");
        let mut parts: Vec<String> = explained.chain(left).collect();
        if !self.solvable.is_empty() {
            parts.push(format!(
                "within the ranges of package.json there would agree: {}",
                self.solvable.join(", ")
            ));
        }
        parts.push(format!("{count} not met"));
        parts.join("\n")
    }

    /// Returns the conflicts as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let explained = self.explained.iter().map(ExplainedConflict::to_json);
        json!({
            "conflicts": self.conflicts,
            "explanations": explained.collect::<Vec<_>>(),
            "solvable": self.solvable,
        })
    }
}
