//! The lifecycle scripts of an install: the project's own, and those of dependencies that the
//! project allows.

use std::collections::HashSet;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use dx_pkg_acquire::files::read_text;
use dx_pkg_acquire::package::{label, real_name};
use dx_pkg_compat::manifest::{AllowScripts, Manifest};
use dx_pkg_core::message_with_causes;
use dx_pkg_core::text::plain_text;
use dx_pkg_lock::LockPackage;

use super::{
    DEPENDENCY_EVENTS, LINKED_EVENTS, LockFacts, Output, ScriptCommand, ScriptEnvironment,
    SharedFacts, environment, implied_install, order,
};
use crate::plan::Plan;
use crate::project::Project;
use crate::{Events, InstallError, Session};

/// The place where scripts run, with its listener.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    /// Environment and settings.
    pub(crate) session: &'p Session,
    /// The project.
    pub(crate) project: &'p Project,
    /// The listener of the install.
    pub(crate) events: &'p dyn Events,
    /// npm's name of the command, for scripts.
    pub(crate) command: &'static str,
}

/// The scripts of a project and which of them may run.
pub(crate) struct Lifecycle {
    ignored: bool,
    all: bool,
    strict: bool,
    allowed: Vec<(String, bool)>,
    /// The folders of workspaces, whose scripts are the project's own.
    workspaces: HashSet<String>,
    /// Whether a script has been started.
    has_run: AtomicBool,
    /// What every script sees, gathered when the first one runs.
    shared: OnceLock<SharedFacts>,
}

impl Lifecycle {
    /// Reads the project's `allowScripts` and the settings.
    pub(crate) fn new(session: &Session, project: &Project) -> Result<Self, InstallError> {
        let config = session.config();
        let mut configured = AllowScripts::default();
        config.allow_scripts()?.iter().for_each(|key| configured.add(key, true));
        let allowed = [project.manifest.allow_scripts.clone(), configured.rules].concat();
        Ok(Lifecycle {
            ignored: config.ignore_scripts()?,
            all: config.dangerously_allow_all_scripts()?,
            strict: config.strict_allow_scripts()?,
            allowed,
            workspaces: project.workspaces.iter().map(|(folder, _)| folder.clone()).collect(),
            has_run: AtomicBool::new(false),
            shared: OnceLock::new(),
        })
    }

    /// Returns whether the package's scripts will be run. A denial wins, except over the setting
    /// that allows all.
    pub(crate) fn may_run(&self, package: &LockPackage) -> bool {
        !self.ignored && package.has_install_script && self.verdict(package) == Some(true)
    }

    /// Returns what the project says of the package's scripts.
    fn verdict(&self, package: &LockPackage) -> Option<bool> {
        if self.all {
            return Some(true);
        }
        // A bundled package's tarball can claim any name: no rule is about it.
        if package.in_bundle {
            return None;
        }
        let name = real_name(package);
        let exact = package.version.as_deref().map(|version| format!("{name}@{version}"));
        let about =
            self.allowed.iter().filter(|(key, _)| key == name || Some(key) == exact.as_ref());
        about.map(|(_, verdict)| *verdict).min()
    }

    /// Returns the packages whose scripts are skipped without having been denied.
    ///
    /// # Errors
    /// There are such, and the setting `strict-allow-scripts` forbids it.
    pub(crate) fn skipped(&self, plan: &Plan) -> Result<Vec<String>, InstallError> {
        // Nothing that the project says would let a bundled package's scripts run.
        let is_skipped = |package: &&LockPackage| {
            !package.in_bundle
                && !self.may_run(package)
                && (self.ignored || self.verdict(package).is_none())
        };
        let skipped: Vec<String> = self.with_scripts(plan).filter(is_skipped).map(label).collect();
        if self.strict && !self.ignored && !skipped.is_empty() {
            return Err(InstallError::ScriptsUndecided { packages: skipped });
        }
        Ok(skipped)
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
                        if package.optional && !place.session.context.cancel.is_cancelled() =>
                    {
                        place.events.warning(&format!("optional: {}", message_with_causes(&error)));
                        failed.insert(package.path.clone());
                    }
                    outcome => outcome?,
                }
            }
        }
        Ok(failed)
    }

    /// Runs the scripts of linked workspaces, which npm runs without permission.
    pub(crate) fn run_workspaces(&self, place: Place<'_>, plan: &Plan) -> Result<(), InstallError> {
        let linked: HashSet<&str> = plan.linked_folders().collect();
        let due = place.project.workspaces.iter().filter(|(folder, manifest)| {
            !self.ignored && linked.contains(folder.as_str()) && runs_when_linked(manifest)
        });
        let due: Vec<&(String, Manifest)> = due.collect();
        if due.is_empty() {
            return Ok(());
        }
        let runner = self.runner(place);
        for event in LINKED_EVENTS {
            for (folder, manifest) in &due {
                runner.events(&place.project.root.join(folder), manifest, &[event], None)?;
            }
        }
        Ok(())
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
        if self.ignored {
            return Ok(());
        }
        self.runner(place).events(&place.project.root, &place.project.manifest, events, None)
    }

    fn runner<'r>(&'r self, place: Place<'r>) -> Runner<'r> {
        Runner { place, shared: &self.shared, has_run: &self.has_run }
    }
}

/// Returns whether a workspace has a script that runs when it is linked.
pub(crate) fn runs_when_linked(manifest: &Manifest) -> bool {
    LINKED_EVENTS.iter().any(|event| manifest.script(event).is_some())
}

/// Runs the scripts of one install.
struct Runner<'r> {
    place: Place<'r>,
    shared: &'r OnceLock<SharedFacts>,
    has_run: &'r AtomicBool,
}

impl<'r> Runner<'r> {
    /// Returns what every script sees.
    fn shared(&self) -> Result<&'r SharedFacts, InstallError> {
        if let Some(shared) = self.shared.get() {
            return Ok(shared);
        }
        let Place { session, project, .. } = self.place;
        let (environment, config) = (&session.environment, session.config());
        let shared = SharedFacts::new(environment, &project.root, config, session.node())?;
        Ok(self.shared.get_or_init(|| shared))
    }

    fn dependency(&self, package: &LockPackage, event: &str) -> Result<(), InstallError> {
        let folder = self.place.project.root.join(&package.path);
        let Some(text) = read_text(&folder.join("package.json"))? else { return Ok(()) };
        let manifest = Manifest::parse(&text)?;
        let facts = LockFacts {
            resolved: package.resolved.as_deref(),
            integrity: package.integrity.as_deref(),
            optional: package.optional,
            dev: package.dev,
            dev_optional: package.dev_optional,
            peer: package.peer,
        };
        self.events(&folder, &manifest, &[event], Some(facts))
    }

    fn events(
        &self,
        folder: &Path,
        manifest: &Manifest,
        events: &[&str],
        lock: Option<LockFacts<'_>>,
    ) -> Result<(), InstallError> {
        let gyp = folder.join("binding.gyp").is_file();
        let implied = implied_install(manifest.scripts.iter().map(|(name, _)| name.as_str()), gyp);
        for event in events {
            let implied = implied.filter(|_| *event == "install");
            if let Some(script) = manifest.script(event).or(implied) {
                self.script(folder, manifest, event, script, lock)?;
            }
        }
        Ok(())
    }

    fn script(
        &self,
        folder: &Path,
        manifest: &Manifest,
        event: &str,
        script: &str,
        lock: Option<LockFacts<'_>>,
    ) -> Result<(), InstallError> {
        let Place { session, project, events, command } = self.place;
        session.context.cancel.check()?;
        self.has_run.store(true, Ordering::Relaxed);
        let shared = self.shared()?;
        let environment = environment(
            session.environment.variables.iter().cloned(),
            &ScriptEnvironment {
                event,
                script,
                package: folder,
                name: manifest.name.as_deref(),
                version: manifest.version.as_deref(),
                fields: &manifest.script_fields(),
                lock,
                project: &project.root,
                called_from: &session.environment.called_from,
                command,
                shared,
                executable: &session.environment.executable,
            },
        );
        let is_project = folder == project.root;
        let output = if is_project && events.shows_script_output() {
            Output::Inherit
        } else {
            Output::Capture
        };
        let command = ScriptCommand {
            script,
            arguments: &[],
            folder,
            environment: &environment,
            shell: shared.shell.as_deref(),
            output,
        };
        let outcome = super::run(&command)?;
        if outcome.success() {
            return Ok(());
        }
        let printed = [outcome.stdout, outcome.stderr].concat();
        Err(InstallError::ScriptFailed {
            event: event.to_owned(),
            package: manifest.name.clone().unwrap_or_else(|| "the project".to_owned()),
            ended: outcome.code.map_or_else(
                || "was ended by a signal".to_owned(),
                |code| format!("ended with code {code}"),
            ),
            script: script.to_owned(),
            printed: plain_text(&String::from_utf8_lossy(&printed), 2000),
        })
    }
}
