//! Answers "is there anything to do?" before anything else is started.
//!
//! It understands the few command lines that people repeat; whatever else is asked goes the usual way.

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use dx_pkg_os::Map;

use crate::state::{self, State};

/// What a repeated command line asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    folder: PathBuf,
    flags: Vec<(String, String)>,
    silent: bool,
}

/// Whether this is an install of a project in which nothing has changed; says so to the user.
pub fn nothing_to_do() -> bool {
    let Some(request) = Request::read(std::env::args_os().skip(1)) else { return false };
    let Ok(map) = Map::open(request.folder.join(state::PATH)) else { return false };
    let Some(state) = State::decode(&map) else { return false };
    let variables = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    if state::settings_digest(&request.flags, variables) != state.settings
        || !state.holds(&request.folder)
    {
        return false;
    }
    if !request.silent {
        // Nobody is there to be told that nobody is there to be told.
        let _ = std::io::stdout().write_all(b"Already up to date\n");
    }
    true
}

impl Request {
    /// `None` for anything but a plain `install`.
    fn read(arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut request = Request::default();
        let mut command = false;
        let mut arguments = arguments.map(|argument| argument.into_string().ok());
        while let Some(argument) = arguments.next() {
            let argument = argument?;
            let mut set =
                |key: &str, value: &str| request.flags.push((key.to_owned(), value.to_owned()));
            match argument.as_str() {
                "install" | "i" if !command => command = true,
                "-C" | "--dir" | "--prefix" => request.folder = PathBuf::from(arguments.next()??),
                "--silent" | "-s" => request.silent = true,
                "--ignore-scripts" => set("ignore-scripts", "true"),
                "--prod" | "--production" => set("omit", "dev"),
                "--omit=dev" => set("omit", "dev"),
                "--omit=optional" => set("omit", "optional"),
                "--omit=peer" => set("omit", "peer"),
                "--legacy-peer-deps" => set("legacy-peer-deps", "true"),
                "--strict-peer-deps" => set("strict-peer-deps", "true"),
                "--frozen-lockfile" | "--offline" | "--prefer-offline" | "--no-audit"
                | "--no-fund" => {}
                _ => return None,
            }
        }
        command.then_some(request)
    }
}

#[cfg(test)]
mod tests;
