//! Globally installed packages: where they are, which ones, and the commands that lead to them.
//!
//! The folders are npm's: packages in `<prefix>/lib/node_modules`, each with its dependencies
//! inside, and links to their commands in `<prefix>/bin`. Packages that another program put there
//! are left alone unless they are named.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use dx_pkg_acquire::files::read_text;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_lock::Lock;
use dx_pkg_os::files::normal_path;

use crate::error::UpkeepError;
use crate::session::configuration;
use crate::{Environment, InstallError};

/// The folder of globally installed packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Global {
    /// The setting `prefix`, else `dx/global` in the user's data folder.
    pub prefix: PathBuf,
}

/// A globally installed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlobalPackage {
    /// The name of its folder, with the scope.
    pub name: String,
    /// The folder that it is a link to, if it is one.
    pub target: Option<PathBuf>,
}

impl Global {
    /// Returns the folder that the settings name; those of the project count for nothing.
    ///
    /// # Errors
    /// The settings cannot be read, or there is no home folder.
    pub fn find(
        environment: &Environment,
        flags: &[(String, String)],
    ) -> Result<Self, InstallError> {
        let own = environment.data_folder();
        let nowhere = own.clone().unwrap_or_else(|| environment.folder.clone());
        let (config, _) = configuration(environment, &nowhere, flags)?;
        let named = config.prefix()?.filter(|prefix| !prefix.as_os_str().is_empty());
        let prefix = match named {
            Some(prefix) => Some(normal_path(&environment.folder.join(prefix))),
            None => own.map(|folder| folder.join("global")),
        };
        Ok(Global { prefix: prefix.ok_or(UpkeepError::NoPrefix)? })
    }

    /// Returns the folder that has the packages' `node_modules`.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        if cfg!(windows) { self.prefix.clone() } else { self.prefix.join("lib") }
    }

    /// Returns the packages' `node_modules`.
    #[must_use]
    pub fn modules(&self) -> PathBuf {
        self.folder().join("node_modules")
    }

    /// Returns the folder of commands.
    #[must_use]
    pub fn bin(&self) -> PathBuf {
        if cfg!(windows) { self.prefix.clone() } else { self.prefix.join("bin") }
    }

    /// Returns the installed packages, sorted by name.
    #[must_use]
    pub fn packages(&self) -> Vec<GlobalPackage> {
        let mut found = Vec::new();
        let modules = self.modules();
        for name in visible(&modules) {
            if name.starts_with('@') {
                let inner = visible(&modules.join(&name)).into_iter();
                found.extend(inner.map(|package| format!("{name}/{package}")));
            } else {
                found.push(name);
            }
        }
        found.sort_unstable();
        let target = |name: &str| {
            let place = modules.join(name);
            let link = std::fs::read_link(&place).ok()?;
            Some(normal_path(&place.parent().unwrap_or(&modules).join(link)))
        };
        found.into_iter().map(|name| GlobalPackage { target: target(&name), name }).collect()
    }

    /// Returns the commands of an installed package: names, with files relative to it.
    #[must_use]
    pub fn commands(&self, name: &str) -> BTreeMap<String, String> {
        commands(self.manifest(name).map(|manifest| manifest.bin).unwrap_or_default())
    }

    fn version(&self, name: &str) -> Option<String> {
        self.manifest(name)?.version
    }

    fn manifest(&self, name: &str) -> Option<Manifest> {
        let text = read_text(&self.modules().join(name).join("package.json")).ok().flatten();
        text.and_then(|text| Manifest::parse(&text).ok())
    }

    /// Checks that the commands of packages in a lock can be linked: what is there is their own. A
    /// package that is in place in the version of the lock keeps those it has.
    ///
    /// # Errors
    /// Another package's command, or the user's own file, is in the way.
    pub fn check_commands(&self, lock: &Lock, names: &[String]) -> Result<(), InstallError> {
        for name in names {
            let Some(entry) = lock.get(&format!("node_modules/{name}")) else { continue };
            if !entry.link && entry.version.is_some() && self.version(name) == entry.version {
                continue;
            }
            let folder = entry.resolved.as_deref().filter(|_| entry.link);
            let entry = folder.and_then(|folder| lock.get(folder)).unwrap_or(entry);
            for command in commands(entry.bin.clone()).into_keys() {
                let path = self.bin().join(&command);
                if path.symlink_metadata().is_ok() && !self.leads_to(&path, name) {
                    let name = name.clone();
                    return Err(UpkeepError::CommandInTheWay { name, path }.into());
                }
            }
        }
        Ok(())
    }

    /// Links the commands of packages, and removes those `before` that they no longer have. What is
    /// not theirs stays, unless `replaces` says otherwise.
    ///
    /// # Errors
    /// The system refuses.
    pub fn link_commands(
        &self,
        before: &[(String, BTreeMap<String, String>)],
        names: &[String],
        replaces: bool,
    ) -> Result<(), InstallError> {
        let bin = self.bin();
        let fail =
            |error| InstallError::io(format!("linking commands in {}", bin.display()), error);
        for (name, commands) in before {
            let now = self.commands(name);
            for command in commands.keys().filter(|command| !now.contains_key(*command)) {
                let path = bin.join(command);
                if self.leads_to(&path, name) {
                    remove_shims(&path);
                }
            }
        }
        for name in names {
            for (command, file) in self.commands(name) {
                let target = self.modules().join(name).join(&file);
                if !target.exists() {
                    continue;
                }
                std::fs::create_dir_all(&bin).map_err(fail)?;
                let path = bin.join(&command);
                let is_others = path.symlink_metadata().is_ok() && !self.leads_to(&path, name);
                if is_others && !replaces {
                    continue;
                }
                remove_shims(&path);
                link(&path, name, &file).map_err(fail)?;
                // Those of linked folders are the user's own files; others were made executable
                // with the tree. What leads out of the folder stays as it is.
                let _ =
                    dx_pkg_os::files::make_executable(&self.modules().join(name), file.as_ref());
            }
        }
        Ok(())
    }

    /// Returns whether a command's link leads into the folder of a package.
    fn leads_to(&self, path: &Path, name: &str) -> bool {
        let Ok(link) = std::fs::read_link(path) else { return false };
        normal_path(&self.bin().join(link)).starts_with(self.modules().join(name))
    }

    /// Removes packages that no record has, such as those that another program installed.
    ///
    /// # Errors
    /// The system refuses.
    pub fn remove_left(&self, names: &[String]) -> Result<(), InstallError> {
        for name in names {
            let place = self.modules().join(name);
            let Ok(found) = place.symlink_metadata() else { continue };
            let removed = match found.is_symlink() {
                true => std::fs::remove_file(&place),
                false => dx_pkg_os::files::remove_tree(&place),
            };
            if let Err(error) = removed.or_else(|error| match error.kind() {
                ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            }) {
                return Err(InstallError::io(format!("removing {}", place.display()), error));
            }
        }
        Ok(())
    }

    /// Returns whether the folder of commands is one of those in `PATH`.
    #[must_use]
    pub fn is_on_path(&self, environment: &Environment) -> bool {
        let path = environment.variable("PATH").unwrap_or_default();
        std::env::split_paths(path).any(|folder| folder == self.bin())
    }
}

/// Returns the names of a folder's entries that do not begin with a dot.
fn visible(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| !name.starts_with('.')).collect()
}

/// Returns commands as they are linked: without folders in their names, and with files that stay in
/// the package.
fn commands(bin: Vec<(String, String)>) -> BTreeMap<String, String> {
    let inside = |file: &str| {
        let path = normal_path(&Path::new("/").join(file.trim_start_matches('/')));
        Some(path.to_str()?.trim_start_matches('/').to_owned())
    };
    let own = bin.into_iter().filter_map(|(name, file)| {
        let name = name.rsplit(['/', '\\', ':']).next().unwrap_or(&name).to_owned();
        let file = inside(&file).filter(|file| !file.is_empty())?;
        (!matches!(name.as_str(), "" | "." | "..")).then_some((name, file))
    });
    own.collect()
}

#[cfg(unix)]
fn link(path: &Path, name: &str, file: &str) -> std::io::Result<()> {
    std::os::unix::fs::symlink(format!("../lib/node_modules/{name}/{file}"), path)
}

#[cfg(windows)]
fn link(path: &Path, name: &str, file: &str) -> std::io::Result<()> {
    let file = file.replace('/', "\\");
    let text = format!("@\"%~dp0\\node_modules\\{}\\{file}\" %*\r\n", name.replace('/', "\\"));
    std::fs::write(path.with_extension("cmd"), text)
}

/// Removes a command's link.
fn remove_shims(path: &Path) {
    let _ = std::fs::remove_file(path);
    if cfg!(windows) {
        let _ = std::fs::remove_file(path.with_extension("cmd"));
    }
}
