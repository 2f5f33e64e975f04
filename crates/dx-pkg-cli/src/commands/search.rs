//! `dx search` and `dx ping`: questions to the registry as a whole.

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use dx_pkg_author::questions::ping;
use dx_pkg_author::questions::search::{SearchOptions, search};
use dx_pkg_compat::npmrc::redact_urls;
use dx_pkg_install::project::find_root;
use dx_pkg_install::{Environment, Session};
use serde_json::json;

use crate::error::CommandError;
use crate::flags::{QuestionSettings, SettingFlags};
use crate::report::{Report, print_words};

/// Search the registry for packages.
#[derive(Args, Debug)]
pub struct SearchArguments {
    /// Words to look for.
    #[arg(value_name = "WORD")]
    pub words: Vec<String>,
    /// Print a line for each package, with tabs between its parts.
    #[arg(long, short, alias = "porcelain")]
    pub parseable: bool,
    /// Ask for this many packages.
    #[arg(long, value_name = "NUMBER")]
    pub searchlimit: Option<u32>,
    /// Further parameters of the request: from=20&sortBy=popularity.
    #[arg(long, value_name = "PARAMETERS")]
    pub searchopts: Option<String>,
    /// Leave out packages with one of these words.
    #[arg(long, value_name = "WORDS")]
    pub searchexclude: Option<String>,
    /// Accepted for npm compatibility; descriptions are shown in any case.
    #[arg(long, short, hide = true)]
    pub long: bool,
    /// The same.
    #[arg(long, alias = "no-description", hide = true)]
    pub description: bool,
    #[command(flatten)]
    pub flags: SettingFlags<QuestionSettings>,
}

/// Ask whether the registry answers.
#[derive(Args, Debug)]
pub struct PingArguments {
    #[command(flatten)]
    pub flags: SettingFlags<QuestionSettings>,
}

impl SearchArguments {
    /// Searches and prints what was found.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let root = find_root(&environment.folder).folder;
        let session = Session::open(environment, &root, self.flags.session_options())?;
        let setting = |key: &str| session.config().raw(key).and_then(|(value, _)| value.text());
        let limit = setting("searchlimit").and_then(|limit| limit.parse().ok());
        let options = SearchOptions {
            words: self.words.clone(),
            limit: self.searchlimit.or(limit).unwrap_or(20),
            options: self.searchopts.clone().or(setting("searchopts")).unwrap_or_default(),
            exclude: self.searchexclude.clone().or(setting("searchexclude")).unwrap_or_default(),
        };
        let found = search(&session, &options)?;
        if report.wants_json() {
            report.pretty(&found.json());
        } else if self.parseable {
            print_words(&found.parseable());
        } else if found.is_empty() {
            report.text(&found.text());
        } else {
            report.block(&found.text());
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl PingArguments {
    /// Asks, and prints how long the answer took.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let root = find_root(&environment.folder).folder;
        let session = Session::open(environment, &root, self.flags.session_options())?;
        let registry = redact_urls(session.config().registry().as_str());
        report.detail(&format!("PING {registry}"));
        let start = Instant::now();
        let details = ping(&session)?;
        let time = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        report.detail(&format!("PONG {time}ms"));
        if report.wants_json() {
            report.pretty(&json!({ "registry": registry, "time": time, "details": details }));
        } else if details.as_object().is_some_and(|details| !details.is_empty()) {
            report.detail(&format!("PONG {details}"));
        }
        Ok(ExitCode::SUCCESS)
    }
}
