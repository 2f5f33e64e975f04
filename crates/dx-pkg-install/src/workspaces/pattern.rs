//! The patterns of `workspaces`: their braces, their segments and their exclusions, by the rules of
//! npm's library `@npmcli/map-workspaces`.

use super::segment::Segment;

/// More patterns than this from the braces of one are not a list that somebody wrote.
const MAX_EXPANDED: usize = 10_000;

/// The patterns of a project.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    pub(super) included: Vec<Vec<Segment>>,
    pub(super) excluded: Vec<Vec<Segment>>,
}

impl Patterns {
    /// Parses patterns; one that begins with an odd number of `!` excludes.
    ///
    /// # Errors
    /// The pattern whose braces stand for too many others.
    pub(crate) fn parse(patterns: &[String]) -> Result<Self, String> {
        let mut excluded: Vec<Vec<Vec<Segment>>> = Vec::new();
        let mut included = Vec::new();
        for written in patterns {
            let pattern = written.trim_start_matches('!');
            let excludes = (written.len() - pattern.len()) % 2 == 1;
            let pattern = pattern.replace('\\', "/");
            let expanded = expand(&pattern).ok_or_else(|| written.clone())?;
            let segments: Vec<Vec<Segment>> =
                expanded.iter().map(|pattern| segments(pattern)).collect();
            if excludes {
                excluded.push(segments);
            } else {
                // A pattern brings back what an exclusion before it takes away by its text.
                let text = parts(&pattern);
                excluded.retain(|alternatives| {
                    !alternatives.iter().any(|excluded| matches(excluded, &text, false))
                });
                included.extend(segments.into_iter().filter(|segments| !segments.is_empty()));
            }
        }
        Ok(Patterns { included, excluded: excluded.into_iter().flatten().collect() })
    }

    /// Returns whether the folder `path`, relative to the project, is a workspace if it has a
    /// manifest.
    pub(crate) fn matches(&self, path: &str) -> bool {
        let path = parts(path);
        !path.is_empty()
            && !self.excludes(&path)
            && self.included.iter().any(|pattern| matches(pattern, &path, false))
    }

    /// Returns whether a folder is excluded, or in a `node_modules`.
    pub(super) fn excludes(&self, path: &[&str]) -> bool {
        path.contains(&"node_modules")
            || self.excluded.iter().any(|pattern| matches(pattern, path, true))
    }

    /// Returns whether a folder is excluded with all that is in it.
    pub(super) fn excludes_below(&self, path: &[&str]) -> bool {
        path.last() == Some(&"node_modules")
            || self
                .excluded
                .iter()
                .filter(|pattern| pattern.last() == Some(&Segment::Any))
                .any(|pattern| matches(pattern, path, true))
    }
}

fn parts(path: &str) -> Vec<&str> {
    path.split('/').filter(|part| !matches!(*part, "" | ".")).collect()
}

fn segments(pattern: &str) -> Vec<Segment> {
    let mut segments: Vec<Segment> = parts(pattern).into_iter().map(Segment::parse).collect();
    segments.dedup_by(|a, b| *a == Segment::Any && *b == Segment::Any);
    segments
}

/// Returns whether a pattern matches a whole path; with `hidden`, wildcards match names that begin
/// with a dot too.
fn matches(pattern: &[Segment], path: &[&str], hidden: bool) -> bool {
    // For each part of the path, whether the segments so far match all before it. Trying every
    // place of every `**` in turn would take exponential time.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for segment in pattern {
        let fits = |at: usize| segment.matches(path[at], hidden);
        if *segment == Segment::Any {
            for at in 0..path.len() {
                reached[at + 1] |= reached[at] && fits(at);
            }
        } else {
            for at in (0..path.len()).rev() {
                reached[at + 1] = reached[at] && fits(at);
            }
            reached[0] = false;
        }
    }
    reached[path.len()]
}

/// Returns the patterns that one with braces stands for, as a shell expands them; `None` for too
/// many.
fn expand(pattern: &str) -> Option<Vec<String>> {
    let mut done = Vec::new();
    // Patterns with the position from which braces are looked for, the next one last.
    let mut open = vec![(pattern.to_owned(), 0)];
    while let Some((text, from)) = open.pop() {
        if done.len() + open.len() > MAX_EXPANDED {
            return None;
        }
        let Some(at) = text[from..].find('{').map(|at| from + at) else {
            done.push(text);
            continue;
        };
        let Some((alternatives, end)) = alternatives(&text[at..]) else {
            open.push((text, at + 1));
            continue;
        };
        if alternatives.len() > MAX_EXPANDED {
            return None;
        }
        for alternative in alternatives.into_iter().rev() {
            open.push((format!("{}{alternative}{}", &text[..at], &text[at + end..]), at));
        }
    }
    Some(done)
}

/// Returns what the braces at the beginning of a text stand for, and where they end; `None` where
/// they stand for themselves.
fn alternatives(text: &str) -> Option<(Vec<String>, usize)> {
    let mut found = Vec::new();
    let (mut depth, mut from) = (0, 1);
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            ',' if depth == 1 => {
                found.push(text[from..at].to_owned());
                from = at + 1;
            }
            '}' if depth == 1 => {
                let last = &text[from..at];
                if found.is_empty() {
                    return Some((sequence(last)?, at + 1));
                }
                found.push(last.to_owned());
                return Some((found, at + 1));
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Returns the members of `1..9`, `a..e` or `1..9..2`.
fn sequence(text: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = text.split("..").collect();
    let (from, to, step) = match parts[..] {
        [from, to] => (from, to, 1),
        [from, to, step] => (from, to, step.parse::<i64>().ok()?.unsigned_abs().max(1)),
        _ => return None,
    };
    let letter = |text: &str| {
        let mut characters = text.chars();
        characters.next().filter(|c| c.is_ascii_alphabetic() && characters.next().is_none())
    };
    let (first, last, width) = match (from.parse::<i64>(), to.parse::<i64>()) {
        (Ok(first), Ok(last)) => {
            let is_padded = |text: &str| text.trim_start_matches('-').starts_with('0');
            let padded = [from, to]
                .iter()
                .any(|text| is_padded(text) && text.trim_start_matches('-').len() > 1);
            (first, last, if padded { from.len().max(to.len()) } else { 0 })
        }
        _ => (i64::from(u32::from(letter(from)?)), i64::from(u32::from(letter(to)?)), 0),
    };
    let is_number = from.parse::<i64>().is_ok();
    let count = first.abs_diff(last) / step;
    let member = |index: u64| {
        let distance = i64::try_from(index * step).ok()?;
        let value = if first <= last { first + distance } else { first - distance };
        if is_number {
            return Some(format!("{value:0width$}"));
        }
        Some(char::from_u32(u32::try_from(value).ok()?)?.to_string())
    };
    (0..=count.min(MAX_EXPANDED as u64)).map(member).collect()
}

#[cfg(test)]
mod tests;
