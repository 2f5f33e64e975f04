//! `dx stage`: publications that wait for an approval.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_author::account;
use dx_pkg_install::Environment;

use super::AccountArguments;
use crate::commands::publish::PublishArguments;
use crate::error::CommandError;
use crate::flags::SettingFlags;
use crate::report::Report;

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
