//! The command line of a plain install, read without an argument parser.
//!
//! It understands the flags of the option table. Any other command line takes the full install,
//! which alone reports what is wrong with one.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::npmrc::{Flag, FlagValue, OptionGroup, OptionInfo, find_flag};

/// The command line of a plain install.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PlainInstall {
    /// The folder that `-C` names.
    pub folder: PathBuf,
    /// The settings that the flags give.
    pub flags: Vec<(String, String)>,
    /// Whether nothing is printed.
    pub silent: bool,
    /// Whether the lockfile must not change.
    pub frozen: bool,
}

impl PlainInstall {
    /// Parses the arguments; `None` for anything but a plain `install` that is certain to be valid.
    #[must_use]
    pub fn read(arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut request = PlainInstall::default();
        let mut is_install = false;
        // Most flags may be given only once.
        let mut given: Vec<&str> = Vec::new();
        let mut arguments = arguments.map(|argument| argument.into_string().ok());
        while let Some(argument) = arguments.next() {
            let argument = argument?;
            let (name, attached) = match argument.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (argument.as_str(), None),
            };
            let mut value = || attached.clone().or_else(|| separate_value(arguments.next()?));
            let (id, may_repeat) = match name {
                "install" | "i" if !is_install => {
                    is_install = true;
                    continue;
                }
                "-C" | "--dir" | "--prefix" | "--cwd" => {
                    request.folder = value().filter(|folder| !folder.is_empty())?.into();
                    ("dir", false)
                }
                "-s" | "--silent" => {
                    request.silent = attached.is_none().then_some(true)?;
                    ("silent", false)
                }
                // The other flags belong to the command and follow its name.
                _ if !is_install => return None,
                "--frozen-lockfile" | "--immutable" => {
                    request.frozen = attached.is_none().then_some(true)?;
                    ("frozen-lockfile", false)
                }
                _ => {
                    let (option, flag) = find_flag(name)?;
                    let argument = match flag.value {
                        FlagValue::Argument(_) => Some(value()?),
                        _ if attached.is_some() => return None,
                        _ => None,
                    };
                    request.set(option, flag, argument.as_deref())?;
                    (flag.long, option.is_list && argument.is_some())
                }
            };
            if given.contains(&id) && !may_repeat {
                return None;
            }
            given.push(id);
        }
        is_install.then_some(request)
    }

    /// Adds what a flag sets; `None` if its argument is not allowed.
    fn set(&mut self, option: &OptionInfo, flag: &Flag, argument: Option<&str>) -> Option<()> {
        // An install that only writes the lockfile is never up to date, one with force looks at
        // everything, and a dry run tells what it found.
        // What only concerns workspaces or no project at all has no record of its own.
        let never = [
            "package-lock-only",
            "force",
            "dry-run",
            "global",
            "workspace",
            "workspaces",
            "include-workspace-root",
        ];
        if never.contains(&option.key) {
            return None;
        }
        // How packages are added does not matter to a plain install.
        let is_relevant = !matches!(option.group, OptionGroup::Save | OptionGroup::Publish);
        let mut set = |value: &str| {
            if is_relevant {
                self.flags.push((option.key.to_owned(), value.to_owned()));
            }
        };
        match (flag.value, argument) {
            (FlagValue::Ignored(_), _) => {}
            (FlagValue::Fixed(value), _) => set(value),
            (FlagValue::Argument(_), Some(argument)) if option.is_list => {
                for word in argument.split(',') {
                    flag.allows(word).then(|| set(word))?;
                }
            }
            (FlagValue::Argument(_), argument) => {
                set(argument.filter(|argument| flag.allows(argument))?);
            }
        }
        Some(())
    }
}

/// Returns the argument of a flag that stands behind it; one that begins with a dash is a flag.
fn separate_value(argument: Option<String>) -> Option<String> {
    argument.filter(|argument| !argument.starts_with('-'))
}
