//! The commands: a module each, with its arguments, its help and its work.

mod account;
mod approvals;
mod audit;
mod cache;
mod carry;
mod ci;
pub mod completion;
pub mod config;
mod dedupe;
mod deploy;
mod diff;
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
mod update;
mod version;
mod view;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use dx_pkg_author::questions::addresses::Page;
use dx_pkg_compat::command_words::{Translation, command_place};
use dx_pkg_compat::npmrc::definitions::take_words;
use dx_pkg_compat::npmrc::{OptionGroup, OptionInfo, RawValue, find_flag, take_settings};
use dx_pkg_install::Environment;
use dx_pkg_install::project::find_root;
use folders::Folder;

use crate::error::CommandError;
use crate::options::{GLOBAL, OutputArguments, TreeArguments};
use crate::report::Report;

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
    Pkg(pkg::PkgArguments),
    Pack(pack::PackArguments),
    Publish(publish::PublishArguments),
    Diff(diff::DiffArguments),
    #[command(alias = "dist-tags")]
    DistTag(account::DistTagArguments),
    Deprecate(account::DeprecateArguments),
    /// Take the deprecation of versions of a package back.
    Undeprecate(account::DeprecateArguments),
    Unpublish(account::UnpublishArguments),
    #[command(visible_alias = "author")]
    Owner(account::OwnerArguments),
    Access(account::AccessArguments),
    Team(account::TeamArguments),
    #[command(alias = "ogr")]
    Org(account::OrgArguments),
    Profile(account::ProfileArguments),
    Token(account::TokenArguments),
    #[command(visible_alias = "adduser", alias = "add-user")]
    Login(account::LoginArguments),
    /// Log out of a registry, and take the token out of .npmrc.
    Logout(account::LoginArguments),
    /// Print the name of the user that is logged in.
    Whoami(account::AccountArguments),
    Stage(account::StageArguments),
    Trust(account::TrustArguments),
    #[command(alias = "verison")]
    Version(version::VersionArguments),
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
        match &mut arguments.command {
            Command::Install(install) | Command::InstallTest(install) => {
                install.tree.flags.extend(taken.settings)
            }
            Command::Ci(tree) | Command::InstallCiTest(tree) | Command::FindDupes(tree) => {
                tree.flags.extend(taken.settings)
            }
            Command::Dedupe(dedupe) => dedupe.tree.flags.extend(taken.settings),
            Command::Prune(prune) => prune.tree.flags.extend(taken.settings),
            Command::Link(link) => link.tree.flags.extend(taken.settings),
            Command::Unlink(unlink) => unlink.remove.tree.flags.extend(taken.settings),
            Command::Patch(patch) => patch.tree.flags.extend(taken.settings),
            Command::PatchCommit(commit) => commit.tree.flags.extend(taken.settings),
            Command::PatchRemove(remove) => remove.tree.flags.extend(taken.settings),
            Command::Fetch(fetch) => fetch.tree.flags.extend(taken.settings),
            Command::Deploy(deploy) => deploy.tree.flags.extend(taken.settings),
            Command::Import(import) => import.tree.flags.extend(taken.settings),
            Command::Rebuild(rebuild) => rebuild.flags.extend(taken.settings),
            Command::Remove(remove) => remove.tree.flags.extend(taken.settings),
            Command::Update(update) => update.tree.flags.extend(taken.settings),
            Command::Run(run) => run.rest.flags.extend(taken.settings),
            Command::Test(script)
            | Command::Start(script)
            | Command::Stop(script)
            | Command::Restart(script) => script.flags.extend(taken.settings),
            Command::Exec(exec) => exec.run.flags.extend(taken.settings),
            Command::Dlx(dlx) => dlx.run.flags.extend(taken.settings),
            Command::Init(init) => init.flags.extend(taken.settings),
            Command::Peers(peers) => peers.flags.extend(taken.settings),
            Command::Outdated(outdated) => outdated.flags.extend(taken.settings),
            Command::View(view) => view.flags.extend(taken.settings),
            Command::Search(search) => search.flags.extend(taken.settings),
            Command::Docs(pages) | Command::Repo(pages) | Command::Bugs(pages) => {
                pages.flags.extend(taken.settings)
            }
            Command::Ping(ping) => ping.flags.extend(taken.settings),
            Command::Cache(cache) => cache.flags.extend(taken.settings),
            Command::Doctor(doctor) => doctor.flags.extend(taken.settings),
            Command::Explore(explore) => explore.flags.extend(taken.settings),
            Command::Edit(edit) => edit.flags.extend(taken.settings),
            Command::Version(version) => version.flags.extend(taken.settings),
            Command::Pack(pack) => pack.flags.extend(taken.settings),
            Command::Publish(publish) => publish.flags.extend(taken.settings),
            Command::Diff(diff) => diff.flags.extend(taken.settings),
            Command::Whoami(whoami) => whoami.flags.extend(taken.settings),
            Command::DistTag(command) => command.rest.flags.extend(taken.settings),
            Command::Deprecate(command) | Command::Undeprecate(command) => {
                command.rest.flags.extend(taken.settings);
            }
            Command::Unpublish(command) => command.rest.flags.extend(taken.settings),
            Command::Owner(command) => command.rest.flags.extend(taken.settings),
            Command::Access(command) => command.rest.flags.extend(taken.settings),
            Command::Team(command) => command.rest.flags.extend(taken.settings),
            Command::Org(command) => command.rest.flags.extend(taken.settings),
            Command::Profile(command) => command.rest.flags.extend(taken.settings),
            Command::Token(command) => command.rest.flags.extend(taken.settings),
            Command::Login(command) | Command::Logout(command) => {
                command.rest.flags.extend(taken.settings);
            }
            Command::Stage(command) => command.rest.flags.extend(taken.settings),
            Command::Trust(command) => command.rest.flags.extend(taken.settings),
            Command::Audit(audit) => audit.tree.flags.extend(taken.settings),
            Command::Fund(fund) => fund.flags.extend(taken.settings),
            Command::Query(query) => query.flags.extend(taken.settings),
            Command::Sbom(sbom) => sbom.flags.extend(taken.settings),
            // No setting matters there: the flag is unknown.
            Command::Config(_)
            | Command::Get(_)
            | Command::Set(_)
            | Command::Completion(_)
            | Command::HelpSearch(_)
            | Command::Root(_)
            | Command::Prefix(_)
            | Command::Bin(_)
            | Command::Ls(_)
            | Command::Ll(_)
            | Command::Explain(_)
            | Command::Licenses(_)
            | Command::Pkg(_) => {
                arguments.idle.extend(taken.settings.into_iter().map(|(key, _)| key));
            }
            Command::InstallScripts(_)
            | Command::ApproveScripts(_)
            | Command::DenyScripts(_)
            | Command::ApproveBuilds(_)
            | Command::IgnoredBuilds => {
                arguments.idle.extend(taken.settings.into_iter().map(|(key, _)| key));
            }
            Command::Store(_) | Command::Shims(_) => return Arguments::try_parse_from(words),
        }
        Ok(arguments)
    }
}

/// Returns the error about a flag that npm and others take for different things when packages are
/// added.
fn ambiguous_flag(
    parser: &clap::Command,
    command: &Command,
    settings: &[(String, String)],
) -> Option<clap::Error> {
    let is_adding = match command {
        Command::Install(adding) | Command::InstallTest(adding) => !adding.packages.is_empty(),
        _ => false,
    };
    let is_given = |flag: &&&str| settings.contains(&((**flag).into(), "true".into()));
    let flag = ["dev", "optional"].iter().find(is_given).filter(|_| is_adding)?;
    let message = format!(
        "--{flag} with packages means different things to npm and to others: write \
         --save-{flag} to save them there, or --include={flag} to install what is omitted"
    );
    Some(parser.clone().error(ErrorKind::ArgumentConflict, message))
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

/// The commands that any setting may change, given as a flag. For every other command a flag of its
/// own comes before a setting of that name.
const CHANGED_BY_SETTINGS: [&str; 17] = [
    "install",
    "ci",
    "remove",
    "update",
    "dedupe",
    "find-dupes",
    "prune",
    "rebuild",
    "run",
    "test",
    "start",
    "stop",
    "restart",
    "install-test",
    "install-ci-test",
    "peers",
    "store",
];

/// Returns the command among the words, if its own flags come before settings.
fn own_flags_first<'p>(parser: &'p clap::Command, words: &[OsString]) -> Option<&'p clap::Command> {
    let command = parser.find_subcommand(&words[command_place(words)?])?;
    (!CHANGED_BY_SETTINGS.contains(&command.get_name())).then_some(command)
}

/// Returns whether a flag is a setting of authors, which is taken like any other setting although
/// commands have flags of that name.
fn is_authors_setting(name: &str) -> bool {
    let find = |name: &str| OptionInfo::find(name).map(|option| option.group);
    let group = find(name).or_else(|| name.strip_prefix("no-").and_then(find));
    group == Some(OptionGroup::Publish)
}

/// Returns whether a flag names workspaces; commands that run scripts have such flags themselves.
fn names_workspaces(name: &str) -> bool {
    matches!(
        name,
        "workspace" | "workspaces" | "ws" | "no-workspaces" | "include-workspace-root" | "iwr"
    )
}

/// Returns whether a command has a flag of this name.
fn has_flag(command: &clap::Command, name: &str) -> bool {
    command.get_arguments().any(|argument| {
        let aliases = argument.get_all_aliases().unwrap_or_default();
        argument.get_long() == Some(name) || aliases.contains(&name)
    })
}

impl Command {
    /// Carries the command out.
    pub fn run(&self, environment: Environment, report: &Report) -> Result<ExitCode, CommandError> {
        match self {
            Self::Install(arguments) => arguments.run(environment, report),
            Self::Ci(arguments) => ci::run(arguments, environment, report),
            Self::Dedupe(arguments) => arguments.run(environment, report),
            Self::FindDupes(arguments) => dedupe::find(arguments, environment, report),
            Self::Prune(arguments) => arguments.run(environment, report),
            Self::Link(arguments) => arguments.run(environment, report),
            Self::Unlink(arguments) => arguments.run(environment, report),
            Self::Patch(arguments) => arguments.run(environment, report),
            Self::PatchCommit(arguments) => arguments.run(environment, report),
            Self::PatchRemove(arguments) => arguments.run(environment, report),
            Self::Fetch(arguments) => arguments.run(environment, report),
            Self::Deploy(arguments) => arguments.run(environment, report),
            Self::Import(arguments) => arguments.run(environment, report),
            Self::InstallScripts(arguments) => arguments.run(environment, report),
            Self::ApproveScripts(arguments) => arguments.run(environment, report),
            Self::DenyScripts(arguments) => arguments.run(environment, report),
            Self::ApproveBuilds(arguments) => arguments.run(environment, report),
            Self::IgnoredBuilds => approvals::list(environment, report),
            Self::Rebuild(arguments) => arguments.run(environment, report),
            Self::Remove(arguments) => arguments.run(environment, report),
            Self::Update(arguments) => arguments.run(environment, report),
            Self::Run(arguments) => arguments.run(&environment, report),
            Self::Exec(arguments) => arguments.run(&environment, report),
            Self::Dlx(arguments) => arguments.run(&environment, report),
            Self::Init(arguments) => arguments.run(environment, report),
            Self::Shims(arguments) => arguments.run(&environment, report),
            Self::Test(arguments) => arguments.run("test", &environment, report),
            Self::Start(arguments) => arguments.run("start", &environment, report),
            Self::Stop(arguments) => arguments.run("stop", &environment, report),
            Self::Restart(arguments) => arguments.run("restart", &environment, report),
            Self::InstallTest(arguments) => {
                let code = arguments.run(environment.clone(), report)?;
                run::test_after(code, &arguments.tree, &environment, report)
            }
            Self::InstallCiTest(arguments) => {
                let code = ci::run(arguments, environment.clone(), report)?;
                run::test_after(code, arguments, &environment, report)
            }
            Self::Peers(arguments) => arguments.run(environment, report),
            Self::Ls(arguments) => arguments.run(&environment, report),
            Self::Ll(arguments) => arguments.in_full().run(&environment, report),
            Self::Explain(arguments) => arguments.run(&environment, report),
            Self::Outdated(arguments) => arguments.run(environment, report),
            Self::View(arguments) => arguments.run(environment, report),
            Self::Search(arguments) => arguments.run(environment, report),
            Self::Docs(arguments) => arguments.run(Page::Docs, environment, report),
            Self::Repo(arguments) => arguments.run(Page::Repo, environment, report),
            Self::Bugs(arguments) => arguments.run(Page::Bugs, environment, report),
            Self::Ping(arguments) => arguments.run(environment, report),
            Self::Config(arguments) => arguments.run(environment, report),
            Self::Get(arguments) => arguments.run(environment, report),
            Self::Set(arguments) => arguments.run(environment, report),
            Self::Root(arguments) => arguments.run(Folder::Root, environment, report),
            Self::Prefix(arguments) => arguments.run(Folder::Prefix, environment, report),
            Self::Bin(arguments) => arguments.run(Folder::Bin, environment, report),
            Self::Cache(arguments) => arguments.run(environment, report),
            Self::Doctor(arguments) => arguments.run(environment, report),
            Self::Explore(arguments) => arguments.run(&environment, report),
            Self::Edit(arguments) => arguments.run(&environment),
            Self::Completion(arguments) => Ok(arguments.run(&environment, report)),
            Self::HelpSearch(arguments) => arguments.run(report),
            Self::Pkg(arguments) => arguments.run(&environment, report),
            Self::Version(arguments) => arguments.run(environment, report),
            Self::Pack(arguments) => arguments.run(environment, report),
            Self::Publish(arguments) => arguments.run(&environment, report),
            Self::Diff(arguments) => arguments.run(&environment, report),
            Self::DistTag(arguments) => arguments.run(environment, report),
            Self::Deprecate(arguments) => arguments.run(false, environment, report),
            Self::Undeprecate(arguments) => arguments.run(true, environment, report),
            Self::Unpublish(arguments) => arguments.run(environment, report),
            Self::Owner(arguments) => arguments.run(environment, report),
            Self::Access(arguments) => arguments.run(environment, report),
            Self::Team(arguments) => arguments.run(environment, report),
            Self::Org(arguments) => arguments.run(environment, report),
            Self::Profile(arguments) => arguments.run(environment, report),
            Self::Token(arguments) => arguments.run(environment, report),
            Self::Login(arguments) => arguments.run(environment, report),
            Self::Logout(arguments) => arguments.log_out(environment, report),
            Self::Whoami(arguments) => account::whoami(arguments, environment, report),
            Self::Stage(arguments) => arguments.run(environment, report),
            Self::Trust(arguments) => arguments.run(environment, report),
            Self::Audit(arguments) => arguments.run(environment, report),
            Self::Fund(arguments) => arguments.run(environment, report),
            Self::Query(arguments) => arguments.run(environment, report),
            Self::Sbom(arguments) => arguments.run(environment, report),
            Self::Licenses(arguments) => arguments.run(&environment, report),
            Self::Store(arguments) => arguments.run(environment, report),
        }
    }
}
