//! The state of a project as it is now, for the next install.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use dx_pkg_os::files::Identity;

use crate::own_files;
use crate::project::{Project, Seen, see};
use crate::seal::Seal;
use crate::state::{self, Baseline, State};
use crate::visits::{self, Visit};
use crate::{InstallError, Session};

/// The state, below `node_modules`.
const STATE: &str = ".dx/state";

/// The folders of a tree as they are now.
#[derive(Default)]
struct Visited {
    /// The paths that visit them, with the identities of the folders in which they end.
    paths: Seen,
    /// These folders.
    ends: HashSet<PathBuf>,
}

impl Visited {
    /// Looks at the folders in which visiting paths end, by their short names: the way there leads
    /// through hundreds of folders, which were just put in place.
    fn of(root: &Path, visits: &[Visit]) -> Self {
        let mut visited = Visited::default();
        for visit in visits {
            let (end, identity) = see(&root.join(&visit.end));
            if identity.is_some() {
                visited.paths.push((root.join(&visit.path), identity));
                visited.ends.insert(end);
            }
        }
        visited
    }
}

/// Returns the paths that visit the folders of the tree in place.
fn visits(root: &Path, seal: Option<Seal>) -> Vec<Visit> {
    own_files::with_record(root, seal, |record| visits::recorded(root, record)).unwrap_or_default()
}

/// Reads the state of the project, if there is one with the seal.
fn state(root: &Path, seal: Seal) -> Option<State> {
    State::decode(&own_files::map(root, STATE).ok()?.0, seal)
}

/// Returns whether a path of the state leads into a tree, and may visit packages on its way.
fn is_of_tree(path: &Path) -> bool {
    path.components().any(|component| component.as_os_str() == "node_modules")
}

/// Returns whether nothing in the project has changed since the last install, apart from packages
/// that are visited: a prepared tree may have lost some before it was used.
pub(crate) fn state_holds(root: &Path, seal: Seal) -> bool {
    let is_unchanged = |(path, noted): &(PathBuf, Option<Identity>)| {
        let place = root.join(path);
        let (_, now) = see(&if is_of_tree(path) { visits::end(&place) } else { place });
        now == *noted
    };
    state(root, seal).is_some_and(|state| state.files.iter().all(is_unchanged))
}

/// Records the folders of the tree anew, if there is a state.
///
/// The caller has changed nothing but the tree, and knows that the state held before.
pub(crate) fn refresh_state(root: &Path, seal: Seal) -> Result<(), InstallError> {
    let Some(known) = state(root, seal) else { return Ok(()) };
    let visited = Visited::of(root, &visits(root, Some(seal)));
    let (of_tree, others): (Seen, Seen) =
        known.files.iter().cloned().partition(|(path, _)| is_of_tree(path));
    let folders = of_tree.into_iter().map(|(path, _)| visits::end(&root.join(path)));
    let folders = folders.filter(|folder| !visited.ends.contains(folder));
    let seen = others.into_iter().chain(folders.map(|folder| see(&folder))).chain(visited.paths);
    let State { files, .. } = State::new(root, known.settings, seen);
    own_files::replace(root, state::NAME, &State { files, ..known }.encode(seal))
        .map_err(|error| InstallError::io(writing(root), error))
}

fn writing(root: &Path) -> String {
    format!("writing {}", root.join(state::PATH).display())
}

/// What the state of a project has beside files and folders; see [`State`].
pub(crate) struct Facts {
    pub(crate) settings: [u8; 32],
    pub(crate) frozen: bool,
    pub(crate) scripts_skipped: Vec<String>,
    pub(crate) baseline: Option<Baseline>,
}

/// Records the state by which the next install finds that nothing has changed: files as they were
/// when this install read or wrote them, folders as they are now. The paths of `node_modules` visit
/// the packages that its own time does not cover: they are returned, and `known` where the result
/// is cached. `linked` are the folders that links in the tree lead to.
pub(crate) fn record_state<'l>(
    session: &Session,
    project: &Project,
    linked: impl Iterator<Item = &'l str>,
    facts: Facts,
    known: Option<Vec<Visit>>,
) -> Result<Vec<Visit>, InstallError> {
    let root = &project.root;
    let Ok(place) = own_files::folder(root) else { return Ok(Vec::new()) };
    let seal = Seal::of_store(session.store());
    let visits =
        known.filter(|visits| visits::fit(root, visits)).unwrap_or_else(|| visits(root, seal));
    let visited = Visited::of(root, &visits);
    let mut folders: Vec<PathBuf> =
        vec![root.join("node_modules"), root.join("npm-shrinkwrap.json")];
    for (workspace, _) in &project.workspaces {
        folders.push(root.join(workspace).join("node_modules"));
    }
    folders.extend(project.workspace_places.iter().map(|folder| root.join(folder)));
    folders.extend(linked.map(|folder| root.join(folder).join("package.json")));
    folders.retain(|folder| !visited.ends.contains(folder));
    folders.sort();
    folders.dedup();
    let seen = folders
        .iter()
        .map(|path| see(path))
        .chain(visited.paths)
        .chain(session.config_files.clone())
        .chain(project.seen.clone());
    let folder = project.unnamed();
    let Facts { settings, frozen, scripts_skipped, baseline } = facts;
    let known = State::new(root, settings, seen);
    let state = State { frozen, folder, scripts_skipped, baseline, ..known };
    if let Some(seal) = seal {
        own_files::replace_in(&place, state::NAME, &state.encode(seal))
            .map_err(|error| InstallError::io(writing(root), error))?;
    }
    Ok(visits)
}

#[cfg(test)]
mod tests;
