//! Bun's `bun.lock`: JSON with commas behind last entries.

use super::{Locked, yarn::split};
use serde_json::{Map, Value};

/// Returns a text without the commas before a closing bracket.
pub(super) fn without_last_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut is_inside, mut is_escaped) = (false, false);
    for c in text.chars() {
        if !is_inside && matches!(c, '}' | ']') {
            let end = out.trim_end().len();
            if out[..end].ends_with(',') {
                out.truncate(end - 1);
            }
        }
        (is_inside, is_escaped) = match c {
            '"' if !is_escaped => (!is_inside, false),
            '\\' => (is_inside, !is_escaped),
            _ => (is_inside, false),
        };
        out.push(c);
    }
    out
}

/// Whether a document is a `bun.lock`: its packages are lists.
pub(super) fn is_one(document: &Map<String, Value>) -> bool {
    let packages = document.get("packages").and_then(Value::as_object);
    match packages.and_then(|packages| packages.values().next()) {
        Some(first) => first.is_array(),
        None => document.contains_key("workspaces"),
    }
}

/// Reads the packages: `"path": ["name@1.0.0", registry, …]`.
pub(super) fn read(document: &Map<String, Value>, locked: &mut Locked) {
    let packages = document.get("packages").and_then(Value::as_object);
    for (path, entry) in packages.into_iter().flatten() {
        let (name, reference) = split(entry.get(0).and_then(Value::as_str).unwrap_or_default());
        match reference.split_once(':') {
            Some(("workspace" | "link" | "root", _)) => {}
            Some(_) => locked.elsewhere.push(path.clone()),
            None => {
                let text = |at: usize| entry.get(at).and_then(Value::as_str);
                // That of the registry, or of the tarball.
                let address = text(1).filter(|address| address.ends_with(".tgz"));
                locked.add(path, (name, reference), text(3), address);
            }
        }
    }
}
