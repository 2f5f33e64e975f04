//! `dx exec` and `dx dlx`: run a command of an installed package, or of one that is installed for
//! it alone.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Args;
use dx_pkg_install::Environment;
use dx_pkg_run::{ExecRequest, Place, exec};

use super::run::{WorkspaceArguments, exit_code};
use crate::error::CommandError;
use crate::flags::{ExecSettings, SettingFlags};
use crate::report::Report;

/// Run a command of an installed package, or of one that is fetched for it.
#[derive(Args, Debug, Clone, Default)]
pub struct ExecArguments {
    #[command(flatten)]
    pub run: CommandArguments,
    #[command(flatten)]
    pub workspaces: WorkspaceArguments,
}

/// Run a command of a package that is fetched for it, whatever is installed here.
#[derive(Args, Debug, Clone, Default)]
pub struct DlxArguments {
    #[command(flatten)]
    pub run: CommandArguments,
}

#[derive(Args, Debug, Clone, Default)]
pub struct CommandArguments {
    /// The command, or a package that has it (NAME, NAME@VERSION, a folder, a tarball, a
    /// repository), and its arguments.
    #[arg(value_name = "COMMAND")]
    pub words: Vec<OsString>,
    /// The package that has the command; may be repeated.
    #[arg(long, short, value_name = "PACKAGE")]
    pub package: Vec<String>,
    /// The whole command in the shell's language.
    #[arg(long, short, visible_alias = "shell-mode", value_name = "COMMAND")]
    pub call: Option<String>,
    /// Fetch packages without asking.
    #[arg(long, short, overrides_with = "no")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_name = "BOOL", hide_possible_values = true)]
    pub yes: Option<bool>,
    /// Fail where a package would have to be fetched.
    #[arg(long, short, aliases = ["no-yes", "no-install"], overrides_with = "yes")]
    pub no: bool,
    #[command(flatten)]
    pub flags: SettingFlags<ExecSettings>,
}

impl ExecArguments {
    /// Runs the command.
    pub fn run(
        &self,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let place = self.workspaces.place(environment, report)?;
        self.run.carry_out(true, environment, &place, report)
    }
}

impl DlxArguments {
    /// Runs the command.
    pub fn run(
        &self,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let place = WorkspaceArguments::default().place(environment, report)?;
        let place = Place { members: None, ..place };
        self.run.carry_out(false, environment, &place, report)
    }
}

impl CommandArguments {
    fn carry_out(
        &self,
        local: bool,
        environment: &Environment,
        place: &Place,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let request = ExecRequest {
            command: "exec",
            words: &self.words,
            call: self.call.as_deref().filter(|call| !call.is_empty()),
            packages: &self.package,
            answer: if self.no { Some(false) } else { self.yes },
            local,
            flags: self.flags.settings(),
            is_last: true,
            folder: None,
        };
        Ok(exit_code(exec(environment, place, &request, report)?))
    }
}
