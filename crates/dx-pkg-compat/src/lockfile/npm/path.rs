//! The paths that a lockfile's entry may be at, or link to.

use dx_pkg_core::PackageName;

/// The longest path that operating systems take, in bytes.
const MAX_LENGTH: usize = 4096;

/// Checks the path of an entry. `links_to` returns whether some entry links to a folder.
///
/// Packages are at `…/node_modules/<name>`, to any depth. Anywhere else, and outside the project
/// (`../x`), there can only be link targets with what is in them, folders that `npm link` left
/// behind as extraneous, and workspaces within the project.
pub(super) fn check(
    path: &str,
    is_extraneous: bool,
    links_to: impl Fn(&str) -> bool,
) -> Result<(), &'static str> {
    check_target(path)?;
    let segments: Vec<&str> = path.split('/').collect();
    let first = segments.iter().position(|segment| is_modules(segment)).unwrap_or(segments.len());
    let is_linked = || {
        let folders = path.match_indices("/node_modules/").map(|(end, _)| &path[..end]);
        folders.chain([path]).any(&links_to)
    };
    if segments.first() == Some(&"..") && !is_extraneous && !is_linked() {
        return Err("it leads out of the project and nothing links to it");
    }
    let mut at = first;
    while at < segments.len() {
        // `at` is the position of a `node_modules`; a name of one or two segments follows.
        let scoped = segments.get(at + 1).is_some_and(|segment| segment.starts_with('@'));
        let end = at + if scoped { 3 } else { 2 };
        let name =
            segments.get(at + 1..end).ok_or("no package name follows `node_modules`")?.join("/");
        if PackageName::parse(&name).is_err() {
            return Err("what follows `node_modules` is not a package name");
        }
        at = segments[end..]
            .iter()
            .position(|segment| is_modules(segment))
            .map_or(segments.len(), |next| end + next);
        if at > end && !links_to(&segments[..at].join("/")) {
            return Err("it is inside a package and nothing links to it");
        }
    }
    Ok(())
}

/// Checks the folder that a link leads to, relative to the project: it may be outside, but has to
/// say so at its start.
pub(super) fn check_target(path: &str) -> Result<(), &'static str> {
    let bytes = path.as_bytes();
    if path.is_empty() {
        return Ok(());
    }
    if path.len() > MAX_LENGTH {
        return Err("it is longer than 4096 bytes");
    }
    if bytes.iter().any(|byte| byte.is_ascii_control()) {
        return Err("it holds a control character");
    }
    if bytes.contains(&b'\\') {
        return Err("it holds a backslash");
    }
    if bytes[0] == b'/' || (bytes.get(1) == Some(&b':') && bytes[0].is_ascii_alphabetic()) {
        return Err("it is absolute");
    }
    let mut below = false;
    for segment in path.split('/') {
        match segment {
            "" => return Err("it holds an empty segment"),
            "." => return Err("it holds a `.` segment"),
            ".." if below => return Err("it goes up again with `..`"),
            ".." => {}
            _ => below = true,
        }
    }
    Ok(())
}

/// Returns whether the entry is directly in a `node_modules`.
pub(super) fn is_in_modules(path: &str) -> bool {
    let folder = &path[..path.len() - dx_pkg_lock::name_of_path(path).len()];
    folder == "node_modules/" || folder.ends_with("/node_modules/")
}

/// Checks a version: it becomes part of file names.
pub(super) fn version_is_safe(version: &str) -> bool {
    version.len() <= 256
        && !version.bytes().any(|byte| byte.is_ascii_control() || b"/\\".contains(&byte))
}

/// Returns whether a segment is `node_modules` in any case, as file systems may ignore case.
fn is_modules(segment: &str) -> bool {
    segment.eq_ignore_ascii_case("node_modules")
}

#[cfg(test)]
mod tests;
