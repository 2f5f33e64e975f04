//! Dependencies that are declared and not used.

use super::Tree;
use super::dependencies::Manifest;
use super::source::word_positions;
use crate::workspace;
use std::collections::BTreeSet;

/// The manifest in which the workspace declares dependencies for its crates.
const WORKSPACE: &str = "Cargo.toml";

/// Checks that a source of each crate names each of its dependencies, and that a crate has each
/// dependency of the workspace.
pub(super) fn check(tree: &Tree) -> Result<Vec<String>, String> {
    let mut violations = Vec::new();
    let mut declared = BTreeSet::new();
    for manifest in &tree.crates {
        for dependency in &manifest.all_dependencies {
            declared.insert(dependency.as_str());
            if !is_named(tree, manifest, dependency)
                && !tree.allowed.unused_dependency(&manifest.name, dependency)
            {
                violations.push(format!(
                    "{}: no source of {} names {dependency}",
                    manifest.path, manifest.name
                ));
            }
        }
    }
    let path = tree.root.join(WORKSPACE);
    if path.exists() {
        let unused = workspace_dependencies(&workspace::read(&path)?)
            .into_iter()
            .filter(|name| !declared.contains(name.as_str()));
        violations.extend(unused.map(|name| format!("{WORKSPACE}: no crate depends on {name}")));
    }
    Ok(violations)
}

fn is_named(tree: &Tree, manifest: &Manifest, dependency: &str) -> bool {
    let word = dependency.replace('-', "_");
    let folder = manifest.path.trim_end_matches(WORKSPACE);
    let of_crate = tree.sources.iter().filter(|source| source.path.starts_with(folder));
    of_crate.flat_map(|source| &source.code).any(|line| !word_positions(line, &word).is_empty())
}

/// Returns the keys of `[workspace.dependencies]`.
fn workspace_dependencies(text: &str) -> Vec<String> {
    let lines = text.lines().skip_while(|line| line.trim() != "[workspace.dependencies]").skip(1);
    lines
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .map(|(key, _)| key.trim().split('.').next().unwrap_or_default().to_owned())
        .collect()
}
