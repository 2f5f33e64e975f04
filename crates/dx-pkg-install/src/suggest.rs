//! "Did you mean" for packages that no registry has: names that this project or this machine knows.

use dx_pkg_acquire::AcquireError;
use dx_pkg_core::text::suggest::mistyped;
use dx_pkg_resolve::ResolveError;

use crate::project::Project;
use crate::summary::conflicts::with_places;
use crate::{InstallError, Session};

/// Adds to the error about a package that was not found the known name that differs by a slip.
pub(crate) fn complete(error: InstallError, session: &Session, project: &Project) -> InstallError {
    let InstallError::Acquire(AcquireError::Resolve(mut boxed)) = error else { return error };
    if let ResolveError::Load { name, source, .. } = &mut *boxed
        && source.code == "DX_PACKAGE_NOT_FOUND"
        && let Some(known) = similar(name, session, project)
    {
        let hint = source.hint.take().map(|hint| format!("; or {hint}")).unwrap_or_default();
        source.hint = Some(format!("did you mean {known}?{hint}"));
    }
    if matches!(*boxed, ResolveError::Unsolved { .. }) {
        boxed = Box::new(with_places(project, *boxed));
    }
    InstallError::Acquire(AcquireError::Resolve(boxed))
}

/// Returns the similar name: one of the project's before one of the metadata cache.
fn similar(name: &str, session: &Session, project: &Project) -> Option<String> {
    let manifests = std::iter::once(&project.manifest)
        .chain(project.workspaces.iter().map(|(_, manifest)| manifest));
    let required = manifests.flat_map(|manifest| {
        [
            &manifest.dependencies,
            &manifest.dev_dependencies,
            &manifest.optional_dependencies,
            &manifest.peer_dependencies,
        ]
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
    });
    let locked = project.locked.iter().flat_map(|(_, lock)| &lock.packages);
    let locked = locked.filter_map(|package| package.path.rsplit_once("node_modules/"));
    let own = required.chain(locked.map(|(_, name)| name));
    let found = mistyped(name, own).map(str::to_owned);
    found.or_else(|| {
        let cached = session.store().known_packages();
        mistyped(name, cached.iter().map(String::as_str)).map(str::to_owned)
    })
}
