//! All peer conflicts of a lockfile, for `dx peers`.

use dx_pkg_resolve::peers::Ending;
use serde_json::{Value, json};

use super::ExplainedConflict;
use crate::summary::count;

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
        let count = count(self.conflicts.len() as u64, "peer requirement");
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
