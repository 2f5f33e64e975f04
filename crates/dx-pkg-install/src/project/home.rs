//! The settings of the package manager that a project belongs to, read where they are.

use std::path::{Path, PathBuf};

use dx_pkg_compat::homes::{BUNFIG, Home, Manager, Owner, PNPM_WORKSPACE, YARNRC};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_os::files::{Target, target_within};

use super::{Seen, read_seen, see};
use crate::InstallError;

/// The settings files of all managers but npm.
const FILES: [&str; 3] = [PNPM_WORKSPACE, YARNRC, BUNFIG];

/// The settings file of a project's manager, as it was read.
pub(crate) struct ReadHome {
    /// Its contents.
    pub(crate) home: Home,
    /// Its path and text, if it exists.
    pub(crate) file: Option<(PathBuf, String)>,
    /// What is to be said about the files that are not read.
    pub(crate) unread: Vec<String>,
}

/// Returns whether a project has a settings file of any manager but npm.
pub(crate) fn has_home(root: &Path) -> bool {
    FILES.iter().any(|name| root.join(name).exists())
}

/// Reads the settings file of the manager that the project in `root` belongs to.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn read_home(
    root: &Path,
    manifest: &Manifest,
    seen: &mut Seen,
) -> Result<ReadHome, InstallError> {
    let owner = Owner::of(manifest, |name| root.join(name).exists());
    let own = owner.manager.settings_file();
    let mut unread: Vec<String> = Vec::new();
    for name in FILES.into_iter().filter(|name| Some(*name) != own) {
        if root.join(name).exists() {
            let manager = owner.manager.name();
            unread.push(format!("{name}, as the project belongs to {manager}"));
        }
    }
    watch_missing(root, owner, seen);
    let Some(name) = own else {
        return Ok(ReadHome { home: Home::parse(owner, None)?, file: None, unread });
    };
    let path = root.join(name);
    if let Ok(Target::Outside(_)) = target_within(root, name) {
        unread.push(format!("{name}, which is a link that leads out of the project"));
        return Ok(ReadHome { home: Home::parse(owner, None)?, file: None, unread });
    }
    let text = if path.exists() { read_seen(&path, seen)? } else { None };
    let home = Home::parse(owner, text.as_deref())?;
    Ok(ReadHome { home, file: text.map(|text| (path, text)), unread })
}

/// Makes settings files that are not there part of the project's state, so that a new one is
/// noticed: that of the project's manager or, where nothing tells whose a project is, those of pnpm
/// and Yarn. Each costs an install that has nothing to do a system call, so Bun's, which says least
/// about a project, is left out.
fn watch_missing(root: &Path, owner: Owner, seen: &mut Seen) {
    let mut names: Vec<&str> = owner.manager.settings_file().into_iter().collect();
    if owner == Owner::NPM {
        names = vec![PNPM_WORKSPACE, YARNRC];
    }
    if owner.manager == Manager::Pnpm {
        names.push(PNPMFILE);
    }
    seen.extend(names.into_iter().map(|name| see(&root.join(name))));
}

/// The file with pnpm's hooks.
pub(crate) const PNPMFILE: &str = ".pnpmfile.cjs";
