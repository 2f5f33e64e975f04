//! The packages of a lock that are installed on a platform.

use std::collections::HashSet;

use dx_pkg_core::Platform;
use dx_pkg_lock::{Lock, LockPackage};

/// Returns the paths of the packages that run on the platform and that others which do require,
/// directly or not. What only packages for other platforms require is not among them.
#[must_use]
pub fn paths<'l>(lock: &'l Lock, platform: &Platform) -> HashSet<&'l str> {
    let index = lock.index();
    let is_importer = |package: &LockPackage| !package.path.contains("node_modules/");
    let mut waiting: Vec<&LockPackage> =
        lock.packages.iter().filter(|package| is_importer(package)).collect();
    let mut found = HashSet::new();
    while let Some(package) = waiting.pop() {
        let is_importer = is_importer(package);
        if !is_importer && !package.runs_on(platform) || !found.insert(package.path.as_str()) {
            continue;
        }
        let names = requirements_of(package, is_importer);
        waiting.extend(names.filter_map(|name| index.resolve(&package.path, name)));
    }
    found
}

fn requirements_of(package: &LockPackage, is_importer: bool) -> impl Iterator<Item = &str> {
    let own = [&package.dependencies, &package.optional_dependencies, &package.peer_dependencies];
    let dev = is_importer.then_some(&package.dev_dependencies);
    own.into_iter().chain(dev).flatten().map(|(name, _)| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(path: &str, needs: &[&str], os: &str) -> LockPackage {
        LockPackage {
            path: path.to_owned(),
            dependencies: needs.iter().map(|name| ((*name).to_owned(), "*".to_owned())).collect(),
            os: Some(os.to_owned()).filter(|os| !os.is_empty()).into_iter().collect(),
            ..LockPackage::default()
        }
    }

    #[test]
    fn what_only_another_platform_needs_is_left_out() {
        let packages = vec![
            package("", &["a", "other"], ""),
            package("node_modules/a", &["b"], ""),
            package("node_modules/a/node_modules/b", &[], "linux"),
            package("node_modules/b", &[], ""),
            package("node_modules/other", &["b", "c"], "plan9"),
            package("node_modules/c", &["a"], ""),
        ];
        let lock = Lock { packages, ..Lock::default() };
        let platform = Platform { os: "linux".into(), cpu: "x64".into(), libc: None };
        let mut found: Vec<&str> = paths(&lock, &platform).into_iter().collect();
        found.sort_unstable();
        assert_eq!(found, ["", "node_modules/a", "node_modules/a/node_modules/b"]);
    }
}
