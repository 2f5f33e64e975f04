//! `dx trust`: pipelines that may publish without a token.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_author::account::{self, TrustFlags};
use dx_pkg_install::Environment;

use super::AccountArguments;
use crate::error::CommandError;
use crate::report::Report;

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
