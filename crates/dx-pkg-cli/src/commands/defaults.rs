//! Settings of files and of the environment that stand for a command's own flags: `npm_config_json`
//! for `--json`, `long=true` for `--long`.

use std::ffi::OsString;

use clap::{Arg, Command};
use dx_pkg_compat::command_words::asking::{COMMANDS, FLAGS, instead_of};
use dx_pkg_compat::command_words::{command_place, folder};
use dx_pkg_compat::npmrc::{Config, DependencyType};
use dx_pkg_install::project::find_root;
use dx_pkg_install::session::configuration;

use crate::environment;

/// Returns the words with flags for what is set and not given as a flag. Settings that cannot be
/// read change nothing here: whoever needs them says so.
pub fn with_settings(parser: &Command, words: Vec<OsString>) -> Vec<OsString> {
    let Some(at) = command_place(&words) else { return words };
    let command = parser.find_subcommand(&words[at]);
    let Some(command) = command.filter(|it| COMMANDS.contains(&it.get_name())) else {
        return words;
    };
    let Ok(environment) = environment::read(folder(&words).as_deref()) else { return words };
    let root = find_root(&environment.folder).folder;
    let Ok((config, _)) = configuration(&environment, &root, &[]) else { return words };
    let given = Given { command, parser, words: &words[at + 1..] };
    let mut flags: Vec<String> = Vec::new();
    for key in FLAGS {
        flags.extend(given.flags_for(key, &config));
    }
    if given.argument("omit").is_some() && !given.has("omit") {
        let omitted = config.omit().unwrap_or_default();
        flags.extend(omitted.into_iter().map(|kind| format!("--omit={}", word_of(kind))));
    }
    let has = |name: &str| given.argument(name).is_some();
    let instead: Vec<(usize, String)> = (at + 1..words.len())
        .take_while(|at| words[*at] != "--")
        .filter_map(|at| Some((at, instead_of(words[at].to_str()?, has)?)))
        .collect();
    let mut words = words;
    for (at, instead) in instead {
        words[at] = instead.into();
    }
    words.splice(at + 1..at + 1, flags.into_iter().map(OsString::from));
    words
}

fn word_of(kind: DependencyType) -> &'static str {
    match kind {
        DependencyType::Prod => "prod",
        DependencyType::Dev => "dev",
        DependencyType::Optional => "optional",
        DependencyType::Peer => "peer",
    }
}

/// A command with the words behind its name.
struct Given<'w> {
    command: &'w Command,
    parser: &'w Command,
    words: &'w [OsString],
}

impl Given<'_> {
    /// Returns the argument of a flag that the command has.
    fn argument(&self, name: &str) -> Option<&Arg> {
        let all = self.command.get_arguments().chain(self.parser.get_arguments());
        let mut named = all.filter(|argument| argument.get_long() == Some(name));
        named.next()
    }

    /// Returns whether a flag is given, by its name or letter.
    fn has(&self, name: &str) -> bool {
        let letter = self.argument(name).and_then(Arg::get_short);
        let own = self.words.iter().take_while(|word| *word != "--");
        own.filter_map(|word| word.to_str()).any(|word| match word.strip_prefix("--") {
            Some(flag) => {
                let flag = flag.split('=').next().unwrap_or(flag);
                flag == name || flag.strip_prefix("no-") == Some(name)
            }
            None => {
                let letters = word.strip_prefix('-').unwrap_or_default();
                letter.is_some_and(|letter| letters.contains(letter))
            }
        })
    }

    /// Returns the flags for what a setting says, unless the flag is given.
    fn flags_for(&self, key: &str, config: &Config) -> Vec<String> {
        let Some((value, _)) = config.raw(key) else { return Vec::new() };
        let denied = format!("no-{key}");
        let known = self.argument(key);
        if self.has(key) || known.is_none() && self.argument(&denied).is_none() {
            return Vec::new();
        }
        let takes_values = known.is_some_and(|argument| argument.get_action().takes_values());
        match value.text().as_deref() {
            Some("true") if known.is_some() && !takes_values => vec![format!("--{key}")],
            Some("false") if !takes_values && self.argument(&denied).is_some() => {
                vec![format!("--{denied}")]
            }
            _ if takes_values => {
                let values = value.list().into_iter().filter(|value| !value.is_empty());
                values.map(|value| format!("--{key}={value}")).collect()
            }
            _ => Vec::new(),
        }
    }
}
