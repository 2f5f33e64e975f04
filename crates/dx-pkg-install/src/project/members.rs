//! The workspaces of a project, without its lockfile and its other files.

use std::path::Path;

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_lock::locale_compare;

use super::home::read_home;
use super::{Seen, open_workspaces};
use crate::InstallError;
use crate::workspaces::Patterns;

/// Returns the workspaces of the project in `root`, folder and manifest, in npm's order: by the
/// patterns of `workspaces`, then by folder. A folder without a `package.json` is a project without
/// any.
///
/// # Errors
/// A manifest that cannot be read, or two workspaces of one name.
pub fn workspaces(root: &Path) -> Result<Vec<(String, Manifest)>, InstallError> {
    let path = root.join("package.json");
    let Some(text) = read_text(&path)? else { return Ok(Vec::new()) };
    let manifest = parse_manifest(&path, &text)?;
    let mut seen = Seen::new();
    let read = read_home(root, &manifest, &mut seen)?;
    let home_text = read.file.as_ref().map(|(_, text)| text.as_str());
    let found = open_workspaces(root, &manifest, (&read.home, home_text), &mut seen)?.found;
    let mut written = manifest.workspace_patterns()?;
    written.extend(read.home.workspace_patterns()?);
    let patterns = Patterns::parse(&written).unwrap_or_default();
    let mut found: Vec<(Option<usize>, (String, Manifest))> =
        found.into_iter().map(|workspace| (patterns.place_of(&workspace.0), workspace)).collect();
    found.sort_by(|(a, (one, _)), (b, (other, _))| {
        a.cmp(b).then_with(|| locale_compare(one, other))
    });
    Ok(found.into_iter().map(|(_, workspace)| workspace).collect())
}
