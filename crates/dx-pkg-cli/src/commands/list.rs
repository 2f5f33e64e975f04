//! `dx ls` and `dx explain`: what is installed, and why.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use dx_pkg_inspect::explain::explain;
use dx_pkg_inspect::list::{ListOptions, Omitted, list};
use dx_pkg_inspect::{InspectError, Source, View};
use dx_pkg_install::Environment;

use crate::error::CommandError;
use crate::flags::{InstallSettings, SettingFlags};
use crate::pages::{is_code, page};
use crate::report::Report;

/// List installed packages.
#[derive(Args, Debug, Clone)]
pub struct ListArguments {
    /// Packages to look for: names, or names with a version range.
    #[arg(value_name = "PACKAGE")]
    pub packages: Vec<String>,
    /// List all dependencies, not only the project's own.
    #[arg(long, short)]
    pub all: bool,
    /// List this many levels below the project's own dependencies.
    #[arg(long, value_name = "LEVELS", value_parser = depth)]
    pub depth: Option<usize>,
    /// Also print descriptions; with --json, the packages' whole package.json.
    #[arg(long, short)]
    pub long: bool,
    /// Print the packages' folders, one in a line.
    #[arg(long, short)]
    pub parseable: bool,
    #[command(flatten)]
    pub kinds: KindArguments,
    /// List what dependencies need, without devDependencies.
    #[arg(long, alias = "production")]
    pub prod: bool,
    /// List linked packages only.
    #[arg(long)]
    pub link: bool,
    /// List what the lockfile has, without looking at node_modules.
    #[arg(long, alias = "lockfile-only")]
    pub package_lock_only: bool,
    /// List globally installed packages.
    #[arg(long, short)]
    pub global: bool,
    /// Draw the tree with ASCII characters only.
    #[arg(long)]
    pub no_unicode: bool,
    #[command(flatten)]
    pub members: MemberArguments,
}

/// A kind of dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Dev,
    Optional,
    Peer,
    Prod,
}

/// The kinds of dependencies that a question is about.
#[derive(Args, Debug, Clone, Default)]
pub struct KindArguments {
    /// Leave this kind of dependency out; may be repeated.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub omit: Vec<Kind>,
    /// List this kind of dependency although it is omitted; may be repeated.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    pub include: Vec<Kind>,
}

/// The workspaces that a question is about.
#[derive(Args, Debug, Clone, Default)]
pub struct MemberArguments {
    /// Only what this workspace needs, given by name or folder; may be repeated.
    #[arg(long, short, value_name = "WORKSPACE")]
    pub workspace: Vec<String>,
    /// Also what the project itself needs.
    #[arg(long)]
    pub include_workspace_root: bool,
    /// What all workspaces need, without what only the project needs.
    #[arg(long, alias = "ws", overrides_with = "no_workspaces")]
    pub workspaces: bool,
    /// Leave workspaces out.
    #[arg(long)]
    pub no_workspaces: bool,
}

impl MemberArguments {
    /// Selects all workspaces where the flag says so; an error where the project has none.
    pub fn select(&self, view: &mut View) -> Result<(), InspectError> {
        if self.workspaces { view.select_all() } else { Ok(()) }
    }

    /// Returns the workspaces that the flags of a command with all settings name.
    pub fn given(flags: &SettingFlags<InstallSettings>) -> Self {
        let named = flags.settings().iter().filter(|(key, _)| key == "workspace");
        MemberArguments {
            workspace: named.map(|(_, name)| name.clone()).collect(),
            include_workspace_root: flags.sets("include-workspace-root", "true"),
            workspaces: flags.sets("workspaces", "true"),
            no_workspaces: flags.sets("workspaces", "false"),
        }
    }
}

/// Tell why packages are installed, or what an error code means.
#[derive(Args, Debug)]
pub struct ExplainArguments {
    /// Names of packages, names with a version range, or folders in node_modules; or error codes,
    /// such as DX_NO_MATCHING_VERSION.
    #[arg(value_name = "PACKAGE", required = true)]
    pub packages: Vec<String>,
    #[command(flatten)]
    pub members: MemberArguments,
}

impl ListArguments {
    /// Returns the arguments of `dx ll`.
    pub fn in_full(&self) -> Self {
        ListArguments { long: true, ..self.clone() }
    }

    /// Lists what is installed.
    pub fn run(
        &self,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        let source = if self.package_lock_only { Source::Locked } else { Source::Installed };
        let view = match self.global {
            true => View::read_global(environment, &[])?,
            false => View::read(environment, source, &self.members.workspace, false)?,
        };
        let mut view = view.kept();
        self.members.select(&mut view)?;
        let options = ListOptions {
            asked: self.packages.clone(),
            depth: self.depth,
            all: self.all,
            links_only: self.link,
            omitted: self.kinds.omitted(environment, self.prod),
            long: self.long,
            with_root: self.members.include_workspace_root,
            without_workspaces: self.members.no_workspaces,
        };
        let list = list(&view, &options);
        if report.wants_json() {
            let mut json = list.json();
            if list.has_faults() {
                json["error"] = problems_json(&list.problems);
            }
            report.pretty(&json);
        } else if self.parseable {
            report.text(&list.paths());
        } else {
            let in_unicode = !self.no_unicode && draws_in_unicode(environment);
            report.block(&list.tree(in_unicode));
        }
        if list.has_faults() {
            if !report.wants_json() {
                return Err(CommandError::Problems { problems: list.problems.join("\n") });
            }
            return Ok(ExitCode::FAILURE);
        }
        Ok(if list.found_any() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl ExplainArguments {
    /// Tells why packages are there.
    pub fn run(
        &self,
        environment: &Environment,
        report: &Report,
    ) -> Result<ExitCode, CommandError> {
        if self.packages.iter().all(|word| is_code(word)) {
            return explain_codes(&self.packages, report);
        }
        let words = &self.members.workspace;
        let mut view = View::read(environment, Source::Installed, words, false)?;
        self.members.select(&mut view)?;
        let explanation = explain(&view, &self.packages)?;
        if report.wants_json() {
            report.pretty(&explanation.json());
        } else {
            report.text(&explanation.text());
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints the pages about error codes.
fn explain_codes(codes: &[String], report: &Report) -> Result<ExitCode, CommandError> {
    let found = codes.iter().map(|code| {
        let text = page(code).ok_or_else(|| CommandError::UnknownCode { code: code.clone() })?;
        Ok((code.clone(), text))
    });
    let found: Vec<(String, &str)> = found.collect::<Result<_, CommandError>>()?;
    if report.wants_json() {
        let pages = found.iter().map(|(code, text)| {
            let text = text.split_once("\n\n").map_or("", |(_, text)| text);
            serde_json::json!({ "code": code, "text": text })
        });
        report.pretty(&pages.collect());
    } else {
        let pages: Vec<&str> = found.iter().map(|(_, text)| *text).collect();
        report.text(&pages.join("\n\n"));
    }
    Ok(ExitCode::SUCCESS)
}

impl KindArguments {
    /// Returns the kinds that are left out. What is included is not; development is in production.
    pub fn omitted(&self, environment: &Environment, is_production: bool) -> Vec<Omitted> {
        let is_production = is_production || environment.variable("NODE_ENV") == Some("production");
        let all = self.omit.iter().copied().chain(is_production.then_some(Kind::Dev));
        let kinds = all.filter(|kind| !self.include.contains(kind)).filter_map(|kind| match kind {
            Kind::Dev => Some(Omitted::Development),
            Kind::Optional => Some(Omitted::Optional),
            Kind::Peer => Some(Omitted::Peer),
            Kind::Prod => None,
        });
        kinds.collect()
    }
}

/// Reads a number of levels; npm also takes `Infinity`.
fn depth(text: &str) -> Result<usize, String> {
    if text.eq_ignore_ascii_case("infinity") {
        return Ok(usize::MAX);
    }
    text.parse().map_err(|_| "give a number, or Infinity".to_owned())
}

/// Returns npm's member `error` of a list with problems.
fn problems_json(problems: &[String]) -> serde_json::Value {
    serde_json::json!({ "code": "ELSPROBLEMS", "summary": problems.join("\n"), "detail": "" })
}

/// Returns whether the locale's characters include the lines of a tree.
pub(super) fn draws_in_unicode(environment: &Environment) -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| environment.variable(name));
    let locale = locale.unwrap_or_default().to_ascii_lowercase();
    locale.ends_with("utf-8") || locale.ends_with("utf8")
}
