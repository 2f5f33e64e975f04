//! The lifecycle scripts of an install: the project's own, and those of dependencies that the
//! project allows.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use dx_pkg_acquire::exact::addresses;
use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_acquire::package::{Origin, label, origin, real_name};
use dx_pkg_compat::manifest::{AllowScripts, Manifest};
use dx_pkg_compat::npmrc::redact_urls;
use dx_pkg_core::Spec;
use dx_pkg_core::coded::message_with_causes;
use dx_pkg_core::spec::HostedRepository;
use dx_pkg_lock::{LockPackage, name_of_path};

use super::identity::{Identities, agrees};
use super::policy::{Policy, registry_name};
use super::runner::{Place, Runner, Subject};
use super::skipped::allowing;
use super::{DEPENDENCY_EVENTS, LINKED_EVENTS, SharedFacts, git, order};
use crate::approvals::approvals;
use crate::plan::Plan;
use crate::project::Project;
use crate::project::outside::is_outside;
use crate::{Events, InstallError, Session};

/// The scripts of a project and which of them may run.
pub(crate) struct Lifecycle {
    ignored: bool,
    all: bool,
    strict: bool,
    policy: Policy,
    /// The folders of workspaces, whose scripts are the project's own.
    workspaces: HashSet<String>,
    identities: Identities,
    /// The addresses of tarballs that the project and its workspaces require.
    addresses: HashSet<String>,
    /// Whether an optional package is left out whose scripts fail.
    tolerates_failures: bool,
    /// Whether a script has been started.
    has_run: AtomicBool,
    /// What every script sees, gathered when the first one runs.
    shared: OnceLock<SharedFacts>,
}

/// The keys of `allowScripts` that name a package.
pub(crate) struct ScriptKey {
    /// The package's name for people.
    pub(crate) label: String,
    /// Its version, if it has one.
    pub(crate) version: Option<String>,
    /// The key for all its versions.
    pub(crate) name: String,
    /// The key for this version; `None` where it cannot be told from others.
    pub(crate) pin: Option<String>,
    /// Whether it does not come from a registry.
    pub(crate) is_elsewhere: bool,
}

impl Lifecycle {
    /// Reads the project's approvals of scripts and the settings.
    pub(crate) fn new(session: &Session, project: &Project) -> Result<Self, InstallError> {
        let config = session.config();
        let mut configured = AllowScripts::default();
        config.allow_scripts()?.iter().for_each(|key| configured.add(key, true));
        let approvals = approvals(project)?;
        let npms = project.manifest.allow_scripts.iter().cloned();
        let keys = npms.chain(approvals.rules()).chain(configured.rules);
        Ok(Lifecycle {
            ignored: config.ignore_scripts()?,
            all: config.dangerously_allow_all_scripts()?,
            strict: config.strict_allow_scripts()? || approvals.strict,
            policy: Policy::new(&project.root, keys),
            workspaces: folders_of_workspaces(project),
            identities: Identities::new(session.context.clone()),
            addresses: addresses_of(project),
            tolerates_failures: true,
            has_run: AtomicBool::new(false),
            shared: OnceLock::new(),
        })
    }

    /// Returns whether the scripts of a package with a tarball will be run. A denial wins, except
    /// over the setting that allows all.
    pub(crate) fn may_run(&self, package: &LockPackage) -> bool {
        !self.ignored && package.has_install_script && self.verdict(package) == Some(true)
    }

    /// Returns what the project says of the scripts of a package with a tarball.
    fn verdict(&self, package: &LockPackage) -> Option<bool> {
        // A bundled package's tarball can claim any name: no rule is about it.
        let is_named = !package.in_bundle && !is_folder(package);
        if self.all && !is_folder(package) {
            return Some(true);
        }
        // No registry is asked about a package that is required by its address.
        let is_elsewhere =
            matches!(origin(package), Origin::Address(url) if self.addresses.contains(url));
        let is_vouched = |name: &str, version: &str| {
            !is_elsewhere && self.identities.is_vouched(package, name, version)
        };
        is_named.then(|| self.policy.of_package(package, is_vouched)).flatten()
    }

    /// Reports the packages whose scripts are allowed by their names and not run, as nothing shows
    /// that they are those packages.
    ///
    /// # Errors
    /// The registry was asked, and did not answer.
    pub(crate) fn report_unvouched(&self, events: &dyn Events) -> Result<(), InstallError> {
        self.identities.report(events)
    }

    /// Returns what the project says of the scripts of a linked folder that is no workspace.
    fn verdict_of_folder(&self, plan: &Plan, folder: &str) -> Option<bool> {
        if self.all { Some(true) } else { self.policy.of_folder(folder, plan.links_to(folder)) }
    }

    /// Returns whether scripts of linked folders, but for workspaces, will be run.
    pub(crate) fn runs_folders(&self, plan: &Plan) -> bool {
        let mut folders = plan.linked_folders().filter(|folder| !self.workspaces.contains(*folder));
        !self.ignored && folders.any(|folder| self.verdict_of_folder(plan, folder) == Some(true))
    }

    /// Returns the packages and linked folders whose scripts are skipped without having been
    /// denied; none where the user wants no scripts at all.
    ///
    /// # Errors
    /// There are such, and the setting `strict-allow-scripts` forbids it.
    pub(crate) fn skipped(
        &self,
        project: &Project,
        plan: &Plan,
    ) -> Result<Vec<String>, InstallError> {
        if self.ignored || self.all {
            return Ok(Vec::new());
        }
        // Nothing that the project says would let a bundled package's scripts run.
        let is_skipped = |package: &&LockPackage| {
            !package.in_bundle
                && !is_folder(package)
                && self.verdict(package).is_none()
                && (self.strict || !self.identities.is_known_to_differ(package))
        };
        let mut skipped: Vec<String> =
            self.with_scripts(plan).filter(is_skipped).map(|it| self.label(it)).collect();
        for package in git::unbuilt(self.identities.store(), plan) {
            let label = self.label(package);
            if is_skipped(&package) && !skipped.contains(&label) {
                skipped.push(label);
            }
        }
        for folder in self.linked_folders(plan) {
            if self.verdict_of_folder(plan, folder).is_none()
                && let Some(manifest) = manifest_of(project, folder)?
                && runs_when_linked(&manifest)
            {
                skipped.push(label_of_folder(folder, &manifest));
            }
        }
        if self.strict && !skipped.is_empty() {
            let allowing = allowing(&skipped);
            return Err(InstallError::ScriptsUndecided { packages: skipped, allowing });
        }
        Ok(skipped)
    }

    /// Returns whether the project says nothing of the scripts of a package with a tarball, or of
    /// those of a linked folder.
    pub(crate) fn is_undecided(&self, plan: &Plan, path: &str) -> bool {
        if plan.links_to(path).next().is_some() {
            return self.verdict_of_folder(plan, path).is_none();
        }
        let entry = plan.installed.get(path);
        entry.is_some_and(|entry| !entry.in_bundle && self.verdict(entry).is_none())
    }

    /// Returns whether a folder is a workspace, whose scripts are the project's own.
    pub(crate) fn is_workspace(&self, folder: &str) -> bool {
        self.workspaces.contains(folder)
    }

    /// Returns the keys of `allowScripts` that name a package with a tarball.
    pub(crate) fn key(&self, package: &LockPackage) -> ScriptKey {
        let own = |key: String| ScriptKey {
            label: name_of_path(&package.path).to_owned(),
            version: package.version.clone(),
            name: key.clone(),
            pin: Some(key),
            is_elsewhere: true,
        };
        match origin(package) {
            Origin::File(path) => own(format!("file:{path}")),
            Origin::Other(place) => match Spec::parse(place) {
                Ok(Spec::Git(git)) => {
                    let hosted = git.hosted.as_ref().map(HostedRepository::to_string);
                    let other = || place.split('#').next().unwrap_or(place).to_owned();
                    let name = hosted.unwrap_or_else(other);
                    let pin = match git.committish.as_deref() {
                        Some(commit) => format!("{name}#{commit}"),
                        None => name.clone(),
                    };
                    ScriptKey { name, ..own(pin) }
                }
                _ => own(place.to_owned()),
            },
            Origin::Address(url) if self.addresses.contains(url) => own(url.to_owned()),
            origin => {
                let (name, version) =
                    registry_name(package).unwrap_or_else(|| (real_name(package), ""));
                ScriptKey {
                    label: name.to_owned(),
                    version: Some(version.to_owned()).filter(|version| !version.is_empty()),
                    // As for npm, an entry without an address does not vouch for the version.
                    pin: (origin != Origin::Registry).then(|| format!("{name}@{version}")),
                    name: name.to_owned(),
                    is_elsewhere: false,
                }
            }
        }
    }

    /// Returns a package with what a key of `allowScripts` names: its version, or its tarball.
    fn label(&self, package: &LockPackage) -> String {
        match origin(package) {
            Origin::File(path) => format!("{}@file:{path}", real_name(package)),
            Origin::Address(url) if self.identities.is_elsewhere(package) => {
                format!("{}@{}", real_name(package), redact_urls(url))
            }
            Origin::Other(place) if package.is_from_git() => {
                format!("{}@{}", real_name(package), redact_urls(place))
            }
            _ => label(package),
        }
    }

    /// Takes over the project's workspaces, which a script may have changed.
    pub(crate) fn take_workspaces(&mut self, project: &Project) {
        self.workspaces = folders_of_workspaces(project);
    }

    /// Lets the scripts of optional packages fail as those of any other.
    pub(crate) fn without_tolerance(self) -> Self {
        Lifecycle { tolerates_failures: false, ..self }
    }

    /// Returns whether any script was started.
    pub(crate) fn has_run(&self) -> bool {
        self.has_run.load(Ordering::Relaxed)
    }

    /// Runs the allowed scripts of the packages in `fresh`; returns the paths of the optional ones
    /// whose scripts failed.
    pub(crate) fn run(
        &self,
        place: Place<'_>,
        plan: &Plan,
        fresh: &HashSet<String>,
    ) -> Result<HashSet<String>, InstallError> {
        let mut failed = HashSet::new();
        let due: Vec<&LockPackage> = self
            .with_scripts(plan)
            .filter(|package| self.may_run(package) && fresh.contains(&package.path))
            .collect();
        let root = &place.project.root;
        let may = |package: &&LockPackage| match self.all || !self.policy.is_by_name(package) {
            true => Ok(true),
            false => agrees(package, root, place.events),
        };
        let due = due.into_iter().map(|package| Ok(may(&package)?.then_some(package)));
        let due: Vec<&LockPackage> =
            due.filter_map(Result::transpose).collect::<Result<_, InstallError>>()?;
        if due.is_empty() {
            return Ok(failed);
        }
        let runner = self.runner(place);
        let order = order(due.iter().map(|package| package.path.as_str()));
        for event in DEPENDENCY_EVENTS {
            for package in
                order.iter().filter_map(|path| due.iter().find(|package| package.path == *path))
            {
                if failed.contains(&package.path) {
                    continue;
                }
                match runner.dependency(package, event) {
                    Err(error)
                        if package.optional
                            && self.tolerates_failures
                            && !place.session.context.cancel.is_cancelled() =>
                    {
                        let error = message_with_causes(&error);
                        place.events.warning(&format!("optional: {error}; it is left out"));
                        failed.insert(package.path.clone());
                    }
                    outcome => outcome?,
                }
            }
        }
        Ok(failed)
    }

    /// Runs the scripts of linked folders: of workspaces, which npm runs without permission, and of
    /// others that the project allows.
    pub(crate) fn run_linked(&self, place: Place<'_>, plan: &Plan) -> Result<(), InstallError> {
        if self.ignored {
            return Ok(());
        }
        let project = place.project;
        let linked: HashSet<&str> = plan.linked_folders().collect();
        let is_own = |folder: &str| linked.contains(folder) && self.workspaces.contains(folder);
        let workspaces = project.workspaces.iter().filter(|(folder, _)| is_own(folder));
        let mut due: Vec<(&str, Cow<'_, Manifest>)> = workspaces
            .map(|(folder, manifest)| (folder.as_str(), Cow::Borrowed(manifest)))
            .collect();
        for folder in self.linked_folders(plan) {
            if self.verdict_of_folder(plan, folder) == Some(true)
                && let Some(manifest) = manifest_of(project, folder)?
            {
                due.push((folder, Cow::Owned(manifest)));
            }
        }
        due.retain(|(_, manifest)| runs_when_linked(manifest));
        let runner = self.runner(place);
        for event in LINKED_EVENTS {
            for (folder, manifest) in &due {
                let folder = &project.root.join(folder);
                runner.event(Subject { folder, manifest, lock: None }, event)?;
            }
        }
        Ok(())
    }

    /// Returns the linked folders that are no workspaces, each once.
    fn linked_folders<'p>(&self, plan: &'p Plan) -> Vec<&'p str> {
        let folders = plan.linked_folders();
        let mut folders: Vec<&str> = folders
            .filter(|folder| !folder.is_empty() && !self.workspaces.contains(*folder))
            .collect();
        folders.sort_unstable();
        folders.dedup();
        folders
    }

    /// Returns the packages with scripts, without workspaces.
    fn with_scripts<'p>(&self, plan: &'p Plan) -> impl Iterator<Item = &'p LockPackage> {
        let is_own = |package: &LockPackage| self.workspaces.contains(&package.path);
        plan.installed
            .packages
            .iter()
            .filter(move |package| package.has_install_script && !package.link && !is_own(package))
    }

    /// Runs the project's own scripts of these events.
    pub(crate) fn run_own(&self, place: Place<'_>, events: &[&str]) -> Result<(), InstallError> {
        if self.ignored { Ok(()) } else { self.runner(place).own(events) }
    }

    fn runner<'r>(&'r self, place: Place<'r>) -> Runner<'r> {
        Runner { place, shared: &self.shared, has_run: &self.has_run }
    }
}

/// Returns the folders of the project's own workspaces. The scripts of one outside of the project
/// are not the project's, and are allowed like those of other folders.
fn folders_of_workspaces(project: &Project) -> HashSet<String> {
    let folders = project.workspaces.iter().map(|(folder, _)| folder);
    folders.filter(|folder| !is_outside(folder)).cloned().collect()
}

/// Returns whether a linked folder has a script that runs then.
pub(crate) fn runs_when_linked(manifest: &Manifest) -> bool {
    LINKED_EVENTS.iter().any(|event| manifest.script(event).is_some())
}

/// Returns whether an entry is a folder that links lead to.
fn is_folder(package: &LockPackage) -> bool {
    !package.link && !package.path.contains("node_modules/")
}

/// Reads the manifest of a linked folder, if it has one.
fn manifest_of(project: &Project, folder: &str) -> Result<Option<Manifest>, InstallError> {
    let path = project.root.join(folder).join("package.json");
    Ok(read_text(&path)?.map(|text| parse_manifest(&path, &text)).transpose()?)
}

/// Returns the addresses of tarballs that the project and its workspaces require.
fn addresses_of(project: &Project) -> HashSet<String> {
    let manifests = project.workspaces.iter().map(|(_, manifest)| manifest);
    let specs = manifests.chain([&project.manifest]).flat_map(Manifest::requirements);
    addresses(specs.map(|(_, spec)| spec)).into_iter().map(str::to_owned).collect()
}

/// Returns a linked folder as it would be required.
fn label_of_folder(folder: &str, manifest: &Manifest) -> String {
    let name = manifest.name.as_deref().unwrap_or_else(|| name_of_path(folder));
    format!("{name}@file:{folder}")
}
