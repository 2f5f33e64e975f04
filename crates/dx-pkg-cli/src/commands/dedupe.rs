//! `dx dedupe` and `dx find-dupes`: fewer copies of packages.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_install::summary::Summary;
use dx_pkg_install::{Environment, Mode, OpenProject, Options, install};

use super::install::{carry_out, offering};
use crate::error::CommandError;
use crate::options::TreeArguments;
use crate::report::Report;

/// Choose versions anew, so that fewer copies of packages are installed.
#[derive(Args, Debug)]
pub struct DedupeArguments {
    /// Accepted for npm compatibility: names make no difference.
    #[arg(value_name = "PACKAGE", hide = true)]
    pub packages: Vec<String>,
    /// Write nothing, show what would change in the lockfile, and exit with 1 if anything would.
    #[arg(long)]
    pub check: bool,
    /// Choose all versions together, so that the fewest are installed.
    #[arg(long, visible_alias = "minimize")]
    pub minimise: bool,
    /// Choose all versions together, so that the fewest are older than the latest.
    #[arg(long)]
    pub newest: bool,
    #[command(flatten)]
    pub tree: TreeArguments,
}

impl DedupeArguments {
    /// Deduplicates the project's packages, or checks whether that would change the lockfile.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        if self.check || self.tree.frozen_lockfile {
            return self.check(environment, report);
        }
        let again = environment.clone();
        let open = OpenProject::open(environment, self.tree.session_options(), report)?;
        let summary = carry_out(&self.tree, open, self.options(), report)?;
        offering(&self.tree, again, report, &summary)
    }

    /// Returns how the packages are deduplicated.
    fn options(&self) -> Options<'_> {
        let mode = match (self.newest, self.minimise) {
            (true, _) => Mode::Newest,
            (false, true) => Mode::Fewest,
            (false, false) => Mode::Dedupe,
        };
        Options { mode, ..Options::default() }
    }

    fn check(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let open = OpenProject::open(environment, dry(&self.tree), report)?;
        let options = Options { against_lockfile: true, ..self.options() };
        let summary = install(open, &options, report)?;
        report.summary(&summary);
        if !changes(&summary) {
            return Ok(ExitCode::SUCCESS);
        }
        // The one object of JSON tells it already.
        if report.wants_json() { Ok(ExitCode::from(1)) } else { Err(CommandError::NotDeduped) }
    }
}

/// Shows what `dx dedupe` would change.
pub fn find(
    arguments: &TreeArguments,
    environment: Environment,
    report: &Report,
) -> Result<ExitCode, CommandError> {
    let open = OpenProject::open(environment, dry(arguments), report)?;
    let options = Options { mode: Mode::Dedupe, ..Options::default() };
    carry_out(arguments, open, options, report)?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the options of a session in which nothing is written.
fn dry(arguments: &TreeArguments) -> dx_pkg_install::SessionOptions {
    let mut session = arguments.session_options();
    session.flags.push(("dry-run".to_owned(), "true".to_owned()));
    session
}

/// Returns whether a dry run found anything to change.
fn changes(summary: &Summary) -> bool {
    !summary.changes.is_empty()
        || summary.would_write.as_ref().is_some_and(|files| !files.is_empty())
}
