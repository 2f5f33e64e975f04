//! Finds the folders that a project's `workspaces` patterns match.

mod pattern;

use std::collections::BTreeSet;
use std::path::Path;

use dx_pkg_compat::glob::Segment;
pub(crate) use pattern::Patterns;

/// The folders that may be workspaces, and what was read to find them.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// Folders that match, relative to the project, sorted: workspaces where they have a manifest.
    pub(crate) folders: BTreeSet<String>,
    /// Folders that were listed or looked for in vain: a new workspace changes one of them.
    pub(crate) listed: BTreeSet<String>,
}

impl Candidates {
    /// Returns the folders below `root` that match `patterns`. Links to folders are followed, but
    /// not by `**`.
    pub(crate) fn find(root: &Path, patterns: &Patterns) -> Self {
        let mut found = Candidates::default();
        for pattern in &patterns.included {
            found.walk(root, patterns, &mut Vec::new(), pattern);
        }
        found
    }

    fn walk(&mut self, root: &Path, patterns: &Patterns, at: &mut Vec<String>, rest: &[Segment]) {
        let Some((first, deeper)) = rest.split_first() else {
            let path: Vec<&str> = at.iter().map(String::as_str).collect();
            if !path.is_empty() && !patterns.excludes(&path) {
                self.folders.insert(path.join("/"));
            }
            return;
        };
        if let Segment::Literal(name) = first {
            at.push(name.clone());
            self.walk(root, patterns, at, deeper);
            at.pop();
            return;
        }
        if *first == Segment::Any {
            self.walk(root, patterns, at, deeper);
        }
        let folder = at.join("/");
        let entries = std::fs::read_dir(root.join(&folder));
        self.listed.insert(folder);
        for entry in entries.into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let Ok(kind) = entry.file_type() else { continue };
            let is_match = name != "node_modules" && first.matches(&name, false);
            if !is_match || !(kind.is_dir() || kind.is_symlink() && entry.path().is_dir()) {
                continue;
            }
            at.push(name);
            let path: Vec<&str> = at.iter().map(String::as_str).collect();
            if !patterns.excludes_below(&path) {
                let goes_on = *first == Segment::Any && !kind.is_symlink();
                self.walk(root, patterns, at, if goes_on { rest } else { deeper });
            }
            at.pop();
        }
    }
}

#[cfg(test)]
mod tests;
