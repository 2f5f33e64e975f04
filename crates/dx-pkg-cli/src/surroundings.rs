//! The process's surroundings, read once: folder, home, environment. Nothing else in dx reads them.

use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// Where dx was started, and by whom.
#[derive(Debug)]
pub struct Surroundings {
    /// The folder to work in, absolute.
    pub folder: PathBuf,
    /// The folder the user called dx in, absolute.
    pub called_from: PathBuf,
    /// The user's home, if there is one.
    pub home: Option<PathBuf>,
    /// Environment variables that are valid text.
    pub variables: Vec<(String, String)>,
}

impl Surroundings {
    /// Reads them; `folder` is the `-C` argument.
    pub fn read(folder: Option<&Path>) -> Result<Self, Failure> {
        let called_from = std::env::current_dir()
            .map_err(|error| Failure::io("finding the current folder", &error))?;
        let folder = match folder {
            None => called_from.clone(),
            Some(folder) => {
                let folder = called_from.join(folder);
                folder
                    .canonicalize()
                    .map_err(|error| Failure::io(format!("opening {}", folder.display()), &error))?
            }
        };
        let variables: Vec<(String, String)> = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        Ok(Surroundings { folder, called_from, home, variables })
    }

    /// The value of an environment variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Whether this runs in continuous integration.
    pub fn in_ci(&self) -> bool {
        self.variable("CI").is_some_and(|value| value != "false" && value != "0")
    }

    /// The store's folder as configured: `DX_STORE`, else `dx/store` in the user's data folder.
    pub fn store_folder(&self) -> Option<PathBuf> {
        if let Some(folder) = self.variable("DX_STORE") {
            return Some(self.called_from.join(folder));
        }
        if let Some(folder) =
            self.variable("XDG_DATA_HOME").filter(|folder| Path::new(folder).is_absolute())
        {
            return Some(Path::new(folder).join("dx/store"));
        }
        Some(self.home.as_ref()?.join(".local/share/dx/store"))
    }
}
