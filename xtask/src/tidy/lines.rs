//! The limit to the length of lines, of code and of comments.
//!
//! The formatter wraps code only. The contents of strings, and URLs, do not count: they cannot be
//! wrapped without a change.

use super::{Tree, source::Source};

/// The most characters of a line.
const LINE: usize = 100;

/// Checks every Rust file, tests included.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let long = tree.sources.iter().flat_map(|source| {
        let lines = long_lines(source).into_iter();
        lines.map(|(line, length)| {
            format!("{}:{line}: {length} characters; {LINE} are allowed", source.path)
        })
    });
    long.collect()
}

/// Returns the lines that are too long, counted from 1, with their lengths.
fn long_lines(source: &Source) -> Vec<(usize, usize)> {
    let mut in_strings = vec![0; source.lines.len() + 1];
    for (line, string) in &source.strings {
        for (offset, part) in string.split('\n').enumerate() {
            if let Some(count) = in_strings.get_mut(line + offset) {
                *count += part.chars().count();
            }
        }
    }
    let lines = source.lines.iter().enumerate().map(|(index, text)| (index + 1, text));
    lines
        .map(|(line, text)| {
            let urls = text.split_whitespace().filter(|word| word.contains("://"));
            let urls: usize = urls.map(|word| word.chars().count()).sum();
            (line, text.chars().count().saturating_sub(urls.max(in_strings[line])))
        })
        .filter(|(_, length)| *length > LINE)
        .collect()
}
