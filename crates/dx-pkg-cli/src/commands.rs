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
mod help_search;
mod idle;
mod init;
mod install;
mod licenses;
mod link;
mod list;
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
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use dx_pkg_compat::command_words::Translation;
use dx_pkg_compat::npmrc::definitions::take_words;
use dx_pkg_compat::npmrc::{RawValue, find_flag, take_settings};
use dx_pkg_install::project::find_root;
use take::{
    Taker, ambiguous_flag, has_flag, is_authors_setting, names_workspaces, own_flags_first,
};

use crate::options::{GLOBAL, OutputArguments, TreeArguments};

/// The end of the help.
const AFTER_HELP: &str = "\
A script of package.json also runs by its name alone: `dx dev` is `dx run dev`. So does a
command of an installed package: `dx tsc` is `dx exec tsc`.
Settings are read from .npmrc files and npm_config_* variables; see docs/settings.md.";

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
    Install(install::InstallArguments),
    /// Install exactly what the lockfile says, replacing node_modules.
    #[command(aliases = ["clean-install", "ic", "install-clean", "isntall-clean"])]
    Ci(TreeArguments),
    #[command(visible_aliases = ["rm", "uninstall", "un"], alias = "r")]
    Remove(remove::RemoveArguments),
    #[command(visible_aliases = ["up", "upgrade"], aliases = ["u", "udpate"])]
    Update(update::UpdateArguments),
    #[command(visible_alias = "ddp")]
    Dedupe(dedupe::DedupeArguments),
    /// Show what "dedupe" would change, and change nothing.
    FindDupes(TreeArguments),
    Prune(prune::PruneArguments),
    #[command(visible_alias = "ln")]
    Link(link::LinkArguments),
    Unlink(link::UnlinkArguments),
    Patch(patch::PatchArguments),
    PatchCommit(patch::PatchCommitArguments),
    PatchRemove(patch::PatchRemoveArguments),
    Fetch(deploy::FetchArguments),
    Deploy(deploy::DeployArguments),
    Import(deploy::ImportArguments),
    InstallScripts(approvals::InstallScriptsArguments),
    ApproveScripts(approvals::ApproveArguments),
    DenyScripts(approvals::DenyArguments),
    #[command(hide = true)]
    ApproveBuilds(approvals::ApproveBuildsArguments),
    /// List the packages whose install scripts wait for a decision.
    #[command(hide = true)]
    IgnoredBuilds,
    #[command(visible_alias = "rb")]
    Rebuild(rebuild::RebuildArguments),
    #[command(visible_alias = "run-script", aliases = ["rum", "urn"])]
    Run(run::RunArguments),
    #[command(visible_alias = "x")]
    Exec(exec::ExecArguments),
    Dlx(exec::DlxArguments),
    #[command(visible_alias = "create", aliases = ["innit"])]
    Init(init::InitArguments),
    Shims(shims::ShimsArguments),
    /// Run the project's script "test".
    #[command(visible_alias = "t", alias = "tst")]
    Test(run::ScriptArguments),
    /// Run the project's script "start".
    Start(run::ScriptArguments),
    /// Run the project's script "stop".
    Stop(run::ScriptArguments),
    /// Run the project's script "restart", or "stop" and "start".
    Restart(run::ScriptArguments),
    /// Do what "install" does, then run the project's script "test".
    #[command(visible_alias = "it")]
    InstallTest(install::InstallArguments),
    /// Do what "ci" does, then run the project's script "test".
    #[command(visible_alias = "cit", aliases = ["sit", "clean-install-test"])]
    InstallCiTest(TreeArguments),
    Peers(peers::PeersArguments),
    #[command(visible_alias = "list", aliases = ["la"])]
    Ls(list::ListArguments),
    /// List installed packages with their descriptions.
    #[command(hide = true)]
    Ll(list::ListArguments),
    #[command(visible_alias = "why")]
    Explain(list::ExplainArguments),
    Outdated(outdated::OutdatedArguments),
    #[command(visible_aliases = ["info", "show"], alias = "v")]
    View(view::ViewArguments),
    #[command(visible_alias = "find", aliases = ["s", "se"])]
    Search(search::SearchArguments),
    /// Open the documentation of packages in a browser.
    #[command(visible_alias = "home")]
    Docs(pages::PageArguments),
    /// Open the repository of packages in a browser.
    Repo(pages::PageArguments),
    /// Open the page where bugs of packages are told in a browser.
    #[command(visible_alias = "issues")]
    Bugs(pages::PageArguments),
    Ping(search::PingArguments),
    #[command(visible_alias = "c")]
    Config(config::ConfigArguments),
    Get(config::GetCommand),
    Set(config::SetCommand),
    /// Print the folder of the project's packages.
    Root(folders::FolderArguments),
    /// Print the folder of the project.
    Prefix(folders::FolderArguments),
    /// Print the folder of the project's commands.
    Bin(folders::FolderArguments),
    Cache(cache::CacheArguments),
    Doctor(doctor::DoctorArguments),
    Explore(explore::ExploreArguments),
    Edit(explore::EditArguments),
    Completion(completion::CompletionArguments),
    HelpSearch(help_search::HelpSearchArguments),
    #[command(flatten)]
    Author(authors::AuthorCommand),
    Audit(audit::AuditArguments),
    Fund(fund::FundArguments),
    Query(query::QueryArguments),
    Sbom(sbom::SbomArguments),
    Licenses(licenses::LicensesArguments),
    Store(store::StoreArguments),
}

impl Arguments {
    /// Reads the process's arguments. Prints the help if it is requested, and what is wrong with
    /// them.
    pub fn read() -> Result<Self, ExitCode> {
        let Translation { words, at_root, notes } = faces::read(std::env::args_os().collect())?;
        let mut arguments = Self::parsed(words).map_err(|error| {
            let _ = error.print();
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
        let mut parser = Arguments::command();
        let words = idle::behind_command(&parser, words::with_long_flags(words));
        let words = words::with_installed_command(&parser, words);
        let is_global = words::is_global(&words);
        let command = own_flags_first(&parser, &words);
        if let Some(command) = command.filter(|it| SETTING_COMMANDS.contains(&it.get_name())) {
            return Self::about_settings(&parser, command, words.clone());
        }
        let script = words::script_command(&parser, &words);
        let is_own = |name: &str| {
            // Without --global it is the folder of the project.
            name == "prefix" && !is_global
                || !is_authors_setting(name)
                    && command.is_some_and(|command| has_flag(command, name))
                || script.is_some_and(|script| {
                    // A flag that is a setting's may have a value: it is taken as one.
                    has_flag(script, name)
                        && (find_flag(&format!("--{name}")).is_none() || names_workspaces(name))
                })
        };
        let taken = take_settings(words.iter().cloned(), is_own)
            .map_err(|error| parser.error(ErrorKind::MissingRequiredArgument, error))?;
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
            // No setting matters there.
            Taker::Nobody => arguments.idle.extend(taken.settings.into_iter().map(|(key, _)| key)),
            // The flag is unknown there.
            Taker::Clap => return Arguments::try_parse_from(words),
        }
        Ok(arguments)
    }
}

/// The commands about settings, for which every word with dashes is one.
const SETTING_COMMANDS: [&str; 3] = ["config", "get", "set"];

impl Arguments {
    /// Reads the arguments of a command about settings.
    fn about_settings(
        parser: &clap::Command,
        command: &clap::Command,
        words: Vec<OsString>,
    ) -> Result<Self, clap::Error> {
        let is_own = |word: &str| {
            let name = word.split('=').next().unwrap_or(word);
            matches!(name, "-C" | "--dir" | "--cwd" | "--help" | "-h" | "--sources" | "--json")
        };
        let mut given = take_words(words, is_own);
        let is_json = given.rest.iter().any(|word| word == "--json");
        let rest = words::prepared(parser, std::mem::take(&mut given.rest))?;
        let matches = parser.clone().try_get_matches_from_mut(rest).map_err(words::advised)?;
        let mut arguments = Self::from_arg_matches(&matches)?;
        if is_json {
            given.settings.insert(0, ("json".to_owned(), RawValue::Bool(true)));
        }
        match &mut arguments.command {
            Command::Config(config) => config.place.given = given,
            Command::Get(get) => get.place.given = given,
            Command::Set(set) => set.place.given = given,
            _ => debug_assert!(false, "{} is about settings", command.get_name()),
        }
        Ok(arguments)
    }
}
