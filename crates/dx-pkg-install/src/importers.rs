//! The importers that a command is for: the project, or workspaces that the user names or whose
//! folder the command was started in.

use std::path::Path;

use crate::project::Project;
use crate::{InstallError, Session};

pub use crate::error::ImporterError;

pub mod words;

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
            matching(project, &session.environment.folder, &named)?
        } else if let Some(inside) = around(project, &session.environment.folder) {
            vec![inside.to_owned()]
        } else if all == Some(true) {
            project.workspaces.iter().map(|(folder, _)| folder.clone()).collect()
        } else {
            return alone(false);
        };
        if folders.is_empty() {
            return Err(ImporterError::None.into());
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

/// Returns the folders of the workspaces that `named` mean by npm's rules, each once.
fn matching(
    project: &Project,
    folder: &Path,
    named: &[String],
) -> Result<Vec<String>, InstallError> {
    let places = (project.root.as_path(), words::base(&project.root, folder));
    let mut found: Vec<String> = Vec::new();
    let mut unknown = Vec::new();
    for word in named {
        let meant = words::meant(&project.workspaces, places, word);
        if meant.is_empty() {
            unknown.push(word.clone());
        }
        for (folder, _) in meant.into_iter().map(|at| &project.workspaces[at]) {
            if !found.contains(folder) {
                found.push(folder.clone());
            }
        }
    }
    if unknown.is_empty() {
        return Ok(found);
    }
    let known = project.workspaces.iter().map(|(folder, _)| folder.clone()).collect();
    Err(ImporterError::Unknown { named: unknown, known }.into())
}
