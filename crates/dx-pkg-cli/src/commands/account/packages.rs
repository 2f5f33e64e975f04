//! What an account does with packages: tags, deprecation, owners, access.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_author::AuthorError;
use dx_pkg_author::account;
use dx_pkg_install::Environment;

use super::AccountArguments;
use crate::commands::members::WorkspaceArguments;
use crate::error::CommandError;
use crate::report::Report;

/// Set, remove and list dist-tags of a package.
#[derive(Args, Debug)]
#[command(after_help = "\
  dx dist-tag [ls] [PACKAGE]
  dx dist-tag add PACKAGE@VERSION [TAG]
  dx dist-tag rm PACKAGE TAG")]
pub struct DistTagArguments {
    #[command(flatten)]
    pub rest: AccountArguments,
}

/// Deprecate versions of a package, with a message.
#[derive(Args, Debug)]
#[command(after_help = "  dx deprecate PACKAGE[@RANGE] MESSAGE")]
pub struct DeprecateArguments {
    #[command(flatten)]
    pub rest: AccountArguments,
}

/// Take a version of a package back, or with --force the whole package.
#[derive(Args, Debug)]
#[command(after_help = "  dx unpublish [PACKAGE[@VERSION]]")]
pub struct UnpublishArguments {
    #[command(flatten)]
    pub rest: AccountArguments,
}

/// Add, remove and list owners of a package.
#[derive(Args, Debug)]
#[command(after_help = "\
  dx owner ls [PACKAGE]
  dx owner add USER [PACKAGE]
  dx owner rm USER [PACKAGE]")]
pub struct OwnerArguments {
    #[command(flatten)]
    pub rest: AccountArguments,
}

/// Show and change who may see and change packages.
#[derive(Args, Debug)]
#[command(after_help = "\
  dx access list packages [USER|SCOPE|SCOPE:TEAM] [PACKAGE]
  dx access list collaborators [PACKAGE [USER]]
  dx access get status [PACKAGE]
  dx access set status=public|private [PACKAGE]
  dx access set mfa=none|publish|automation [PACKAGE]
  dx access grant read-only|read-write SCOPE:TEAM [PACKAGE]
  dx access revoke SCOPE:TEAM [PACKAGE]")]
pub struct AccessArguments {
    #[command(flatten)]
    pub rest: AccountArguments,
}

/// Show and change the teams of an organisation.
#[derive(Args, Debug)]
#[command(after_help = "\
  dx team create|destroy SCOPE:TEAM
  dx team add|rm SCOPE:TEAM USER
  dx team ls SCOPE|SCOPE:TEAM")]
pub struct TeamArguments {
    #[command(flatten)]
    pub rest: AccountArguments,
}

/// Show and change the members of an organisation.
#[derive(Args, Debug)]
#[command(after_help = "\
  dx org set ORG USER [developer|admin|owner]
  dx org rm ORG USER
  dx org ls ORG [USER]")]
pub struct OrgArguments {
    #[command(flatten)]
    pub rest: AccountArguments,
}

/// Show and change the profile at the registry.
#[derive(Args, Debug)]
#[command(after_help = "\
  dx profile get [KEY]
  dx profile set KEY VALUE
  dx profile set password
  dx profile enable-2fa [auth-only|auth-and-writes]
  dx profile disable-2fa")]
pub struct ProfileArguments {
    #[command(flatten)]
    pub rest: AccountArguments,
}

impl DistTagArguments {
    /// Carries the action out. Only a list is one of all workspaces that are meant.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let mut rest = self.rest.clone();
        let words: Vec<&str> = rest.words.iter().map(String::as_str).collect();
        let is_own = |word: &str| word == "." || word.starts_with(".@");
        let is_list = match words.as_slice() {
            [] => true,
            [one] => is_own(one) || matches!(*one, "ls" | "l" | "sl" | "list"),
            ["ls" | "l" | "sl" | "list", own] => is_own(own),
            _ => false,
        };
        if is_list {
            rest.words = vec!["ls".to_owned()];
        } else {
            rest.members = WorkspaceArguments { no_workspaces: true, ..Default::default() };
        }
        let words = rest.words.clone();
        rest.act("dist-tag", environment, report, &|account, _| account::tags(account, &words))
    }
}

impl DeprecateArguments {
    /// Deprecates, or with `undo` takes that back.
    pub fn run(
        &self,
        undo: bool,
        environment: Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let usage = "dx deprecate PACKAGE[@RANGE] MESSAGE | dx undeprecate PACKAGE[@RANGE]";
        let words = &self.rest.words;
        let (word, message) = match (words.first(), words.get(1)) {
            (Some(word), _) if undo => (word, ""),
            (Some(word), Some(message)) => (word, message.as_str()),
            _ => {
                let message = "a package and a message are needed".to_owned();
                return Err(AuthorError::Usage { message, usage }.into());
            }
        };
        self.rest.act("deprecate", environment, report, &|account, _| {
            account::deprecate(account, word, message)
        })
    }
}

impl UnpublishArguments {
    /// Takes back what is named.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        if self.rest.words.len() > 1 {
            let message = "one package is taken back at a time".to_owned();
            let usage = "dx unpublish [PACKAGE[@VERSION]]";
            return Err(AuthorError::Usage { message, usage }.into());
        }
        let word = self.rest.words.first().map(String::as_str);
        self.rest
            .act("unpublish", environment, report, &|account, _| account::unpublish(account, word))
    }
}

impl OwnerArguments {
    /// Carries the action out. A package that is named is meant whichever workspaces are.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let mut rest = self.rest.clone();
        let names_package = match rest.words.first().map(String::as_str) {
            Some("ls" | "list") => rest.words.len() > 1,
            _ => rest.words.len() > 2,
        };
        if names_package {
            rest.members = WorkspaceArguments { no_workspaces: true, ..Default::default() };
        }
        let words = rest.words.clone();
        rest.act("owner", environment, report, &|account, _| account::owners(account, &words))
    }
}

macro_rules! plain {
    ($($arguments:ident, $command:literal, $action:path;)+) => {$(
        impl $arguments {
            /// Carries the action out.
            pub fn run(
                &self,
                environment: Environment,
                report: &Report,
            ) -> Result<ExitCode, CommandError> {
                self.rest.act($command, environment, report, &|account, _| {
                    $action(account, &self.rest.words)
                })
            }
        }
    )+};
}

plain! {
    AccessArguments, "access", account::access;
    TeamArguments, "team", account::teams;
    OrgArguments, "org", account::orgs;
    ProfileArguments, "profile", account::profile;
}
