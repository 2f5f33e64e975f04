//! Finds the project and the manifest that a folder belongs to.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::files::read_text;
use dx_pkg_compat::manifest::Manifest;

use crate::workspaces::Patterns;

/// Returns the project that the folder `from` is in, or `from` itself where there is none. A
/// workspace belongs to the project that names it.
#[must_use]
pub fn find_root(from: &Path) -> PathBuf {
    let nearest = from
        .ancestors()
        .find(|folder| {
            folder.join("package.json").is_file() || folder.join("node_modules").is_dir()
        })
        .unwrap_or(from);
    for outer in nearest.ancestors().skip(1) {
        let Ok(Some(text)) = read_text(&outer.join("package.json")) else { continue };
        let Ok(manifest) = Manifest::parse(&text) else { continue };
        let Ok(patterns) = manifest.workspace_patterns() else { continue };
        let Ok(inner) = nearest.strip_prefix(outer) else { continue };
        let inner = inner.to_string_lossy().replace('\\', "/");
        let names = Patterns::parse(&patterns).is_ok_and(|patterns| patterns.matches(&inner));
        if names && nearest.join("package.json").is_file() {
            return outer.to_owned();
        }
    }
    nearest.to_owned()
}

/// Returns the manifest of the nearest folder upwards that has one; `None` also where it cannot be
/// read.
#[must_use]
pub fn nearest_manifest(from: &Path) -> Option<Manifest> {
    let text =
        from.ancestors().find_map(|folder| read_text(&folder.join("package.json")).ok()?)?;
    Manifest::parse(&text).ok()
}
