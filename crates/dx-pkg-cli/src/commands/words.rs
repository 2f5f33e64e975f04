//! The words of the command line before clap reads them: `help`, scripts by their names alone, and
//! flags that belong to scripts.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use dx_pkg_compat::command_words::{
    command_place, folder, instead_of_flag, is_flag, is_setting_behind_one_dash, unknown_command,
};
use dx_pkg_compat::npmrc::find_flag;
use dx_pkg_install::project::nearest_manifest;
use dx_pkg_run::has_command;

/// The commands that run a script or a command, to which they pass arguments.
const SCRIPT_COMMANDS: [&str; 8] =
    ["run", "test", "start", "stop", "restart", "exec", "dlx", "init"];

/// Returns the command among the words, if it runs a script or a command.
pub fn script_command<'p>(parser: &'p Command, words: &[OsString]) -> Option<&'p Command> {
    let command = parser.find_subcommand(&words[command_place(words)?])?;
    SCRIPT_COMMANDS.contains(&command.get_name()).then_some(command)
}

/// Returns the words with `-ws`, which no letters are, spelled out, up to `--`, and with names of
/// npm's settings behind one dash (`-save-dev`), as npm takes them; a script's words stay.
pub fn with_long_flags(parser: &Command, words: Vec<OsString>) -> Vec<OsString> {
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let is_script = script_command(parser, &words).is_some();
    let spelled = |(at, word): (usize, OsString)| match word.to_str().filter(|_| at < end) {
        Some("-ws") => "--workspaces".into(),
        Some(text) if !is_script && is_setting_behind_one_dash(text) => format!("-{text}").into(),
        _ => word,
    };
    words.into_iter().enumerate().map(spelled).collect()
}

/// Returns whether the words ask for globally installed packages.
pub fn is_global(words: &[OsString]) -> bool {
    let own = words.iter().take_while(|word| *word != "--");
    own.filter_map(|word| word.to_str())
        .any(|word| matches!(word, "-g" | "--global" | "--global=true" | "--location=global"))
}

/// Returns the words as clap takes them. A word that is no command but the name of a script runs
/// it; a command wins over a script of its name.
pub fn prepared(parser: &Command, words: Vec<OsString>) -> Result<Vec<OsString>, clap::Error> {
    let mut words = words;
    if words.len() == 2 && words[1] == "-v" {
        words[1] = "--version".into();
    }
    let Some(at) = command_place(&words) else { return Ok(words) };
    if words[at] == "check" && words.get(at + 1).is_some_and(|word| word == "peers") {
        words.remove(at);
    }
    let is_help = words[at] == "help";
    if is_help {
        words.remove(at);
        words.push("--help".into());
    }
    let word = words.get(at).map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    if word.starts_with('-') || parser.find_subcommand(&word).is_some() {
        return Ok(pass_unknown_flags(parser, words));
    }
    let folder = folder(&words).unwrap_or_default();
    let manifest = nearest_manifest(&std::env::current_dir().unwrap_or_default().join(folder));
    let scripts = manifest.map(|manifest| manifest.scripts).unwrap_or_default();
    if !is_help && scripts.iter().any(|(name, _)| *name == word) {
        words.insert(at, "run".into());
        return Ok(pass_unknown_flags(parser, words));
    }
    let scripts = scripts.iter().map(|(name, _)| name.as_str()).filter(|_| !is_help);
    Err(unknown(parser, &word, scripts))
}

/// Returns the words as those of `dx exec` where they begin with a command of an installed package:
/// its name alone runs it, if neither a command of dx nor a script has that name.
pub fn with_installed_command(parser: &Command, words: Vec<OsString>) -> Vec<OsString> {
    let mut words = words;
    let Some(at) = command_place(&words) else { return words };
    let Some(word) = words[at].to_str() else { return words };
    if word == "help" || word == "check" || parser.find_subcommand(word).is_some() {
        return words;
    }
    let folder = std::env::current_dir().unwrap_or_default();
    let folder = folder.join(self::folder(&words).unwrap_or_default());
    let is_script = || nearest_manifest(&folder).is_some_and(|it| it.script(word).is_some());
    if has_command(&folder, word) && !is_script() {
        words.splice(at..at, ["exec".into(), "--".into()]);
    }
    words
}

/// Returns the error about a word that is neither a command nor a script.
fn unknown<'s>(
    parser: &'s Command,
    word: &str,
    scripts: impl Iterator<Item = &'s str>,
) -> clap::Error {
    let commands = parser.get_subcommands().filter(|command| !command.is_hide_set());
    let names = commands.flat_map(|command| {
        std::iter::once(command.get_name()).chain(command.get_visible_aliases())
    });
    let message = unknown_command(word, names.chain(scripts));
    parser.clone().error(ErrorKind::InvalidSubcommand, message)
}

/// Gives the error about an unknown flag the advice that helps. clap's own, to take the flag for
/// the name of a package, never does.
pub fn advised(mut error: clap::Error) -> clap::Error {
    if error.kind() == ErrorKind::UnknownArgument {
        error.remove(ContextKind::Suggested);
        let flag = match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(flag)) => flag.clone(),
            _ => String::new(),
        };
        if let Some(instead) = instead_of_flag(flag.split(['=', ' ']).next().unwrap_or_default()) {
            error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![instead.into()]));
        }
    }
    error
}

/// Puts `--` in front of the first flag behind the name of a script or command that dx does not
/// know: it is the script's, with everything that follows. Behind a command of a package, only the
/// flags of `dx exec` itself are dx's.
fn pass_unknown_flags(parser: &Command, mut words: Vec<OsString>) -> Vec<OsString> {
    let Some(command) = script_command(parser, &words) else { return words };
    let Some(at) = command_place(&words) else { return words };
    let is_exec = matches!(command.get_name(), "exec" | "dlx");
    // Behind a command of a package, `-c` and `-p` are too likely its own.
    let may_be_dxs = |word: &str| {
        let setting = find_flag(word.split('=').next().unwrap_or(word));
        !is_exec || setting.is_none() && (word.starts_with("--") || matches!(word, "-w" | "-y"))
    };
    let is_known = |word: &str| {
        let shared = parser.get_arguments().filter(|_| !is_exec);
        let mut arguments = command.get_arguments().chain(shared);
        matches!(word, "-h" | "--help") && !is_exec
            || may_be_dxs(word) && arguments.any(|argument| names(argument, word))
    };
    let script = match command.get_name() {
        "run" | "exec" | "dlx" | "init" => match first_argument(parser, command, &words, at + 1) {
            Some(script) => script,
            None => return words,
        },
        _ => at,
    };
    let foreign = words
        .iter()
        .skip(script + 1)
        .position(|word| word == "--" || is_flag(word) && !word.to_str().is_some_and(is_known));
    if let Some(place) = foreign.map(|skipped| script + 1 + skipped)
        && words[place] != "--"
    {
        words.insert(place, "--".into());
    }
    words
}

/// Returns the place of the first word that is neither a flag nor the value of one; `None` where
/// `--` comes before it.
fn first_argument(
    parser: &Command,
    command: &Command,
    words: &[OsString],
    from: usize,
) -> Option<usize> {
    let mut takes_value = false;
    for (at, word) in words.iter().enumerate().skip(from) {
        if word == "--" {
            return None;
        }
        if !is_flag(word) && !takes_value {
            return Some(at);
        }
        let word = word.to_str().unwrap_or_default();
        let mut arguments = command.get_arguments().chain(parser.get_arguments());
        let flag = arguments.find(|argument| names(argument, word));
        takes_value = !takes_value
            && !word.contains('=')
            && flag.is_some_and(|flag| {
                flag.get_action().takes_values() && !flag.is_require_equals_set()
            });
    }
    None
}

/// Returns whether a word is the flag of an argument.
fn names(argument: &clap::Arg, word: &str) -> bool {
    let name = word.split('=').next().unwrap_or(word);
    let longs = argument.get_long_and_visible_aliases().unwrap_or_default();
    let aliases = argument.get_all_aliases().unwrap_or_default();
    let mut longs = longs.iter().chain(&aliases);
    longs.any(|long| name.strip_prefix("--") == Some(long))
        || argument.get_short().is_some_and(|short| name == format!("-{short}"))
}
