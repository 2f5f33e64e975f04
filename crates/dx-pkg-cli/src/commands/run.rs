//! `dx run` and the commands for single scripts: run a script of the project, or of its
//! workspaces, between its pre and post scripts, as npm does.
//!
//! Neither store nor network is opened, and nothing is started but the scripts.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Args;
use dx_pkg_install::project::find_root;
use dx_pkg_install::session::configuration;
use dx_pkg_install::{Environment, Events};
use dx_pkg_run::{Place, ScriptRequest, Selection, listing, run_scripts};

use crate::error::CommandError;
use crate::flags::{ScriptSettings, SettingFlags};
use crate::options::TreeArguments;
use crate::report::Report;

/// Run a script of the project, or list them.
#[derive(Args, Debug)]
pub struct RunArguments {
    /// The script, or a pattern for several (build:*, /^build/); without one, they are listed.
    #[arg(value_name = "SCRIPT")]
    pub script: Option<String>,
    /// List a script in a line, with : between its name and its text.
    #[arg(long, short)]
    pub parseable: bool,
    #[command(flatten)]
    pub rest: ScriptArguments,
}

#[derive(Args, Debug, Clone, Default)]
pub struct ScriptArguments {
    /// Arguments for the script; put -- before flags that dx has itself.
    #[arg(value_name = "ARGUMENT")]
    pub arguments: Vec<OsString>,
    /// Do nothing if there is no such script.
    #[arg(long)]
    pub if_present: bool,
    #[command(flatten)]
    pub workspaces: WorkspaceArguments,
    #[command(flatten)]
    pub flags: SettingFlags<ScriptSettings>,
}

/// The workspaces in which something runs.
#[derive(Args, Debug, Clone, Default)]
pub struct WorkspaceArguments {
    /// Run in this workspace, given by its name or folder; may be repeated.
    #[arg(long, short, value_name = "WORKSPACE")]
    pub workspace: Vec<String>,
    /// Run in all workspaces, one after the other.
    #[arg(long, visible_alias = "ws", overrides_with = "no_workspaces")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_name = "BOOL", hide_possible_values = true)]
    pub workspaces: Option<bool>,
    /// Run in the current folder's package although it is a workspace.
    #[arg(long)]
    pub no_workspaces: bool,
    /// Run in the project's own package too.
    #[arg(long, visible_alias = "iwr")]
    pub include_workspace_root: bool,
}

impl WorkspaceArguments {
    /// Returns where something runs.
    pub fn place(&self, environment: &Environment, report: &Report) -> Result<Place, CommandError> {
        let place = Place::find(
            environment,
            &Selection {
                words: self.workspace.clone(),
                all: self.workspaces == Some(true),
                none: self.no_workspaces || self.workspaces == Some(false),
                with_root: self.include_workspace_root,
            },
        )?;
        place.warning.iter().for_each(|warning| report.warning(warning));
        Ok(place)
    }
}

impl RunArguments {
    /// Runs the script that is named; without a name, lists the scripts.
    pub fn run(
        &self,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        match &self.script {
            Some(name) => self.rest.script("run", name, environment, report),
            None => self.list(environment, report),
        }
    }

    fn list(&self, environment: &Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let place = self.rest.workspaces.place(environment, report)?;
        let found = listing(environment, &place, self.rest.flags.settings(), report)?;
        if report.is_silent() {
            return Ok(ExitCode::SUCCESS);
        }
        if report.wants_json() {
            report.pretty(&found.json());
        } else if self.parseable {
            report.text(&found.parseable());
        } else {
            found.without().for_each(|label| report.detail(&format!("{label} has no scripts")));
            report.text(&found.text());
        }
        Ok(ExitCode::SUCCESS)
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
        self.script(name, name, environment, report)
    }

    fn script(
        &self,
        command: &str,
        name: &str,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let place = self.workspaces.place(environment, report)?;
        let request = ScriptRequest {
            command,
            name,
            arguments: &self.arguments,
            if_present: self.if_present,
            flags: self.flags.settings(),
        };
        Ok(exit_code(run_scripts(environment, &place, &request, report)?))
    }
}

/// Returns the exit code of a child as that of dx.
pub fn exit_code(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
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
