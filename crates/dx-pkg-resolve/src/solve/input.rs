//! The input of a resolution, as the solver repeats it.

use dx_pkg_lock::{Lock, LockPackage};

use crate::{Options, Provider, Requirements, Resolution, ResolveError, resolve_once};

/// The input of a resolution.
#[derive(Clone, Copy)]
pub(crate) struct Input<'i> {
    pub(crate) requirements: &'i Requirements,
    pub(crate) previous: Option<&'i Lock>,
    pub(crate) provider: &'i dyn Provider,
    pub(crate) options: &'i Options,
}

impl Input<'_> {
    /// Resolves by npm's rules alone.
    pub(crate) fn resolve(&self) -> Result<Resolution, ResolveError> {
        resolve_once(self.requirements, self.previous, self.provider, self.options)
    }

    /// Returns the manifests of the project and its workspaces.
    pub(super) fn importers(&self) -> impl Iterator<Item = &LockPackage> {
        std::iter::once(&self.requirements.root).chain(&self.requirements.workspaces)
    }
}
