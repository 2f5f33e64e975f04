//! What of a project lies outside of its folder, and that only its manifests may lead there.
//!
//! A lockfile is reviewed less than a manifest is, and a link in a repository may lead anywhere: so
//! neither of them takes dx out of the project.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::Spec;
use dx_pkg_link::start_problem;
use dx_pkg_lock::Lock;
use dx_pkg_resolve::{Override, Places};

use crate::InstallError;
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
    let mut asked: HashSet<String> = HashSet::new();
    let ProjectPins { pins, links, .. } = project.pins()?;
    let mut due = folders_of(places, "", &project.manifest);
    due.extend(overrides(places, &project.rules()?));
    due.extend(links.iter().map(|folder| places.relative("", folder)));
    let meanings = pins.meanings.iter();
    due.extend(meanings.filter_map(|one| folder(places, &one.from, &one.means)));
    for (folder, manifest) in &project.workspaces {
        due.push(folder.clone());
        due.extend(folders_of(places, folder, manifest));
    }
    while let Some(folder) = due.pop() {
        let is_workspace = |folder: &str| project.workspaces.iter().any(|(own, _)| own == folder);
        if !asked.insert(folder.clone()) || is_workspace(&folder) {
            continue;
        }
        let file = project.root.join(&folder).join("package.json");
        if let Some(text) = read_text(&file)? {
            due.extend(folders_of(places, &folder, &parse_manifest(&file, &text)?));
        }
    }
    Ok(asked)
}

/// Returns the folders, relative to the project, that a manifest in the folder `base` requires.
fn folders_of(places: &Places, base: &str, manifest: &Manifest) -> Vec<String> {
    let sections = [
        &manifest.dependencies,
        &manifest.dev_dependencies,
        &manifest.optional_dependencies,
        &manifest.peer_dependencies,
    ];
    let specs = sections.into_iter().flatten();
    specs.filter_map(|(_, spec)| folder(places, base, spec)).collect()
}

/// Returns the folders that overrides name, which are relative to the project.
fn overrides(places: &Places, rules: &[Override]) -> Vec<String> {
    let of_rule = |rule: &Override| {
        let own = rule.value.as_deref().and_then(|spec| folder(places, "", spec));
        own.into_iter().chain(overrides(places, &rule.children)).collect::<Vec<_>>()
    };
    rules.iter().flat_map(of_rule).collect()
}

fn folder(places: &Places, base: &str, spec: &str) -> Option<String> {
    match Spec::parse(spec).ok()? {
        Spec::Directory(path) => Some(places.relative(base, &path)),
        _ => None,
    }
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
