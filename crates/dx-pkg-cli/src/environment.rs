//! Reads the process's environment: folders, variables, the running program. Nothing else in dx
//! reads it.

use std::path::Path;

use dx_pkg_acquire::AcquireError;
use dx_pkg_install::Environment;
use url::Url;

use crate::error::CommandError;
use crate::report::has_colours;

/// The registry if none is configured; set when dx is built.
const DEFAULT_REGISTRY: Option<&str> = option_env!("DX_DEFAULT_REGISTRY");

/// Reads the environment; `folder` is the argument of `-C`.
///
/// # Errors
/// The folder cannot be opened.
pub fn read(folder: Option<&Path>) -> Result<Environment, CommandError> {
    let called_from = std::env::current_dir()
        .map_err(|error| AcquireError::io("finding the current folder", error))?;
    let folder = match folder {
        None => called_from.clone(),
        Some(folder) => {
            let folder = called_from.join(folder);
            let opening = |error| AcquireError::io(format!("opening {}", folder.display()), error);
            folder.canonicalize().map_err(opening)?
        }
    };
    Ok(Environment {
        folder,
        called_from,
        home: std::env::home_dir().filter(|home| !home.as_os_str().is_empty()),
        variables: variables().collect(),
        has_colours: has_colours(&std::io::stdout()),
        executable: std::env::current_exe().unwrap_or_else(|_| "dx".into()),
        default_registry: DEFAULT_REGISTRY.and_then(|text| Url::parse(text).ok()),
    })
}

/// Returns the environment variables that are valid text.
pub fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
}
