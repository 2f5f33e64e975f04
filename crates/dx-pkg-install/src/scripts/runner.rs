//! Runs the lifecycle scripts of one install, one after the other.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_lock::LockPackage;

use super::{
    LockFacts, Output, ScriptCommand, ScriptEnvironment, ScriptOutcome, SharedFacts, environment,
    implied_install, lacks_gyp, nested,
};
use crate::error::FailedScript;
use crate::events::StartedScript;
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

/// Runs the scripts of one install.
pub(super) struct Runner<'r> {
    pub(super) place: Place<'r>,
    pub(super) shared: &'r OnceLock<SharedFacts>,
    pub(super) has_run: &'r AtomicBool,
}

/// A package whose scripts are run.
#[derive(Clone, Copy)]
pub(super) struct Subject<'s> {
    /// Its folder.
    pub(super) folder: &'s Path,
    /// Its manifest.
    pub(super) manifest: &'s Manifest,
    /// What the lockfile says of a dependency.
    pub(super) lock: Option<LockFacts<'s>>,
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

    /// Runs a dependency's script of an event, if it has one.
    pub(super) fn dependency(
        &self,
        package: &LockPackage,
        event: &str,
    ) -> Result<(), InstallError> {
        let folder = self.place.project.root.join(&package.path);
        let Some(text) = read_text(&folder.join("package.json"))? else { return Ok(()) };
        let manifest = Manifest::parse(&text)?;
        let lock = LockFacts {
            resolved: package.resolved.as_deref(),
            integrity: package.integrity.as_deref(),
            optional: package.optional,
            dev: package.dev,
            dev_optional: package.dev_optional,
            peer: package.peer,
        };
        self.event(Subject { folder: &folder, manifest: &manifest, lock: Some(lock) }, event)
    }

    /// Runs the project's own scripts of these events. As npm does, it reads them anew for each:
    /// a script may change those that follow.
    pub(super) fn own(&self, events: &[&str]) -> Result<(), InstallError> {
        let project = self.place.project;
        let path = project.root.join("package.json");
        let mut has_run = self.has_run.load(Ordering::Relaxed);
        for event in events {
            let changed = match has_run {
                true => read_text(&path)?.filter(|text| *text != project.manifest_text),
                false => None,
            };
            let changed = changed.map(|text| parse_manifest(&path, &text)).transpose()?;
            let manifest = changed.as_ref().unwrap_or(&project.manifest);
            self.event(Subject { folder: &project.root, manifest, lock: None }, event)?;
            has_run = self.has_run.load(Ordering::Relaxed);
        }
        Ok(())
    }

    /// Runs a package's script of an event, if it has one.
    pub(super) fn event(&self, subject: Subject<'_>, event: &str) -> Result<(), InstallError> {
        let manifest = subject.manifest;
        let implied = || {
            let gyp = event == "install" && subject.folder.join("binding.gyp").is_file();
            implied_install(manifest, gyp)
        };
        let own = manifest.script(event).filter(|script| !script.is_empty());
        own.or_else(implied).map_or(Ok(()), |script| self.script(subject, event, script))
    }

    fn script(&self, subject: Subject<'_>, event: &str, script: &str) -> Result<(), InstallError> {
        let Place { session, project, events, command } = self.place;
        let Subject { folder, manifest, lock } = subject;
        session.context.cancel.check()?;
        self.has_run.store(true, Ordering::Relaxed);
        let shared = self.shared()?;
        let mut environment = environment(
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
        environment.insert(nested::VARIABLE.to_owned(), nested::value(&project.root));
        let is_shown = folder == project.root || session.config().foreground_scripts()?;
        let output = if is_shown && events.shows_script_output() {
            Output::Inherit
        } else {
            Output::Capture
        };
        let started = StartedScript {
            package: &label(manifest),
            event,
            script,
            is_shown: output == Output::Inherit,
        };
        events.script_began(session, &started);
        let outcome = super::run(&ScriptCommand {
            script,
            arguments: &[],
            folder,
            environment: &environment,
            shell: shared.shell.as_deref(),
            output,
        });
        events.script_ended();
        let outcome = outcome?;
        if outcome.success() {
            return Ok(());
        }
        let printed = String::from_utf8_lossy(&outcome.output).into_owned();
        Err(InstallError::ScriptFailed(Box::new(FailedScript {
            event: event.to_owned(),
            package: label(manifest),
            folder: self.place_of(folder),
            ended: ended(&outcome),
            script: script.to_owned(),
            lacks_gyp: lacks_gyp(&environment, script, &printed),
            output: printed,
        })))
    }

    /// Returns a package's folder as it is from the project; `None` for the project's own.
    fn place_of(&self, folder: &Path) -> Option<String> {
        let root = &self.place.project.root;
        let place = folder.strip_prefix(root).unwrap_or(folder).to_string_lossy().into_owned();
        (!place.is_empty()).then_some(place)
    }
}

/// Returns how a script ended, in words.
fn ended(outcome: &ScriptOutcome) -> String {
    match (outcome.code, outcome.signal) {
        (Some(code), _) => format!("ended with code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "was ended by a signal".to_owned(),
    }
}

/// Returns a package's name with its version, as far as it has them.
fn label(manifest: &Manifest) -> String {
    match (&manifest.name, &manifest.version) {
        (Some(name), Some(version)) => format!("{name}@{version}"),
        (Some(name), None) => name.clone(),
        _ => "the project".to_owned(),
    }
}
