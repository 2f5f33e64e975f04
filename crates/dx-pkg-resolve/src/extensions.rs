//! The project's `packageExtensions`: additions to the manifests of packages, made before their
//! dependencies are read.
//!
//! The rules are those of npm 12.2, which stops where a rule changes what a package says, and those
//! of pnpm and Yarn, which take several rules for a package and add what it does not say.

use dx_pkg_core::{Range, Version};
use dx_pkg_lock::LockPackage;

use crate::engines::quote;

/// A rule that adds to the manifests of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extension {
    /// The key as written: a name, or a name with a range.
    pub selector: String,
    /// The name of the package.
    pub name: String,
    /// The versions; all, also those that are none, where it is `None`.
    pub range: Option<Range>,
    /// `dependencies`: name and specifier.
    pub dependencies: Vec<(String, String)>,
    /// `optionalDependencies`.
    pub optional_dependencies: Vec<(String, String)>,
    /// `peerDependencies`.
    pub peer_dependencies: Vec<(String, String)>,
    /// `peerDependenciesMeta`: name and whether that peer is optional.
    pub peer_dependencies_meta: Vec<(String, bool)>,
    /// How it is joined with what the package says.
    pub joining: Joining,
}

/// How an extension is joined with the manifest of a package.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Joining {
    /// As npm does: one rule for a package, which only adds dependencies, and whose peers replace.
    #[default]
    Strict,
    /// As pnpm and Yarn do: any number of rules, each of which adds what is not there.
    Adding,
}

impl Extension {
    /// Returns whether it is for this version of the package.
    #[must_use]
    pub fn matches(&self, name: &str, version: Option<&Version>) -> bool {
        let satisfies = |range: &Range| version.is_some_and(|version| range.satisfies(version));
        self.name == name && self.range.as_ref().is_none_or(satisfies)
    }
}

/// Applies the rules for this version of a package to its record, and records them there.
///
/// # Errors
/// Several rules are for it, or a rule cannot be joined with what the package says.
pub(crate) fn apply(
    extensions: &[Extension],
    name: &str,
    version: Option<&Version>,
    record: &mut LockPackage,
) -> Result<(), String> {
    check(extensions, name, version)?;
    let mut applied: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut selectors = Vec::new();
    for extension in extensions.iter().filter(|extension| extension.matches(name, version)) {
        selectors.push(extension.selector.as_str());
        join(extension, record, &mut applied)?;
    }
    if let Some(selector) = selectors.last() {
        record.extra.retain(|(key, _)| key != APPLIED);
        record.extra.push((APPLIED.to_owned(), provenance(selector, applied)));
    }
    Ok(())
}

/// The member of a lockfile's entry that tells of the rule.
pub(crate) const APPLIED: &str = "packageExtensionsApplied";

/// Checks that no two rules are for this version of a package where only one may be.
pub(crate) fn check(
    extensions: &[Extension],
    name: &str,
    version: Option<&Version>,
) -> Result<(), String> {
    let matching = extensions.iter().filter(|extension| {
        extension.joining == Joining::Strict && extension.matches(name, version)
    });
    let selectors: Vec<&str> = matching.map(|extension| extension.selector.as_str()).collect();
    if selectors.len() < 2 {
        return Ok(());
    }
    let version = version.map(|version| format!("@{version}")).unwrap_or_default();
    Err(format!("{} are all for {name}{version}", selectors.join(", ")))
}

fn join<'e>(
    extension: &'e Extension,
    record: &mut LockPackage,
    applied: &mut Vec<(&'static str, Vec<&'e str>)>,
) -> Result<(), String> {
    let mut note = |field: &'static str, name: &'e str| match applied
        .iter_mut()
        .find(|(known, _)| *known == field)
    {
        Some((_, names)) if names.contains(&name) => {}
        Some((_, names)) => names.push(name),
        None => applied.push((field, vec![name])),
    };
    for (name, spec) in &extension.dependencies {
        if add(extension, record, (DEPENDENCIES, name, spec))? {
            note(DEPENDENCIES, name);
        }
    }
    for (name, spec) in &extension.optional_dependencies {
        if add(extension, record, (OPTIONAL, name, spec))? {
            note(OPTIONAL, name);
        }
    }
    for (name, spec) in &extension.peer_dependencies {
        let is_known = has(&record.peer_dependencies, name);
        if !(is_known && extension.joining == Joining::Adding) {
            set(&mut record.peer_dependencies, name, spec.clone());
            note("peerDependencies", name);
        }
    }
    for (name, optional) in &extension.peer_dependencies_meta {
        if extension.joining == Joining::Strict && !has(&record.peer_dependencies, name) {
            return Err(format!(
                "{:?} sets peerDependenciesMeta of {name}, which is no peer dependency of the \
                 package",
                extension.selector
            ));
        }
        if extension.joining == Joining::Adding && has(&record.peer_dependencies_meta, name) {
            continue;
        }
        // What is written there in an unusual form was read all the same.
        record.extra.retain(|(key, _)| key != "peerDependenciesMeta");
        set(&mut record.peer_dependencies_meta, name, *optional);
        note("peerDependenciesMeta", name);
    }
    Ok(())
}

const DEPENDENCIES: &str = "dependencies";
const OPTIONAL: &str = "optionalDependencies";

/// Adds a dependency; returns whether the record has another one for it.
fn add(
    extension: &Extension,
    record: &mut LockPackage,
    (field, name, spec): (&str, &str, &str),
) -> Result<bool, String> {
    let known = [(DEPENDENCIES, &record.dependencies), (OPTIONAL, &record.optional_dependencies)]
        .into_iter()
        .find(|(_, entries)| has(entries, name))
        .map(|(field, _)| field);
    match (known, extension.joining) {
        (Some(known), Joining::Strict) => {
            return Err(format!(
                "{:?} adds {name} to {field}, but the package has it in {known} already",
                extension.selector
            ));
        }
        (Some(_), Joining::Adding) => return Ok(false),
        (None, _) => {}
    }
    let entries = if field == OPTIONAL {
        &mut record.optional_dependencies
    } else {
        &mut record.dependencies
    };
    set(entries, name, spec.to_owned());
    Ok(true)
}

fn has<V>(entries: &[(String, V)], name: &str) -> bool {
    entries.iter().any(|(known, _)| known == name)
}

fn set<V>(entries: &mut Vec<(String, V)>, name: &str, value: V) {
    match entries.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => *known = value,
        None => entries.push((name.to_owned(), value)),
    }
}

/// Returns what a lockfile tells of an applied rule, as JSON.
fn provenance(selector: &str, mut applied: Vec<(&str, Vec<&str>)>) -> String {
    applied.sort_unstable_by_key(|(field, _)| *field);
    let mut json = String::from("{");
    for (field, names) in applied {
        quote(&mut json, field);
        json.push_str(":[");
        for (position, name) in names.into_iter().enumerate() {
            if position > 0 {
                json.push(',');
            }
            quote(&mut json, name);
        }
        json.push_str("],");
    }
    json.push_str("\"selector\":");
    quote(&mut json, selector);
    json.push('}');
    json
}

#[cfg(test)]
mod tests;
