//! The words of the command line before clap reads them: `help`, scripts by their names alone, and
//! flags that belong to scripts.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use dx_pkg_compat::command_words::{
    command_place, folder, instead_of_flag, is_flag, is_setting_behind_one_dash, takes_next_word,
    unknown_command,
};
use dx_pkg_compat::npmrc::{MissingValue, Region, SettingWords, take_settings};
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

/// Returns whether what follows the name of a script is a package's: then no setting is dx's there.
fn is_of_package(script: &Command) -> bool {
    matches!(script.get_name(), "exec" | "dlx")
}

/// Returns where the words begin that may be a script's own: those behind the name of the script
/// or command that is run. `behind` is where the words behind dx's own command begin.
pub fn script_place(
    parser: &Command,
    script: &Command,
    words: &[OsString],
    behind: usize,
) -> usize {
    match script.get_name() {
        "run" | "exec" | "dlx" | "init" => {
            let from = command_place(words).map_or(behind, |at| at + 1);
            first_argument(parser, script, words, from).map_or(words.len(), |name| name + 1)
        }
        _ => behind,
    }
}

/// Returns the words with `-ws`, which no letters are, spelled out, up to `--`, and with names of
/// npm's settings behind one dash (`-save-dev`), as npm takes them; a script's words, which begin
/// at `end`, stay.
pub fn with_long_flags(
    script: Option<&Command>,
    words: Vec<OsString>,
    end: Option<usize>,
) -> Vec<OsString> {
    let last = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let end = end.unwrap_or(words.len());
    let is_own = script.is_some_and(|it| is_of_package(it) || it.get_name() == "init");
    let spelled = |(at, word): (usize, OsString)| match word.to_str().filter(|_| at < last) {
        Some("-ws") if at < end || !is_own => "--workspaces".into(),
        Some(text) if at < end && is_setting_behind_one_dash(text) => format!("-{text}").into(),
        _ => word,
    };
    words.into_iter().enumerate().map(spelled).collect()
}

/// Takes the settings out of the words, and returns where those that may be a script's begin then;
/// they begin at `end`. Behind a command of a package none is taken: the flags of `dx exec` itself
/// are clap's.
///
/// # Errors
/// The value of a setting is missing.
pub fn without_settings(
    script: Option<&Command>,
    words: &[OsString],
    end: Option<usize>,
    is_own: impl Fn(&str) -> bool,
) -> Result<(SettingWords, usize), MissingValue> {
    let (front, own) = words.split_at(end.unwrap_or(words.len()));
    let region = if script.is_some() { Region::BeforeScript } else { Region::Command };
    let mut taken = take_settings(front.iter().cloned(), region, &is_own)?;
    let end = taken.rest.len();
    if script.is_some_and(is_of_package) {
        taken.rest.extend(own.iter().cloned());
    } else {
        let further = take_settings(own.iter().cloned(), Region::Script, &is_own)?;
        taken.settings.extend(further.settings);
        taken.rest.extend(further.rest);
    }
    Ok((taken, end))
}

/// Returns whether the words ask for globally installed packages.
pub fn is_global(words: &[OsString]) -> bool {
    let own = words.iter().take_while(|word| *word != "--");
    own.filter_map(|word| word.to_str())
        .any(|word| matches!(word, "-g" | "--global" | "--global=true" | "--location=global"))
}

/// Returns the words as clap takes them, unless one that is no command stands in its place.
pub fn prepared(parser: &Command, words: Vec<OsString>) -> Result<Vec<OsString>, clap::Error> {
    let mut words = words;
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
        return Ok(words);
    }
    let scripts = nearest_manifest(&called_in(&words)).filter(|_| !is_help);
    let scripts = scripts.map(|manifest| manifest.scripts).unwrap_or_default();
    Err(unknown(parser, &word, scripts.iter().map(|(name, _)| name.as_str())))
}

/// Returns the words to put in front of the word at `at`, the first that is no flag, where it is no
/// command of dx: it runs the script of its name, or else the command of an installed package, with
/// everything that follows.
pub fn runner(parser: &Command, words: &[OsString], at: usize) -> &'static [&'static str] {
    let Some(word) = words.get(at).and_then(|word| word.to_str()) else { return &[] };
    let is_peers = word == "check" && words.get(at + 1).is_some_and(|next| next == "peers");
    if word == "help" || is_peers || parser.find_subcommand(word).is_some() {
        return &[];
    }
    let folder = called_in(words);
    if nearest_manifest(&folder).is_some_and(|manifest| manifest.script(word).is_some()) {
        return &["run"];
    }
    if word != "check" && has_command(&folder, word) { &["exec", "--"] } else { &[] }
}

/// Returns the folder in which the words have dx work.
fn called_in(words: &[OsString]) -> PathBuf {
    std::env::current_dir().unwrap_or_default().join(folder(words).unwrap_or_default())
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

/// Puts `--` in front of the first flag that is a script's, with everything that follows: from
/// `from` on, behind the name of a script, one that dx does not know; behind a command of a
/// package, any but those that the help of `dx exec` lists, and of the letters all but `-w`, `-y`.
pub fn with_end_of_flags(
    parser: &Command,
    script: &Command,
    words: Vec<OsString>,
    from: usize,
) -> Vec<OsString> {
    let shared = || parser.get_arguments().chain(script.get_arguments());
    let is_listed = |word: &str| {
        let mut listed = script.get_arguments().filter(|argument| !argument.is_hide_set());
        (word.starts_with("--") || matches!(word, "-w" | "-y"))
            && listed.any(|argument| names(argument, word))
    };
    let is_dxs = |word: &str| match is_of_package(script) {
        true => is_listed(word),
        false => matches!(word, "-h" | "--help") || shared().any(|it| names(it, word)),
    };
    let is_foreign =
        |word: &OsString| word == "--" || is_flag(word) && !word.to_str().is_some_and(is_dxs);
    let mut words = words;
    let foreign = words.iter().skip(from).position(is_foreign).map(|skipped| from + skipped);
    if let Some(place) = foreign.filter(|place| words[*place] != "--") {
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
            && match flag {
                Some(_) if word.contains('=') => false,
                Some(flag) => flag.get_action().takes_values() && !flag.is_require_equals_set(),
                None => takes_next_word(word),
            };
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
