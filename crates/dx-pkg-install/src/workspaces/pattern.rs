//! The patterns of `workspaces`: their braces, their segments and their exclusions, by the rules of
//! npm's library `@npmcli/map-workspaces`.

use dx_pkg_compat::glob::{Segment, expand};

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

    /// Returns the position of the first pattern that the folder `path` matches.
    pub(crate) fn place_of(&self, path: &str) -> Option<usize> {
        let path = parts(path);
        self.included.iter().position(|pattern| matches(pattern, &path, false))
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

#[cfg(test)]
mod tests;
