//! The workspaces of a project that a question is about.

use std::path::{Path, PathBuf};

use dx_pkg_install::project::{Project, find_root};

use super::QuestionError;

/// A workspace, or the project itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name; empty where it has none.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
}

/// Which workspaces are meant.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemberOptions<'a> {
    /// Workspaces by name or folder.
    pub words: &'a [String],
    /// Whether all are meant.
    pub all: bool,
    /// Whether the project itself is meant, too.
    pub with_root: bool,
    /// Whether none is meant, also inside one.
    pub none: bool,
}

/// Returns the workspaces that are meant, in the project's order: those named, all, or the one that
/// `folder` is in. `None` where the project is meant.
///
/// # Errors
/// The project cannot be read, or a word names no workspace.
pub fn members(
    folder: &Path,
    options: MemberOptions<'_>,
) -> Result<Option<Vec<Member>>, QuestionError> {
    let root = find_root(folder).folder;
    let is_inside = root != folder && folder.ancestors().any(|at| {
        at != root && at.starts_with(&root) && at.join("package.json").is_file()
    });
    if options.none || options.words.is_empty() && !options.all && !is_inside {
        return Ok(None);
    }
    let project = Project::read_or_new(root.clone(), folder)?;
    let mut chosen: Vec<&str> = Vec::new();
    for word in options.words {
        let wanted = folder.join(word);
        let before = chosen.len();
        chosen.extend(project.workspaces.iter().filter_map(|(path, manifest)| {
            let own = root.join(path);
            let is_meant = manifest.name.as_deref() == Some(word) || own.starts_with(&wanted);
            is_meant.then_some(path.as_str())
        }));
        if chosen.len() == before {
            return Err(QuestionError::NoWorkspace { name: word.clone() });
        }
    }
    let is_around = |path: &str| folder.starts_with(root.join(path));
    let mut found: Vec<Member> = Vec::new();
    if options.with_root {
        let name = project.manifest.name.clone().unwrap_or_default();
        found.push(Member { name, folder: root.clone() });
    }
    let is_meant = |path: &str| match (options.words.is_empty(), options.all) {
        (false, _) => chosen.contains(&path),
        (true, true) => true,
        (true, false) => is_around(path),
    };
    found.extend(project.workspaces.iter().filter(|(path, _)| is_meant(path)).map(
        |(path, manifest)| Member {
            name: manifest.name.clone().unwrap_or_default(),
            folder: root.join(path),
        },
    ));
    let is_named = options.all || !options.words.is_empty();
    Ok(Some(found).filter(|found| is_named || !found.is_empty()))
}
