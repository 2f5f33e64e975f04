//! What of a project lies outside of its folder, and that only its manifests may lead there.
//!
//! A lockfile is reviewed less than a manifest is, and a link in a repository may lead anywhere: so
//! neither of them takes dx out of the project.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use dx_pkg_link::start_problem;
use dx_pkg_lock::Lock;
use dx_pkg_resolve::Places;

use crate::InstallError;
use crate::project::folders::{folder, overrides, required};
use crate::project::{Project, ProjectPins};

/// Returns whether a path relative to the project leads out of it, read as text.
pub(crate) fn is_outside(path: &str) -> bool {
    let is_absolute = path.starts_with(['/', '\\']) || path.as_bytes().get(1) == Some(&b':');
    is_absolute || path == ".." || path.starts_with("../") || path.starts_with("..\\")
}

/// Refuses links of a lockfile to folders outside of the project which no manifest requires: not
/// the project's, not a workspace's, and not that of such a folder itself.
///
/// # Errors
/// There is such a link, or the manifest of a folder outside cannot be read.
pub(crate) fn refuse_unasked(
    project: &Project,
    places: &Places,
    lock: &Lock,
) -> Result<(), InstallError> {
    let links = lock.packages.iter().filter(|package| package.link);
    let mut outside = links
        .filter_map(|link| Some((link, link.resolved.as_deref()?)))
        .filter(|(_, target)| is_outside(target))
        .peekable();
    if outside.peek().is_none() {
        return Ok(());
    }
    let asked = asked_for(project, places)?;
    match outside.find(|(_, target)| !asked.contains(&places.relative("", target))) {
        Some((link, target)) => Err(InstallError::LockLeavesProject {
            lockfile: project.lockfile,
            path: link.path.clone(),
            target: target.to_owned(),
        }),
        None => Ok(()),
    }
}

/// Returns the folders, relative to the project, that its manifests require, and in turn those that
/// the manifests of these folders do.
fn asked_for(project: &Project, places: &Places) -> Result<HashSet<String>, InstallError> {
    let ProjectPins { pins, links, .. } = project.pins()?;
    let mut due = overrides(places, &project.rules()?);
    due.extend(links.iter().map(|folder| places.relative("", folder)));
    let meanings = pins.meanings.iter();
    due.extend(meanings.filter_map(|one| folder(places, &one.from, &one.means)));
    due.extend(project.workspaces.iter().map(|(folder, _)| folder.clone()));
    required(project, places, due)
}

/// Returns a warning for each command of a linked folder outside of the project whose file the
/// system cannot start: what is wrong there is not repaired, as the files are not the project's.
pub(crate) fn broken_commands(root: &Path, installed: &Lock) -> Vec<String> {
    let outside = installed.packages.iter().filter(|package| is_outside(&package.path));
    let files = outside.flat_map(|package| {
        package.bin.iter().map(|(name, file)| (name, root.join(&package.path).join(file)))
    });
    let warning = |(name, file): (&String, PathBuf)| {
        let (problem, file) = (start_problem(&file)?, file.display());
        Some(format!(
            "the command {name} cannot be started: {file}, outside of the project, {problem}"
        ))
    };
    files.filter_map(warning).collect()
}

/// Refuses a workspace that a link leads out of the project, though its path does not. `known`
/// tells of folders of the project that were looked at before whether they are links.
///
/// # Errors
/// The workspace is elsewhere.
pub(crate) fn refuse_leading_out(
    root: &Path,
    workspace: &str,
    known: &mut HashMap<PathBuf, bool>,
) -> Result<(), InstallError> {
    if is_outside(workspace) {
        return Ok(());
    }
    let (mut folder, mut has_link) = (root.to_owned(), false);
    for segment in workspace.split('/') {
        folder.push(segment);
        has_link |= *known.entry(folder.clone()).or_insert_with(|| folder.is_symlink());
    }
    if !has_link {
        return Ok(());
    }
    match (folder.canonicalize(), root.canonicalize()) {
        (Ok(place), Ok(root)) if !place.starts_with(&root) => {
            Err(InstallError::WorkspaceLeavesProject { workspace: workspace.to_owned(), place })
        }
        _ => Ok(()),
    }
}
