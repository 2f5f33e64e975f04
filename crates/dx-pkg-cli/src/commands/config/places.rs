//! The files of settings, and what is in them.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::files::{EditedFile, read_text_to_edit};
use dx_pkg_compat::npmrc::RawValue;
use dx_pkg_compat::npmrc::definitions::GivenWords;
use dx_pkg_compat::npmrc::listing::{Listing, ListingSources};
use dx_pkg_install::Environment;
use dx_pkg_install::project::find_root;
use dx_pkg_install::session::{config_files, machine_file};
use serde_json::Value;

use super::Location;
use crate::error::{CommandError, SettingsError};

/// The settings of a folder, by their files.
pub struct Settings<'e> {
    pub environment: &'e Environment,
    pub given: &'e GivenWords,
    pub listing: Listing,
    /// The project's folder.
    pub root: PathBuf,
    project: Option<PathBuf>,
    user: Option<PathBuf>,
    global: PathBuf,
}

impl<'e> Settings<'e> {
    /// Reads all files of settings.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn read(environment: &'e Environment, given: &'e GivenWords) -> Result<Self, CommandError> {
        let root = find_root(&environment.folder).folder;
        let [project, user] = config_files(environment, &root);
        let flag = |key: &str| {
            let value = given.value(key).and_then(RawValue::text)?;
            Some(environment.folder.join(value))
        };
        let user = flag("userconfig").or(user);
        let is_global = is_global(given);
        let project = project.filter(|path| Some(path) != user.as_ref() && !is_global);
        let text = |path: Option<&PathBuf>| match path {
            Some(path) => read_text_to_edit(path),
            None => Ok(None),
        };
        let (user_text, project_text) = (text(user.as_ref())?, text(project.as_ref())?);
        let prefix = default_prefix(environment);
        let nowhere = PathBuf::new();
        let listing = |global: (&Path, Option<&str>)| {
            Listing::read(&ListingSources {
                global,
                user: (user.as_ref().unwrap_or(&nowhere), user_text.as_deref()),
                project: project.as_deref().map(|path| (path, project_text.as_deref())),
                env: &environment.variables,
                given,
                folder: &environment.folder,
                home: environment.home.as_deref(),
                default_registry: environment.default_registry.as_ref().map(url::Url::as_str),
                default_prefix: &prefix,
            })
        };
        let before = listing((&nowhere, None));
        let is_set = |key: &str| before.place(key).is_some_and(|layer| layer.name != "default");
        let named = |key: &str| before.get(key).and_then(Value::as_str).map(PathBuf::from);
        let global = machine_file(environment, |key| named(key).filter(|_| is_set(key)));
        let global = global.unwrap_or_else(|| prefix.join("etc/npmrc"));
        let global_text = read_text_to_edit(&global)?;
        let listing = listing((&global, global_text.as_deref()));
        Ok(Settings { environment, given, listing, root, project, user, global })
    }

    /// Returns the place that is changed.
    ///
    /// # Errors
    /// A word that names none.
    pub fn location(&self) -> Result<Location, SettingsError> {
        if is_global(self.given) {
            return Ok(Location::Global);
        }
        let given = self.given.value("location").and_then(RawValue::text);
        let location = self.listing.get("location").and_then(Value::as_str);
        match given.as_deref().or(location) {
            None | Some("user") => Ok(Location::User),
            Some("project") => Ok(Location::Project),
            Some("global") => Ok(Location::Global),
            Some(other) => Err(SettingsError::Location { location: other.to_owned() }),
        }
    }

    /// Returns the file that is changed.
    ///
    /// # Errors
    /// There is none.
    pub fn target(&self) -> Result<PathBuf, SettingsError> {
        let (path, location) = match self.location()? {
            Location::User => (self.user.clone(), "the user"),
            Location::Project => (self.project.clone().or(self.user.clone()), "the project"),
            Location::Global => (Some(self.global.clone()), "the machine"),
        };
        path.ok_or_else(|| SettingsError::NoFile { location: location.to_owned() })
    }

    /// Returns whether a file is the user's own, which only the user may read.
    fn is_users(&self, path: &Path) -> bool {
        self.user.as_deref() == Some(path)
    }

    /// Returns a file to change. The user's and the machine's may be links to wherever the user
    /// keeps them.
    pub fn edited<'p>(&self, path: &'p Path) -> EditedFile<'p> {
        let follows_links = self.project.as_deref() != Some(path);
        EditedFile { path, follows_links, is_private: self.is_users(path) }
    }

    /// Returns the file of a place of the listing that is one.
    pub fn file(&self, name: &str) -> Option<&Path> {
        match name {
            "user" => self.user.as_deref(),
            "project" => self.project.as_deref(),
            "global" => Some(&self.global),
            _ => None,
        }
    }

    /// Returns the folder of global packages and commands.
    pub fn prefix(&self) -> PathBuf {
        let prefix = self.listing.get("prefix").and_then(Value::as_str).map(PathBuf::from);
        prefix.unwrap_or_else(|| default_prefix(self.environment))
    }
}

/// Returns whether the machine's settings and packages are meant.
pub fn is_global(given: &GivenWords) -> bool {
    let is = |key: &str, value: &str| {
        given.value(key).and_then(RawValue::text).is_some_and(|given| given == value)
    };
    is("global", "true") || is("location", "global")
}

/// Returns the prefix without any setting: a folder of dx's own.
fn default_prefix(environment: &Environment) -> PathBuf {
    let own = environment.data_folder().map(|folder| folder.join("global"));
    own.unwrap_or_else(|| PathBuf::from("/usr/local"))
}

/// Returns the Node.js on the `PATH`.
pub fn node(environment: &Environment) -> Option<PathBuf> {
    let name = if cfg!(windows) { "node.exe" } else { "node" };
    let paths = environment.variable("PATH")?;
    std::env::split_paths(paths).map(|folder| folder.join(name)).find(|path| path.is_file())
}
