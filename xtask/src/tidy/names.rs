//! The limit to the names at the root of each library crate: what users of it have to look through.

use super::{Tree, source::Source};

/// The most names of a crate root, public modules included.
const NAMES: usize = 20;

/// Checks the `lib.rs` of every crate.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let roots = tree.sources.iter().filter(|source| source.path.ends_with("/src/lib.rs"));
    roots
        .filter_map(|source| {
            let count = names(source);
            let is_allowed = count <= NAMES
                || tree.allowed.names(source.package()).is_some_and(|limit| count <= limit);
            (!is_allowed).then(|| {
                format!(
                    "{}: {count} names; {NAMES} are allowed: group them in public modules",
                    source.path
                )
            })
        })
        .collect()
}

/// Returns the number of names that a crate root exports; the formatter puts its items at the
/// beginning of lines.
fn names(source: &Source) -> usize {
    let lines: Vec<&str> = source.code_outside_tests().map(|(_, line)| line).collect();
    let text = format!("\n{}", lines.join("\n"));
    text.split("\npub ").skip(1).map(names_of_item).sum()
}

/// Returns the number of names of the item that a text begins with, after its `pub`.
fn names_of_item(text: &str) -> usize {
    let Some(paths) = text.strip_prefix("use ") else { return 1 };
    let paths = paths.split(';').next().unwrap_or_default();
    let parts = paths.split(['{', '}', ',']).map(str::trim);
    parts.filter(|part| !part.is_empty() && !part.ends_with("::")).count()
}
