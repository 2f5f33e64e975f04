//! `dx token`: tokens of an account.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_author::account::{self, NewToken};
use dx_pkg_install::Environment;

use super::AccountArguments;
use crate::error::CommandError;
use crate::report::Report;

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
    /// It may only read packages: --packages-and-scopes-permission=read-only.
    #[arg(long, alias = "readonly", conflicts_with = "packages_and_scopes_permission")]
    pub read_only: bool,
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
            packages_permission: match self.read_only {
                true => Some("read-only".to_owned()),
                false => self.packages_and_scopes_permission.clone(),
            },
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
