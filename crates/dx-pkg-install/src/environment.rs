//! The environment of a command, as plain data: folders, variables, the running program.

use std::path::{Path, PathBuf};

use url::Url;

/// Where and by whom a command was started. The binary reads it from the process; other callers
/// fill it in.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// The folder to work in, absolute.
    pub folder: PathBuf,
    /// The folder in which the user called the program, absolute.
    pub called_from: PathBuf,
    /// The user's home, if there is one.
    pub home: Option<PathBuf>,
    /// Environment variables that are valid text.
    pub variables: Vec<(String, String)>,
    /// Whether standard output shows colours.
    pub has_colours: bool,
    /// The running program, which scripts find in `npm_execpath`.
    pub executable: PathBuf,
    /// The registry to use where none is configured.
    pub default_registry: Option<Url>,
}

impl Environment {
    /// Returns the value of a variable that is set and not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        let set = |(key, value): &&(String, String)| key == name && !value.is_empty();
        self.variables.iter().find(set).map(|(_, value)| value.as_str())
    }

    /// Sets variables, in place of those of the same names.
    pub fn set(&mut self, variables: &[(String, String)]) {
        for (name, value) in variables {
            self.variables.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            self.variables.push((name.clone(), value.clone()));
        }
    }

    /// Returns whether the command runs in continuous integration.
    #[must_use]
    pub fn in_ci(&self) -> bool {
        self.variable("CI").is_some_and(|value| value != "false" && value != "0")
    }

    /// Returns the store's folder: `DX_STORE`, else `dx/store` in the user's data folder.
    #[must_use]
    pub fn store_folder(&self) -> Option<PathBuf> {
        if let Some(folder) = self.variable("DX_STORE") {
            return Some(self.called_from.join(folder));
        }
        Some(self.data_folder()?.join("store"))
    }

    /// Returns dx's folder in the user's data folder.
    #[must_use]
    pub fn data_folder(&self) -> Option<PathBuf> {
        let data = self.variable("XDG_DATA_HOME").map(Path::new);
        if let Some(folder) = data.filter(|folder| folder.is_absolute()) {
            return Some(folder.join("dx"));
        }
        Some(self.home.as_ref()?.join(".local/share/dx"))
    }
}
