//! The commands: a module each, with its arguments, its help and its work.

mod account;
mod approvals;
mod audit;
mod authors;
mod cache;
mod carry;
mod ci;
pub mod completion;
pub mod config;
mod dedupe;
mod defaults;
mod deploy;
mod diff;
mod dispatch;
mod doctor;
mod exec;
mod explore;
mod faces;
mod folders;
mod fund;
mod global;
mod groups;
mod help_search;
mod idle;
mod init;
mod install;
mod later;
mod leave;
mod licenses;
mod link;
mod list;
mod lock;
mod members;
mod outdated;
mod pack;
mod pages;
mod patch;
mod peers;
mod pkg;
mod prune;
mod publish;
mod query;
mod rebuild;
mod remove;
mod run;
mod sbom;
mod search;
mod shims;
mod store;
pub mod table;
mod take;
mod update;
mod version;
mod view;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{FromArgMatches, Parser, Subcommand};
use dx_pkg_compat::command_words::{Translation, command_place};
use dx_pkg_install::project::find_root;
use later::{Later, names_only, parser_for};
use take::{Taker, ambiguous_flag, aside, is_about_settings, is_own_flag, own_flags_first};

use crate::options::{GLOBAL, OutputArguments, TreeArguments};
use crate::report;

/// The end of the help.
const AFTER_HELP: &str = "\
`dx help COMMAND` shows the flags of a command.
A script of package.json also runs by its name alone: `dx dev` is `dx run dev`.
So does a command of an installed package: `dx tsc` is `dx exec tsc`.
Settings are read from .npmrc files and npm_config_* variables.";

/// A fast, safe package manager for npm projects.
#[derive(Parser, Debug)]
#[command(name = "dx", version, about, disable_help_subcommand = true)]
#[command(args_override_self = true)]
#[command(after_help = AFTER_HELP)]
pub struct Arguments {
    /// Run as if dx had been started in this folder.
    #[arg(short = 'C', long = "dir", aliases = ["prefix", "cwd"], value_name = "FOLDER")]
    #[arg(global = true, display_order = GLOBAL)]
    pub folder: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArguments,
    /// Settings that were given to a command for which they have no effect.
    #[arg(skip)]
    pub idle: Vec<String>,
    /// Environment variables that flags stand for.
    #[arg(skip)]
    pub variables: Vec<(String, String)>,
    /// What is to be said about words of another tool.
    #[arg(skip)]
    pub notes: Vec<String>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    #[command(visible_aliases = ["i", "add"], aliases = ["in", "ins", "inst", "insta", "instal", "isnt", "isnta", "isntal", "isntall"])]
    Install(Later<install::InstallArguments>),
    /// Install exactly what the lockfile says, replacing node_modules.
    #[command(aliases = ["clean-install", "ic", "install-clean", "isntall-clean"])]
    Ci(Later<TreeArguments>),
    #[command(visible_aliases = ["rm", "uninstall", "un"], alias = "r")]
    Remove(Later<remove::RemoveArguments>),
    #[command(visible_aliases = ["up", "upgrade"], aliases = ["u", "udpate"])]
    Update(Later<update::UpdateArguments>),
    #[command(visible_alias = "ddp")]
    Dedupe(Later<dedupe::DedupeArguments>),
    /// Show what "dedupe" would change, and change nothing.
    FindDupes(Later<TreeArguments>),
    Prune(Later<prune::PruneArguments>),
    #[command(visible_alias = "ln")]
    Link(Later<link::LinkArguments>),
    Unlink(Later<link::UnlinkArguments>),
    Patch(Later<patch::PatchArguments>),
    PatchCommit(Later<patch::PatchCommitArguments>),
    PatchRemove(Later<patch::PatchRemoveArguments>),
    Fetch(Later<deploy::FetchArguments>),
    Deploy(Later<deploy::DeployArguments>),
    Import(Later<deploy::ImportArguments>),
    InstallScripts(Later<approvals::InstallScriptsArguments>),
    ApproveScripts(Later<approvals::ApproveArguments>),
    DenyScripts(Later<approvals::DenyArguments>),
    #[command(hide = true)]
    ApproveBuilds(Later<approvals::ApproveBuildsArguments>),
    /// List the packages whose install scripts wait for a decision.
    #[command(hide = true)]
    IgnoredBuilds,
    #[command(visible_alias = "rb")]
    Rebuild(Later<rebuild::RebuildArguments>),
    #[command(visible_alias = "run-script", aliases = ["rum", "urn"])]
    Run(Later<run::RunArguments>),
    #[command(visible_alias = "x")]
    Exec(Later<exec::ExecArguments>),
    Dlx(Later<exec::DlxArguments>),
    #[command(visible_alias = "create", aliases = ["innit"])]
    Init(Later<init::InitArguments>),
    Shims(Later<shims::ShimsArguments>),
    /// Run the project's script "test".
    #[command(visible_alias = "t", alias = "tst")]
    Test(Later<run::ScriptArguments>),
    /// Run the project's script "start".
    Start(Later<run::ScriptArguments>),
    /// Run the project's script "stop".
    Stop(Later<run::ScriptArguments>),
    /// Run the project's script "restart", or "stop" and "start".
    Restart(Later<run::ScriptArguments>),
    /// Do what "install" does, then run the project's script "test".
    #[command(visible_alias = "it")]
    InstallTest(Later<install::InstallArguments>),
    /// Do what "ci" does, then run the project's script "test".
    #[command(visible_alias = "cit", aliases = ["sit", "clean-install-test"])]
    InstallCiTest(Later<TreeArguments>),
    Peers(Later<peers::PeersArguments>),
    #[command(visible_alias = "list")]
    Ls(Later<list::ListArguments>),
    /// List installed packages with their descriptions.
    #[command(hide = true, alias = "la")]
    Ll(Later<list::ListArguments>),
    #[command(visible_alias = "why")]
    Explain(Later<list::ExplainArguments>),
    Outdated(Later<outdated::OutdatedArguments>),
    #[command(visible_aliases = ["info", "show"], alias = "v")]
    View(Later<view::ViewArguments>),
    #[command(visible_alias = "find", aliases = ["s", "se"])]
    Search(Later<search::SearchArguments>),
    /// Open the documentation of packages in a browser.
    #[command(visible_alias = "home")]
    Docs(Later<pages::PageArguments>),
    /// Open the repository of packages in a browser.
    Repo(Later<pages::PageArguments>),
    /// Open the page where bugs of packages are told in a browser.
    #[command(visible_alias = "issues")]
    Bugs(Later<pages::PageArguments>),
    Ping(Later<search::PingArguments>),
    #[command(visible_alias = "c")]
    Config(Later<config::ConfigArguments>),
    Get(Later<config::GetCommand>),
    Set(Later<config::SetCommand>),
    /// Print the folder of the project's packages.
    Root(Later<folders::FolderArguments>),
    /// Print the folder of the project.
    Prefix(Later<folders::FolderArguments>),
    /// Print the folder of the project's commands.
    Bin(Later<folders::FolderArguments>),
    Cache(Later<cache::CacheArguments>),
    Doctor(Later<doctor::DoctorArguments>),
    Explore(Later<explore::ExploreArguments>),
    Edit(Later<explore::EditArguments>),
    Completion(Later<completion::CompletionArguments>),
    HelpSearch(Later<help_search::HelpSearchArguments>),
    #[command(flatten)]
    Author(authors::AuthorCommand),
    Audit(Later<audit::AuditArguments>),
    Fund(Later<fund::FundArguments>),
    Query(Later<query::QueryArguments>),
    Sbom(Later<sbom::SbomArguments>),
    Licenses(Later<licenses::LicensesArguments>),
    Lock(Later<lock::LockArguments>),
    Store(Later<store::StoreArguments>),
}

impl Arguments {
    /// Reads the process's arguments. Prints the help if it is requested, and what is wrong with
    /// them.
    pub fn read() -> Result<Self, ExitCode> {
        let Translation { words, at_root, notes } = faces::read(std::env::args_os().collect())?;
        let mut arguments = Self::parsed(words).map_err(|error| {
            report::printed(error.print());
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        })?;
        arguments.notes = notes;
        if at_root {
            let here = std::env::current_dir().unwrap_or_default();
            let here = here.join(arguments.folder.take().unwrap_or_default());
            arguments.folder = Some(find_root(&here).folder);
        }
        Ok(arguments)
    }

    fn parsed(words: Vec<OsString>) -> Result<Self, clap::Error> {
        let names = names_only();
        let idle::Line { words, behind } = idle::behind_command(&names, words);
        let word = command_place(&words).map(|at| words[at].to_string_lossy().into_owned());
        let is_help = |word: &OsString| word == "--help" || word == "-h";
        let wants_help = words.len() < 2 || words.iter().any(is_help);
        let mut parser = parser_for(&names, word.as_deref(), wants_help);
        let script = words::script_command(&parser, &words);
        let end = script.map(|script| words::script_place(&parser, script, &words, behind));
        let words = words::with_long_flags(script, words, end);
        let words = defaults::with_settings(&parser, words);
        let command = own_flags_first(&parser, &words);
        if let Some(command) = command.filter(|it| is_about_settings(it)) {
            return Self::about_settings(&parser, command, words.clone());
        }
        let (mut taken, end) = words::without_settings(script, &words, end, |name| {
            is_own_flag(name, command, script, &words)
        })
        .map_err(|error| parser.clone().error(ErrorKind::MissingRequiredArgument, error))?;
        if let Some(script) = script {
            taken.rest = words::with_end_of_flags(&parser, script, taken.rest, end);
        }
        let idle::Words { rest, idle, variables } = idle::taken_out(&parser, taken.rest);
        let rest = words::prepared(&parser, rest)?;
        let matches = parser.try_get_matches_from_mut(rest).map_err(words::advised)?;
        let mut arguments = Self::from_arg_matches(&matches)?;
        (arguments.idle, arguments.variables) = (idle, variables);
        if taken.settings.is_empty() {
            return Ok(arguments);
        }
        if let Some(error) = ambiguous_flag(&parser, &arguments.command, &taken.settings) {
            return Err(error);
        }
        match arguments.command.flags() {
            Taker::Settings(flags) => flags.take(taken.settings),
            // No setting matters there but the folder of global packages.
            Taker::Nobody => aside(taken.settings, &mut arguments),
            // The flag is unknown there.
            Taker::Clap => return Arguments::try_parse_from(words),
        }
        Ok(arguments)
    }
}
