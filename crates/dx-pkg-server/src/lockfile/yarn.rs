//! Yarn's `yarn.lock`: that of version 1, in a format of its own, and that of later versions, YAML.

use super::{Locked, yaml};
use serde_json::Value;

/// Reads the file of Yarn 1.
pub(super) fn read_first(text: &str, locked: &mut Locked) {
    let mut pattern = None;
    for line in text.lines() {
        if let Some(version) = line.strip_prefix("  version ") {
            if let Some(pattern) = pattern.take() {
                add_first(pattern, version.trim().trim_matches('"'), locked);
            }
        } else if !line.starts_with(['#', ' ']) && !line.trim().is_empty() {
            // Several patterns are of one package.
            pattern = Some(first_pattern(line.trim_end().trim_end_matches(':')));
        }
    }
}

/// Returns the first pattern of an entry's line: `"a@^1.0.0", a@^1.1.0`.
fn first_pattern(line: &str) -> &str {
    match line.strip_prefix('"') {
        Some(rest) => rest.split('"').next().unwrap_or_default(),
        None => line.split(',').next().unwrap_or_default().trim(),
    }
}

fn add_first(pattern: &str, version: &str, locked: &mut Locked) {
    let (mut name, mut range) = split(pattern);
    if let Some(real) = range.strip_prefix("npm:") {
        (name, range) = split(real);
    }
    // A range has neither a colon nor a slash; an address and a repository have.
    if range.contains([':', '/']) {
        locked.elsewhere.push(pattern.to_owned());
    } else {
        locked.add(pattern, name, version);
    }
}

/// Reads the file of Yarn 2 and later.
pub(super) fn read_later(text: &str, locked: &mut Locked) -> Result<(), String> {
    let document = yaml::parse(text)
        .map_err(|reason| format!("this is no yarn.lock that can be read: {reason}"))?;
    for (key, entry) in document.as_object().into_iter().flatten() {
        let Some(locator) = entry.get("resolution").and_then(Value::as_str) else {
            continue;
        };
        let (name, reference) = split(locator);
        // `a@npm:1.0.0::__archiveUrl=…`
        let reference = reference.split("::").next().unwrap_or_default();
        match reference.split_once(':') {
            Some(("npm", version)) => locked.add(key, name, version),
            // Parts of the project; what a patch is made for has an entry of its own.
            Some(("workspace" | "link" | "portal" | "patch", _)) => {}
            _ => locked.elsewhere.push(key.clone()),
        }
    }
    Ok(())
}

/// Splits `name@rest`, where the name may begin with a scope.
pub(super) fn split(text: &str) -> (&str, &str) {
    let at = text.char_indices().skip(1).find(|(_, c)| *c == '@').map(|(at, _)| at);
    at.map_or((text, ""), |at| (&text[..at], &text[at + 1..]))
}
