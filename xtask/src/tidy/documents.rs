//! The documents: each crate is named, each error code explained, and each link leads somewhere.

use super::Tree;
use crate::workspace;
use std::collections::BTreeMap;

/// The document with a heading for every error code.
const ERRORS: &str = "docs/errors.md";
/// The document that names every crate.
const ARCHITECTURE: &str = "ARCHITECTURE.md";

/// Checks the documents against the code and against each other.
pub(super) fn check(tree: &Tree) -> Result<Vec<String>, String> {
    let mut violations = crates_without_mention(tree)?;
    violations.extend(error_codes(tree)?);
    violations.extend(links(tree)?);
    Ok(violations)
}

fn crates_without_mention(tree: &Tree) -> Result<Vec<String>, String> {
    let text = workspace::read(&tree.root.join(ARCHITECTURE))?;
    let unnamed = tree.crates.iter().filter(|manifest| !text.contains(&manifest.name));
    Ok(unnamed.map(|manifest| format!("{ARCHITECTURE}: does not name {}", manifest.name)).collect())
}

/// Every `DX_…` string of the crates is an error code with a heading, or a variable named as such.
fn error_codes(tree: &Tree) -> Result<Vec<String>, String> {
    let text = workspace::read(&tree.root.join(ERRORS))?;
    let mut documented = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(code) = line.strip_prefix("## ").map(str::trim).filter(|title| is_code(title)) {
            documented.insert(code, index + 1);
        }
    }
    let mut used = BTreeMap::new();
    for source in tree.sources.iter().filter(|source| source.path.starts_with("crates/")) {
        for (line, string) in &source.strings {
            let test = source.test.get(line - 1).copied().unwrap_or(false);
            if !test && is_code(string) && !tree.allowed.environment(string) {
                used.entry(string.as_str()).or_insert_with(|| format!("{}:{line}", source.path));
            }
        }
    }
    let undocumented = used.iter().filter(|(code, _)| !documented.contains_key(*code));
    let unused = documented.iter().filter(|(code, _)| !used.contains_key(*code));
    Ok(undocumented
        .map(|(code, place)| format!("{place}: {code} has no heading in {ERRORS}"))
        .chain(unused.map(|(code, line)| format!("{ERRORS}:{line}: no code uses {code}")))
        .collect())
}

fn is_code(text: &str) -> bool {
    text.strip_prefix("DX_").is_some_and(|rest| {
        !rest.is_empty()
            && rest
                .chars()
                .all(|char| char.is_ascii_uppercase() || char.is_ascii_digit() || char == '_')
    })
}

/// Every relative link of a Markdown file leads to a file, and its anchor to a heading there.
fn links(tree: &Tree) -> Result<Vec<String>, String> {
    let mut violations = Vec::new();
    for path in tree.files.iter().filter(|path| path.ends_with(".md")) {
        let text = workspace::read(&tree.root.join(path))?;
        for (line, target) in link_targets(&text) {
            let (file, anchor) = target.split_once('#').unwrap_or((target.as_str(), ""));
            let Some(resolved) = resolve(path, file) else {
                violations.push(format!("{path}:{line}: {target} leads out of the repository"));
                continue;
            };
            if !tree.root.join(&resolved).exists() {
                violations.push(format!("{path}:{line}: {target} does not exist"));
            } else if !anchor.is_empty()
                && resolved.ends_with(".md")
                && !anchors(&workspace::read(&tree.root.join(&resolved))?)
                    .iter()
                    .any(|found| found == anchor)
            {
                violations.push(format!("{path}:{line}: {resolved} has no heading for #{anchor}"));
            }
        }
    }
    Ok(violations)
}

/// The relative targets of `[text](target)` outside code, with their lines.
fn link_targets(text: &str) -> Vec<(usize, String)> {
    let mut targets = Vec::new();
    for (index, line) in prose(text) {
        let outside_code: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        for part in outside_code.split("](").skip(1) {
            let target = part.split([')', ' ']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:") {
                targets.push((index, target.to_owned()));
            }
        }
    }
    targets
}

/// The anchors of a document's headings: lower case, spaces as `-`, punctuation dropped.
fn anchors(text: &str) -> Vec<String> {
    prose(text)
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|char| char.is_alphanumeric() || matches!(char, ' ' | '-' | '_'));
            kept.map(|char| if char == ' ' { '-' } else { char }).collect()
        })
        .collect()
}

/// The lines outside fenced code, counted from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

/// A relative link of a file as a path in the repository; `None` when it leads out of it.
fn resolve(from: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(from.to_owned());
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
