//! The commands of authors: packages are made, published and looked after at a registry.

use std::process::ExitCode;

use clap::Subcommand;
use dx_pkg_install::Environment;

use super::later::Later;
use super::take::Taker;
use super::{account, diff, pack, pkg, publish, version};
use crate::error::CommandError;
use crate::report::Report;

#[derive(Subcommand, Debug)]
pub enum AuthorCommand {
    Pkg(Later<pkg::PkgArguments>),
    Pack(Later<pack::PackArguments>),
    Publish(Later<publish::PublishArguments>),
    Diff(Later<diff::DiffArguments>),
    #[command(alias = "dist-tags")]
    DistTag(Later<account::DistTagArguments>),
    Deprecate(Later<account::DeprecateArguments>),
    /// Take the deprecation of versions of a package back.
    Undeprecate(Later<account::DeprecateArguments>),
    Unpublish(Later<account::UnpublishArguments>),
    #[command(visible_alias = "author")]
    Owner(Later<account::OwnerArguments>),
    Access(Later<account::AccessArguments>),
    Team(Later<account::TeamArguments>),
    #[command(alias = "ogr")]
    Org(Later<account::OrgArguments>),
    Profile(Later<account::ProfileArguments>),
    Token(Later<account::TokenArguments>),
    #[command(visible_alias = "adduser", alias = "add-user")]
    Login(Later<account::LoginArguments>),
    /// Log out of a registry, and take the token out of .npmrc.
    Logout(Later<account::LoginArguments>),
    /// Print the name of the user that is logged in.
    Whoami(Later<account::AccountArguments>),
    Stage(Later<account::StageArguments>),
    Trust(Later<account::TrustArguments>),
    #[command(alias = "verison")]
    Version(Later<version::VersionArguments>),
}

impl AuthorCommand {
    /// Returns what takes the settings that are given as flags.
    pub fn flags(&mut self) -> Taker<'_> {
        match self {
            Self::Version(version) => Taker::Settings(&mut version.flags),
            Self::Pack(pack) => Taker::Settings(&mut pack.flags),
            Self::Publish(publish) => Taker::Settings(&mut publish.flags),
            Self::Diff(diff) => Taker::Settings(&mut diff.flags),
            Self::Whoami(whoami) => Taker::Settings(&mut whoami.flags),
            Self::DistTag(command) => Taker::Settings(&mut command.rest.flags),
            Self::Deprecate(command) | Self::Undeprecate(command) => {
                Taker::Settings(&mut command.rest.flags)
            }
            Self::Unpublish(command) => Taker::Settings(&mut command.rest.flags),
            Self::Owner(command) => Taker::Settings(&mut command.rest.flags),
            Self::Access(command) => Taker::Settings(&mut command.rest.flags),
            Self::Team(command) => Taker::Settings(&mut command.rest.flags),
            Self::Org(command) => Taker::Settings(&mut command.rest.flags),
            Self::Profile(command) => Taker::Settings(&mut command.rest.flags),
            Self::Token(command) => Taker::Settings(&mut command.rest.flags),
            Self::Login(command) | Self::Logout(command) => {
                Taker::Settings(&mut command.rest.flags)
            }
            Self::Stage(command) => Taker::Settings(&mut command.rest.flags),
            Self::Trust(command) => Taker::Settings(&mut command.rest.flags),
            Self::Pkg(_) => Taker::Nobody,
        }
    }

    /// Carries the command out.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        match self {
            Self::Pkg(arguments) => arguments.run(&environment, report),
            Self::Version(arguments) => arguments.run(environment, report),
            Self::Pack(arguments) => arguments.run(environment, report),
            Self::Publish(arguments) => arguments.run(&environment, report),
            Self::Diff(arguments) => arguments.run(&environment, report),
            Self::DistTag(arguments) => arguments.run(environment, report),
            Self::Deprecate(arguments) => arguments.run(false, environment, report),
            Self::Undeprecate(arguments) => arguments.run(true, environment, report),
            Self::Unpublish(arguments) => arguments.run(environment, report),
            Self::Owner(arguments) => arguments.run(environment, report),
            Self::Access(arguments) => arguments.run(environment, report),
            Self::Team(arguments) => arguments.run(environment, report),
            Self::Org(arguments) => arguments.run(environment, report),
            Self::Profile(arguments) => arguments.run(environment, report),
            Self::Token(arguments) => arguments.run(environment, report),
            Self::Login(arguments) => arguments.run(environment, report),
            Self::Logout(arguments) => arguments.log_out(environment, report),
            Self::Whoami(arguments) => account::whoami(arguments, environment, report),
            Self::Stage(arguments) => arguments.run(environment, report),
            Self::Trust(arguments) => arguments.run(environment, report),
        }
    }
}
