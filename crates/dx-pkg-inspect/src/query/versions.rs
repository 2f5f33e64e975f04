//! Versions and ranges in queries: `:semver`, `:outdated` and `:vuln`.

use std::collections::HashMap;
use std::rc::Rc;

use dx_pkg_acquire::ResolverInput;
use dx_pkg_acquire::metadata::offers::packuments;
use dx_pkg_core::{PackageName, Range, Version};
use dx_pkg_install::Session;
use dx_pkg_resolve::Requirements;
use serde_json::Value;

use super::parse::{self, Matcher, Path};
use super::{QueryError, matching};
use crate::InspectError;

/// What `:semver` compares.
pub(super) struct Test {
    /// The version or range that is given.
    value: String,
    /// The member that is compared.
    path: Path,
    function: String,
}

impl Test {
    /// Reads the arguments: a version or range, a member before or behind it, and a function.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, QueryError> {
        let (mut rest, mut function) = (arguments.to_vec(), "infer".to_owned());
        if rest.len() == 3 {
            let word = rest.pop().unwrap_or_default();
            function = word.trim_matches(['"', '\'']).to_owned();
        }
        let is_member = |text: &String| text.starts_with(['[', ':']);
        let given = rest.iter().position(|text| !is_member(text));
        let value = given.map(|at| rest.remove(at)).unwrap_or_default();
        let value = value.trim_matches(['"', '\'']).to_owned();
        let path = match rest.len() {
            0 => {
                let member = "version".to_owned();
                Path { matcher: Matcher { member, ..Matcher::default() }, ..Path::default() }
            }
            _ => member(&rest)?,
        };
        let is_version = Version::parse(&value).is_ok();
        if !value.is_empty() && !is_version && Range::parse(&value).is_err() {
            return Err(QueryError::NoVersion { value });
        }
        Ok(Test { value, path, function })
    }

    /// Returns whether a manifest has a version or range that fits.
    pub(super) fn holds(&self, manifest: &Value) -> Result<bool, QueryError> {
        if self.value.is_empty() {
            return Ok(true);
        }
        for object in matching::at_end(&self.path, manifest) {
            if self.fits(&object)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn fits(&self, object: &Value) -> Result<bool, QueryError> {
        let matcher = &self.path.matcher;
        if !matcher.operator.is_empty() && !matching::holds(matcher, object) {
            return Ok(false);
        }
        let Some(own) = object.get(&matcher.member).and_then(Value::as_str) else {
            return Ok(false);
        };
        let (own_version, own_range) = (Version::parse(own).ok(), Range::parse(own).ok());
        let (version, range) = (Version::parse(&self.value).ok(), Range::parse(&self.value).ok());
        if own_version.is_none() && own_range.is_none() {
            return Ok(false);
        }
        let function = match self.function.as_str() {
            "infer" => match (&version, &own_version) {
                (Some(_), Some(_)) => "eq",
                (None, None) => "intersects",
                _ => "satisfies",
            },
            other => other,
        };
        let compared = || own_version.as_ref().zip(version.as_ref()).map(|(a, b)| a.cmp(b));
        // One side is the version, the other the range.
        let sides = || match (&version, &own_version) {
            (Some(version), _) => own_range.as_ref().map(|range| (version, range)),
            (None, Some(own)) => range.as_ref().map(|range| (own, range)),
            (None, None) => None,
        };
        Ok(match function {
            "eq" => compared().is_some_and(|order| order.is_eq()),
            "neq" => compared().is_some_and(|order| order.is_ne()),
            "gt" => compared().is_some_and(|order| order.is_gt()),
            "gte" => compared().is_some_and(|order| order.is_ge()),
            "lt" => compared().is_some_and(|order| order.is_lt()),
            "lte" => compared().is_some_and(|order| order.is_le()),
            "satisfies" => sides().is_some_and(|(version, range)| range.satisfies(version)),
            "gtr" => sides().is_some_and(|(version, range)| is_outside(version, range, ">=")),
            "ltr" => sides().is_some_and(|(version, range)| is_outside(version, range, "<=")),
            "intersects" => own_range.zip(range).is_some_and(|(own, range)| own.intersects(&range)),
            "subset" => own_range.zip(range).is_some_and(|(own, range)| own.is_subset_of(&range)),
            other => return Err(QueryError::NoFunction { function: other.to_owned() }),
        })
    }
}

/// Reads the member that is compared: `[member]`, or `:attr(…)`.
fn member(arguments: &[String]) -> Result<Path, QueryError> {
    let path = parse::path(arguments)?;
    // One `:attr` alone is no step into a list.
    let steps = path.steps.into_iter().enumerate();
    let is_kept = |(at, step): &(usize, parse::Step)| *at > 0 || *step != parse::Step::Items;
    Ok(Path { steps: steps.filter(is_kept).map(|(_, step)| step).collect(), ..path })
}

/// Returns whether a version is above (`>=`) or below (`<=`) everything in a range.
fn is_outside(version: &Version, range: &Range, sign: &str) -> bool {
    let beyond = Range::parse(&format!("{sign}{version}"));
    !range.satisfies(version) && beyond.is_ok_and(|beyond| !range.intersects(&beyond))
}

/// Returns whether an advisory is about a version.
pub(super) fn is_concerned(advisory: &Value, version: &str) -> bool {
    let vulnerable = advisory.get("vulnerable_versions").and_then(Value::as_str);
    let vulnerable = vulnerable.and_then(|text| Range::parse(text).ok());
    let version = Range::parse(version).ok();
    vulnerable.zip(version).is_some_and(|(vulnerable, version)| vulnerable.intersects(&version))
}

/// Asks registries for the versions of packages that were not asked about yet.
pub(super) fn load(
    session: &Session,
    known: &mut HashMap<String, Rc<Vec<String>>>,
    names: &[String],
) -> Result<(), InspectError> {
    let is_open = |name: &&String| !known.contains_key(*name) && PackageName::parse(name).is_ok();
    let mut open: Vec<String> = names.iter().filter(is_open).cloned().collect();
    open.sort();
    open.dedup();
    if open.is_empty() {
        return Ok(());
    }
    let input = ResolverInput::new(session.config(), Requirements::default(), None, None)?;
    let pick = dx_pkg_resolve::pick::PickOptions { before: None, ..input.options.pick.clone() };
    let found = packuments(&session.context, (input.policy, &pick), &open)?;
    for (name, packument) in open.into_iter().zip(found) {
        let versions = packument.map(|packument| {
            packument.versions().map(|view| view.version_str().to_owned()).collect()
        });
        known.insert(name, Rc::new(versions.unwrap_or_default()));
    }
    Ok(())
}

/// Returns the versions that are newer than another.
pub(super) fn newer(versions: &[String], current: &str) -> Vec<String> {
    let Ok(current) = Version::parse_loose(current) else { return Vec::new() };
    let is_newer =
        |text: &&String| Version::parse_loose(text).is_ok_and(|version| version > current);
    versions.iter().filter(is_newer).cloned().collect()
}

pub(super) fn satisfies(range: Option<&Range>, version: &str) -> bool {
    let version = Version::parse_loose(version).ok();
    range.zip(version).is_some_and(|(range, version)| range.satisfies(&version))
}

/// Returns the part in which a version differs from another, as `semver.diff` names it.
pub(super) fn difference(current: &str, other: &str) -> Option<&'static str> {
    let (current, other) = (Version::parse_loose(current).ok()?, Version::parse_loose(other).ok()?);
    let (low, high) = if current < other { (current, other) } else { (other, current) };
    if low == high {
        return None;
    }
    let main = |version: &Version| (version.major(), version.minor(), version.patch());
    if low.is_prerelease() && !high.is_prerelease() {
        if low.patch() == 0 && low.minor() == 0 {
            return Some("major");
        }
        if main(&low) == main(&high) {
            let is_minor = low.minor() != 0 && low.patch() == 0;
            return Some(if is_minor { "minor" } else { "patch" });
        }
    }
    let is_pre = high.is_prerelease();
    let part = |plain, pre| Some(if is_pre { pre } else { plain });
    if low.major() != high.major() {
        return part("major", "premajor");
    }
    if low.minor() != high.minor() {
        return part("minor", "preminor");
    }
    if low.patch() != high.patch() {
        return part("patch", "prepatch");
    }
    Some("prerelease")
}
