//! `dx explore` and `dx edit`: the folder of an installed package, in a shell or an editor.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;
use dx_pkg_acquire::AcquireError;
use dx_pkg_compat::npmrc::RawValue;
use dx_pkg_install::Environment;
use dx_pkg_install::project::find_root;
use dx_pkg_install::scripts::{
    self, Output, ScriptCommand, ScriptEnvironment, ScriptPackage, SharedFacts,
};
use dx_pkg_install::session::configuration;

use crate::error::{BY_SIGNAL, CommandError, SettingsError};
use crate::flags::{ScriptSettings, SettingFlags};
use crate::report::Report;

/// The name of the script that a shell or command is to npm.
const EVENT: &str = "_explore";

/// Open a shell in the folder of an installed package, or run a command there.
#[derive(Args, Debug)]
pub struct ExploreArguments {
    /// The package.
    #[arg(value_name = "PACKAGE")]
    pub package: String,
    /// The command; a shell without one.
    #[arg(value_name = "COMMAND", last = true)]
    pub command: Vec<String>,
    /// Start this shell.
    #[arg(long, value_name = "PROGRAM")]
    pub shell: Option<String>,
    #[command(flatten)]
    pub flags: SettingFlags<ScriptSettings>,
}

/// Open the folder of an installed package in an editor, and rebuild the package afterwards.
#[derive(Args, Debug)]
pub struct EditArguments {
    /// The package; one inside it behind a slash.
    #[arg(value_name = "PACKAGE")]
    pub package: String,
    /// Open it with this program.
    #[arg(long, value_name = "PROGRAM")]
    pub editor: Option<String>,
    #[command(flatten)]
    pub flags: SettingFlags<ScriptSettings>,
}

impl ExploreArguments {
    /// Runs the shell or the command.
    pub fn run(
        &self,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let root = find_root(&environment.folder).folder;
        let folder = installed(&root, &self.package)?;
        let missing = || CommandError::NotInstalled { package: self.package.clone() };
        let package = ScriptPackage::nearest(&folder)?.ok_or_else(missing)?;
        let (flags, own) = (self.flags.settings(), (&*package.folder, &package.manifest));
        let (config, node) = scripts::prepare(environment, &root, own, flags, report)?;
        let shared = SharedFacts::new(environment, &root, &config, node.as_ref())?;
        let command = self.command.join(" ").trim().to_owned();
        let given = self.shell.clone();
        let script = if !command.is_empty() {
            command
        } else {
            report.line(&format!(
                "\nExploring {}\nType 'exit' or ^D when finished\n",
                folder.display()
            ));
            given
                .or_else(|| environment.variable("SHELL").map(str::to_owned))
                .unwrap_or_else(|| "sh".to_owned())
        };
        report.script(&package.label(), EVENT, &script);
        let fields = package.manifest.script_fields();
        let variables = scripts::environment(
            environment.variables.iter().cloned(),
            &ScriptEnvironment {
                event: EVENT,
                script: &script,
                package: &package.folder,
                name: package.manifest.name.as_deref(),
                version: package.manifest.version.as_deref(),
                fields: &fields,
                lock: None,
                project: &root,
                called_from: &environment.called_from,
                command: "explore",
                shared: &shared,
                executable: &environment.executable,
            },
        );
        let outcome = scripts::become_script(&ScriptCommand {
            script: &script,
            arguments: &[],
            folder: &package.folder,
            environment: &variables,
            shell: shared.shell.as_deref(),
            output: Output::Inherit,
        })?;
        let code = outcome.code.unwrap_or(BY_SIGNAL + outcome.signal.unwrap_or(0));
        Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
    }
}

impl EditArguments {
    /// Opens the editor, then rebuilds the package.
    pub fn run(&self, environment: &Environment) -> Result<ExitCode, CommandError> {
        let root = find_root(&environment.folder).folder;
        let folder = installed(&root, &self.package)?;
        let (config, _) = configuration(environment, &root, self.flags.settings())?;
        // A project's own file names no program that is run.
        let setting = config.raw("editor").filter(|_| config.is_given_by_user("editor"));
        let setting = setting.and_then(|(value, _): (&RawValue, _)| value.text());
        let variable = || environment.variable("EDITOR").or_else(|| environment.variable("VISUAL"));
        let editor = self.editor.clone().or(setting).or_else(|| variable().map(str::to_owned));
        let editor = editor.unwrap_or_else(|| "vi".to_owned());
        let mut words = editor.split_whitespace();
        let ended = Command::new(words.next().unwrap_or("vi")).args(words).arg(&folder).status();
        match ended {
            Ok(status) if status.success() => {}
            Ok(status) => {
                return Err(SettingsError::Editor { editor, ended: status.to_string() }.into());
            }
            Err(error) => {
                return Err(AcquireError::io(format!("starting the editor {editor}"), error).into());
            }
        }
        let rebuilt = Command::new(&environment.executable)
            .arg("rebuild")
            .arg(&folder)
            .current_dir(&root)
            .status()
            .map_err(|error| AcquireError::io("starting dx rebuild", error))?;
        Ok(if rebuilt.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Returns the folder of an installed package: `a`, `@s/a`, or `a/b` for the `b` inside `a`.
fn installed(root: &Path, package: &str) -> Result<PathBuf, CommandError> {
    let mut folder = root.to_owned();
    let mut scope: Option<&str> = None;
    for part in package.split('/').filter(|part| !part.is_empty()) {
        let is_name = !part.starts_with('.') && !part.contains('\\');
        if !is_name {
            return Err(CommandError::NotInstalled { package: package.to_owned() });
        }
        match scope.take() {
            Some(scope) => folder = folder.join("node_modules").join(scope).join(part),
            None if part.starts_with('@') => scope = Some(part),
            None => folder = folder.join("node_modules").join(part),
        }
    }
    match scope.is_none() && folder != *root && folder.join("package.json").is_file() {
        true => Ok(folder),
        false => Err(CommandError::NotInstalled { package: package.to_owned() }),
    }
}
