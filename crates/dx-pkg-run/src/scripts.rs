//! Runs scripts by name: of one package, or of workspaces one after the other.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::Path;

use dx_pkg_compat::command_words::Face;
use dx_pkg_install::scripts::{
    self, Output, ScriptCommand, ScriptEnvironment, ScriptOutcome, ScriptPackage, ScriptStep,
    SharedFacts,
};
use dx_pkg_install::{Environment, maintenance};

use crate::patterns::scripts_for;
use crate::place::Place;
use crate::{BY_SIGNAL, Listener, RunError};

/// The script to run.
#[derive(Clone, Copy, Debug)]
pub struct ScriptRequest<'r> {
    /// npm's name of the command, for scripts.
    pub command: &'r str,
    /// The name of the script, or a pattern for names.
    pub name: &'r str,
    /// Arguments for it.
    pub arguments: &'r [OsString],
    /// Whether a package without such a script is no error.
    pub if_present: bool,
    /// Settings given on the command line.
    pub flags: &'r [(String, String)],
}

/// Runs the scripts that are asked for, and returns the exit code. Where one package is meant,
/// the last script takes the place of this process if the system can do that.
///
/// # Errors
/// There is no such script in the one package, or the settings cannot be used. What goes wrong in
/// one of several packages is reported, and the others have their turn.
pub fn run_scripts(
    environment: &Environment,
    place: &Place,
    request: &ScriptRequest<'_>,
    listener: &dyn Listener,
) -> Result<i32, RunError> {
    let here;
    let packages: Vec<&ScriptPackage> = match &place.members {
        Some(members) => members.iter().map(|member| &member.package).collect(),
        None => {
            let no_project =
                || RunError::NoProject { folder: environment.folder.display().to_string() };
            here = ScriptPackage::nearest(&environment.folder)?.ok_or_else(no_project)?;
            vec![&here]
        }
    };
    let manifest = match (&place.manifest, packages.first()) {
        (Some(manifest), _) => (&*place.root, manifest),
        (None, Some(first)) => (&*first.folder, &first.manifest),
        (None, None) => return Ok(0),
    };
    let (config, node) =
        scripts::prepare(environment, &place.root, manifest, request.flags, listener)?;
    let run = Run {
        environment,
        request,
        root: &place.root,
        with_hooks: !config.ignore_scripts()?,
        shared: place.facts(environment, &config, node.as_ref())?,
        in_workspaces: place.members.is_some(),
        has_several: packages.len() > 1,
        listener,
    };
    let mut ended = 0;
    // Of several packages, the one that fails is named.
    let may_replace = !run.has_several;
    for package in &packages {
        match run.package(package, may_replace) {
            Ok(End::Code(0)) => {}
            Ok(End::Code(code)) => ended = code,
            Ok(End::Signal(code)) => return Ok(code),
            Err(error) if run.has_several && !matches!(error, RunError::Install(_)) => {
                listener.failure(&error);
                ended = 1;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(ended)
}

/// How the scripts of a package ended.
enum End {
    /// All of them, with this code.
    Code(i32),
    /// By a signal, also to this process: no other script may follow.
    Signal(i32),
}

/// The scripts of one request.
struct Run<'r> {
    environment: &'r Environment,
    request: &'r ScriptRequest<'r>,
    root: &'r Path,
    with_hooks: bool,
    shared: SharedFacts,
    in_workspaces: bool,
    has_several: bool,
    listener: &'r dyn Listener,
}

impl Run<'_> {
    /// Warns of a package manager that a script begins with and that is not there, as dx can answer
    /// to its name.
    fn warn_of_absent(&self, package: &ScriptPackage, text: &str) {
        let word = text.split_whitespace().next().unwrap_or_default();
        if cfg!(windows) || !Face::ALL.iter().any(|face| face.name() == word) {
            return;
        }
        let path = self.environment.variable("PATH").unwrap_or_default();
        let folders = package.folder.ancestors().map(|folder| folder.join("node_modules/.bin"));
        if !std::env::split_paths(path).chain(folders).any(|folder| folder.join(word).exists()) {
            self.listener.warning(&format!(
                "the script calls {word}, which is not on the PATH; `dx shims` lets dx answer to it"
            ));
        }
    }

    /// Runs the scripts of one package.
    fn package(&self, package: &ScriptPackage, may_replace: bool) -> Result<End, RunError> {
        let names = scripts_for(package, self.request.name)?;
        let groups = names.iter().map(|name| (name, package.steps(name, self.with_hooks)));
        let groups: Vec<(&String, Vec<ScriptStep>)> = groups.collect();
        if groups.iter().all(|(_, steps)| steps.is_empty()) {
            return if self.request.if_present {
                Ok(End::Code(0))
            } else {
                Err(self.unknown(package))
            };
        }
        let notices = maintenance::take_notices(self.root);
        notices.iter().for_each(|notice| self.listener.warning(notice));
        if self.has_several || groups.len() > 1 || groups.iter().any(|(_, steps)| steps.len() > 1) {
            // A signal to dx also ends the script, and no other script may follow.
            dx_pkg_os::process::install_signal_handlers();
        }
        let fields = package.manifest.script_fields();
        for (at, (name, steps)) in groups.iter().enumerate() {
            let main = steps.iter().rposition(|step| step.is_main);
            for (place, step) in steps.iter().enumerate() {
                let arguments = if Some(place) == main { self.request.arguments } else { &[] };
                let is_last = at + 1 == groups.len() && place + 1 == steps.len();
                self.warn_of_absent(package, &step.script);
                let outcome =
                    self.step(package, &fields, step, arguments, is_last && may_replace)?;
                let signal = outcome.signal.unwrap_or_else(dx_pkg_os::process::cancelled_by_signal);
                let code = outcome.code.filter(|code| *code != 0);
                if signal != 0 {
                    return Ok(End::Signal(code.unwrap_or(BY_SIGNAL + signal)));
                }
                if let Some(code) = code {
                    self.report_failure(package, name, code);
                    return Ok(End::Code(code));
                }
            }
        }
        Ok(End::Code(0))
    }

    fn report_failure(&self, package: &ScriptPackage, name: &str, code: i32) {
        if self.has_several {
            let (package, folder) = (package.label(), package.folder.display().to_string());
            let script = name.to_owned();
            self.listener.failure(&RunError::Failed { package, folder, script, code });
        }
    }

    fn unknown(&self, package: &ScriptPackage) -> RunError {
        let name = self.request.name;
        RunError::UnknownScript {
            package: package.label(),
            script: name.to_owned(),
            similar: package.similar(name),
            workspace: self.in_workspaces.then(|| package.manifest.name.clone()).flatten(),
        }
    }

    /// Runs one script; with `replaces` in the place of this process, if the system can do that.
    fn step(
        &self,
        package: &ScriptPackage,
        fields: &[(String, String)],
        step: &ScriptStep,
        arguments: &[OsString],
        replaces: bool,
    ) -> Result<ScriptOutcome, RunError> {
        let shown: Vec<Cow<'_, str>> = std::iter::once(step.script.as_str().into())
            .chain(arguments.iter().map(|argument| argument.to_string_lossy()))
            .collect();
        self.listener.script(&package.label(), &step.event, &shown.join(" "));
        let variables = scripts::environment(
            self.environment.variables.iter().cloned(),
            &ScriptEnvironment {
                event: &step.event,
                script: &step.script,
                package: &package.folder,
                name: package.manifest.name.as_deref(),
                version: package.manifest.version.as_deref(),
                fields,
                lock: None,
                project: self.root,
                called_from: &self.environment.called_from,
                command: self.request.command,
                shared: &self.shared,
                executable: &self.environment.executable,
            },
        );
        let command = ScriptCommand {
            script: &step.script,
            arguments,
            folder: &package.folder,
            environment: &variables,
            shell: self.shared.shell.as_deref(),
            output: Output::Inherit,
        };
        Ok(if replaces { scripts::become_script(&command)? } else { scripts::run(&command)? })
    }
}
