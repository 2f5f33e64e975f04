//! Finds the folders that a project's `workspaces` patterns match.

use std::path::Path;

/// Returns the folders below `root` that contain a `package.json` and match `patterns`: relative,
/// sorted, each once.
///
/// A pattern is a path whose segments may hold `*`; `**` stands for any number of folders; a
/// leading `!` excludes.
pub(crate) fn find(root: &Path, patterns: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for pattern in patterns {
        let (excludes, pattern) = match pattern.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, pattern.as_str()),
        };
        let segments: Vec<&str> =
            pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if excludes {
            found.retain(|path| !matches(&segments, &path.split('/').collect::<Vec<_>>()));
        } else {
            walk(root, "", &segments, &mut found);
        }
    }
    found.sort();
    found.dedup();
    found
}

fn walk(root: &Path, at: &str, segments: &[&str], found: &mut Vec<String>) {
    let Some((first, rest)) = segments.split_first() else {
        if !at.is_empty() && root.join(at).join("package.json").is_file() {
            found.push(at.to_owned());
        }
        return;
    };
    let join = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
    if *first == "**" {
        walk(root, at, rest, found);
    } else if !first.contains('*') {
        if root.join(join(first)).is_dir() {
            walk(root, &join(first), rest, found);
        }
        return;
    }
    let Ok(entries) = std::fs::read_dir(root.join(at)) else { return };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_folder || name == "node_modules" || name.starts_with('.') {
            continue;
        }
        if *first == "**" {
            walk(root, &join(&name), segments, found);
        } else if segment_matches(first, &name) {
            walk(root, &join(&name), rest, found);
        }
    }
}

fn matches(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            matches(rest, path)
                || path.split_first().is_some_and(|(_, deeper)| matches(pattern, deeper))
        }
        (Some((first, rest)), Some((name, deeper))) => {
            segment_matches(first, name) && matches(rest, deeper)
        }
        _ => false,
    }
}

fn segment_matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(head) else { return false };
    (0..=rest.len())
        .filter(|at| rest.is_char_boundary(*at))
        .any(|at| segment_matches(tail, &rest[at..]))
}

#[cfg(test)]
mod tests;
