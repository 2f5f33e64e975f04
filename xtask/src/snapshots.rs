//! `cargo xtask snapshots`: writes the outputs that tests recorded into the tests themselves.
//!
//! Tests that run with `INSTA_UPDATE=always` leave a `.<file>.pending-snap` beside each source
//! whose inline snapshots differ: one JSON object a line, with the line of the assertion and the
//! new text. The literal after the `@` of that assertion is replaced, and the file deleted.

use crate::workspace;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const PENDING: &str = ".pending-snap";

/// Accepts every pending snapshot below the crates and prints how many there were in each file.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    for path in workspace::files(root)?.iter().filter(|path| path.ends_with(".rs")) {
        let source = root.join(path);
        let pending = pending_path(&source);
        if !pending.exists() {
            continue;
        }
        let snapshots = parse(&workspace::read(&pending)?)?;
        let text = accept(&workspace::read(&source)?, &snapshots)
            .map_err(|error| format!("{path}:{error}"))?;
        fs::write(&source, text).map_err(|error| format!("{path}: {error}"))?;
        fs::remove_file(&pending).map_err(|error| format!("{}: {error}", pending.display()))?;
        println!("{path}: {} snapshots", snapshots.len());
    }
    Ok(())
}

fn pending_path(source: &Path) -> PathBuf {
    let name = source.file_name().map_or_else(Default::default, |name| name.to_string_lossy());
    source.with_file_name(format!(".{name}{PENDING}"))
}

/// Returns the new texts by the line of their assertion, counted from 1; a later one wins.
fn parse(pending: &str) -> Result<BTreeMap<usize, String>, String> {
    let mut snapshots = BTreeMap::new();
    for line in pending.lines() {
        let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let number = value["line"].as_u64().and_then(|line| usize::try_from(line).ok());
        if let (Some(number), Some(text)) = (number, value["new"]["snapshot"].as_str()) {
            snapshots.insert(number, text.to_owned());
        }
    }
    Ok(snapshots)
}

/// Returns the source with the literals of these assertions replaced.
fn accept(source: &str, snapshots: &BTreeMap<usize, String>) -> Result<String, String> {
    let mut text = source.to_owned();
    // From the end, so that the lines before keep their numbers.
    for (number, snapshot) in snapshots.iter().rev() {
        let missing = || format!("{number}: no inline snapshot");
        let start = text.split_inclusive('\n').take(number - 1).map(str::len).sum();
        let at = start + text[start..].find(", @").ok_or_else(missing)? + ", @".len();
        let end = at + literal_length(&text[at..]).ok_or_else(missing)?;
        let line = text[start..].lines().next().unwrap_or_default();
        let indent = line.len() - line.trim_start().len();
        text.replace_range(at..end, &literal(snapshot, indent));
    }
    Ok(text)
}

/// Returns the length of the string literal that a text begins with.
fn literal_length(text: &str) -> Option<usize> {
    let Some(raw) = text.strip_prefix('r') else {
        let mut escaped = false;
        for (at, char) in text.char_indices().skip(1) {
            match char {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return Some(at + 1),
                _ => {}
            }
        }
        return None;
    };
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let close = format!("\"{}", "#".repeat(hashes));
    let from = 1 + hashes + 1;
    text.get(from..)?.find(&close).map(|at| from + at + close.len())
}

/// Returns a literal for a snapshot; one of several lines is indented like the assertion.
fn literal(snapshot: &str, indent: usize) -> String {
    if !snapshot.contains(['\n', '"', '\\']) {
        return format!("\"{snapshot}\"");
    }
    let hashes = (0..).map(|count| "#".repeat(count));
    let hashes = hashes.into_iter().find(|hashes| !snapshot.contains(&format!("\"{hashes}")));
    let hashes = hashes.unwrap_or_default();
    if !snapshot.contains('\n') {
        return format!("r{hashes}\"{snapshot}\"{hashes}");
    }
    let spaces = " ".repeat(indent);
    let lines: String = snapshot
        .lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("{spaces}{line}\n") })
        .collect();
    format!("r{hashes}\"\n{lines}{spaces}\"{hashes}")
}

#[cfg(test)]
mod tests;
