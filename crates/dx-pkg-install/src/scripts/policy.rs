//! The project's `allowScripts`: which package a key names, as npm reads it.
//!
//! A package of a registry is named by its name, or by its name with one or more exact versions. A
//! folder, a tarball or an address is named by itself, never by the name that its own
//! `package.json` claims.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::package::{Origin, origin, real_name};
use dx_pkg_core::spec::GitSpec;
use dx_pkg_core::{PackageName, Spec, Version};
use dx_pkg_lock::LockPackage;
use dx_pkg_os::files::normal_path;

#[cfg(test)]
mod tests;

/// The packages whose scripts are allowed or denied.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    /// The project's folder.
    root: PathBuf,
    rules: Vec<(Subject, bool)>,
}

/// What a key names.
#[derive(Debug, PartialEq, Eq)]
enum Subject {
    /// All versions of a package of a registry.
    Name(PackageName),
    /// Some versions of it.
    Versions(PackageName, Vec<Version>),
    /// A folder or tarball, its path absolute.
    Path(PathBuf),
    /// The tarball at an address.
    Address(Box<str>),
    /// A git repository: all its commits, or those whose names begin so.
    Git(Box<GitSpec>),
}

impl Policy {
    /// Returns the policy of these keys for the project in `root`. A key that names nothing that it
    /// could be held to, such as a range or a tag, is no rule.
    pub(crate) fn new(root: &Path, keys: impl IntoIterator<Item = (String, bool)>) -> Self {
        let rule = |(key, verdict): (String, bool)| Some((Subject::read(root, &key)?, verdict));
        let rules = keys.into_iter().filter_map(rule).collect();
        Policy { root: root.to_owned(), rules }
    }

    /// Returns the policy of one key for all versions of the package that it names.
    pub(crate) fn in_any_version(root: &Path, key: &str) -> Self {
        let mut policy = Self::new(root, [(key.to_owned(), true)]);
        for (subject, _) in &mut policy.rules {
            match subject {
                Subject::Versions(name, _) => *subject = Subject::Name(name.clone()),
                Subject::Git(git) => git.committish = None,
                _ => {}
            }
        }
        policy
    }

    /// Returns whether a rule names a package that has a tarball.
    pub(crate) fn names_package(&self, package: &LockPackage) -> bool {
        self.said_of(package, |_| true).is_some()
    }

    /// Returns what is said of a package that has a tarball; a denial wins. It is allowed by its
    /// name only if `is_vouched` for that name and version.
    pub(super) fn of_package(
        &self,
        package: &LockPackage,
        is_vouched: impl Fn(&str, &str) -> bool,
    ) -> Option<bool> {
        let said = self.said_of(package, |_| true)?;
        if !said || !self.is_by_name(package) {
            return Some(said);
        }
        let (name, version) = registry_name(package)?;
        is_vouched(name, version).then_some(true)
    }

    /// Returns whether nothing but its name allows a package.
    pub(super) fn is_by_name(&self, package: &LockPackage) -> bool {
        let by_itself =
            |subject: &Subject| !matches!(subject, Subject::Name(_) | Subject::Versions(..));
        self.said_of(package, by_itself) != Some(true)
    }

    /// Returns what the rules that count say of a package that has a tarball.
    fn said_of(&self, package: &LockPackage, counts: impl Fn(&Subject) -> bool) -> Option<bool> {
        let from_registry = || registry_name(package);
        self.verdict(|subject| {
            counts(subject)
                && match subject {
                    Subject::Name(name) => {
                        from_registry().is_some_and(|(own, _)| own == name.as_str())
                    }
                    Subject::Versions(name, versions) => {
                        from_registry().is_some_and(|(own, version)| {
                            let is_version = |wanted: &Version| {
                                Version::parse(version).is_ok_and(|version| version == *wanted)
                            };
                            own == name.as_str() && versions.iter().any(is_version)
                        })
                    }
                    Subject::Path(path) => {
                        let file = |file: &str| absolute(&self.root, &file.replace("%23", "#"));
                        matches!(origin(package), Origin::File(own) if file(own) == *path)
                    }
                    Subject::Address(address) => package.resolved.as_deref() == Some(address),
                    Subject::Git(wanted) => {
                        package.is_from_git()
                            && package.resolved.as_deref().is_some_and(|own| is_of(wanted, own))
                    }
                }
        })
    }

    /// Returns what is said of the commit that a lockfile entry's `resolved` names.
    pub(crate) fn of_commit(&self, resolved: &str) -> Option<bool> {
        self.verdict(|subject| matches!(subject, Subject::Git(wanted) if is_of(wanted, resolved)))
    }

    /// Returns what is said of a linked folder; `links` are the paths of the links to it. npm also
    /// takes the path from a link to the folder, and writes that itself.
    pub(crate) fn of_folder<'l>(
        &self,
        folder: &str,
        links: impl Iterator<Item = &'l str> + Clone,
    ) -> Option<bool> {
        let place = absolute(&self.root, folder);
        self.verdict(|subject| {
            let Subject::Path(path) = subject else { return false };
            let from_link = |link: &str| {
                let levels = Path::new(link).components().count().saturating_sub(1);
                *path == absolute(&self.root, &format!("{}{folder}", "../".repeat(levels)))
            };
            *path == place || links.clone().any(from_link)
        })
    }

    fn verdict(&self, is_about: impl Fn(&Subject) -> bool) -> Option<bool> {
        let about = self.rules.iter().filter(|(subject, _)| is_about(subject));
        about.map(|(_, verdict)| *verdict).min()
    }
}

/// Returns the name and version that a package has by its address, else by its entry; `None` where
/// it is of no registry.
pub(super) fn registry_name(package: &LockPackage) -> Option<(&str, &str)> {
    let url = match origin(package) {
        Origin::Registry => None,
        Origin::Address(url) => Some(url),
        Origin::File(_) | Origin::Other(_) => return None,
    };
    let in_url = url.and_then(name_and_version);
    let own = || (real_name(package), package.version.as_deref().unwrap_or_default());
    Some(in_url.unwrap_or_else(own))
}

impl Subject {
    fn read(root: &Path, key: &str) -> Option<Self> {
        let argument = Spec::parse_argument(key).ok()?;
        match (argument.name, argument.spec) {
            (Some(name), _) if &*argument.raw == "*" => Some(Self::Name(name)),
            (Some(name), Spec::Version(_) | Spec::Range(_)) => {
                let versions = argument.raw.split("||").map(|version| version.trim());
                let versions = versions.map(Version::parse_loose).collect::<Result<_, _>>();
                Some(Self::Versions(name, versions.ok()?))
            }
            (_, Spec::Directory(path) | Spec::Tarball(path)) => {
                Some(Self::Path(absolute(root, &path)))
            }
            (_, Spec::Remote(address)) => Some(Self::Address(address)),
            (_, Spec::Git(git)) => Some(Self::Git(git)),
            _ => None,
        }
    }
}

/// Returns whether a lockfile entry's commit is of a repository, and begins as it says. The
/// protocol by which a hosting site is reached does not matter.
fn is_of(wanted: &GitSpec, resolved: &str) -> bool {
    let Ok(Spec::Git(own)) = Spec::parse(resolved) else { return false };
    let is_repository = match (&wanted.hosted, &own.hosted) {
        (Some(wanted), Some(own)) => wanted == own,
        _ => wanted.url == own.url,
    };
    let begins =
        |commit: &str| own.committish.as_deref().is_some_and(|own| own.starts_with(commit));
    // A repository's folders are of who it is of, too; one of them says nothing of the others.
    let is_folder = wanted.subdirectory.is_none() || wanted.subdirectory == own.subdirectory;
    // A range over tags says nothing of commits.
    is_repository
        && wanted.semver.is_none()
        && is_folder
        && wanted.committish.as_deref().is_none_or(begins)
}

/// Returns a path as it is from the root of the file system, without `.` and `..`.
fn absolute(root: &Path, path: &str) -> PathBuf {
    normal_path(&root.join(path))
}

/// Returns name and version of the tarball at an address that is formed as registries do:
/// `…/name/-/name-1.0.0.tgz`.
fn name_and_version(url: &str) -> Option<(&str, &str)> {
    let (before, file) = url.rsplit_once("/-/")?;
    let (above, last) = before.rsplit_once('/')?;
    let scope = above.rsplit('/').next().filter(|scope| scope.starts_with('@'));
    let name = &before[before.len() - scope.map_or(0, |scope| scope.len() + 1) - last.len()..];
    let version = file.strip_suffix(".tgz")?.strip_prefix(last)?.strip_prefix('-')?;
    Version::parse(version).ok().map(|_| (name, version))
}
