//! Words of command lines that other package managers know and dx does not, with what to write in
//! their place, and what can be told from the words alone.

use std::ffi::OsString;
use std::path::PathBuf;

use dx_pkg_core::text::suggest::nearest;

use crate::npmrc::{FlagValue, OptionInfo, find_flag};

pub mod asking;
mod faces;
mod npms_flags;
mod plain_install;

pub use faces::{Face, NotSpoken, Translation};
pub use npms_flags::{NpmFlag, is_setting_behind_one_dash, npms_flag};
pub use plain_install::PlainInstall;

/// npm's commands that dx does not have.
const NPM_COMMANDS: &[&str] = &[
    "access",
    "adduser",
    "deprecate",
    "diff",
    "dist-tag",
    "login",
    "logout",
    "org",
    "owner",
    "pack",
    "pkg",
    "profile",
    "publish",
    "team",
    "token",
    "undeprecate",
    "unpublish",
    "version",
    "whoami",
];

/// Flags that other managers have or that mean several things, with what to write instead.
const FLAGS: &[(&str, &str)] = &[
    ("-r", "name workspaces with --workspace, or write --workspaces for all of them"),
    ("--recursive", "name workspaces with --workspace, or write --workspaces for all of them"),
    ("-F", "write --workspace=NAME"),
    ("--filter", "write --workspace=NAME"),
    ("-W", "leave it out: dx add in the project's folder adds to the project"),
    ("--ignore-workspace-root-check", "leave it out: dx add in the project's folder is enough"),
    ("--workspace-root", "run dx in the project's folder"),
    ("--ignore-workspace", "write --no-workspaces"),
    ("--peer-only", "write --save-peer"),
    ("--pure-lockfile", "write --frozen-lockfile, or --no-save to leave the lockfile as it is"),
    ("--no-lockfile", "write --no-package-lock"),
    ("--no-lock", "write --no-package-lock"),
    ("--node-linker", "write it into .npmrc; dx makes a hoisted node_modules"),
    ("--caret", "leave it out: it is the default of save-prefix"),
    ("--tilde", "write --save-prefix=~"),
    (
        "--mode",
        "write --package-lock-only for Yarn's update-lockfile, --ignore-scripts for skip-build",
    ),
    ("--cached", "write --prefer-offline"),
    ("--flat", "write dx dedupe --minimise for the fewest versions"),
    ("--no-summary", "write --silent"),
    ("--depth", "leave it out: it has no meaning here"),
    ("-d", "write -D (--save-dev) for a development dependency, or --verbose for more output"),
    ("-p", "write --prod to leave development dependencies out"),
    ("--allow-build", r#"write "allowScripts": { "name": true } into package.json"#),
    ("--trust", r#"write "allowScripts": { "name": true } into package.json"#),
    ("--backend", "write --package-import-method"),
    ("--fix-lockfile", "leave it out: dx install completes the lockfile"),
    ("--ignore-engines", "leave it out: engines are warnings unless engine-strict is set"),
    ("--linker", "leave it out: dx hoists as npm does"),
    ("--no-verify", "leave it out: dx verifies every package"),
    ("--shamefully-hoist", "leave it out: dx hoists as npm does"),
    ("--shamefully-flatten", "leave it out: dx hoists as npm does"),
    ("--store-dir", "set the variable DX_STORE to the folder"),
    ("--cache-dir", "set the variable DX_STORE to the folder"),
];

/// Commands of pnpm, Yarn and Bun that are called otherwise here, with what to write instead.
const COMMANDS: &[(&str, &str)] = &[
    ("upgrade-interactive", "dx update --latest"),
    ("global", "dx add --global NAME"),
    ("workspace", "dx add --workspace=NAME PACKAGE, dx run --workspace=NAME SCRIPT"),
    ("workspaces", "dx run --workspaces SCRIPT; dx query .workspace lists them"),
    ("recursive", "the command with --workspaces"),
    ("multi", "the command with --workspaces"),
    ("autoclean", "dx prune"),
    ("generate-lock-entry", "dx install --package-lock-only"),
    ("node", "node; the commands of packages are run with dx exec"),
    ("env", "a version manager of Node.js; dx does not install Node.js"),
    ("runtime", "a version manager of Node.js; dx does not install Node.js"),
    ("self-update", "the way that dx was installed in"),
    ("pm", "the command behind it: dx ls, dx pack, dx store"),
    ("ignored-builds", "dx install-scripts ls"),
    ("plugin", "nothing: dx has no plugins"),
    ("constraints", "nothing: dx has no constraints"),
    ("setup", "export PATH with the folder that dx bin --global prints"),
    ("star", "nothing: npm has dropped it, and registries with it"),
    ("unstar", "nothing: npm has dropped it, and registries with it"),
    ("stars", "nothing: npm has dropped it, and registries with it"),
];

/// The flags whose argument is a folder, which may have the name of a command.
const FOLDER_FLAGS: [&str; 4] = ["-C", "--dir", "--prefix", "--cwd"];

/// Returns the message about a word that is neither a command nor a script: `known` are their
/// names.
pub fn unknown_command<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> String {
    let advice = if NPM_COMMANDS.contains(&word) {
        format!("dx does not have npm's {word} yet; `npm {word}` understands what dx installs")
    } else if let Some((_, instead)) = COMMANDS.iter().find(|(known, _)| *known == word) {
        format!("here it is: {instead}")
    // An alias of one or two letters is like everything.
    } else if let Some(found) = nearest(word, known.filter(|name| name.len() > 2)) {
        format!("did you mean `dx {found}`?")
    } else {
        "`dx --help` lists the commands, `dx run` the scripts".to_owned()
    };
    format!("unknown command {word:?}\n\n  {advice}")
}

/// Returns what to write in place of a flag that dx does not have.
#[must_use]
pub fn instead_of_flag(flag: &str) -> Option<&'static str> {
    FLAGS.iter().find(|(known, _)| *known == flag).map(|(_, instead)| *instead)
}

/// Returns whether the word behind this flag of every command is its value.
#[must_use]
pub fn has_value_behind(flag: &str) -> bool {
    FOLDER_FLAGS.contains(&flag) || flag == "--reporter"
}

/// Returns the place of the first word of a command line that is neither a flag nor a flag's value;
/// the first word is the program.
#[must_use]
pub fn command_place(words: &[OsString]) -> Option<usize> {
    let is_value = |at: usize| words[at - 1].to_str().is_some_and(has_value_behind);
    (1..words.len()).find(|at| !is_value(*at) && !is_flag(&words[*at]))
}

/// Returns the folder that a flag before the command names.
#[must_use]
pub fn folder(words: &[OsString]) -> Option<PathBuf> {
    let before = words.get(..command_place(words)?)?;
    let given = before.iter().enumerate().rev().find_map(|(at, word)| {
        let word = word.to_str()?;
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(PathBuf::from(value))),
            None => (word, None),
        };
        let is_one = FOLDER_FLAGS.contains(&flag);
        is_one.then(|| value.or_else(|| Some(PathBuf::from(before.get(at + 1)?))))
    });
    given.flatten()
}

/// Returns whether a word is a flag.
#[must_use]
pub fn is_flag(word: &OsString) -> bool {
    word.as_encoded_bytes().starts_with(b"-")
}

/// Returns whether the word behind a flag is its value, by the settings of dx and npm.
#[must_use]
pub fn takes_next_word(flag: &str) -> bool {
    if flag.contains('=') {
        return false;
    }
    if has_value_behind(flag) {
        return true;
    }
    match find_flag(flag) {
        Some((_, flag)) => matches!(flag.value, FlagValue::Argument(_)),
        None => {
            let name = flag.trim_start_matches('-');
            OptionInfo::find(name).is_some_and(|option| !option.is_switch)
                || npms_flag(flag).is_some_and(|known| known.takes_value)
        }
    }
}
