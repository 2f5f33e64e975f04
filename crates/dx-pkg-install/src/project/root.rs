//! Finds the project and the manifest that a folder belongs to.
//!
//! A file above the folder decides nothing if it is another user's: whoever may write to a shared
//! folder, such as `/tmp`, would otherwise decide what is installed and run in the folders below.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::files::read_text;
use dx_pkg_compat::homes::PNPM_WORKSPACE;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_os::files::is_of_others;

use super::Seen;
use super::home::read_home;
use crate::workspaces::Patterns;

/// The project that a folder belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectRoot {
    /// The project's folder.
    pub folder: PathBuf,
    /// A file or folder above that would have made another folder the project's, were it not
    /// another user's.
    pub foreign: Option<PathBuf>,
}

impl ProjectRoot {
    /// Returns a word about what is above and was not used.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let foreign = self.foreign.as_ref()?;
        let above = foreign.parent().unwrap_or(foreign);
        Some(format!(
            "{} belongs to another user and is not used: if that project is meant, run dx in {}",
            foreign.display(),
            above.display()
        ))
    }
}

/// Returns the project that the folder `from` is in, or `from` itself where there is none. A
/// workspace belongs to the project that names it.
#[must_use]
pub fn find_root(from: &Path) -> ProjectRoot {
    let mut foreign = None;
    let mut counts = |file: &Path| {
        let is_foreign = is_foreign(file, from);
        if is_foreign {
            foreign.get_or_insert(file.to_owned());
        }
        !is_foreign
    };
    let is_project = |folder: &&Path| {
        let (manifest, modules) = (folder.join("package.json"), folder.join("node_modules"));
        manifest.is_file() && counts(&manifest) || modules.is_dir() && counts(&modules)
    };
    let nearest = from.ancestors().find(is_project).unwrap_or(from);
    let outer = nearest.ancestors().skip(1).find(|outer| {
        names_workspace(outer, nearest)
            && nearest.join("package.json").is_file()
            && counts(&outer.join("package.json"))
    });
    ProjectRoot { folder: outer.unwrap_or(nearest).to_owned(), foreign }
}

/// Returns the nearest folder from `from` upwards that is a project or a workspace, or `from`
/// itself where there is none.
#[must_use]
pub(crate) fn nearest_root(from: &Path) -> PathBuf {
    let counts = |file: &Path| !is_foreign(file, from);
    let is_project = |folder: &&Path| {
        let (manifest, modules) = (folder.join("package.json"), folder.join("node_modules"));
        manifest.is_file() && counts(&manifest) || modules.is_dir() && counts(&modules)
    };
    from.ancestors().find(is_project).unwrap_or(from).to_owned()
}

/// Returns whether the manifest in `outer`, or pnpm's settings there, name the folder `inner` as a
/// workspace.
fn names_workspace(outer: &Path, inner: &Path) -> bool {
    let Ok(Some(text)) = read_text(&outer.join("package.json")) else { return false };
    let Ok(manifest) = Manifest::parse(&text) else { return false };
    let Ok(mut patterns) = manifest.workspace_patterns() else { return false };
    if outer.join(PNPM_WORKSPACE).exists()
        && let Ok(read) = read_home(outer, &manifest, &mut Seen::new())
    {
        patterns.extend(read.home.workspace_patterns().unwrap_or_default());
    }
    let Ok(inner) = inner.strip_prefix(outer) else { return false };
    let inner = inner.to_string_lossy().replace('\\', "/");
    Patterns::parse(&patterns).is_ok_and(|patterns| patterns.matches(&inner))
}

/// Returns the folders from `from` upwards that have a manifest which counts there.
pub(crate) fn folders_with_manifest(from: &Path) -> impl Iterator<Item = &Path> {
    from.ancestors().filter(move |folder| {
        let manifest = folder.join("package.json");
        manifest.is_file() && !is_foreign(&manifest, from)
    })
}

/// Returns the manifest of the nearest folder upwards that has one; `None` also where it cannot be
/// read.
#[must_use]
pub fn nearest_manifest(from: &Path) -> Option<Manifest> {
    let folder = folders_with_manifest(from).next()?;
    Manifest::parse(&read_text(&folder.join("package.json")).ok()??).ok()
}

/// Returns whether a file above the folder `from` is another user's. What cannot be looked at is.
fn is_foreign(file: &Path, from: &Path) -> bool {
    file.parent() != Some(from) && is_of_others(file, from).unwrap_or(true)
}

#[cfg(test)]
mod tests;
