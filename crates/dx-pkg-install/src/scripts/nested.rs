//! Installs that a script of another install starts in the same project. The outer one waits for
//! its script, so the inner one must not wait for the outer one's lock.

use std::path::Path;

use dx_pkg_os::process::process_alive;

use crate::Environment;

/// The variable by which scripts know the install that runs them.
pub(super) const VARIABLE: &str = "npm_dx_install";

/// Returns the variable's value for scripts of this process's install.
pub(super) fn value(root: &Path) -> String {
    format!("{} {}", std::process::id(), root.display())
}

/// Returns whether a script of a running install of the project in `root` started this process.
pub(crate) fn is_nested(environment: &Environment, root: &Path) -> bool {
    let outer = environment.variable(VARIABLE).and_then(|value| value.split_once(' '));
    outer.is_some_and(|(process, project)| {
        Path::new(project) == root && process.parse().is_ok_and(process_alive)
    })
}
