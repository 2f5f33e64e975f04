//! Making patches: the difference between two states of a package's files, in the form that npm
//! writes, and a change carried over to another version.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use diffy::{DiffOptions, HunkRange, Line, Patch};

use super::PatchError;

#[cfg(test)]
mod tests;

/// The lines around a change, as npm has them.
const CONTEXT: usize = 4;

/// The contents of files by their paths.
pub type Contents = BTreeMap<String, Vec<u8>>;

/// A change carried over to another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebased {
    /// The changed files of the other version. Those in conflict have both sides, with markers.
    pub files: Contents,
    /// The paths of the files in conflict.
    pub conflicts: Vec<String>,
}

/// Returns the patch that leads from `before` to `after`; empty where nothing changed.
///
/// # Errors
/// A file that is no text has changed.
pub fn diff(before: &Contents, after: &Contents) -> Result<String, PatchError> {
    let mut text = String::new();
    for path in all_paths([before, after]) {
        let (old, new) = (before.get(path), after.get(path));
        if old == new {
            continue;
        }
        let binary = || PatchError::Binary { path: path.to_owned() };
        let read = |file: Option<&Vec<u8>>| -> Result<String, PatchError> {
            let bytes = file.map(Vec::as_slice).unwrap_or_default();
            if bytes.contains(&0) {
                return Err(binary());
            }
            String::from_utf8(bytes.to_vec()).map_err(|_| binary())
        };
        let name = |side: &str, file: Option<&Vec<u8>>| match file {
            Some(_) => format!("{side}/{path}"),
            None => "/dev/null".to_owned(),
        };
        let _ = writeln!(text, "--- {}\t\n+++ {}\t", name("a", old), name("b", new));
        let (old, new) = (read(old)?, read(new)?);
        let patch = DiffOptions::new().set_context_len(CONTEXT).create_patch(&old, &new);
        write_hunks(&patch, &mut text);
    }
    Ok(text)
}

/// Writes hunks as npm does: with both numbers of every range.
fn write_hunks(patch: &Patch<'_, str>, text: &mut String) {
    for hunk in patch.hunks() {
        let (old, new) = (hunk.old_range(), hunk.new_range());
        let range = |range: HunkRange| format!("{},{}", range.start(), range.len());
        let _ = writeln!(text, "@@ -{} +{} @@", range(old), range(new));
        for line in hunk.lines() {
            let (sign, line) = match line {
                Line::Context(line) => (' ', line),
                Line::Delete(line) => ('-', line),
                Line::Insert(line) => ('+', line),
            };
            text.push(sign);
            text.push_str(line);
            if !line.ends_with('\n') {
                text.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
}

/// Carries the change from `base` to `changed` over to `next`, a file at a time, by a merge of
/// lines.
#[must_use]
pub fn rebase(base: &Contents, changed: &Contents, next: &Contents) -> Rebased {
    let mut rebased = Rebased { files: next.clone(), conflicts: Vec::new() };
    for path in all_paths([base, changed]) {
        let (old, new, theirs) = (base.get(path), changed.get(path), next.get(path));
        if old == new || new == theirs {
            continue;
        }
        if old == theirs {
            match new {
                Some(new) => drop(rebased.files.insert(path.to_owned(), new.clone())),
                None => drop(rebased.files.remove(path)),
            }
            continue;
        }
        let bytes = |file: Option<&Vec<u8>>| file.cloned().unwrap_or_default();
        let merged = match (new, theirs) {
            (Some(new), Some(theirs)) => diffy::merge_bytes(&bytes(old), theirs, new),
            // One side has removed what the other has changed.
            _ => Err(bytes(new.or(theirs))),
        };
        let merged = merged.unwrap_or_else(|conflict| {
            rebased.conflicts.push(path.to_owned());
            conflict
        });
        rebased.files.insert(path.to_owned(), merged);
    }
    rebased
}

/// Returns all paths of two states, sorted.
fn all_paths(states: [&Contents; 2]) -> BTreeSet<&str> {
    states.into_iter().flat_map(|files| files.keys().map(String::as_str)).collect()
}
