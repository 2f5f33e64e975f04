//! From an entry's name to a path inside the package, or a refusal.
//!
//! As npm does, the first segment is dropped, whatever it is, and a name without a second one is no
//! file of the package. Unlike npm, which ignores or rewrites hostile names with a warning, dx
//! refuses a tarball that has one. Names that are merely odd are kept: spaces, colons, control
//! characters, trailing dots. Names that the target platform cannot store are refused in addition.

use std::ops::Range;

use super::error::{PathProblem, TarballError, escaped};

/// Longest component on every common file system, in bytes.
const LONGEST_COMPONENT: usize = 255;
/// Longest path Linux takes in one call, in bytes.
const LONGEST_PATH: usize = 4096;
/// npm's own limit.
const DEEPEST_PATH: usize = 1024;

/// The names that the target file system can store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameRules {
    /// Everything without `/` and NUL.
    Unix,
    /// No device names, no trailing dots or spaces, none of `<>:"|?*` or control characters.
    Windows,
}

impl NameRules {
    /// Returns the rules of this platform.
    #[must_use]
    pub const fn host() -> Self {
        if cfg!(windows) { Self::Windows } else { Self::Unix }
    }
}

/// Appends the path inside the package to `paths` and returns its range; `None` when there is no
/// second segment.
pub(super) fn append(
    name: &[u8],
    rules: NameRules,
    paths: &mut String,
) -> Result<Option<Range<usize>>, TarballError> {
    let start = paths.len();
    // npm replaces invalid UTF-8 in names, too.
    let text = String::from_utf8_lossy(name);
    append_components(&text, rules, paths)
        .map_err(|problem| TarballError::UnsafePath { entry: escaped(name), problem })?;
    Ok((paths.len() > start).then_some(start..paths.len()))
}

/// Returns a path within a package without empty components and `.`, or the rule that it breaks.
pub(crate) fn check_path(path: &str, rules: NameRules) -> Result<String, PathProblem> {
    if path.starts_with('/') {
        return Err(PathProblem::Absolute);
    }
    let mut checked = String::with_capacity(path.len());
    append_components(&format!("package/{path}"), rules, &mut checked)?;
    match checked.as_str() {
        "" => Err(PathProblem::Empty),
        _ => Ok(checked),
    }
}

fn append_components(name: &str, rules: NameRules, paths: &mut String) -> Result<(), PathProblem> {
    let start = paths.len();
    if name.contains('\\') {
        return Err(PathProblem::Backslash);
    }
    if name.starts_with('/') {
        return Err(PathProblem::Absolute);
    }
    let mut components = name.split('/');
    let first = components.next().unwrap_or_default();
    if first == ".." {
        return Err(PathProblem::Parent);
    }
    let mut depth = 0;
    for component in components.filter(|component| !matches!(*component, "" | ".")) {
        check_component(component, rules)?;
        if depth == 0 && begins_with_drive(component) {
            return Err(PathProblem::Drive);
        }
        if depth > 0 {
            paths.push('/');
        }
        paths.push_str(component);
        depth += 1;
    }
    if begins_with_drive(first) {
        return Err(PathProblem::Drive);
    }
    if depth > DEEPEST_PATH || paths.len() - start > LONGEST_PATH {
        return Err(PathProblem::TooLong);
    }
    Ok(())
}

fn check_component(component: &str, rules: NameRules) -> Result<(), PathProblem> {
    if component == ".." {
        return Err(PathProblem::Parent);
    }
    if component.len() > LONGEST_COMPONENT {
        return Err(PathProblem::TooLong);
    }
    if component.contains('\0') {
        return Err(PathProblem::Nul);
    }
    if rules == NameRules::Windows && !windows_can_store(component) {
        return Err(PathProblem::Windows);
    }
    Ok(())
}

/// Returns whether a path starts like `C:` or `C:x`, which Windows resolves against a drive.
fn begins_with_drive(component: &str) -> bool {
    matches!(component.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

fn windows_can_store(component: &str) -> bool {
    let forbidden = |c: char| matches!(c, '<' | '>' | ':' | '"' | '|' | '?' | '*') || c < ' ';
    !component.contains(forbidden) && !component.ends_with(['.', ' ']) && !is_device(component)
}

/// Returns whether a name is `CON`, `nul.txt`, `COM1.` or the like: a device in every folder,
/// whatever follows the first dot.
fn is_device(component: &str) -> bool {
    let stem = component.split('.').next().unwrap_or_default();
    let stem = stem.trim_end_matches(' ').to_ascii_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    port.is_some_and(|port| {
        let mut digits = port.chars();
        matches!((digits.next(), digits.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    })
}
