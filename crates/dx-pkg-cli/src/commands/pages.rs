//! `dx docs`, `dx repo`, `dx bugs`: the pages of a package, in a browser.

use std::io::ErrorKind;
use std::process::ExitCode;

use clap::Args;
use dx_pkg_acquire::AcquireError;
use dx_pkg_author::questions::addresses::{Address, Page, address};
use dx_pkg_install::project::find_root;
use dx_pkg_install::{Environment, Session};
use serde_json::json;

use super::members::WorkspaceArguments;
use crate::error::CommandError;
use crate::flags::{QuestionSettings, SettingFlags};
use crate::opener::{browser, opener};
use crate::report::Report;

/// The packages whose page is wanted.
#[derive(Args, Debug)]
pub struct PageArguments {
    /// Packages, or folders of packages; the project without one.
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// Open the address with this program; false prints it.
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1)]
    #[arg(default_missing_value = "true")]
    pub browser: Option<String>,
    /// Print the address, and open nothing.
    #[arg(long, overrides_with = "browser")]
    pub no_browser: bool,
    #[command(flatten)]
    pub members: WorkspaceArguments,
    #[command(flatten)]
    pub flags: SettingFlags<QuestionSettings>,
}

impl PageArguments {
    /// Opens the page of each package.
    pub fn run(
        &self,
        page: Page,
        environment: Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let folder = environment.folder.clone();
        let root = find_root(&folder).folder;
        let members =
            if self.packages.is_empty() { self.members.find(&environment)?.chosen } else { None };
        let session = Session::open(environment, &root, self.flags.session_options())?;
        let folders = members.into_iter().flatten().map(|member| (member.folder, ".".to_owned()));
        let mut wanted: Vec<_> = folders.collect();
        wanted.extend(self.packages.iter().map(|spec| (root.clone(), spec.clone())));
        if wanted.is_empty() {
            wanted.push((root.clone(), ".".to_owned()));
        }
        for (folder, spec) in wanted {
            let address = address(&session, &folder, &spec, page)?;
            self.show(&session, page, &address, report)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn show(
        &self,
        session: &Session,
        page: Page,
        address: &Address,
        report: &Report,
    ) -> Result<(), CommandError> {
        let title = format!("{} {} available at the following URL", address.name, page.name());
        let flag = if self.no_browser { Some("false") } else { self.browser.as_deref() };
        let Some(program) = browser(session, flag) else {
            print(&title, address, report);
            return Ok(());
        };
        address.check()?;
        let Some(mut command) = opener(&program, &address.url) else {
            print(&title, address, report);
            return Ok(());
        };
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            // The shell's code for a program that is not there.
            Ok(status) if status.code() == Some(127) => {
                print(&title, address, report);
                Ok(())
            }
            Ok(_) => Err(CommandError::NotOpened { program, address: address.url.clone() }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                print(&title, address, report);
                Ok(())
            }
            Err(error) => Err(AcquireError::io(format!("starting {program}"), error).into()),
        }
    }
}

fn print(title: &str, address: &Address, report: &Report) {
    if report.wants_json() {
        report.pretty(&json!({ "title": title, "url": address.url }));
    } else {
        report.text(&format!("{title}:\n{}", address.url));
    }
}
