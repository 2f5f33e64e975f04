//! Fewer copies of packages: the choice that `npm dedupe` makes, and the best one.

use std::collections::HashMap;

use dx_pkg_lock::{Lock, name_of_path};

pub use crate::solve::fewest::{Aim, Fewer, Score, Step, minimise};

/// Returns the names that several packages or folders of a lock have, sorted. npm chooses the
/// versions of these anew, preferring one that is in the tree. `project` is the name of the
/// project's own folder.
#[must_use]
pub fn duplicated(lock: &Lock, project: &str) -> Vec<String> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    for package in &lock.packages {
        let path = package.path.as_str();
        let name = if path.is_empty() { project } else { name_of_path(path) };
        *places.entry(name).or_default() += 1;
    }
    let several = places.into_iter().filter(|(name, count)| *count > 1 && !name.is_empty());
    let mut names: Vec<String> = several.map(|(name, _)| name.to_owned()).collect();
    names.sort_unstable();
    names
}

/// Returns what packages of a lock require of `names`, each once: names and specs.
#[must_use]
pub fn requirements_for(lock: &Lock, names: &[String]) -> Vec<(String, String)> {
    let sections = lock.packages.iter().flat_map(|package| {
        [
            &package.dependencies,
            &package.dev_dependencies,
            &package.optional_dependencies,
            &package.peer_dependencies,
        ]
    });
    let is_meant = |(name, _): &&(String, String)| names.binary_search(name).is_ok();
    let mut asked: Vec<(String, String)> = sections.flatten().filter(is_meant).cloned().collect();
    asked.sort_unstable();
    asked.dedup();
    asked
}

#[cfg(test)]
mod tests {
    use dx_pkg_lock::LockPackage;

    use super::*;

    fn lock(paths: &[&str]) -> Lock {
        let entry =
            |path: &&str| LockPackage { path: (*path).to_owned(), ..LockPackage::default() };
        Lock { packages: paths.iter().map(entry).collect(), ..Lock::default() }
    }

    #[test]
    fn packages_links_and_folders_of_one_name_count() {
        let paths = [
            "",
            "node_modules/a",
            "node_modules/b",
            "node_modules/b/node_modules/a",
            "node_modules/@s/c",
            "node_modules/c",
            "node_modules/w",
            "packages/w",
            "node_modules/project",
        ];
        assert_eq!(duplicated(&lock(&paths), "project"), ["a", "project", "w"]);
        assert_eq!(duplicated(&lock(&paths), "other"), ["a", "w"]);
        assert!(duplicated(&lock(&[]), "").is_empty());
    }
}
