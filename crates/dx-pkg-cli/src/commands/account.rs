//! The commands of an account at a registry: `dx dist-tag`, `dx owner`, `dx token` and the like.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_author::account::{self, Account, NewToken, Said, TrustFlags};
use dx_pkg_author::{AuthorError, Tarball};
use dx_pkg_install::{Environment, Session, SessionOptions};

use super::members::WorkspaceArguments;
use super::publish::PublishArguments;
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

/// List, make and revoke tokens.
#[derive(Args, Debug)]
#[command(after_help = "\
  dx token list
  dx token create [flags]
  dx token revoke ID|TOKEN")]
pub struct TokenArguments {
    #[command(flatten)]
    pub rest: AccountArguments,
    /// The name of a new token.
    #[arg(long)]
    pub name: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    pub token_description: Option<String>,
    /// The days until it expires.
    #[arg(long, value_name = "DAYS")]
    pub expires: Option<u32>,
    /// A package that it is for; may be repeated.
    #[arg(long, value_name = "PACKAGE", value_delimiter = ',')]
    pub packages: Vec<String>,
    /// It is for all packages.
    #[arg(long)]
    pub packages_all: bool,
    /// A scope that it is for; may be repeated.
    #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
    pub scopes: Vec<String>,
    /// An organisation that it is for; may be repeated.
    #[arg(long, value_name = "ORG", value_delimiter = ',')]
    pub orgs: Vec<String>,
    /// read-only, read-write, read-write-stage-only or no-access.
    #[arg(long, value_name = "WHAT")]
    pub packages_and_scopes_permission: Option<String>,
    /// read-only, read-write or no-access.
    #[arg(long, value_name = "WHAT")]
    pub orgs_permission: Option<String>,
    /// IPv4 addresses that it may be used from, such as 10.0.0.0/8; may be repeated.
    #[arg(long, value_name = "RANGE")]
    pub cidr: Vec<String>,
    /// It needs no second factor.
    #[arg(long = "bypass-2fa")]
    pub bypass_2fa: bool,
    /// The password of the account, which is asked for otherwise.
    #[arg(long)]
    pub password: Option<String>,
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

/// Show and decide on staged publications.
#[derive(Args, Debug)]
#[command(after_help = "\
  dx stage publish [PACKAGE]
  dx stage list [PACKAGE]
  dx stage view|approve|reject|download ID")]
pub struct StageArguments {
    #[command(flatten)]
    pub rest: AccountArguments,
}

/// Add, list and revoke pipelines that may publish a package without a token.
#[derive(Args, Debug)]
#[command(after_help = "\
  dx trust github [PACKAGE] --file=release.yml [--repository=OWNER/NAME]
  dx trust gitlab [PACKAGE] --file=.gitlab-ci.yml [--project=GROUP/NAME]
  dx trust circleci [PACKAGE] --org-id=… --project-id=… --pipeline-definition-id=… --vcs-origin=…
  dx trust list [PACKAGE]
  dx trust revoke [PACKAGE] --id=ID")]
pub struct TrustArguments {
    #[command(flatten)]
    pub rest: AccountArguments,
    /// The file of the workflow or pipeline.
    #[arg(long)]
    pub file: Option<String>,
    /// The repository or project.
    #[arg(long, aliases = ["repo", "project"], value_name = "OWNER/NAME")]
    pub repository: Option<String>,
    /// The environment of the pipeline.
    #[arg(long, alias = "env", value_name = "NAME")]
    pub environment: Option<String>,
    /// Allow publishing.
    #[arg(long)]
    pub allow_publish: bool,
    /// Allow staged publishing.
    #[arg(long, alias = "allow-staged-publish")]
    pub allow_stage_publish: bool,
    /// The id of a trusted publisher.
    #[arg(long)]
    pub id: Option<String>,
    /// The organisation at CircleCI.
    #[arg(long, value_name = "ID")]
    pub org_id: Option<String>,
    /// The project at CircleCI.
    #[arg(long, value_name = "ID")]
    pub project_id: Option<String>,
    /// The pipeline at CircleCI.
    #[arg(long, value_name = "ID")]
    pub pipeline_definition_id: Option<String>,
    /// The repository at CircleCI, as provider/owner/name.
    #[arg(long, value_name = "ORIGIN")]
    pub vcs_origin: Option<String>,
    /// A context at CircleCI; may be repeated.
    #[arg(long, value_name = "ID")]
    pub context_id: Vec<String>,
    /// Ask nothing.
    #[arg(long, short)]
    pub yes: bool,
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
        let options = SessionOptions {
            flags: self.flags.settings().to_vec(),
            ..SessionOptions::default()
        };
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
                Ok(said) => report.text(&said.text),
                // npm goes on with the other workspaces.
                Err(error) if is_list => code = report.error(&error.into()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(code)
    }
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
        self.rest.act("unpublish", environment, report, &|account, _| {
            account::unpublish(account, word)
        })
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

impl TokenArguments {
    /// Carries the action out.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let new = NewToken {
            name: self.name.clone(),
            description: self.token_description.clone(),
            expires: self.expires,
            packages: self.packages.clone(),
            all_packages: self.packages_all,
            scopes: self.scopes.clone(),
            organisations: self.orgs.clone(),
            packages_permission: self.packages_and_scopes_permission.clone(),
            organisations_permission: self.orgs_permission.clone(),
            cidr: self.cidr.clone(),
            bypass_2fa: self.bypass_2fa,
            password: self.password.clone(),
        };
        self.rest.act("token", environment, report, &|account, _| {
            account::tokens(account, &self.rest.words, &new)
        })
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

impl StageArguments {
    /// Carries the action out.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let words = &self.rest.words;
        if words.first().is_some_and(|word| word == "publish") {
            let mut publish = PublishArguments {
                package: words.get(1).cloned(),
                members: self.rest.members.clone(),
                flags: SettingFlags::default(),
            };
            publish.flags.extend(self.rest.flags.settings().to_vec());
            return publish.stage(&environment, report);
        }
        self.rest.act("stage", environment, report, &|account, _| account::stage(account, words))
    }
}

impl TrustArguments {
    /// Carries the action out.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let flags = TrustFlags {
            file: self.file.clone(),
            repository: self.repository.clone(),
            environment: self.environment.clone(),
            publish: self.allow_publish,
            stage: self.allow_stage_publish,
            id: self.id.clone(),
            circleci: [
                self.org_id.clone(),
                self.project_id.clone(),
                self.pipeline_definition_id.clone(),
                self.vcs_origin.clone(),
            ],
            contexts: self.context_id.clone(),
            yes: self.yes,
        };
        self.rest.act("trust", environment, report, &|account, _| {
            account::trust(account, &self.rest.words, &flags)
        })
    }
}

/// Returns the line about a publication.
pub(super) fn line(tarball: &Tarball, stage: Option<&str>, is_staged: bool) -> String {
    let label = format!("+ {}@{}", tarball.name, tarball.version);
    match (is_staged, stage) {
        (false, _) => label,
        (true, Some(id)) => format!("{label} (staged with id {id})"),
        (true, None) => format!("{label} (staged)"),
    }
}
