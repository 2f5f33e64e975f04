//! `dx init`: write a package.json, or let a package set the project up.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{BufRead, StdinLock};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use dx_pkg_acquire::AcquireError;
use dx_pkg_install::project::find_root;
use dx_pkg_install::session::configuration;
use dx_pkg_install::{Environment, Events, OpenProject, Options};
use dx_pkg_run::init::{Answers, Outcome, init};
use dx_pkg_run::{
    ExecRequest, Place, RunError, Selection, add_workspace, exec, package_of_initializer,
};
use serde_json::{Value, json};

use super::carry::carried_out;
use super::run::exit_code;
use crate::error::CommandError;
use crate::flags::{ExecSettings, SettingFlags};
use crate::options::TreeArguments;
use crate::report::Report;

/// Write a package.json, or set a project up with a package.
#[derive(Args, Debug, Clone, Default)]
pub struct InitArguments {
    /// The package that sets the project up, without create- in its name, and its arguments.
    #[arg(value_name = "INITIALIZER")]
    pub words: Vec<OsString>,
    /// Ask nothing.
    #[arg(long, short)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_name = "BOOL", hide_possible_values = true)]
    pub yes: Option<bool>,
    /// The scope of the new package's name.
    #[arg(long, value_name = "SCOPE")]
    pub scope: Option<String>,
    /// Make this folder a workspace of the project, and set up the package there; may be repeated.
    #[arg(long, short, value_name = "FOLDER")]
    pub workspace: Vec<String>,
    /// Set up the project's own package, too.
    #[arg(long, visible_alias = "iwr")]
    pub include_workspace_root: bool,
    /// Do not install new workspaces.
    #[arg(long)]
    pub no_workspaces_update: bool,
    #[command(flatten)]
    pub flags: SettingFlags<ExecSettings>,
}

impl InitArguments {
    /// Sets up the package in the current folder, or in new workspaces.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        let mut written = Vec::new();
        if self.workspace.is_empty() {
            let folder = environment.called_from.clone();
            let code = self.in_folder(&environment, &folder, (report, &mut written), true)?;
            written.iter().filter(|_| report.wants_json()).for_each(|one| report.result("", one));
            return Ok(code);
        }
        let root = find_root(&environment.folder).folder;
        if self.include_workspace_root {
            let code = self.in_folder(&environment, &root, (report, &mut written), false)?;
            if code != ExitCode::SUCCESS {
                return Ok(code);
            }
        }
        if !root.join("package.json").is_file() {
            report.warning("a workspace needs a project: --include-workspace-root sets it up too");
            let folder = root.display().to_string();
            return Err(RunError::NoProject { folder }.into());
        }
        for word in &self.workspace {
            let folder = root.join(word);
            std::fs::create_dir_all(&folder)
                .map_err(|error| AcquireError::io(format!("making {}", folder.display()), error))?;
            let code = self.in_folder(&environment, &folder, (report, &mut written), false)?;
            if code != ExitCode::SUCCESS {
                return Ok(code);
            }
            add_workspace(&root, &folder)?;
        }
        let mut installed = Value::Null;
        if self.words.is_empty() && !self.no_workspaces_update {
            let mut tree = TreeArguments::default();
            tree.flags.extend(self.flags.settings().to_vec());
            let environment = Environment { folder: root, ..environment };
            let open = OpenProject::open(environment, tree.session_options(), report)?;
            carried_out(&tree, open, Options::default(), report, |summary| {
                match report.wants_json() {
                    true => installed = report.summary_json(summary),
                    false => report.summary(summary),
                }
            })?;
        }
        if report.wants_json() && self.words.is_empty() {
            report.result("", &json!({ "written": written, "install": installed }));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Sets up the package in a folder. What is written is added as JSON where nothing was asked.
    fn in_folder(
        &self,
        environment: &Environment,
        folder: &Path,
        (report, written): (&Report, &mut Vec<Value>),
        is_last: bool,
    ) -> Result<ExitCode, CommandError> {
        let place = Place::find(environment, &Selection { none: true, ..Selection::default() })?;
        let flags = self.flags.settings();
        let Some((word, rest)) = self.words.split_first() else {
            return self.write(environment, &place.root, folder, (report, written));
        };
        let mut words = vec![OsString::from(package_of_initializer(&word.to_string_lossy())?)];
        words.extend(rest.iter().cloned());
        let request = ExecRequest {
            command: "init",
            words: &words,
            call: None,
            packages: &[],
            answer: self.yes,
            local: true,
            flags,
            is_last,
            folder: Some(folder),
        };
        Ok(exit_code(exec(environment, &place, &request, report)?))
    }

    /// Writes the package.json of a folder.
    fn write(
        &self,
        environment: &Environment,
        root: &Path,
        folder: &Path,
        (report, written): (&Report, &mut Vec<Value>),
    ) -> Result<ExitCode, CommandError> {
        let (config, _) = configuration(environment, root, self.flags.settings())?;
        let setting = |key: &str| config.raw(key).and_then(|(value, _)| value.text());
        let asks_nothing = self.yes.unwrap_or_else(|| setting("yes").as_deref() == Some("true"))
            || config.force()?;
        let scope = self.scope.clone().or_else(|| setting("scope"));
        let terminal = Terminal { input: RefCell::new(std::io::stdin().lock()), report };
        let answers: Option<&dyn Answers> = if asks_nothing { None } else { Some(&terminal) };
        if !asks_nothing {
            report.line(INTRODUCTION);
        }
        match init(folder, &config, scope.as_deref(), answers)? {
            Outcome::Written { path, text } => {
                if asks_nothing && report.wants_json() {
                    let package: Value = serde_json::from_str(&text).unwrap_or_default();
                    written.push(json!({ "path": path, "package": package }));
                } else if asks_nothing {
                    report.line(&format!("Wrote to {}:\n\n{text}\n", path.display()));
                }
            }
            Outcome::Aborted => report.line("Aborted."),
            Outcome::Canceled => {
                report
                    .warning("canceled: nobody answers, and nothing was written; -y asks nothing");
                return Ok(ExitCode::FAILURE);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What is said before the first question.
const INTRODUCTION: &str = "\
These questions lead to a package.json. Each has a default in parentheses, which Enter takes.
`dx add PACKAGE` saves dependencies into it later. ^C ends this without writing anything.
";

/// The user at the terminal, or what is piped into dx.
struct Terminal<'t> {
    input: RefCell<StdinLock<'static>>,
    report: &'t Report,
}

impl Answers for Terminal<'_> {
    fn answer(&self, question: &str, default: &str) -> Option<String> {
        let shown = if default.is_empty() { String::new() } else { format!(" ({default})") };
        self.report.ask(&format!("{question}{shown}"));
        let mut answer = String::new();
        let bytes = self.input.borrow_mut().read_line(&mut answer).ok()?;
        if bytes == 0 {
            self.report.end_line();
            return None;
        }
        let answer = answer.trim_end_matches(['\r', '\n']);
        Some(if answer.is_empty() { default.to_owned() } else { answer.to_owned() })
    }

    fn show(&self, text: &str) {
        self.report.line(text);
    }
}
