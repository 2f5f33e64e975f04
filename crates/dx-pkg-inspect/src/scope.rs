//! Which packages a question is about, where workspaces or kinds of dependencies are selected.

use std::collections::HashSet;

use dx_pkg_compat::npmrc::DependencyType;
use dx_pkg_install::{InstallError, Session};
use dx_pkg_resolve::graph::Kind;

use crate::list::Omitted;
use crate::{InspectError, View};

/// Which packages a question is about.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Kinds of packages that are left out.
    pub omitted: Vec<Omitted>,
    /// Whether the project's own dependencies count beside those of selected workspaces.
    pub with_root: bool,
    /// Whether workspaces are left out.
    pub without_workspaces: bool,
}

impl Scope {
    /// Returns the packages that the selection of workspaces leaves; `None` where it leaves all.
    pub(crate) fn selected(&self, view: &View) -> Option<HashSet<usize>> {
        if self.without_workspaces {
            return Some(outside_workspaces(view));
        }
        if view.selected.is_empty() {
            return None;
        }
        let mut starts = view.selected.clone();
        if self.with_root {
            let own = view.graph.packages[0].requires.iter();
            let own = own.map(|at| &view.graph.requirements[*at]);
            let own = own.filter(|required| required.kind != Kind::Workspace);
            starts.extend(own.filter_map(|required| required.to));
        }
        Some(view.needed_by(starts))
    }

    /// Returns whether a package is of a kind that is left out. Only those of the project and its
    /// workspaces are.
    pub(crate) fn omits(&self, view: &View, place: usize) -> bool {
        let top = view.top(place);
        if top != 0 && !view.graph.packages[top].is_workspace {
            return false;
        }
        self.omits_flag(view, place)
    }

    /// Returns whether a package is of a kind that is left out, wherever it is.
    pub(crate) fn omits_flag(&self, view: &View, place: usize) -> bool {
        let package = &view.graph.packages[place];
        let omits = |kind: Omitted| self.omitted.contains(&kind);
        let (dev, optional) = (omits(Omitted::Development), omits(Omitted::Optional));
        package.peer && omits(Omitted::Peer)
            || package.dev && dev
            || package.optional && optional
            || package.dev_optional && optional && dev
    }
}

/// Returns the kinds of packages that the settings leave out.
///
/// # Errors
/// A setting that cannot be used.
pub fn omitted(session: &Session) -> Result<Vec<Omitted>, InspectError> {
    let kinds = session.config().omit().map_err(InstallError::from)?;
    let kinds = kinds.into_iter().filter_map(|kind| match kind {
        DependencyType::Dev => Some(Omitted::Development),
        DependencyType::Optional => Some(Omitted::Optional),
        DependencyType::Peer => Some(Omitted::Peer),
        DependencyType::Prod => None,
    });
    Ok(kinds.collect())
}

/// Returns the packages that the project needs besides its workspaces.
fn outside_workspaces(view: &View) -> HashSet<usize> {
    let mut found: HashSet<usize> = HashSet::new();
    let mut queue = vec![0];
    while let Some(place) = queue.pop() {
        for required in view.requirements_of(place) {
            let Some(to) = required.to else { continue };
            if !view.graph.packages[to].is_workspace && found.insert(to) {
                queue.push(to);
            }
        }
    }
    found
}
