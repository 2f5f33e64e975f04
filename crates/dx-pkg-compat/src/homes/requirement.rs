//! The text of requirements: the protocol in front, and the folder that a path starts from.

/// Returns what follows a protocol.
pub(super) fn after<'s>(spec: &'s str, protocol: &str) -> Option<&'s str> {
    let spec = spec.trim();
    let (start, rest) = spec.split_at_checked(protocol.len())?;
    start.eq_ignore_ascii_case(protocol).then_some(rest)
}

/// Returns the manifest of a folder, for messages.
pub(super) fn manifest_of(from: &str) -> String {
    if from.is_empty() { "package.json".to_owned() } else { format!("{from}/package.json") }
}

/// Returns a path in the folder `from` without `.` and `..`, relative to the project.
pub(super) fn resolved(from: &str, path: &str) -> String {
    let mut found: Vec<&str> = Vec::new();
    for part in from.split('/').chain(path.split(['/', '\\'])) {
        match part {
            "" | "." => {}
            ".." if found.last().is_some_and(|last| *last != "..") => _ = found.pop(),
            other => found.push(other),
        }
    }
    found.join("/")
}
