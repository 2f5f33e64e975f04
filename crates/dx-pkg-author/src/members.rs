//! The packages of a project that a command is about: the project itself, or workspaces that are
//! named, in npm's order.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::files::read_text;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_install::Environment;
use dx_pkg_install::importers::words;
use dx_pkg_install::project::{find_root, workspaces};
use serde_json::Value;

use crate::AuthorError;

/// The workspaces that a command line names.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Names or folders.
    pub names: Vec<String>,
    /// Whether all are meant.
    pub all: bool,
    /// Whether none is, wherever the command was started.
    pub none: bool,
    /// Whether the project's own package is meant beside them.
    pub with_root: bool,
}

/// A package that a command is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, or that of its folder where it has none.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
}

/// The packages that a command is about.
#[derive(Clone, Debug)]
pub struct Members {
    /// The project's folder.
    pub root: PathBuf,
    /// The workspaces that are meant; `None` where the project's own package is.
    pub chosen: Option<Vec<Member>>,
}

impl Members {
    /// Finds the packages that are meant. Where no workspace is named, and the command was started
    /// in one, that one is. A folder that `-C` names stands for itself.
    ///
    /// # Errors
    /// A word that names no workspace, or a project that cannot be read.
    pub fn find(environment: &Environment, selection: &Selection) -> Result<Self, AuthorError> {
        let from = &environment.folder;
        let is_named = *from != environment.called_from;
        let root = find_root(from).folder;
        let nearest =
            from.ancestors().find(|folder| folder.join("package.json").is_file()).unwrap_or(&root);
        let is_asked = selection.all || !selection.names.is_empty();
        let is_inside = nearest != root && nearest.starts_with(&root);
        if selection.none || !is_asked && (!is_inside || is_named) {
            let root = if is_inside { nearest.to_owned() } else { root };
            return Ok(Members { root, chosen: None });
        }
        let named = workspaces(&root)?;
        let workspaces: Vec<Member> = named.iter().map(|one| member_of(&root, one)).collect();
        let mut chosen = Vec::new();
        if selection.with_root {
            let manifest = written_manifest(&root).unwrap_or_default();
            let name = manifest.get("name").and_then(Value::as_str).unwrap_or_default();
            chosen.push(Member { name: name.to_owned(), folder: root.clone() });
        }
        if !is_asked {
            chosen.extend(workspaces.into_iter().filter(|member| member.folder == nearest));
        } else if selection.names.is_empty() {
            if workspaces.is_empty() && chosen.is_empty() {
                return Err(AuthorError::NoWorkspaces { folder: root.display().to_string() });
            }
            chosen.extend(workspaces);
        }
        let places = (root.as_path(), words::base(&root, from));
        for name in &selection.names {
            let meant = words::meant(&named, places, name);
            if meant.is_empty() {
                return Err(AuthorError::NoWorkspace { name: name.clone() });
            }
            for member in meant.into_iter().map(|at| member_of(&root, &named[at])) {
                if !chosen.contains(&member) {
                    chosen.push(member);
                }
            }
        }
        Ok(Members { root, chosen: Some(chosen) })
    }

    /// Returns the folders of all packages that are meant, with the names of workspaces.
    pub fn each(&self) -> Vec<(Option<&str>, &Path)> {
        match &self.chosen {
            None => vec![(None, self.root.as_path())],
            Some(members) => members
                .iter()
                .map(|member| (Some(member.name.as_str()), member.folder.as_path()))
                .collect(),
        }
    }
}

fn member_of(root: &Path, (path, manifest): &(String, Manifest)) -> Member {
    Member { name: words::name_of(path, manifest).to_owned(), folder: root.join(path) }
}

/// Returns the manifest in a folder as it is written; `None` where there is none that can be read.
#[must_use]
pub fn written_manifest(folder: &Path) -> Option<Value> {
    let text = read_text(&folder.join("package.json")).ok()??;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()
}
