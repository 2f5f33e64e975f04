//! Requirements for folders: which folder a path means, and which of them are no requirements.

use dx_pkg_core::Spec;

use crate::manifest::Declared;
use crate::provider::Places;

use super::{DependencyTree, EdgeId, NodeId};

impl DependencyTree {
    /// Returns the folder that a path of a requirement of `from` means, relative to the project.
    pub(crate) fn relative_to_root(&self, path: &str, from: NodeId) -> String {
        let base = self.path(self.source_or_self(from));
        self.places.relative(&base, path)
    }

    /// Returns the node whose folder a path in the requirement of `edge` is relative to: the
    /// project's where an override of it applies, which is written there, else the dependent's.
    pub(crate) fn base_of(&self, edge: EdgeId) -> NodeId {
        let this = &self[edge];
        let overrides = this.rules.is_some_and(|rules| {
            self.rules.name(rules) == Some(this.name)
                && self.interner.spec_text(self.rules.value(rules)) != "*"
        });
        if overrides { self.root } else { self.source_or_self(this.from) }
    }

    /// Returns whether a dependency of the published package `node` is a folder that its author
    /// had: one that is not in the package itself. An override may put another in its place.
    pub(super) fn is_authors_folder(&self, node: NodeId, item: Declared) -> bool {
        let Ok(Spec::Directory(path)) = self.interner.parsed(item.spec) else { return false };
        let is_published = self
            .manifest(node)
            .resolved
            .as_deref()
            .is_none_or(|resolved| resolved.starts_with("http"));
        is_published && !is_below(path) && !self.rules.mentions(item.name)
    }
}

/// Returns whether a relative path leads to a folder below the one that it starts from.
pub(crate) fn is_below(path: &str) -> bool {
    let is_relative = !path.starts_with(['/', '~']) && path.as_bytes().get(1) != Some(&b':');
    let inside = normalise("", path);
    is_relative && !inside.is_empty() && inside != ".." && !inside.starts_with("../")
}

impl Places {
    /// Returns the folder that `path` means in the folder `base`, which is relative to the project:
    /// relative to the project too, or absolute where the project's own place is not known.
    fn relative(&self, base: &str, path: &str) -> String {
        let home = self.home.as_deref().filter(|_| path == "~" || path.starts_with("~/"));
        let absolute = match home {
            Some(home) => format!("{home}/{}", path[1..].trim_start_matches('/')),
            None if path.starts_with('/') || path.as_bytes().get(1) == Some(&b':') => {
                path.to_owned()
            }
            None => return normalise(base, path),
        };
        let wanted = normalise("", &absolute);
        let Some(project) = &self.project else {
            return absolute.trim_end_matches('/').to_owned();
        };
        let project = normalise("", project);
        let segments = |path: &'_ str| -> Vec<String> {
            path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let (from, to) = (segments(&project), segments(&wanted));
        let same = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        // Between two drives of Windows there is no relative path.
        if same == 0 && absolute.as_bytes().get(1) == Some(&b':') {
            return wanted;
        }
        let up = std::iter::repeat_n("..", from.len() - same);
        let parts: Vec<&str> = up.chain(to[same..].iter().map(String::as_str)).collect();
        parts.join("/")
    }
}

/// Joins `path` to the folder `base` and removes `.` and `..` where possible.
pub(crate) fn normalise(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests;
