//! The names in a project that words are completed with. What cannot be read has none.

use std::fs;
use std::path::Path;

use dx_pkg_acquire::files::read_text;
use dx_pkg_install::project::{Project, find_root, nearest_manifest};
use serde_json::Value;

use super::candidate::Candidate;

/// The most names of installed packages that are offered.
const MOST: usize = 5000;

/// Returns the scripts of the nearest manifest.
pub fn scripts(folder: &Path) -> Vec<Candidate> {
    let scripts = nearest_manifest(folder).map(|manifest| manifest.scripts).unwrap_or_default();
    scripts.iter().map(|(name, script)| Candidate::new(name, script)).collect()
}

/// Returns the dependencies of the nearest manifest.
pub fn dependencies(folder: &Path) -> Vec<Candidate> {
    let file = folder.ancestors().map(|folder| folder.join("package.json"));
    let text = file.filter_map(|file| read_text(&file).ok().flatten()).next().unwrap_or_default();
    let manifest: Value = serde_json::from_str(&text).unwrap_or_default();
    let sections = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
    let all = sections.iter().filter_map(|section| manifest.get(section)?.as_object());
    let names = all.flatten();
    names.map(|(name, spec)| Candidate::new(name, spec.as_str().unwrap_or_default())).collect()
}

/// Returns the packages at the top of `node_modules`.
pub fn packages(folder: &Path) -> Vec<Candidate> {
    let modules = find_root(folder).folder.join("node_modules");
    let mut names: Vec<String> = Vec::new();
    for name in entries(&modules) {
        if name.starts_with('@') {
            let inner = entries(&modules.join(&name));
            names.extend(inner.into_iter().map(|inner| format!("{name}/{inner}")));
        } else {
            names.push(name);
        }
    }
    names.truncate(MOST);
    names.iter().map(|name| Candidate::new(name, "")).collect()
}

/// Returns the commands of installed packages.
pub fn commands(folder: &Path) -> Vec<Candidate> {
    let commands = entries(&find_root(folder).folder.join("node_modules/.bin"));
    commands.iter().map(|name| Candidate::new(name, "")).collect()
}

/// Returns the names of workspaces.
pub fn workspaces(folder: &Path) -> Vec<Candidate> {
    let root = find_root(folder).folder;
    let Ok(project) = Project::read_or_new(root, folder) else { return Vec::new() };
    let named = project
        .workspaces
        .iter()
        .map(|(path, manifest)| Candidate::new(manifest.name.as_deref().unwrap_or(path), path));
    named.collect()
}

/// Returns the names in a folder, sorted, without hidden ones.
fn entries(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with('.')).collect();
    names.sort();
    names
}
