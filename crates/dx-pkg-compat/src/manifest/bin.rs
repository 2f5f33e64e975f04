//! npm's normalisation of `bin`: names lose their folders, paths cannot leave the package.

use serde_json::Value;

/// Returns the commands of a package, name and path inside it, in JavaScript's key order after
/// npm's edits.
pub(super) fn normalise(package: Option<&str>, bin: Option<&Value>) -> Vec<(String, String)> {
    let mut entries = written(package, bin);
    for index in 0..entries.len() {
        let (name, target) = match &entries[index] {
            Some((name, target)) => (name.clone(), target.clone()),
            None => continue,
        };
        let base = base_name(&clean_path(&name)).to_owned();
        let cleaned = target.map(|target| clean_path(&target)).unwrap_or_default();
        if base.is_empty() || cleaned.is_empty() {
            entries[index] = None;
            continue;
        }
        if base == name {
            entries[index] = Some((name, Some(cleaned)));
            continue;
        }
        // A renamed key goes last, unless its new name is there already and is overwritten.
        entries[index] = None;
        let present = entries.iter_mut().flatten().find(|(other, _)| *other == base);
        match present {
            Some(entry) => entry.1 = Some(cleaned),
            None => entries.push(Some((base, Some(cleaned)))),
        }
    }
    entries.into_iter().flatten().filter_map(|(name, target)| Some((name, target?))).collect()
}

type Entry = Option<(String, Option<String>)>;

fn written(package: Option<&str>, bin: Option<&Value>) -> Vec<Entry> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match (bin, package) {
        (Some(Value::String(path)), Some(package)) => {
            vec![Some((package.to_owned(), Some(path.clone())))]
        }
        (Some(Value::Array(paths)), _) => {
            let mut entries: Vec<Entry> = Vec::new();
            for path in paths.iter().filter_map(Value::as_str) {
                let name = base_name(path).to_owned();
                let present = entries.iter_mut().flatten();
                match present.into_iter().find(|(other, _)| *other == name) {
                    Some(entry) => entry.1 = Some(path.to_owned()),
                    None => entries.push(Some((name, Some(path.to_owned())))),
                }
            }
            entries
        }
        (Some(Value::Object(map)), _) => {
            map.iter().map(|(name, path)| Some((name.clone(), text(path)))).collect()
        }
        _ => Vec::new(),
    }
}

/// Joins a path to the package's root and makes it relative again, so that `..` stops at the root.
/// Backslashes and colons become slashes first; a path that names the root itself becomes empty.
#[must_use]
pub fn clean_path(path: &str) -> String {
    let path = path.replace(['\\', ':'], "/");
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let mut cleaned = parts.join("/");
    if path.ends_with('/') && !cleaned.is_empty() {
        cleaned.push('/');
    }
    cleaned
}

/// Returns the last part of a path.
#[must_use]
pub fn base_name(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}
