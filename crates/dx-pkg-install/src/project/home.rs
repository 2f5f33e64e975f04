//! The settings of the package manager that a project belongs to, read where they are.

use std::path::{Path, PathBuf};

use dx_pkg_compat::homes::{BUNFIG, Home, Manager, Owner, PNPM_WORKSPACE, YARNRC};
use dx_pkg_compat::manifest::{Manifest, Section};
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
    let files = FILES.map(|name| see(&root.join(name)));
    let known = |name: &str| FILES.iter().zip(&files).find(|(file, _)| **file == name);
    let is_there = |name: &str| known(name).is_some_and(|(_, (_, identity))| identity.is_some());
    let asks_lockfiles = FILES.iter().any(|name| is_there(name)) || is_read_by_owner(manifest);
    let owner = Owner::of(manifest, |name| match known(name) {
        Some(_) => is_there(name),
        None => asks_lockfiles && root.join(name).exists(),
    });
    let own = owner.manager.settings_file();
    let mut unread: Vec<String> = Vec::new();
    for name in FILES.into_iter().filter(|name| Some(*name) != own && is_there(name)) {
        unread.push(format!("{name}, as the project belongs to {}", owner.manager.name()));
    }
    if owner.manager == Manager::Yarn && root.join(".yarnrc").exists() {
        unread.push(".yarnrc of Yarn 1, whose settings belong in .npmrc".to_owned());
    }
    seen.extend(watched(owner).into_iter().map(|name| match known(name) {
        Some((_, file)) => file.clone(),
        None => see(&root.join(name)),
    }));
    let own = own.filter(|name| is_there(name));
    let Some(name) = own else {
        return Ok(ReadHome { home: Home::parse(owner, None)?, file: None, unread });
    };
    let path = root.join(name);
    if let Ok(Target::Outside(_)) = target_within(root, name) {
        unread.push(format!("{name}, which is a link that leads out of the project"));
        return Ok(ReadHome { home: Home::parse(owner, None)?, file: None, unread });
    }
    let text = read_seen(&path, seen)?;
    let home = Home::parse(owner, text.as_deref())?;
    Ok(ReadHome { home, file: text.map(|text| (path, text)), unread })
}

/// Returns whether a manifest has anything that managers read in different ways, so that it
/// matters whose the project is.
fn is_read_by_owner(manifest: &Manifest) -> bool {
    let sections = Section::ALL.into_iter().flat_map(|section| manifest.section(section));
    ["resolutions", "overrides", "workspaces"].iter().any(|key| manifest.raw.get(key).is_some())
        || sections.into_iter().any(|(_, spec)| spec.contains(':'))
}

/// Returns the settings files that are part of the project's state also while they are not there,
/// so that a new one is noticed: that of the project's manager or, where nothing tells whose a
/// project is, those of pnpm and Yarn. Each costs an install that has nothing to do a system call,
/// so Bun's, which says least about a project, is left out.
fn watched(owner: Owner) -> Vec<&'static str> {
    match (owner.manager, owner.manager.settings_file()) {
        (Manager::Pnpm, _) => vec![PNPM_WORKSPACE, PNPMFILE],
        (_, Some(own)) => vec![own],
        (Manager::Npm, _) if owner.is_named => Vec::new(),
        _ => vec![PNPM_WORKSPACE, YARNRC],
    }
}

/// The file with pnpm's hooks.
pub(crate) const PNPMFILE: &str = ".pnpmfile.cjs";
