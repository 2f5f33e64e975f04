//! `dx fund`: who looks for funding.

use std::process::ExitCode;

use clap::Args;
use dx_pkg_inspect::fund::{FundingSource, funding, of_package};
use dx_pkg_inspect::{Source, View};
use dx_pkg_install::{Environment, Session};
use serde_json::json;

use super::list::{MemberArguments, draws_in_unicode};
use crate::error::CommandError;
use crate::flags::{PeerSettings, SettingFlags};
use crate::opener::{browser, opener};
use crate::report::Report;

/// List packages that look for funding, or open the page of one.
#[derive(Args, Debug)]
pub struct FundArguments {
    /// A package whose page is opened; without one, all are listed.
    #[arg(value_name = "PACKAGE")]
    pub package: Option<String>,
    /// Of several pages of a package, open the one with this number.
    #[arg(long, value_name = "NUMBER")]
    pub which: Option<usize>,
    /// Open the page with this program; false prints its address.
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "true")]
    pub browser: Option<String>,
    /// Print the address of the page, and open nothing.
    #[arg(long, overrides_with = "browser")]
    pub no_browser: bool,
    /// Draw the tree with ASCII characters only.
    #[arg(long)]
    pub no_unicode: bool,
    #[command(flatten)]
    pub members: MemberArguments,
    #[command(flatten)]
    pub flags: SettingFlags<PeerSettings>,
}

impl FundArguments {
    /// Lists who looks for funding, or opens a page.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let words = &self.members.workspace;
        if self.which == Some(0) {
            return Err(CommandError::NotANumber);
        }
        let mut view = View::read(&environment, Source::Installed, words, false)?;
        self.members.select(&mut view)?;
        let Some(package) = &self.package else {
            let found = funding(&view);
            if report.wants_json() {
                report.pretty(&found.json());
            } else {
                let in_unicode = !self.no_unicode && draws_in_unicode(&environment);
                report.block(found.tree(in_unicode).trim_end());
            }
            return Ok(ExitCode::SUCCESS);
        };
        let options = self.flags.session_options();
        let session = Session::open(environment, &view.root, options)?;
        let sources = of_package(&view, &session, package)?;
        let chosen = match self.which {
            Some(number) => sources.get(number - 1),
            None if sources.len() == 1 => sources.first(),
            None => None,
        };
        match chosen {
            Some(source) => self.open(&session, source, report),
            None => {
                let mut lines = Vec::new();
                if let Some(number) = self.which {
                    lines.push(format!("--which={number} is not a valid index"));
                }
                for (at, source) in sources.iter().enumerate() {
                    lines.push(format!("{}: {}: {}", at + 1, source.title(), source.url));
                }
                lines.push(format!(
                    "Run `dx fund {package} --which=1`, for example, to open the first of them"
                ));
                report.text(&lines.join("\n"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Opens a page; prints its address where that is wished, or nothing can open it.
    fn open(&self, session: &Session, source: &FundingSource, report: &Report) {
        let flag = if self.no_browser { Some("false") } else { self.browser.as_deref() };
        let command = browser(session, flag).and_then(|program| opener(&program, &source.url));
        let opened = command
            .is_some_and(|mut command| command.status().is_ok_and(|status| status.success()));
        if opened {
            return;
        }
        if report.wants_json() {
            report.pretty(&json!({ "title": source.title(), "url": source.url }));
        } else {
            report.text(&format!("{}:\n{}", source.title(), source.url));
        }
    }
}
