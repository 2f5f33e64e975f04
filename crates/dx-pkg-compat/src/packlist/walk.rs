//! The walk through a folder: each entry is judged by the rules of all folders above it, from the
//! package's root down.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::rc::Rc;

use serde_json::Value;

use super::PackError;
use super::names::name_of;
use super::rule::{Entry, Rule};
use super::rules::{self, Rules};
use super::selected::{Selected, named};
use crate::manifest::Manifest;

/// A package whose folder is walked.
pub(super) struct Package<'m> {
    pub(super) manifest: &'m Manifest,
    pub(super) kind: Kind,
    /// Lines of ignore files outside of the folder.
    pub(super) outer: &'m str,
}

/// The place of a package among those that are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The package itself.
    Root,
    /// A bundled dependency.
    Bundled,
    /// A bundled dependency whose folder is a link.
    BundledLink,
}

/// A folder of the walk.
struct Level<'l> {
    parent: Option<&'l Level<'l>>,
    /// The folder's name, in lower case.
    name: String,
    /// Whether the folder itself is included, so that ignore files in it may include what those
    /// above exclude.
    is_included: bool,
    rules: Rules,
}

/// Adds the files of a package to `found`, each path with `prefix` before it. `count` is how many
/// entries may still be looked at.
pub(super) fn walk(
    root: &Path,
    package: &Package<'_>,
    prefix: &str,
    count: &mut usize,
    found: &mut BTreeSet<String>,
) -> Result<(), PackError> {
    let (usual, strict) = (rules::usual(), rules::strict_below());
    let has_workspaces = has_workspaces(root, package.manifest);
    let mut walker = Walker { root, package, prefix, has_workspaces, usual, strict, count, found };
    walker.folder("", None, true)
}

struct Walker<'w> {
    root: &'w Path,
    package: &'w Package<'w>,
    prefix: &'w str,
    has_workspaces: bool,
    /// The rules of every folder.
    usual: Rc<[Rule]>,
    /// The last rules of folders below.
    strict: Rc<[Rule]>,
    count: &'w mut usize,
    found: &'w mut BTreeSet<String>,
}

impl Walker<'_> {
    fn folder(
        &mut self,
        at: &str,
        parent: Option<&Level<'_>>,
        is_included: bool,
    ) -> Result<(), PackError> {
        let folder = self.root.join(at);
        let failed = |error| PackError::io(&folder, error);
        let mut entries = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            *self.count = self
                .count
                .checked_sub(1)
                .ok_or_else(|| PackError::TooManyEntries { path: self.root.to_owned() })?;
            let kind = entry.file_type().map_err(failed)?;
            let (name, is_text) = name_of(&entry);
            entries.push((name, kind, is_text));
        }
        let has = |name: &str| entries.iter().any(|(other, ..)| other == name);
        let rules = match parent {
            None => self.root_rules(&folder, has)?,
            Some(_) => self.rules_below(&folder, has)?,
        };
        let name = at.rsplit('/').next().unwrap_or(at).to_lowercase();
        let level = Level { parent, name, is_included, rules };
        for (name, kind, is_text) in &entries {
            let folded = name.to_lowercase();
            // Windows cannot have such a name.
            if name.contains('*') {
                continue;
            }
            let path = if at.is_empty() { name.clone() } else { format!("{at}/{name}") };
            let include = || match is_text {
                true => Ok(()),
                false => Err(PackError::NotUnicode { path: folder.join(name) }),
            };
            if kind.is_file() {
                if level.includes(&folded, false, None) {
                    include()?;
                    self.found.insert(format!("{}{path}", self.prefix));
                }
            } else if kind.is_dir() {
                let as_file = level.includes(&folded, false, None);
                if level.includes(&folded, true, None) {
                    include()?;
                    let is_included = as_file || level.includes(&format!("{folded}/"), false, None);
                    self.folder(&path, Some(&level), is_included)?;
                }
            }
        }
        Ok(())
    }

    /// Reads the rules of the package's folder.
    fn root_rules(&self, folder: &Path, has: impl Fn(&str) -> bool) -> Result<Rules, PackError> {
        let Package { manifest, kind, outer } = self.package;
        let mut rules = Rules::default();
        if *kind != Kind::Bundled {
            rules.usual = self.usual.clone();
        }
        if !outer.is_empty() {
            rules.usual = self.usual.iter().cloned().chain(rules::lines(outer)).collect();
        }
        if has("package.json") {
            rules.strict = rules::strict(manifest, *kind == Kind::Root);
            let files: Option<Vec<&str>> = match manifest.raw.get("files") {
                Some(Value::Array(list)) => Some(list.iter().filter_map(Value::as_str).collect()),
                // npm takes each letter of a text for an entry.
                Some(Value::String(text)) if !text.is_empty() => {
                    Some(text.split("").filter(|letter| !letter.is_empty()).collect())
                }
                _ => None,
            };
            rules.selected = files.map(|files| Selected::find(folder, &files));
        }
        if rules.selected.is_none() && *kind != Kind::Bundled {
            rules.ignored = ignored(folder, has)?;
        }
        Ok(rules)
    }

    /// Reads the rules of a folder below.
    fn rules_below(&self, folder: &Path, has: impl Fn(&str) -> bool) -> Result<Rules, PackError> {
        let (usual, strict) = (self.usual.clone(), self.strict.clone());
        let mut rules = Rules { usual, strict, ..Rules::default() };
        // In a project with workspaces a folder with a manifest has no ignore files.
        if !(self.has_workspaces && has("package.json")) {
            rules.ignored = ignored(folder, has)?;
        }
        Ok(rules)
    }
}

/// Returns whether a folder that `workspaces` names has a manifest.
fn has_workspaces(root: &Path, manifest: &Manifest) -> bool {
    let patterns = manifest.workspace_patterns().unwrap_or_default();
    patterns.iter().filter(|pattern| !pattern.starts_with('!')).any(|pattern| {
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern).trim_end_matches('/');
        !named(root, &format!("{pattern}/package.json")).is_empty()
    })
}

/// Reads a folder's ignore file: `.npmignore`, else `.gitignore`.
fn ignored(folder: &Path, has: impl Fn(&str) -> bool) -> Result<Vec<Rule>, PackError> {
    for name in [".npmignore", ".gitignore"] {
        if has(name) {
            return rules::ignore_file(&folder.join(name));
        }
    }
    Ok(Vec::new())
}

impl Level<'_> {
    /// Returns whether an entry of this folder, or one below it, is included. `path` is in lower
    /// case, `basename` the entry's own name where it is one of a folder below.
    fn includes(&self, path: &str, as_folder: bool, basename: Option<&str>) -> bool {
        let mut included = true;
        if let Some(parent) = self.parent {
            let below = format!("{}/{path}", self.name);
            included = parent.includes(&below, as_folder, Some(basename.unwrap_or(path)));
            if !included && !self.is_included {
                return false;
            }
        }
        self.rules.apply(included, Entry { path, basename, as_folder })
    }
}
