//! The importers that a command is for: the project, or workspaces that the user names or whose
//! folder the command was started in.

use std::path::{Path, PathBuf};

use dx_pkg_compat::glob::Segment;
use dx_pkg_lock::name_of_path;
use dx_pkg_os::files::normal_path;

use crate::project::Project;
use crate::{InstallError, Session};

pub use crate::error::ImporterError;

/// The importers that a command is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Importers {
    /// Their folders, relative to the project, whose own is empty; those of workspaces first.
    pub folders: Vec<String>,
    /// Whether the others keep what they have in `node_modules`.
    pub is_part: bool,
}

impl Importers {
    /// Returns the importers that the settings `workspace`, `workspaces` and
    /// `include-workspace-root` name, else the workspace that the command was started in, else the
    /// project with all its workspaces.
    ///
    /// # Errors
    /// The settings contradict each other, or name no workspace.
    pub fn of(session: &Session, project: &Project) -> Result<Self, InstallError> {
        let config = session.config();
        let (named, all) = (config.workspace()?, config.workspaces()?);
        let with_root = config.include_workspace_root()?;
        let alone = |is_part| Ok(Importers { folders: vec![String::new()], is_part });
        if all == Some(false) {
            return match named.is_empty() {
                true => alone(true),
                false => Err(ImporterError::TurnedOff { workspace: named[0].clone() }.into()),
            };
        }
        let mut folders = if !named.is_empty() {
            matching(project, &from(session, project), &named)
        } else if let Some(inside) = around(project, &session.environment.folder) {
            vec![inside.to_owned()]
        } else if all == Some(true) {
            project.workspaces.iter().map(|(folder, _)| folder.clone()).collect()
        } else {
            return alone(false);
        };
        if folders.is_empty() {
            let known = project.workspaces.iter().map(|(folder, _)| folder.clone()).collect();
            return Err(match named.is_empty() {
                true => ImporterError::None,
                false => ImporterError::Unknown { named, known },
            }
            .into());
        }
        if with_root {
            folders.push(String::new());
        }
        Ok(Importers { folders, is_part: true })
    }
}

/// Returns the workspace that a folder is in: that whose manifest is the nearest.
fn around<'p>(project: &'p Project, folder: &Path) -> Option<&'p str> {
    let is_own = |at: &Path| at.join("package.json").is_file() || at.join("node_modules").is_dir();
    let nearest = folder.ancestors().take_while(|at| *at != project.root).find(|at| is_own(at))?;
    let path = nearest.strip_prefix(&project.root).ok()?.to_str()?;
    let mut workspaces = project.workspaces.iter().map(|(folder, _)| folder.as_str());
    workspaces.find(|folder| *folder == path)
}

/// Returns the folder that the names of workspaces are relative to: the current one, or the
/// project's where that is outside.
fn from(session: &Session, project: &Project) -> PathBuf {
    let folder = &session.environment.folder;
    if folder.starts_with(&project.root) { folder.clone() } else { project.root.clone() }
}

/// Returns the folders of the workspaces that `named` mean by npm's rules: a name, a folder, or a
/// folder around workspaces.
fn matching(project: &Project, from: &Path, named: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for given in named {
        for (folder, manifest) in &project.workspaces {
            let name = manifest.name.as_deref().unwrap_or_else(|| name_of_path(folder));
            let path = project.root.join(folder);
            let is_meant = given == name
                || normal_path(&from.join(given)) == path
                || is_directly_in(from, &path, given)
                || is_directly_in(&project.root, &path, given);
            if is_meant && !found.contains(folder) {
                found.push(folder.clone());
            }
        }
    }
    found
}

/// Returns whether `path` is a folder in the one that `given`, which may have `*` in it, means from
/// `base`.
fn is_directly_in(base: &Path, path: &Path, given: &str) -> bool {
    let Ok(inner) = path.strip_prefix(base) else { return false };
    let parts: Vec<&str> = inner.iter().filter_map(|part| part.to_str()).collect();
    let given = given.trim_end_matches('/').trim_start_matches("./");
    let wanted: Vec<&str> = given.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    parts.len() == wanted.len() + 1
        && wanted
            .iter()
            .zip(&parts)
            .all(|(wanted, part)| Segment::parse(wanted).matches(part, false))
}
