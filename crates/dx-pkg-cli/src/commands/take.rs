//! The settings that are given to commands as flags: which words are settings, and what takes them.

use std::ffi::OsString;

use clap::FromArgMatches;
use clap::error::ErrorKind;
use dx_pkg_compat::command_words::command_place;
use dx_pkg_compat::npmrc::definitions::take_words;
use dx_pkg_compat::npmrc::{OptionGroup, OptionInfo, RawValue, find_flag};

use super::words::{self, is_global};
use super::{Arguments, Command};
use crate::flags::TakesSettings;

/// What takes the settings that are given to a command.
pub enum Taker<'c> {
    /// These flags.
    Settings(&'c mut dyn TakesSettings),
    /// Nothing, as no setting changes what the command does.
    Nobody,
    /// Nothing, as flags of that name are faults.
    Clap,
}

/// Sets aside what a command takes no settings from: the folder of global packages counts as in the
/// environment, others have no effect.
pub fn aside(settings: Vec<(String, String)>, arguments: &mut Arguments) {
    for (key, value) in settings {
        if key == "prefix" {
            arguments.variables.push(("npm_config_prefix".to_owned(), value));
        } else {
            arguments.idle.push(key);
        }
    }
}

impl Command {
    /// Returns what takes the settings that are given as flags.
    pub fn flags(&mut self) -> Taker<'_> {
        match self {
            Self::Install(install) | Self::InstallTest(install) => {
                Taker::Settings(&mut install.tree.flags)
            }
            Self::Ci(tree) | Self::InstallCiTest(tree) | Self::FindDupes(tree) => {
                Taker::Settings(&mut tree.flags)
            }
            Self::Dedupe(dedupe) => Taker::Settings(&mut dedupe.tree.flags),
            Self::Prune(prune) => Taker::Settings(&mut prune.tree.flags),
            Self::Link(link) => Taker::Settings(&mut link.tree.flags),
            Self::Unlink(unlink) => Taker::Settings(&mut unlink.remove.tree.flags),
            Self::Patch(patch) => Taker::Settings(&mut patch.tree.flags),
            Self::PatchCommit(commit) => Taker::Settings(&mut commit.tree.flags),
            Self::PatchRemove(remove) => Taker::Settings(&mut remove.tree.flags),
            Self::Fetch(fetch) => Taker::Settings(&mut fetch.tree.flags),
            Self::Deploy(deploy) => Taker::Settings(&mut deploy.tree.flags),
            Self::Import(import) => Taker::Settings(&mut import.tree.flags),
            Self::Rebuild(rebuild) => Taker::Settings(&mut rebuild.flags),
            Self::Remove(remove) => Taker::Settings(&mut remove.tree.flags),
            Self::Update(update) => Taker::Settings(&mut update.tree.flags),
            Self::Run(run) => Taker::Settings(&mut run.rest.flags),
            Self::Test(script)
            | Self::Start(script)
            | Self::Stop(script)
            | Self::Restart(script) => Taker::Settings(&mut script.flags),
            Self::Exec(exec) => Taker::Settings(&mut exec.run.flags),
            Self::Dlx(dlx) => Taker::Settings(&mut dlx.run.flags),
            Self::Init(init) => Taker::Settings(&mut init.flags),
            Self::Peers(peers) => Taker::Settings(&mut peers.flags),
            Self::Outdated(outdated) => Taker::Settings(&mut outdated.flags),
            Self::View(view) => Taker::Settings(&mut view.flags),
            Self::Search(search) => Taker::Settings(&mut search.flags),
            Self::Docs(pages) | Self::Repo(pages) | Self::Bugs(pages) => {
                Taker::Settings(&mut pages.flags)
            }
            Self::Ping(ping) => Taker::Settings(&mut ping.flags),
            Self::Cache(cache) => Taker::Settings(&mut cache.flags),
            Self::Doctor(doctor) => Taker::Settings(&mut doctor.flags),
            Self::Explore(explore) => Taker::Settings(&mut explore.flags),
            Self::Edit(edit) => Taker::Settings(&mut edit.flags),
            Self::Audit(audit) => Taker::Settings(&mut audit.tree.flags),
            Self::Fund(fund) => Taker::Settings(&mut fund.flags),
            Self::Query(query) => Taker::Settings(&mut query.flags),
            Self::Sbom(sbom) => Taker::Settings(&mut sbom.flags),
            Self::Lock(lock) => Taker::Settings(&mut lock.flags),
            Self::Store(_) | Self::Shims(_) => Taker::Clap,
            Self::Author(command) => command.flags(),
            Self::Config(_)
            | Self::Get(_)
            | Self::Set(_)
            | Self::Completion(_)
            | Self::HelpSearch(_)
            | Self::Root(_)
            | Self::Prefix(_)
            | Self::Bin(_)
            | Self::Ls(_)
            | Self::Ll(_)
            | Self::Explain(_)
            | Self::Licenses(_)
            | Self::InstallScripts(_)
            | Self::ApproveScripts(_)
            | Self::DenyScripts(_)
            | Self::ApproveBuilds(_)
            | Self::IgnoredBuilds => Taker::Nobody,
        }
    }
}

/// Returns the error about a flag that npm and others take for different things when packages are
/// added.
pub fn ambiguous_flag(
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
pub fn own_flags_first<'p>(
    parser: &'p clap::Command,
    words: &[OsString],
) -> Option<&'p clap::Command> {
    let command = parser.find_subcommand(&words[command_place(words)?])?;
    (!CHANGED_BY_SETTINGS.contains(&command.get_name())).then_some(command)
}

/// Returns whether a flag, without its dashes, is a command's own and not a setting: `command` has
/// flags that come before settings, `script` runs a script.
pub fn is_own_flag(
    name: &str,
    command: Option<&clap::Command>,
    script: Option<&clap::Command>,
    words: &[OsString],
) -> bool {
    // Without --global it is the folder of the project.
    name == "prefix" && !is_global(words)
        // Elsewhere the switch has no influence.
        || name == "yes" && words.iter().any(|word| word == "--self")
        || !is_authors_setting(name) && command.is_some_and(|command| has_flag(command, name))
        || script.is_some_and(|script| {
            // A flag that is a setting's may have a value: it is taken as one.
            has_flag(script, name)
                && (find_flag(&format!("--{name}")).is_none() || names_workspaces(name))
        })
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

/// Returns whether a command, or one within it, has a flag of this name.
fn has_flag(command: &clap::Command, name: &str) -> bool {
    command.get_arguments().any(|argument| {
        let aliases = argument.get_all_aliases().unwrap_or_default();
        argument.get_long() == Some(name) || aliases.contains(&name)
    }) || command.get_subcommands().any(|inner| has_flag(inner, name))
}

/// The commands about settings, for which every word with dashes is one.
const SETTING_COMMANDS: [&str; 3] = ["config", "get", "set"];

/// Returns whether a command is one of those.
pub fn is_about_settings(command: &clap::Command) -> bool {
    SETTING_COMMANDS.contains(&command.get_name())
}

impl Arguments {
    /// Reads the arguments of a command about settings.
    pub fn about_settings(
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
