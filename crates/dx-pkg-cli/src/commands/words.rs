//! The words of the command line before clap reads them: `help`, scripts by their names alone, and
//! flags that belong to scripts.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use dx_pkg_compat::command_words::{
    command_place, folder, instead_of_flag, is_flag, unknown_command,
};
use dx_pkg_install::project::nearest_manifest;

/// The commands that run a script, to which they pass arguments.
const SCRIPT_COMMANDS: [&str; 5] = ["run", "test", "start", "stop", "restart"];

/// Returns the words with npm's short flags of several letters spelled out, up to `--`.
pub fn with_long_flags(words: Vec<OsString>) -> Vec<OsString> {
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let spelled = |(at, word): (usize, OsString)| match word.to_str() {
        Some("-ws") if at < end => "--workspaces".into(),
        Some("-iwr") if at < end => "--include-workspace-root".into(),
        _ => word,
    };
    words.into_iter().enumerate().map(spelled).collect()
}

/// Returns whether the words ask for globally installed packages.
pub fn is_global(words: &[OsString]) -> bool {
    let own = words.iter().take_while(|word| *word != "--");
    own.filter_map(|word| word.to_str()).any(|word| {
        matches!(word, "-g" | "--global" | "--global=true" | "--location=global")
    })
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

/// Puts `--` in front of the first flag behind a script's name that dx does not know: it is the
/// script's, with everything that follows.
fn pass_unknown_flags(parser: &Command, mut words: Vec<OsString>) -> Vec<OsString> {
    let place = command_place(&words);
    let named = place.and_then(|at| Some((at, parser.find_subcommand(&words[at])?)));
    let is_script = |command: &Command| SCRIPT_COMMANDS.contains(&command.get_name());
    let Some((at, command)) = named.filter(|(_, command)| is_script(command)) else {
        return words;
    };
    let is_known = |word: &str| {
        let arguments = command.get_arguments().chain(parser.get_arguments());
        let name = word.split('=').next().unwrap_or(word);
        matches!(word, "-h" | "--help")
            || arguments.into_iter().any(|argument| {
                let longs = argument.get_long_and_visible_aliases().unwrap_or_default();
                let aliases = argument.get_all_aliases().unwrap_or_default();
                let mut longs = longs.iter().chain(&aliases);
                longs.any(|long| name.strip_prefix("--") == Some(long))
                    || argument.get_short().is_some_and(|short| name == format!("-{short}"))
            })
    };
    let script = if command.get_name() == "run" {
        words.iter().skip(at + 1).position(|word| !is_flag(word)).map(|skipped| at + 1 + skipped)
    } else {
        Some(at)
    };
    let Some(script) = script else { return words };
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
