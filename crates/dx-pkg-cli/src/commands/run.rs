//! `dx run` and the commands for single scripts: run a script of the project between its pre and
//! post scripts, as npm does.
//!
//! Neither store nor network is opened, and nothing is started but the scripts.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::text::suggest::nearest;
use dx_pkg_install::node::Node;
use dx_pkg_install::project::find_root;
use dx_pkg_install::scripts::{
    self, Output, ScriptCommand, ScriptEnvironment, ScriptOutcome, SharedFacts,
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
        match &self.script {
            Some(name) => script(environment, "run", name, &self.rest, report),
            None => Package::open(environment)?.list(report),
        }
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
        script(environment, name, name, self, report)
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
    let root = find_root(&environment.folder);
    let (config, _) = configuration(environment, &root, test.flags.settings())?;
    if config.dry_run()? { Ok(code) } else { test.run("test", environment, report) }
}

/// Runs the script `name`, for the command `command`.
fn script(
    environment: &Environment,
    command: &str,
    name: &str,
    rest: &ScriptArguments,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    let package = Package::open(environment)?;
    let root = find_root(&environment.folder);
    let (config, _) = configuration(environment, &root, rest.flags.settings())?;
    let steps = package.steps(name, !config.ignore_scripts()?);
    if steps.is_empty() {
        return if rest.if_present { Ok(ExitCode::SUCCESS) } else { Err(package.unknown(name)) };
    }
    maintenance::take_notices(&root).iter().for_each(|notice| report.warning(notice));
    let main = steps.iter().rposition(|step| step.is_main);
    let runner = Runner {
        environment,
        command,
        package: &package,
        root: &root,
        shared: SharedFacts::new(environment, &root, &config, Node::find(environment).as_ref())?,
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

/// The package whose scripts are run: the nearest upwards.
struct Package {
    folder: PathBuf,
    manifest: Manifest,
}

/// A script that is due.
struct Step {
    event: String,
    script: String,
    /// Whether it is the named script rather than its pre or post script.
    is_main: bool,
}

impl Package {
    fn open(environment: &Environment) -> Result<Self, CommandError> {
        for folder in environment.folder.ancestors() {
            let path = folder.join("package.json");
            if let Some(text) = read_text(&path)? {
                let manifest = parse_manifest(&path, &text)?;
                return Ok(Package { folder: folder.to_owned(), manifest });
            }
        }
        Err(CommandError::NoProject { folder: environment.folder.display().to_string() })
    }

    /// Returns the script of this name, or the one that npm implies.
    fn script(&self, name: &str) -> Option<&str> {
        let implied = if cfg!(windows) { "SET" } else { "env" };
        self.manifest.script(name).or((name == "env").then_some(implied))
    }

    /// Returns the scripts to run for a name, in order; `with_hooks` includes pre and post
    /// scripts.
    fn steps(&self, name: &str, with_hooks: bool) -> Vec<Step> {
        let step = |event: String, is_main: bool| {
            let script = self.script(&event)?.to_owned();
            Some(Step { event, script, is_main })
        };
        let own: Vec<Step> = match step(name.to_owned(), true) {
            Some(step) => vec![step],
            None if name == "restart" && self.script("start").is_some() => ["stop", "start"]
                .into_iter()
                .flat_map(|part| self.steps(part, with_hooks))
                .collect(),
            None => return Vec::new(),
        };
        let hook = |prefix: &str| step(format!("{prefix}{name}"), false).filter(|_| with_hooks);
        hook("pre").into_iter().chain(own).chain(hook("post")).collect()
    }

    /// Returns `name@version`, as far as it has them.
    fn label(&self) -> String {
        let Manifest { name, version, .. } = &self.manifest;
        match (name, version) {
            (Some(name), Some(version)) => format!("{name}@{version}"),
            (Some(name), None) => name.clone(),
            _ => self.folder.display().to_string(),
        }
    }

    /// Prints the scripts.
    fn list(&self, report: &Report) -> Result<ExitCode, CommandError> {
        let scripts = &self.manifest.scripts;
        if report.wants_json() {
            let fields =
                scripts.iter().map(|(name, script)| (name.clone(), Value::from(script.as_str())));
            report.result("", &Value::Object(fields.collect()));
            return Ok(ExitCode::SUCCESS);
        }
        let (lifecycle, others): (Vec<_>, Vec<_>) =
            scripts.iter().partition(|(name, _)| scripts::is_lifecycle(name));
        if scripts.is_empty() {
            report.line(&format!("{} has no scripts", self.label()));
        }
        for (title, scripts) in [
            (format!("Lifecycle scripts of {}:", self.label()), lifecycle),
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

    fn unknown(&self, name: &str) -> CommandError {
        let names = self.manifest.scripts.iter().map(|(name, _)| name.as_str());
        let similar = nearest(name, names).map(str::to_owned);
        CommandError::UnknownScript { project: self.label(), script: name.to_owned(), similar }
    }
}

/// Runs the scripts of one package.
struct Runner<'r> {
    environment: &'r Environment,
    command: &'r str,
    package: &'r Package,
    root: &'r Path,
    shared: SharedFacts,
    fields: Vec<(String, String)>,
    report: &'r Report,
}

impl Runner<'_> {
    /// Runs one script; the last one replaces this process if the system can do that.
    fn step(
        &self,
        step: &Step,
        arguments: &[String],
        last: bool,
    ) -> Result<ScriptOutcome, CommandError> {
        let shown: String = std::iter::once(step.script.as_str())
            .chain(arguments.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ");
        self.report.detail(&format!(
            "> {} {}\n> {}",
            self.package.label(),
            step.event,
            shown.replace('\n', "\n> ")
        ));
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
