//! `dx run` and the commands for single scripts: run a script of the project between its pre and
//! post scripts, as npm does.
//!
//! Neither store nor network is opened, and nothing is started but the scripts.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use dx_pkg_install::project::find_root;
use dx_pkg_install::scripts::{
    self, Output, ScriptCommand, ScriptEnvironment, ScriptOutcome, ScriptPackage, ScriptStep,
    SharedFacts,
};
use dx_pkg_install::session::configuration;
use dx_pkg_install::{Environment, Events, maintenance};
use serde_json::Value;

use crate::error::{BY_SIGNAL, CommandError};
use crate::flags::{ScriptSettings, SettingFlags};
use crate::options::TreeArguments;
use crate::report::Report;

/// Run a script of the project, or list them.
#[derive(Args, Debug)]
pub struct RunArguments {
    /// The script; without one, the scripts are listed.
    #[arg(value_name = "SCRIPT")]
    pub script: Option<String>,
    #[command(flatten)]
    pub rest: ScriptArguments,
}

#[derive(Args, Debug, Clone, Default)]
pub struct ScriptArguments {
    /// Arguments for the script; put -- before flags that dx has itself.
    #[arg(value_name = "ARGUMENT")]
    pub arguments: Vec<String>,
    /// Do nothing if there is no such script.
    #[arg(long)]
    pub if_present: bool,
    #[command(flatten)]
    pub flags: SettingFlags<ScriptSettings>,
}

impl RunArguments {
    /// Runs the script that is named; without a name, lists the scripts.
    pub fn run(
        &self,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        script(environment, "run", self.script.as_deref(), &self.rest, report)
    }
}

impl ScriptArguments {
    /// Runs the script that a command is named after.
    pub fn run(
        &self,
        name: &str,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        script(environment, name, Some(name), self, report)
    }
}

/// Runs the script "test" after an install that ended with `code`, unless that was a dry run.
pub fn test_after(
    code: ExitCode,
    tree: &TreeArguments,
    environment: &Environment,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    let mut test = ScriptArguments::default();
    test.flags.extend(tree.flags.settings().to_vec());
    let root = find_root(&environment.folder).folder;
    let (config, _) = configuration(environment, &root, test.flags.settings())?;
    if config.dry_run()? { Ok(code) } else { test.run("test", environment, report) }
}

/// Runs the script `name` for the command `command`; without a name, lists the scripts.
fn script(
    environment: &Environment,
    command: &str,
    name: Option<&str>,
    rest: &ScriptArguments,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    let found = find_root(&environment.folder);
    found.warning().iter().for_each(|warning| report.warning(warning));
    let (package, root) = (open(environment)?, found.folder);
    let (flags, own) = (rest.flags.settings(), (&*package.folder, &package.manifest));
    let (config, node) = scripts::prepare(environment, &root, own, flags, report)?;
    let Some(name) = name else { return list(&package, report) };
    let steps = package.steps(name, !config.ignore_scripts()?);
    if steps.is_empty() {
        let (project, similar) = (package.label(), package.similar(name));
        let unknown = CommandError::UnknownScript { project, script: name.to_owned(), similar };
        return if rest.if_present { Ok(ExitCode::SUCCESS) } else { Err(unknown) };
    }
    maintenance::take_notices(&root).iter().for_each(|notice| report.warning(notice));
    let main = steps.iter().rposition(|step| step.is_main);
    let runner = Runner {
        environment,
        command,
        package: &package,
        root: &root,
        shared: SharedFacts::new(environment, &root, &config, node.as_ref())?,
        fields: package.manifest.script_fields(),
        report,
    };
    if steps.len() > 1 {
        // A signal to dx also ends the script, and no other script may follow.
        dx_pkg_os::process::install_signal_handlers();
    }
    for (place, step) in steps.iter().enumerate() {
        let arguments = if Some(place) == main { rest.arguments.as_slice() } else { &[] };
        let outcome = runner.step(step, arguments, place + 1 == steps.len())?;
        let signal = outcome.signal.unwrap_or_else(dx_pkg_os::process::cancelled_by_signal);
        if !outcome.success() || signal != 0 {
            let code = outcome.code.filter(|code| *code != 0).unwrap_or(BY_SIGNAL + signal);
            return Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the package whose scripts are run: the nearest upwards.
fn open(environment: &Environment) -> Result<ScriptPackage, CommandError> {
    let none = || CommandError::NoProject { folder: environment.folder.display().to_string() };
    ScriptPackage::nearest(&environment.folder)?.ok_or_else(none)
}

/// Prints the scripts of a package.
fn list(package: &ScriptPackage, report: &Report) -> Result<ExitCode, CommandError> {
    let scripts = &package.manifest.scripts;
    if report.wants_json() {
        let fields =
            scripts.iter().map(|(name, script)| (name.clone(), Value::from(script.as_str())));
        report.result("", &Value::Object(fields.collect()));
        return Ok(ExitCode::SUCCESS);
    }
    let (lifecycle, others): (Vec<_>, Vec<_>) =
        scripts.iter().partition(|(name, _)| scripts::is_lifecycle(name));
    if scripts.is_empty() {
        report.line(&format!("{} has no scripts", package.label()));
    }
    for (title, scripts) in [
        (format!("Lifecycle scripts of {}:", package.label()), lifecycle),
        ("Available scripts (`dx run NAME`):".to_owned(), others),
    ] {
        if !scripts.is_empty() {
            report.line(&title);
        }
        for (name, script) in scripts {
            report.line(&format!("  {name}\n    {script}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs the scripts of one package.
struct Runner<'r> {
    environment: &'r Environment,
    command: &'r str,
    package: &'r ScriptPackage,
    root: &'r Path,
    shared: SharedFacts,
    fields: Vec<(String, String)>,
    report: &'r Report,
}

impl Runner<'_> {
    /// Runs one script; the last one replaces this process if the system can do that.
    fn step(
        &self,
        step: &ScriptStep,
        arguments: &[String],
        last: bool,
    ) -> Result<ScriptOutcome, CommandError> {
        let shown: String = std::iter::once(step.script.as_str())
            .chain(arguments.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ");
        self.report.script(&self.package.label(), &step.event, &shown);
        let variables = scripts::environment(
            self.environment.variables.iter().cloned(),
            &ScriptEnvironment {
                event: &step.event,
                script: &step.script,
                package: &self.package.folder,
                name: self.package.manifest.name.as_deref(),
                version: self.package.manifest.version.as_deref(),
                fields: &self.fields,
                lock: None,
                project: self.root,
                called_from: &self.environment.called_from,
                command: self.command,
                shared: &self.shared,
                executable: &self.environment.executable,
            },
        );
        let command = ScriptCommand {
            script: &step.script,
            arguments,
            folder: &self.package.folder,
            environment: &variables,
            shell: self.shared.shell.as_deref(),
            output: Output::Inherit,
        };
        Ok(if last { scripts::become_script(&command)? } else { scripts::run(&command)? })
    }
}
