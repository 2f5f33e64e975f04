//! Words of the command line that npm takes and clap does not: flags in front of the command,
//! switches with a value, and flags that have no effect on a command.

use std::ffi::OsString;

use clap::{Arg, Command};
use dx_pkg_compat::command_words::{command_place, is_flag, npms_flag, takes_next_word};

use super::words::{runner, script_command};

/// The settings that name files of settings, which are read before any other.
pub const FILES: [&str; 2] = ["userconfig", "globalconfig"];

/// The commands that never ask a registry, for which it makes no difference to be offline.
const LOCAL: [&str; 4] = ["ls", "ll", "explain", "licenses"];

/// The words that are left for clap, and what was taken out of them.
#[derive(Debug, Default)]
pub struct Words {
    pub rest: Vec<OsString>,
    /// Flags without effect on the command, without dashes.
    pub idle: Vec<String>,
    /// Environment variables that stand for flags.
    pub variables: Vec<(String, String)>,
}

/// A command line without flags of commands in front of the command.
#[derive(Debug)]
pub struct Line {
    pub words: Vec<OsString>,
    /// Where the words begin that stood behind the command's name.
    pub behind: usize,
}

/// Returns the words with flags in front of the command put behind it, as npm takes them anywhere,
/// and with the command that runs what is none: the name of a script, an installed command.
pub fn behind_command(parser: &Command, words: Vec<OsString>) -> Line {
    let (mut kept, mut moved) = (Vec::new(), Vec::new());
    let mut rest = words.into_iter().peekable();
    kept.extend(rest.next());
    while let Some(word) = rest.next_if(is_flag) {
        let text = word.to_string_lossy().into_owned();
        if matches!(&*text, "-v" | "-V" | "--version") {
            // Nothing else is done then.
            kept.truncate(1);
            kept.push("--version".into());
            return Line { behind: kept.len(), words: kept };
        }
        let is_known = text == "--" || known(parser.get_arguments(), &text).is_some();
        let value = rest.next_if(|next| takes_next_word(&text) && !is_flag(next));
        let place = if is_known { &mut kept } else { &mut moved };
        place.push(word);
        place.extend(value);
    }
    let at = kept.len();
    kept.extend(rest);
    let runner = runner(parser, &kept, at);
    kept.splice(at..at, runner.iter().map(OsString::from));
    // Without a command they stay where they are, for the error about them.
    let place = kept.len().min(at + 1);
    let behind = place + moved.len();
    kept.splice(place..place, moved);
    Line { words: kept, behind }
}

/// Takes out of the words what clap would refuse although npm takes it, up to `--`.
pub fn taken_out(parser: &Command, words: Vec<OsString>) -> Words {
    let place = command_place(&words);
    let named = place.and_then(|at| Some((at, parser.find_subcommand(&words[at])?)));
    let Some((at, command)) = named else {
        return Words { rest: words, ..Words::default() };
    };
    // There the word behind a switch is an argument.
    let is_script = script_command(parser, &words).is_some();
    let inner = words[at + 1..].iter().find(|word| !is_flag(word));
    let inner = inner.and_then(|word| command.find_subcommand(word));
    let arguments = || {
        let inner = inner.into_iter().flat_map(Command::get_arguments);
        inner.chain(command.get_arguments()).chain(parser.get_arguments())
    };
    let mut found = Words::default();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        if word == "--" {
            found.rest.push(word);
            break;
        }
        let Some(text) = word.to_str().filter(|text| text.starts_with('-')) else {
            found.rest.push(word);
            continue;
        };
        // npm's words for much output.
        if matches!(text, "-dd" | "-ddd") {
            found.rest.push("--verbose".into());
            continue;
        }
        let (flag, value) = match text.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => (flag, Some(value)),
            _ => (text, None),
        };
        if let Some(argument) = known(arguments(), flag) {
            if argument.get_action().takes_values() {
                let has_value = value.is_some();
                found.rest.push(word);
                found.rest.extend(words.next_if(|word| !has_value && !is_flag(word)));
                continue;
            }
            // Behind a switch, these words are its value.
            let next = words.next_if(|word| {
                !is_script && value.is_none() && (word == "true" || word == "false")
            });
            let value = value.or(next.as_ref().and_then(|word| word.to_str()));
            match value {
                Some("true") => found.rest.push(flag.into()),
                Some("false") => found.rest.extend(denial(flag, arguments())),
                _ => found.rest.push(word),
            }
            continue;
        }
        let name = flag.trim_start_matches('-');
        if value == Some("false")
            && let Some(denial) = denial(flag, arguments())
        {
            found.rest.push(denial);
            continue;
        }
        if name == "offline" && LOCAL.contains(&command.get_name()) {
            continue;
        }
        if let Some(denied) = flag.strip_prefix("--no-").filter(|_| value.is_none())
            && known(arguments(), &format!("--{denied}"))
                .is_some_and(|argument| !argument.get_action().takes_values())
        {
            continue;
        }
        let Some(npms) = npms_flag(flag) else {
            found.rest.push(word);
            continue;
        };
        let mut value = value.map(str::to_owned);
        if value.is_none() && npms.takes_value {
            let next = words.next_if(|next| !is_flag(next));
            value = next.map(|next| next.to_string_lossy().into_owned());
        }
        if let Some(value) = value.filter(|_| FILES.contains(&name)) {
            found.variables.push((format!("npm_config_{name}"), value));
        } else if !npms.is_harmless {
            let name = name.to_owned();
            if !found.idle.contains(&name) {
                found.idle.push(name);
            }
        }
    }
    found.rest.extend(words);
    found
}

/// Returns the flag by which a command denies a switch, if it has one.
fn denial<'a>(flag: &str, arguments: impl Iterator<Item = &'a Arg>) -> Option<OsString> {
    let denied = format!("--no-{}", flag.strip_prefix("--")?);
    known(arguments, &denied).is_some().then(|| denied.into())
}

/// Returns the argument that a flag is of.
fn known<'a>(arguments: impl Iterator<Item = &'a Arg>, flag: &str) -> Option<&'a Arg> {
    let flag = flag.split('=').next().unwrap_or(flag);
    if let Some(name) = flag.strip_prefix("--") {
        let is_named = |argument: &&Arg| {
            let aliases = argument.get_all_aliases().unwrap_or_default();
            argument.get_long() == Some(name) || aliases.contains(&name)
        };
        let mut arguments = arguments;
        return match name {
            "help" | "version" | "" => None,
            _ => arguments.find(is_named),
        };
    }
    let first = flag.chars().nth(1)?;
    let mut arguments = arguments;
    arguments.find(|argument| argument.get_short() == Some(first))
}
