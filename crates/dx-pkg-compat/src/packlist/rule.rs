//! One line of an ignore file, matched against paths by the rules of npm's libraries
//! `ignore-walk` and `minimatch`: without regard to case, and a pattern without a slash against
//! the last name only.

use crate::glob::{Segment, expand};

/// The longest line that is read as a pattern, in bytes, as `minimatch` has it.
const MAX_PATTERN: usize = 64 * 1024;

/// A pattern, and whether it includes (`!`) rather than excludes.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) includes: bool,
    /// One for each that the braces stand for.
    alternatives: Vec<Vec<Segment>>,
    /// Whether some alternative has no slash but a last or a first one.
    is_relative: bool,
}

/// A path that rules are matched against: of an entry of a folder, whose kind may not be known yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'p> {
    /// The path from the folder that has the rules, in lower case.
    pub(super) path: &'p str,
    /// The last name, for a folder below the one with the rules.
    pub(super) basename: Option<&'p str>,
    /// Whether the entry is looked at as a folder, which is entered for what may be in it.
    pub(super) as_folder: bool,
}

impl Rule {
    /// Parses a line of an ignore file. An empty line and a comment are no rules.
    ///
    /// # Errors
    /// The line, if it is too long or its braces stand for too many patterns.
    pub(super) fn parse(line: &str) -> Result<Option<Self>, String> {
        // In JavaScript a byte order mark is white space too.
        let text = line.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if text.is_empty() || text.starts_with('#') {
            return Ok(None);
        }
        let pattern = text.trim_start_matches('!');
        let includes = (text.len() - pattern.len()) % 2 == 1;
        if text.len() > MAX_PATTERN {
            return Err(text.to_owned());
        }
        let expanded = expand(&pattern.to_lowercase()).ok_or_else(|| text.to_owned())?;
        let mut is_relative = false;
        let mut alternatives = Vec::with_capacity(expanded.len());
        for pattern in &expanded {
            let parts = reduced(pattern);
            let most = if parts.last().is_some_and(|last| !last.is_empty()) { 1 } else { 2 };
            is_relative |= parts.len() <= most;
            alternatives.push(parts.into_iter().map(Segment::parse).collect());
        }
        Ok(Some(Self { includes, alternatives, is_relative }))
    }

    /// Returns whether the rule is about an entry.
    pub(super) fn matches(&self, entry: Entry<'_>) -> bool {
        let is_relative = entry.as_folder && entry.basename.is_some() && self.is_relative;
        self.alternatives.iter().any(|pattern| {
            if let [only] = &pattern[..] {
                let name = entry.path.trim_end_matches('/');
                let name = name.rsplit('/').next().unwrap_or(name);
                return only_matches(only, name);
            }
            self.covers(pattern, entry.path, entry.as_folder)
                || is_relative
                    && entry.basename.is_some_and(|name| self.covers_folder(pattern, name))
        })
    }

    /// Tries a pattern with a slash on a path, with and without a slash before and behind it.
    fn covers(&self, pattern: &[Segment], path: &str, as_folder: bool) -> bool {
        let mut parts: Vec<&str> = vec![""];
        parts.extend(path.split('/'));
        full(pattern, &parts)
            || full(pattern, &parts[1..])
            || as_folder && self.covers_folder(pattern, path)
    }

    fn covers_folder(&self, pattern: &[Segment], path: &str) -> bool {
        let mut parts: Vec<&str> = vec![""];
        parts.extend(path.split('/'));
        parts.push("");
        let last = parts.len() - 1;
        full(pattern, &parts)
            || full(pattern, &parts[1..])
            || self.includes
                && (partial(pattern, &parts[..last]) || partial(pattern, &parts[1..last]))
    }
}

fn only_matches(segment: &Segment, name: &str) -> bool {
    !name.is_empty() && segment.matches(name, true)
}

/// Splits a pattern at slashes and takes out what `..` takes back.
fn reduced(pattern: &str) -> Vec<&str> {
    let split: Vec<&str> = pattern.split('/').collect();
    let mut parts: Vec<&str> = Vec::with_capacity(split.len());
    for (at, part) in split.iter().copied().enumerate() {
        if part.is_empty() && at > 0 && at + 1 < split.len() {
            continue;
        }
        match (part, parts.last()) {
            ("**", Some(&"**")) => {}
            ("..", Some(last)) if !matches!(*last, "" | "." | ".." | "**") => _ = parts.pop(),
            _ => parts.push(part),
        }
    }
    if parts.is_empty() { vec![""] } else { parts }
}

fn fits(segment: &Segment, part: &str) -> bool {
    match segment {
        Segment::Literal(text) => text == part,
        other => !matches!(part, "" | "." | "..") && other.matches(part, true),
    }
}

fn all_fit(pattern: &[Segment], parts: &[&str]) -> bool {
    pattern.len() == parts.len()
        && pattern.iter().zip(parts).all(|(segment, part)| fits(segment, part))
}

/// Returns whether a pattern matches a whole path. A slash at the end of the path may be left over.
fn full(pattern: &[Segment], path: &[&str]) -> bool {
    let Some(first) = pattern.iter().position(|segment| *segment == Segment::Any) else {
        let ends_open = path.last() == Some(&"") && path.len() == pattern.len() + 1;
        return all_fit(pattern, path) || ends_open && all_fit(pattern, &path[..path.len() - 1]);
    };
    let last = pattern.iter().rposition(|segment| *segment == Segment::Any).unwrap_or(first);
    let (head, tail) = (&pattern[..first], &pattern[last + 1..]);
    if path.len() < first || !all_fit(head, &path[..first]) {
        return false;
    }
    let mut rest = &path[first..];
    let has_tail = !tail.is_empty();
    if has_tail {
        let end = |drop: usize| rest.len().checked_sub(tail.len() + drop);
        let start = match (end(0), end(1)) {
            (Some(start), _) if all_fit(tail, &rest[start..]) => start,
            (_, Some(start))
                if rest.last() == Some(&"") && all_fit(tail, &rest[start..rest.len() - 1]) =>
            {
                start
            }
            _ => return false,
        };
        rest = &rest[..start];
    }
    if first == last {
        return has_tail || !rest.is_empty();
    }
    // Each section between two `**` is taken where it comes first, which leaves most for the rest.
    for section in pattern[first + 1..last].split(|segment| *segment == Segment::Any) {
        let found = (section.len() <= rest.len())
            .then(|| rest.windows(section.len().max(1)))
            .and_then(|mut windows| windows.position(|window| all_fit(section, window)));
        let Some(at) = found else { return false };
        rest = &rest[at + section.len()..];
    }
    has_tail || !rest.is_empty()
}

/// Returns whether a pattern may match something below a path.
fn partial(pattern: &[Segment], path: &[&str]) -> bool {
    let head = pattern.iter().take_while(|segment| **segment != Segment::Any).count();
    let has_more = head < pattern.len();
    (has_more || path.len() <= head)
        && pattern[..head].iter().zip(path).all(|(segment, part)| fits(segment, part))
}
