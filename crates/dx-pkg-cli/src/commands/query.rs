//! `dx query`: the packages that a selector names.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_inspect::query::query;
use dx_pkg_inspect::{Source, View};
use dx_pkg_install::{Environment, Events as _, Session};

use super::list::MemberArguments;
use crate::error::CommandError;
use crate::flags::{PeerSettings, SettingFlags};
use crate::options::OutputArguments;
use crate::report::Report;

/// Find packages by a selector, and print them as JSON.
#[derive(Args, Debug)]
#[command(after_help = "\
Selectors, as in CSS:
  *  #name  .prod .dev .optional .peer .bundled .workspace  [member=value]
  a > b (required by)  a b (below)  a ~ b (beside)  a, b (either)
  :root :scope :empty :private :link :deduped :overridden :extraneous :invalid :missing
  :is(…) :not(…) :has(…) :path(glob) :type(registry|git|file|directory|…)
  :attr(member, …, [member=value]) :semver(range, [member], function)
  :outdated(any|major|minor|patch|in-range|out-of-range) :vuln([severity=high], [cwe=79])")]
pub struct QueryArguments {
    /// The selector.
    #[arg(value_name = "SELECTOR", default_value = "")]
    pub selector: String,
    /// End with 1 unless something is found; with =false, if anything is.
    #[arg(long, value_name = "BOOLEAN", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true", conflicts_with = "expect_result_count")]
    pub expect_results: Option<bool>,
    /// End with 1 if anything is found.
    #[arg(long, conflicts_with_all = ["expect_results", "expect_result_count"])]
    pub no_expect_results: bool,
    /// End with 1 unless as many are found.
    #[arg(long, value_name = "NUMBER")]
    pub expect_result_count: Option<usize>,
    /// Search the lockfile, without looking at node_modules.
    #[arg(long, alias = "lockfile-only")]
    pub package_lock_only: bool,
    /// Search the globally installed packages.
    #[arg(long, short)]
    pub global: bool,
    #[command(flatten)]
    pub members: MemberArguments,
    #[command(flatten)]
    pub flags: SettingFlags<PeerSettings>,
}

impl QueryArguments {
    /// Finds packages. What is printed is JSON, also of an error.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        self.find(environment, report).inspect_err(|error| {
            if !report.wants_json() {
                Report::new(&OutputArguments { json: true, ..OutputArguments::default() })
                    .error(error);
            }
        })
    }

    fn find(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        dx_pkg_os::process::install_signal_handlers();
        let source = if self.package_lock_only { Source::Locked } else { Source::Installed };
        let words = &self.members.workspace;
        let view = match self.global {
            true => View::read_global(&environment, self.flags.settings())?,
            false => View::read(&environment, source, words, false)?,
        };
        let mut view = view.kept();
        self.members.select(&mut view)?;
        let session = Session::open(environment, &view.root, self.flags.session_options())?;
        let with_root = self.members.include_workspace_root;
        let found = query(&view, &session, &self.selector, with_root)?;
        let count = found.count();
        report.pretty_text(found.json());
        let expected = if self.no_expect_results { Some(false) } else { self.expect_results };
        let (is_expected, wish) = match (expected, self.expect_result_count) {
            (Some(true), _) => (count > 0, "results".to_owned()),
            (Some(false), _) => (count == 0, "no results".to_owned()),
            (None, Some(1)) => (count == 1, "1 result".to_owned()),
            (None, Some(wanted)) => (count == wanted, format!("{wanted} results")),
            (None, None) => (true, String::new()),
        };
        if !is_expected {
            report.warning(&format!("expected {wish}, got {count}"));
        }
        Ok(ExitCode::from(u8::from(!is_expected)))
    }
}
