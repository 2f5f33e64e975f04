//! The package and version that a patch is for.

use dx_pkg_acquire::package::{Origin, origin};
use dx_pkg_compat::manifest::PatchRule;
use dx_pkg_core::{Range, Spec, Version};
use dx_pkg_lock::{LockPackage, name_of_path};

use super::{split, versions_of};
use crate::error::UpkeepError;
use crate::scripts::Lifecycle;
use crate::{InstallError, OpenProject};

/// A version of a package.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) version: String,
}

/// Returns the version that an argument means: the one that is installed, or the one it names.
///
/// # Errors
/// None or several are installed, or the package does not come from a registry.
pub(super) fn target(open: &OpenProject, argument: &str) -> Result<Target, InstallError> {
    let given = Spec::parse_argument(argument)?;
    let (Some(name), true) = (given.name, is_of_registry(&given.spec)) else {
        return Err(UpkeepError::PatchOfOther { package: argument.to_owned() }.into());
    };
    let name = name.as_str().to_owned();
    let (installed, _) =
        crate::upkeep::rebuild::installed(open.session.store(), &open.project.root);
    let lifecycle = Lifecycle::new(&open.session, &open.project)?;
    let refuse = |version: &str| -> Result<(), InstallError> {
        // A link has the version of the folder that it leads to.
        let version_of = |entry: &LockPackage| match &entry.resolved {
            Some(target) if entry.link => installed.get(target)?.version.clone(),
            _ => entry.version.clone(),
        };
        let is_meant = |entry: &&LockPackage| {
            name_of_path(&entry.path) == name && version_of(entry).as_deref() == Some(version)
        };
        let mut found = installed.packages.iter().filter(is_meant);
        let is_other = |entry: &LockPackage| {
            entry.link
                || matches!(origin(entry), Origin::File(_) | Origin::Other(_))
                || lifecycle.key(entry).is_elsewhere
        };
        match found.any(is_other) {
            true => Err(UpkeepError::PatchOfOther { package: format!("{name}@{version}") }.into()),
            false => Ok(()),
        }
    };
    if let Spec::Version(version) = &given.spec {
        let version = version.to_string();
        refuse(&version)?;
        return Ok(Target { name, version });
    }
    let mut versions = versions_of(&installed, &name);
    versions.dedup();
    versions.sort_unstable();
    versions.dedup();
    if let Spec::Range(range) = &given.spec
        && !range.is_any()
    {
        versions.retain(|version| satisfies(range, version));
    }
    let is_link =
        installed.packages.iter().any(|entry| entry.link && name_of_path(&entry.path) == name);
    match versions.as_slice() {
        [version] => {
            refuse(version)?;
            Ok(Target { name, version: version.clone() })
        }
        [] if is_link => Err(UpkeepError::PatchOfOther { package: name }.into()),
        [] => Err(UpkeepError::NotInstalled { unknown: vec![argument.to_owned()] }.into()),
        _ => Err(UpkeepError::SeveralVersions { package: name, versions }.into()),
    }
}

fn is_of_registry(spec: &Spec) -> bool {
    matches!(spec, Spec::Version(_) | Spec::Range(_) | Spec::Tag(_))
}

fn satisfies(range: &Range, version: &str) -> bool {
    Version::parse(version).is_ok_and(|version| range.satisfies(&version))
}

/// Returns the entry that an argument means.
///
/// # Errors
/// There is none, or several.
pub(super) fn rule<'r>(
    rules: &'r [PatchRule],
    argument: &str,
) -> Result<&'r PatchRule, InstallError> {
    let (name, version) = split(argument);
    let is_meant = |rule: &&PatchRule| {
        rule.name == name && version.is_none_or(|version| split(&rule.key).1 == Some(version))
    };
    let meant: Vec<&PatchRule> = rules.iter().filter(is_meant).collect();
    match meant.as_slice() {
        [rule] => Ok(rule),
        [] => Err(UpkeepError::NoPatch { package: argument.to_owned() }.into()),
        several => {
            let versions = several.iter().filter_map(|rule| split(&rule.key).1);
            let versions = versions.map(str::to_owned).collect();
            Err(UpkeepError::SeveralVersions { package: name.to_owned(), versions }.into())
        }
    }
}

/// Returns the version that a patch was made for: that in its file's name, else in its key.
///
/// # Errors
/// Neither tells it.
pub(super) fn made_for(rule: &PatchRule) -> Result<String, InstallError> {
    let file = rule.file.rsplit('/').next().unwrap_or(&rule.file);
    let file = file.strip_suffix(".patch").unwrap_or(file);
    let versions = [file, &rule.key].map(|text| split(text).1);
    let exact = versions.into_iter().flatten().find(|text| Version::parse(text).is_ok());
    exact
        .map(str::to_owned)
        .ok_or_else(|| UpkeepError::UnknownPatchVersion { file: rule.file.clone() }.into())
}

/// Returns the versions of a package in the lockfile, each once.
pub(super) fn locked_versions(open: &OpenProject, name: &str) -> Result<Vec<String>, InstallError> {
    let lock = super::files::locked(open)?;
    let mut versions = lock.map(|lock| versions_of(&lock, name)).unwrap_or_default();
    versions.sort_unstable();
    versions.dedup();
    Ok(versions)
}

/// Returns the version that a patch is carried over to: `to`, else the highest that is locked and
/// fits the entry.
///
/// # Errors
/// `to` is no version, or none that is locked fits.
pub(super) fn next_version(
    rule: &PatchRule,
    to: Option<&str>,
    locked: &[String],
) -> Result<String, InstallError> {
    if let Some(to) = to {
        let version = Version::parse_loose(to).map_err(InstallError::from)?;
        return Ok(version.to_string());
    }
    let fits = |version: &&String| match split(&rule.key).1 {
        None => true,
        Some(spec) => Range::parse(spec).is_ok_and(|range| satisfies(&range, version)),
    };
    let fitting = locked.iter().filter(fits);
    let highest = fitting.max_by_key(|version| Version::parse(version).ok());
    highest.cloned().ok_or_else(|| UpkeepError::PatchIsStale { key: rule.key.clone() }.into())
}

/// Returns whether an entry is still for a package once there is one with the key `next`.
pub(super) fn is_needed(
    rules: &[PatchRule],
    rule: &PatchRule,
    next: &str,
    locked: &[String],
) -> bool {
    let spec = split(&rule.key).1;
    if rule.key == next || spec.is_some_and(|spec| Version::parse(spec).is_ok()) {
        return rule.key == next;
    }
    let next_version = split(next).1;
    locked.iter().filter(|version| Some(version.as_str()) != next_version).any(|version| {
        let chosen = PatchRule::select(rules, &rule.name, version).ok().flatten();
        chosen.is_some_and(|chosen| chosen.key == rule.key)
    })
}
