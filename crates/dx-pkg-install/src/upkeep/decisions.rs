//! Decisions about install scripts: which packages wait for one, and what is written into
//! `allowScripts` of the project's `package.json`. npm's rules.

mod candidate;
mod entries;

use std::collections::HashMap;

use dx_pkg_compat::manifest::{Manifest, ManifestEdit};
use dx_pkg_core::{Range, Spec, Version};
use dx_pkg_os::files::Durability;
use serde_json::Value;

pub use self::entries::EntryChange;

use self::candidate::{Candidate, candidates};
use self::entries::{Group, approve, deny};
use crate::error::UpkeepError;
use crate::plan::Plan;
use crate::project::Project;
use crate::scripts::{Lifecycle, Policy};
use crate::upkeep::rebuild::installed;
use crate::{InstallError, OpenProject};

/// The field that holds the decisions.
const FIELD: &str = "allowScripts";

/// A package whose scripts wait for a decision.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its name, by which it can be approved.
    pub name: String,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// Its scripts by their events.
    pub scripts: Vec<(String, String)>,
}

/// A decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Scripts may run: those of the versions that are installed or, unless `pinned`, of all.
    Approve {
        /// Whether entries name versions.
        pinned: bool,
    },
    /// Scripts must not run, of whatever version.
    Deny,
}

/// The packages that are decided about.
#[derive(Clone, Copy, Debug)]
pub enum Subjects<'s> {
    /// All that wait for a decision.
    Pending,
    /// Those of these names, each with or without a version or range.
    Named(&'s [String]),
}

/// The entries that a decision changed.
#[derive(Debug, Default)]
pub struct Decided {
    /// The packages by the names in their entries, each with the changes.
    pub packages: Vec<(String, Vec<EntryChange>)>,
    /// The reasons why packages stay as they are.
    pub warnings: Vec<String>,
}

/// An entry that is for nothing that is installed.
#[derive(Clone, Debug)]
pub struct UnusedEntry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Whether a package that it names is installed, and has no scripts.
    pub is_installed: bool,
}

/// Returns the packages whose scripts wait for a decision, also where no scripts are run at all.
///
/// # Errors
/// A setting or manifest that cannot be read.
pub fn pending(open: &OpenProject) -> Result<Vec<Pending>, InstallError> {
    let installed = Installed::of(open)?;
    let pending = installed.pending()?;
    Ok(pending.into_iter().map(|(_, pending)| pending).collect())
}

/// Decides about packages, and writes that into the project's `package.json`.
///
/// # Errors
/// A name of no installed package, and a manifest that cannot be read or written.
pub fn decide(
    mut open: OpenProject,
    decision: Decision,
    subjects: Subjects<'_>,
) -> Result<Decided, InstallError> {
    let installed = Installed::of(&open)?;
    let candidates = installed.candidates()?;
    let chosen: Vec<&Candidate<'_>> = match subjects {
        Subjects::Pending => {
            let pending = installed.pending()?;
            let is_pending =
                |candidate: &&Candidate<'_>| pending.iter().any(|(path, _)| path == candidate.path);
            candidates.iter().filter(is_pending).collect()
        }
        Subjects::Named(names) => named(&candidates, names)?,
    };
    let mut decided = Decided::default();
    let before = entries_of(&open.project)?;
    let mut entries = before.clone();
    for group in groups(chosen, &open.project, &mut decided.warnings) {
        let outcome = match decision {
            Decision::Approve { pinned } => approve(&mut entries, &group, pinned),
            Decision::Deny => deny(&mut entries, &group),
        };
        decided.warnings.extend(outcome.warning);
        decided.packages.push((group.name.to_owned(), outcome.changes));
    }
    save(&mut open.project, &before, &entries)?;
    Ok(decided)
}

/// Removes the entries that are for no installed package with scripts, unless it is a dry run;
/// returns them.
///
/// # Errors
/// A manifest that cannot be read or written.
pub fn prune(mut open: OpenProject, dry_run: bool) -> Result<Vec<UnusedEntry>, InstallError> {
    let before = entries_of(&open.project)?;
    let installed = Installed::of(&open)?;
    let candidates = installed.candidates()?;
    let root = &open.project.root;
    let mut unused = Vec::new();
    for (key, value) in &before {
        if Spec::parse_argument(key).is_err() {
            continue;
        }
        let rule = Policy::new(root, [(key.clone(), true)]);
        let named: Vec<&Candidate<'_>> =
            candidates.iter().filter(|candidate| candidate.is_named_by(&rule)).collect();
        if !named.iter().any(|candidate| !candidate.scripts.is_empty()) {
            let (key, value) = (key.clone(), value.clone());
            unused.push(UnusedEntry { key, value, is_installed: !named.is_empty() });
        }
    }
    if !dry_run {
        let is_unused = |key: &String| unused.iter().any(|entry| entry.key == *key);
        let left: Vec<(String, Value)> =
            before.iter().filter(|(key, _)| !is_unused(key)).cloned().collect();
        save(&mut open.project, &before, &left)?;
    }
    Ok(unused)
}

/// What is installed in a project, with what it says of scripts.
struct Installed<'i> {
    project: &'i Project,
    plan: Plan,
    lifecycle: Lifecycle,
}

impl<'i> Installed<'i> {
    fn of(open: &'i OpenProject) -> Result<Self, InstallError> {
        let (project, store) = (&open.project, open.session.store());
        let (installed, _) = installed(store, &project.root);
        let lifecycle = Lifecycle::new(&open.session, project)?;
        Ok(Installed { project, plan: Plan::recorded(installed), lifecycle })
    }

    fn candidates(&self) -> Result<Vec<Candidate<'_>>, InstallError> {
        candidates(self.project, &self.plan, &self.lifecycle)
    }

    /// Returns the packages that wait for a decision, with their paths.
    fn pending(&self) -> Result<Vec<(String, Pending)>, InstallError> {
        let candidates = self.candidates()?.into_iter();
        let waiting = candidates.filter(|candidate| {
            !candidate.scripts.is_empty() && self.lifecycle.is_undecided(&self.plan, candidate.path)
        });
        let pending = |candidate: Candidate<'_>| {
            let Candidate { path, name, version, scripts, .. } = candidate;
            (path.to_owned(), Pending { name, version, scripts })
        };
        Ok(waiting.map(pending).collect())
    }
}

/// Returns the packages of these names.
///
/// # Errors
/// A name of no installed package.
fn named<'c, 'p>(
    candidates: &'c [Candidate<'p>],
    names: &[String],
) -> Result<Vec<&'c Candidate<'p>>, InstallError> {
    let (mut found, mut unknown): (Vec<&Candidate<'_>>, Vec<String>) = Default::default();
    for argument in names {
        let (name, range) = name_and_range(argument);
        let is_meant = |candidate: &&Candidate<'_>| {
            let version = || Version::parse_loose(candidate.version.as_deref()?).ok();
            let fits = |range: &Range| version().is_some_and(|version| range.satisfies(&version));
            candidate.name == name && range.as_ref().is_none_or(fits)
        };
        let meant: Vec<&Candidate<'_>> = candidates.iter().filter(is_meant).collect();
        if meant.is_empty() {
            unknown.push(argument.clone());
        }
        for candidate in meant {
            if !found.iter().any(|known| known.path == candidate.path) {
                found.push(candidate);
            }
        }
    }
    if unknown.is_empty() { Ok(found) } else { Err(UpkeepError::NotInstalled { unknown }.into()) }
}

/// Returns the name and, where one narrows it, the range of an argument.
fn name_and_range(argument: &str) -> (String, Option<Range>) {
    let Ok(given) = Spec::parse_argument(argument) else { return (argument.to_owned(), None) };
    let Some(name) = given.name else { return (argument.to_owned(), None) };
    let range = match given.spec {
        Spec::Range(range) if !range.is_any() => Some(range),
        Spec::Version(version) => Range::parse(&version.to_string()).ok(),
        _ => None,
    };
    (name.as_str().to_owned(), range)
}

/// Returns packages in groups that have one name in `allowScripts`, in the order of their first.
fn groups<'g>(
    chosen: Vec<&'g Candidate<'_>>,
    project: &'g Project,
    warnings: &mut Vec<String>,
) -> Vec<Group<'g>> {
    let mut order: Vec<&str> = Vec::new();
    let mut members: HashMap<&str, Vec<&Candidate<'_>>> = HashMap::new();
    for candidate in chosen {
        match &candidate.key {
            Some(key) => {
                if !members.contains_key(key.as_str()) {
                    order.push(key);
                }
                members.entry(key).or_default().push(candidate);
            }
            None => warnings.push(format!(
                "{} is passed over: nothing says where it comes from, so no entry can name it",
                candidate.name
            )),
        }
    }
    let group = |name: &'g str| {
        let members = members.remove(name).unwrap_or_default();
        let pins = members.iter().map(|candidate| candidate.pin.clone()).collect();
        let is_about = Box::new(move |key: &str| {
            let rule = Policy::in_any_version(&project.root, key);
            members.iter().any(|candidate| candidate.is_named_by(&rule))
        });
        Group { name, pins, is_about }
    };
    order.into_iter().map(group).collect()
}

/// Returns the entries as they are written.
fn entries_of(project: &Project) -> Result<Vec<(String, Value)>, InstallError> {
    let manifest = Manifest::parse(&project.manifest_text)?;
    let field = manifest.raw.get(FIELD).and_then(Value::as_object);
    let entries = field.into_iter().flatten();
    Ok(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Writes the entries where they changed.
fn save(
    project: &mut Project,
    before: &[(String, Value)],
    after: &[(String, Value)],
) -> Result<(), InstallError> {
    if before == after {
        return Ok(());
    }
    let mut edit = ManifestEdit::new(&project.manifest_text)?;
    if after.is_empty() {
        edit.remove(&[FIELD]);
    } else {
        let is_left = |key: &str| after.iter().any(|(left, _)| left == key);
        for (key, _) in before.iter().filter(|(key, _)| !is_left(key)) {
            edit.remove(&[FIELD, key]);
        }
        for (key, value) in after.iter().filter(|entry| !before.contains(entry)) {
            edit.set(&[FIELD, key], value);
        }
    }
    let text = edit.finish();
    project.save(None, &[(String::new(), text.clone())], Durability::Fsync)
}
