//! Finds out whether there is anything to install, before anything else is started.
//!
//! Any command line but that of a plain install takes the full install.

use dx_pkg_compat::command_words::PlainInstall;
use dx_pkg_install::Environment;
use dx_pkg_install::scripts::skipped_line;
use dx_pkg_install::session;
use dx_pkg_install::state::{self, State};
use dx_pkg_os::files::Map;

use crate::environment;
use crate::report;

/// Returns whether this is an install of a project in which nothing has changed; then the user has
/// been told so.
pub fn nothing_to_do() -> bool {
    let Some(request) = PlainInstall::read(std::env::args_os().skip(1)) else { return false };
    let Ok(map) = Map::open_checked(request.folder.join(state::PATH)) else { return false };
    let environment = Environment {
        home: std::env::home_dir().filter(|home| !home.as_os_str().is_empty()),
        variables: environment::variables().collect(),
        ..Environment::default()
    };
    let mut seals = session::seals(&environment, &request.folder);
    let Some(state) = seals.find_map(|seal| State::decode(&map, seal)) else { return false };
    if state::settings_digest(&request.flags, environment.variables.iter().cloned())
        != state.settings
        || state.frozen && !request.frozen
        || !state.names_lockfile(&request.folder)
        || !state.holds(&request.folder)
        || !state.is_since_boot()
    {
        return false;
    }
    if !request.silent {
        if let Some(skipped) = skipped_line(&state.scripts_skipped) {
            report::warn(&skipped);
        }
        report::print("Already up to date\n");
    }
    true
}

#[cfg(test)]
mod tests;
