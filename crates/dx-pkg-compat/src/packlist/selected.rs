//! The `files` of a manifest: what each entry names, found in the folder, as rules for the walk.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use super::names::name_of;
use super::rule::{Entry, Rule};
use crate::glob::{Segment, expand};

/// Files and folders that `files` names. Of all that is not named nothing is included.
#[derive(Debug, Default)]
pub(super) struct Selected {
    /// The last rule that names a path, by the path in lower case.
    named: HashMap<String, Place>,
    /// The last rule that includes something below a folder.
    leading: HashMap<String, usize>,
    /// The rules whose paths have special characters, which npm takes for patterns, with their
    /// number.
    patterns: Vec<(usize, Rule)>,
    count: usize,
}

/// The rules for one path.
#[derive(Debug, Default, Clone, Copy)]
struct Place {
    /// The number of the last rule for the path itself, and whether it includes.
    own: Option<(usize, bool)>,
    /// The number of the last rule for all below it, and whether it includes.
    below: Option<(usize, bool)>,
}

impl Selected {
    /// Finds what `files` names in the folder `root`. An entry that begins with `!` excludes.
    pub(super) fn find(root: &Path, files: &[&str]) -> Self {
        let mut selected = Self::default();
        for written in files {
            let includes = !written.starts_with('!');
            let entry = written.trim_start_matches('!');
            let entry =
                entry.strip_prefix('.').filter(|rest| rest.starts_with('/')).unwrap_or(entry);
            let entry = entry.strip_prefix('/').unwrap_or(entry).trim_end_matches('/');
            // An absolute path leads out of the folder.
            if entry.is_empty() || entry.starts_with('/') {
                continue;
            }
            for (path, is_folder) in &named(root, entry) {
                selected.add(path, *is_folder, includes);
            }
        }
        selected
    }

    fn add(&mut self, path: &str, is_folder: bool, includes: bool) {
        if path.contains(|c| "\\*?+@!()[]{}".contains(c)) || path != path.trim() {
            let sign = if includes { "!" } else { "" };
            let rules = [format!("{sign}/{path}"), format!("{sign}/{path}/**")];
            for rule in rules.iter().take(1 + usize::from(is_folder)) {
                if let Ok(Some(rule)) = Rule::parse(rule) {
                    self.patterns.push((self.count, rule));
                    self.count += 1;
                }
            }
            return;
        }
        let path = path.to_lowercase();
        let last = self.count + usize::from(is_folder);
        if includes {
            let slashes = path.match_indices('/').map(|(at, _)| at);
            for leading in std::iter::once("").chain(slashes.map(|at| &path[..at])) {
                self.leading.insert(leading.to_owned(), last);
            }
        }
        let place = self.named.entry(path).or_default();
        place.own = Some((self.count, includes));
        if is_folder {
            place.below = Some((last, includes));
        }
        self.count = last + 1;
    }

    /// Returns whether an entry is included.
    pub(super) fn includes(&self, entry: Entry<'_>) -> bool {
        let path = entry.path.trim_end_matches('/');
        let ends_open = entry.as_folder || path.len() < entry.path.len();
        let mut last: Option<(usize, bool)> = None;
        let mut consider = |rule: Option<(usize, bool)>| {
            if rule.is_some_and(|(number, _)| last.is_none_or(|(other, _)| number > other)) {
                last = rule;
            }
        };
        for (at, _) in path.match_indices('/') {
            consider(self.named.get(&path[..at]).and_then(|place| place.below));
        }
        if let Some(place) = self.named.get(path) {
            consider(place.own);
            if ends_open {
                consider(place.below);
            }
        }
        if entry.as_folder {
            consider(self.leading.get(path).map(|number| (*number, true)));
        }
        let fitting = |(_, rule): &&(usize, Rule)| rule.matches(entry);
        consider(self.patterns.iter().rev().find(fitting).map(|(at, rule)| (*at, rule.includes)));
        last.is_some_and(|(_, includes)| includes)
    }
}

/// Returns the files and folders below `root` that a pattern names, and whether each is a folder.
pub(super) fn named(root: &Path, pattern: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for pattern in expand(pattern).unwrap_or_default() {
        if let Some(parts) = parts(&pattern) {
            let mut search = Search { root, found, seen: HashSet::new() };
            search.look("", &parts, 0);
            found = search.found;
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns the segments of a pattern; `None` where it leads out of the folder.
fn parts(pattern: &str) -> Option<Vec<Segment>> {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            "**" if parts.last() == Some(&"**") => {}
            part => parts.push(part),
        }
    }
    let folded = |part: &str| if FOLDS { part.to_lowercase() } else { part.to_owned() };
    Some(parts.into_iter().map(|part| Segment::parse(&folded(part))).collect())
}

/// Whether names are compared without regard to case, as npm does where file systems do.
const FOLDS: bool = cfg!(any(windows, target_os = "macos"));

/// The most files and folders that one entry is looked for among.
const MOST_SEEN: usize = 1_000_000;

struct Search<'s> {
    root: &'s Path,
    found: Vec<(String, bool)>,
    seen: HashSet<(String, usize)>,
}

impl Search<'_> {
    /// Looks in the folder `at` for what the segments from `from` on name. Links are not followed.
    fn look(&mut self, at: &str, pattern: &[Segment], from: usize) {
        let Some(segment) = pattern.get(from) else { return };
        if self.seen.len() > MOST_SEEN || !self.seen.insert((at.to_owned(), from)) {
            return;
        }
        let is_last = from + 1 == pattern.len();
        if *segment == Segment::Any && !is_last {
            self.look(at, pattern, from + 1);
        }
        let listed: Vec<(String, fs::FileType)> = match segment {
            Segment::Literal(name) if !FOLDS => {
                let kind = fs::symlink_metadata(self.root.join(at).join(name));
                kind.map(|status| (name.clone(), status.file_type())).into_iter().collect()
            }
            _ => list(&self.root.join(at)),
        };
        for (name, kind) in listed {
            let fits = match FOLDS {
                true => segment.matches(&name.to_lowercase(), true),
                false => segment.matches(&name, true),
            };
            if !fits || !(kind.is_dir() || kind.is_file()) {
                continue;
            }
            let path = if at.is_empty() { name } else { format!("{at}/{name}") };
            // What `a/**` names is `a` too, even where it is a file.
            let is_end = from + 2 == pattern.len() && pattern[from + 1] == Segment::Any;
            if is_last || is_end && kind.is_file() {
                self.found.push((path.clone(), kind.is_dir()));
            }
            if kind.is_dir() && *segment == Segment::Any {
                self.look(&path, pattern, from);
            } else if kind.is_dir() && !is_last {
                self.look(&path, pattern, from + 1);
            }
        }
        // `a/**` names `a` too.
        if is_last && *segment == Segment::Any && !at.is_empty() {
            self.found.push((at.to_owned(), true));
        }
    }
}

/// Lists a folder; one that cannot be read has nothing to be named, and is met again by the walk.
fn list(folder: &Path) -> Vec<(String, fs::FileType)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.filter_map(Result::ok);
    entries.filter_map(|entry| Some((name_of(&entry).0, entry.file_type().ok()?))).collect()
}
