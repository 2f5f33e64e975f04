//! The hidden command that prints dx's commands and flags as JSON, from which
//! `docs/commands.md` is made and compared with other tools.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use dx_pkg_compat::command_words::npms_flag;
use dx_pkg_compat::npmrc::definitions::DEFINITIONS;
use dx_pkg_compat::npmrc::{OPTIONS, Region, take_settings};
use serde_json::{Value, json};

use super::Arguments;
use super::idle::FILES;
use crate::report::print_words;

/// npm's further names of settings, and of what it logs.
const ABBREVIATIONS: [&str; 5] = ["desc", "local", "porcelain", "quiet", "readonly"];

/// Prints the table, if the process's arguments ask for it.
pub fn answer() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != "__commands" {
        return None;
    }
    let parser = Arguments::command();
    let commands: Vec<Value> = parser.get_subcommands().map(described).collect();
    // What a command takes although it has no flag of that name.
    let is_setting = |key: &&str| {
        let words = ["dx", "install", &format!("--{key}=1")].map(Into::into);
        take_settings(words, Region::Command, |_| false).is_ok_and(|taken| taken.rest.len() == 2)
            || npms_flag(&format!("--{key}")).is_some()
    };
    let keys = DEFINITIONS.iter().map(|row| row.key).chain(OPTIONS.iter().map(|row| row.key));
    let keys = keys.chain(ABBREVIATIONS);
    let settings: BTreeSet<&str> = keys.filter(is_setting).collect();
    let mut everywhere = flags(&parser);
    everywhere.extend(FILES.map(str::to_owned));
    let table = json!({ "commands": commands, "settings": settings, "everywhere": everywhere });
    print_words(&[table.to_string()]);
    Some(ExitCode::SUCCESS)
}

fn described(command: &Command) -> Value {
    let within: Vec<Value> = command.get_subcommands().map(described).collect();
    json!({
        "name": command.get_name(),
        "aliases": command.get_all_aliases().collect::<Vec<_>>(),
        "about": command.get_about().map(ToString::to_string).unwrap_or_default(),
        "isHidden": command.is_hide_set(),
        "flags": flags(command),
        "commands": within,
    })
}

/// Returns the long names of a command's flags, with those that its help leaves out.
fn flags(command: &Command) -> Vec<String> {
    let names = command.get_arguments().flat_map(|argument| {
        let aliases = argument.get_all_aliases().unwrap_or_default();
        argument.get_long().into_iter().chain(aliases).map(str::to_owned).collect::<Vec<_>>()
    });
    names.collect()
}
