//! The folders that manifests require by their paths.

use std::collections::HashSet;

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::Spec;
use dx_pkg_resolve::{Override, Places};

use super::Project;
use crate::InstallError;

/// Returns the folders of `due`, relative to the project, and those that the manifests of the
/// project and its workspaces require by a path, and in turn those that the manifests of these
/// folders do.
pub(super) fn required(
    project: &Project,
    places: &Places,
    mut due: Vec<String>,
) -> Result<HashSet<String>, InstallError> {
    let mut asked: HashSet<String> = HashSet::new();
    due.extend(folders_of(places, "", &project.manifest));
    for (folder, manifest) in &project.workspaces {
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
pub(super) fn overrides(places: &Places, rules: &[Override]) -> Vec<String> {
    let of_rule = |rule: &Override| {
        let own = rule.value.as_deref().and_then(|spec| folder(places, "", spec));
        own.into_iter().chain(overrides(places, &rule.children)).collect::<Vec<_>>()
    };
    rules.iter().flat_map(of_rule).collect()
}

/// Returns the folder, relative to the project, that a requirement in the folder `base` names.
pub(super) fn folder(places: &Places, base: &str, spec: &str) -> Option<String> {
    match Spec::parse(spec).ok()? {
        Spec::Directory(path) => Some(places.relative(base, &path)),
        _ => None,
    }
}
