//! Links between projects: a package registered for the user's other projects, and such packages
//! linked into one. The folders are npm's: `<prefix>/lib/node_modules` and `<prefix>/bin`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use dx_pkg_acquire::files::{parse_manifest, read_text};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::{PackageName, Spec};

use crate::additions::relative;
use crate::error::UpkeepError;
use crate::session::global::Global;
use crate::{Environment, InstallError};

/// The folder in which packages are registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    global: Global,
}

/// A package that was registered, or is no longer.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Its name.
    pub name: String,
    /// Its version, if it has one.
    pub version: Option<String>,
    /// The link to it.
    pub place: PathBuf,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether anything changed.
    pub is_changed: bool,
}

impl Registered {
    /// Finds the folder: that of globally installed packages.
    ///
    /// # Errors
    /// The settings cannot be read, or there is no home folder.
    pub fn find(
        environment: &Environment,
        flags: &[(String, String)],
    ) -> Result<Self, InstallError> {
        Ok(Registered { global: Global::find(environment, flags)? })
    }

    /// Registers the package in a folder, with its commands; another one of its name is replaced.
    ///
    /// # Errors
    /// There is no package with a name there, one of its commands is in use by something else, or
    /// the system refuses.
    pub fn add(&self, folder: &Path, force: bool) -> Result<Registration, InstallError> {
        let fail = |error| InstallError::io(format!("finding {}", folder.display()), error);
        let folder = folder.canonicalize().map_err(fail)?;
        let (name, manifest) = package_in(&folder)?;
        let place = self.global.modules().join(&name);
        let commands = commands(&manifest);
        for (command, _) in commands.iter().filter(|_| !force) {
            let path = self.global.bin().join(command);
            if path.symlink_metadata().is_ok() && !self.leads_to(&path, &name) {
                return Err(UpkeepError::CommandInTheWay { name, path }.into());
            }
        }
        let is_changed = place.canonicalize().ok().as_ref() != Some(&folder);
        let link = || -> std::io::Result<()> {
            let around = place.parent().unwrap_or(&place);
            std::fs::create_dir_all(around)?;
            if is_changed {
                dx_pkg_os::files::remove_tree(&place)?;
                let around = around.canonicalize()?;
                symlink_folder(&relative(&around, &folder), &place)?;
            }
            for (command, file) in &commands {
                std::fs::create_dir_all(self.global.bin())?;
                link_command(&self.global.bin().join(command), &name, file)?;
                // What leads out of the package stays as it is.
                let _ = dx_pkg_os::files::make_executable(&folder, file.as_ref());
            }
            Ok(())
        };
        link().map_err(|error| InstallError::io(format!("linking {}", place.display()), error))?;
        Ok(Registration { name, version: manifest.version, place, folder, is_changed })
    }

    /// Removes a package, with its commands. A package that was installed there is removed, too.
    ///
    /// # Errors
    /// There is none of this name, or the system refuses.
    pub fn remove(&self, name: &str) -> Result<Registration, InstallError> {
        let place = self.global.modules().join(name);
        if PackageName::parse(name).is_err() || place.symlink_metadata().is_err() {
            return Err(UpkeepError::NotLinked { name: name.to_owned() }.into());
        }
        let folder = place.canonicalize().unwrap_or_else(|_| place.clone());
        let text = read_text(&place.join("package.json")).ok().flatten();
        let manifest = text.and_then(|text| Manifest::parse(&text).ok()).unwrap_or_default();
        for (command, _) in commands(&manifest) {
            let path = self.global.bin().join(command);
            if self.leads_to(&path, name) {
                remove_command(&path);
            }
        }
        dx_pkg_os::files::remove_tree(&place)
            .map_err(|error| InstallError::io(format!("removing {}", place.display()), error))?;
        if let Some(scope) = place.parent().filter(|_| name.starts_with('@')) {
            // Others of the scope may be there.
            let _ = std::fs::remove_dir(scope);
        }
        let (name, version) = (name.to_owned(), manifest.version);
        Ok(Registration { name, version, place, folder, is_changed: true })
    }

    /// Returns name and folder of a package to link, one that is registered or the one in a folder,
    /// and whether it is the latter.
    ///
    /// # Errors
    /// There is no such package.
    pub fn to_link(
        &self,
        environment: &Environment,
        argument: &str,
    ) -> Result<(String, PathBuf, bool), InstallError> {
        let given = Spec::parse_argument(argument)?;
        if let Spec::Directory(path) = &given.spec {
            let folder = environment.folder.join(&**path);
            let fail = |error| InstallError::io(format!("finding {}", folder.display()), error);
            let folder = folder.canonicalize().map_err(fail)?;
            return Ok((package_in(&folder)?.0, folder, true));
        }
        let not_linked = || UpkeepError::NotLinked { name: argument.to_owned() };
        let name = given.name.ok_or_else(not_linked)?.as_str().to_owned();
        match self.global.modules().join(&name).canonicalize() {
            Ok(folder) => Ok((name, folder, false)),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(not_linked().into()),
            Err(error) => Err(InstallError::io(format!("finding {name}"), error)),
        }
    }

    /// Returns whether a command leads into the folder of a package.
    fn leads_to(&self, path: &Path, name: &str) -> bool {
        let Ok(target) = std::fs::read_link(path) else { return cfg!(windows) };
        let inside = Path::new("../lib/node_modules").join(name);
        target.starts_with(&inside) || target.starts_with(self.global.modules().join(name))
    }
}

/// Returns the name and the manifest of the package in a folder.
///
/// # Errors
/// There is no `package.json`, or it has no name.
pub fn package_in(folder: &Path) -> Result<(String, Manifest), InstallError> {
    let path = folder.join("package.json");
    let Some(text) = read_text(&path)? else {
        return Err(UpkeepError::NotAPackage { folder: folder.to_owned() }.into());
    };
    let manifest = parse_manifest(&path, &text)?;
    let name = manifest.name.clone();
    let nameless = || InstallError::Nameless { argument: folder.display().to_string() };
    let name = PackageName::parse(&name.ok_or_else(nameless)?)?;
    Ok((name.as_str().to_owned(), manifest))
}

/// Returns commands with their files, which stay in the package.
fn commands(manifest: &Manifest) -> Vec<(String, String)> {
    let command = |(name, file): &(String, String)| {
        let name = name.rsplit(['/', '\\', ':']).next().unwrap_or(name);
        let segments = file.split(['/', '\\']).filter(|one| !matches!(*one, "" | "." | ".."));
        let file = segments.collect::<Vec<_>>().join("/");
        (!matches!(name, "" | "." | "..") && !file.is_empty()).then(|| (name.to_owned(), file))
    };
    manifest.bin.iter().filter_map(command).collect()
}

#[cfg(unix)]
fn symlink_folder(target: &str, place: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

#[cfg(windows)]
fn symlink_folder(target: &str, place: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(target, place)
}

/// Links a command.
#[cfg(unix)]
fn link_command(path: &Path, name: &str, file: &str) -> std::io::Result<()> {
    remove_command(path);
    std::os::unix::fs::symlink(format!("../lib/node_modules/{name}/{file}"), path)
}

#[cfg(windows)]
fn link_command(path: &Path, name: &str, file: &str) -> std::io::Result<()> {
    let place = format!("{}\\{}", name.replace('/', "\\"), file.replace('/', "\\"));
    std::fs::write(
        path.with_extension("cmd"),
        format!("@node \"%~dp0\\node_modules\\{place}\" %*\r\n"),
    )
}

/// Removes a command's link.
fn remove_command(path: &Path) {
    // What is not there is as it should be.
    let _ = std::fs::remove_file(path);
    if cfg!(windows) {
        let _ = std::fs::remove_file(path.with_extension("cmd"));
    }
}
