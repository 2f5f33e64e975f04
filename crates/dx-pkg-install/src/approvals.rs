//! Approvals of scripts in the forms of other package managers, with the file that one of them may
//! name.

use std::path::{Component, Path, PathBuf};

use dx_pkg_acquire::files::read_text;
use dx_pkg_compat::homes::Approvals;
use dx_pkg_os::files::{Target, target_within};

use crate::InstallError;
use crate::project::{Project, see};

/// Reads what a project says in other forms than npm's.
pub(crate) fn approvals(project: &Project) -> Result<Approvals, InstallError> {
    let mut read = Approvals::of(&project.manifest, &project.home);
    let Some((place, file)) = read.file.clone() else { return Ok(read) };
    match file_of_project(&project.root, &file) {
        Some(path) => match read_text(&path)? {
            Some(text) => read.add_file(&place, &text),
            None => read.ignored.push(format!("{place}: there is no file {file}")),
        },
        None => read.ignored.push(format!(
            "{place}: {file} is no file of the project's own; name its packages in allowScripts"
        )),
    }
    Ok(read)
}

/// Makes the file that the project names for its approvals part of the project's state.
pub(crate) fn watch(project: &mut Project, approvals: &Approvals) {
    let path = approvals.file.as_ref().and_then(|(_, file)| file_of_project(&project.root, file));
    if let Some(path) = path {
        project.seen.push(see(&path));
    }
}

/// Returns the path of a file in the project; what a package brings is none of its files.
fn file_of_project(root: &Path, file: &str) -> Option<PathBuf> {
    let file = Path::new(file);
    let mut parts = file.components().filter(|part| *part != Component::CurDir);
    let is_own =
        parts.all(|part| matches!(part, Component::Normal(name) if name != "node_modules"));
    let is_link = matches!(target_within(root, &file.to_string_lossy()), Ok(Target::Outside(_)));
    (is_own && !is_link).then(|| root.join(file))
}
