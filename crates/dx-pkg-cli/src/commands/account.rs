//! The commands of an account at a registry: `dx dist-tag`, `dx owner`, `dx token` and the like.

mod packages;
mod stage;
mod token;
mod trust;

use std::process::ExitCode;

use clap::Args;
use dx_pkg_author::AuthorError;
use dx_pkg_author::account::{self, Account, Said};
use dx_pkg_install::{Environment, Session, SessionOptions};

pub use packages::{
    AccessArguments, DeprecateArguments, DistTagArguments, OrgArguments, OwnerArguments,
    ProfileArguments, TeamArguments, UnpublishArguments,
};
pub use stage::StageArguments;
pub use token::TokenArguments;
pub use trust::TrustArguments;

use super::members::WorkspaceArguments;
use crate::error::CommandError;
use crate::flags::{AccountSettings, SettingFlags};
use crate::report::Report;

/// What the commands of an account have in common.
#[derive(Args, Debug, Clone, Default)]
pub struct AccountArguments {
    /// What to do, and with what.
    #[arg(value_name = "WORD")]
    pub words: Vec<String>,
    /// Print lines with tabs between their parts.
    #[arg(long, short)]
    pub parseable: bool,
    #[command(flatten)]
    pub members: WorkspaceArguments,
    #[command(flatten)]
    pub flags: SettingFlags<AccountSettings>,
}

/// Log in to a registry, and keep the token in .npmrc.
#[derive(Args, Debug)]
pub struct LoginArguments {
    #[command(flatten)]
    pub rest: AccountArguments,
    /// The scope whose packages come from this registry.
    #[arg(long, value_name = "@SCOPE")]
    pub scope: Option<String>,
}

/// An action of an account.
type Action<'a> = dyn Fn(&Account<'_>, Option<&str>) -> Result<Said, AuthorError> + 'a;

impl AccountArguments {
    /// Carries an action out: once, or for each workspace that is meant, with its name.
    fn act(
        &self,
        command: &'static str,
        environment: Environment,
        report: &Report,
        action: &Action<'_>,
    ) -> Result<ExitCode, CommandError> {
        let members = self.members.find(&environment)?;
        let options =
            SessionOptions { flags: self.flags.settings().to_vec(), ..SessionOptions::default() };
        let session = Session::open(environment.clone(), &members.root, options)?;
        let mut code = ExitCode::SUCCESS;
        for (name, folder) in members.each() {
            let account = Account {
                environment: &environment,
                folder,
                session: &session,
                command,
                is_parseable: self.parseable,
                told: report,
            };
            let is_list = command == "dist-tag" && name.is_some();
            if let Some(name) = name.filter(|_| is_list && !report.wants_json()) {
                report.text(&format!("{name}:"));
            }
            match action(&account, name) {
                Ok(said) if report.wants_json() => report.pretty(&said.json),
                Ok(_) if report.is_silent() && command == "unpublish" => {}
                Ok(said) => report.text(&said.text),
                // npm goes on with the other workspaces.
                Err(error) if is_list => code = report.error(&error.into()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(code)
    }
}

impl LoginArguments {
    /// Logs in.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let scope = self.scope.as_deref().filter(|scope| !scope.is_empty());
        self.rest.act("login", environment, report, &|account, _| account::login(account, scope))
    }

    /// Logs out.
    pub fn log_out(
        &self,
        environment: Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let scope = self.scope.as_deref().filter(|scope| !scope.is_empty());
        self.rest.act("logout", environment, report, &|account, _| account::logout(account, scope))
    }
}

/// Prints who is logged in.
pub fn whoami(
    arguments: &AccountArguments,
    environment: Environment,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    arguments.act("whoami", environment, report, &|account, _| account::whoami(account))
}
