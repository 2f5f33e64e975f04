//! Frozen lockfiles, as `npm ci` takes them.
//!
//! A requirement that the lockfile does not meet is resolved all the same. The lockfile is taken if
//! it has every package of the outcome, in its version: npm accepts a peer conflict for which no
//! other package can be placed, and a package that is there once too often.

use dx_pkg_lock::{Lock, LockPackage};

use crate::explain::label;
use crate::manifest::{EdgeKind, Origin};
use crate::tree::{EdgeId, NodeId};
use crate::{Resolution, ResolveError};

use super::{Builder, split_path};

impl Builder<'_, '_> {
    /// Returns whether a frozen lockfile is trusted with `edge`: an optional peer, whatever is
    /// there for it. An optional dependency that is missing is looked for, and passes where it
    /// cannot be loaded.
    pub(super) fn is_trusted(&self, edge: EdgeId) -> bool {
        self.options.frozen && self.tree[edge].kind == EdgeKind::PeerOptional
    }

    /// Records the unmet requirements of `node`.
    ///
    /// # Errors
    /// A package of the lockfile that is neither optional nor bundled requires one, neither as a
    /// peer nor as an option, that it could not find, and a tarball has no other in its place:
    /// whatever is placed, the lockfile lacks it.
    pub(super) fn record_unmet(&mut self, node: NodeId) -> Result<(), ResolveError> {
        let unmet = self.problem_edges(node);
        self.unmet.extend(unmet.iter().map(|edge| (*edge, self.tree[*edge].to)));
        match unmet.into_iter().find(|edge| self.is_lacking(*edge)) {
            Some(edge) => Err(self.frozen_error(edge, false)),
            None => Ok(()),
        }
    }

    fn is_lacking(&self, edge: EdgeId) -> bool {
        let tree = &self.tree;
        let this = &tree[edge];
        let mut visible = tree.ancestry(this.from).filter_map(|at| tree.child(at, this.name));
        let is_required = match &tree.manifest(this.from).origin {
            Origin::Registry { .. } => false,
            Origin::Record(entry) => !entry.optional && !entry.dev_optional,
            Origin::Locked(entry) => !entry.optional() && !entry.dev_optional(),
        };
        is_required
            && !this.kind.is_peer()
            && !this.kind.is_optional()
            && !tree[this.from].in_bundle
            && !this.to.is_some_and(|to| tree[to].in_bundle || self.has_no_version(to))
            && !visible.any(|node| tree.satisfied_by(edge, node))
    }

    /// Returns whether `node` is an entry without a version, which may stand for an optional
    /// package that could not be loaded.
    fn has_no_version(&self, node: NodeId) -> bool {
        let tree = &self.tree;
        tree[node].target.is_none() && !tree.is_top(node) && tree.manifest(node).version.is_none()
    }

    /// Returns the error for the requirements that the lockfile does not meet, if there are any. It
    /// names the first one that another package was placed for, rather than one for which nothing
    /// can be loaded.
    pub(crate) fn refusal(&self) -> Option<ResolveError> {
        let is_moved = |(edge, to): &&(EdgeId, Option<NodeId>)| self.tree[*edge].to != *to;
        let has_failed = |(edge, _): &(EdgeId, Option<NodeId>)| {
            self.tree[*edge].to.is_some_and(|to| self.tree[to].failure.is_some())
        };
        let mut moved = self.unmet.iter().filter(is_moved);
        let first = moved.clone().find(|unmet| !has_failed(unmet)).or_else(|| moved.next());
        let (edge, to) = first.or(self.unmet.first())?;
        Some(self.frozen_error(*edge, to.is_none() && self.tree[*edge].kind.is_optional()))
    }

    /// Returns the error for `edge`. The dependent may be in the tree no longer.
    fn frozen_error(&self, edge: EdgeId, is_optional: bool) -> ResolveError {
        let tree = &self.tree;
        ResolveError::Frozen {
            name: tree.text(tree[edge].name).to_owned(),
            spec: tree.interner.spec_text(tree.spec(edge)).to_owned(),
            required_by: label(tree, tree[edge].from),
            is_optional,
        }
    }
}

/// Returns `outcome`, or the error `refusal` where it is not what the lockfile has.
pub(crate) fn compare(
    outcome: Result<Resolution, ResolveError>,
    refusal: Option<ResolveError>,
    locked: Option<&Lock>,
) -> Result<Resolution, ResolveError> {
    let Some(refusal) = refusal else { return outcome };
    match outcome {
        Ok(resolution) if has_all(locked, &resolution.lock) => Ok(resolution),
        Err(error @ (ResolveError::PeerConflict(_) | ResolveError::OverrideReference { .. })) => {
            Err(error)
        }
        _ => Err(refusal),
    }
}

/// Returns whether the lockfile has every package of `outcome`, in its version. Of folders their
/// own manifests tell the version.
fn has_all(locked: Option<&Lock>, outcome: &Lock) -> bool {
    let Some(index) = locked.map(Lock::index) else { return false };
    let has = |package: &LockPackage| {
        let is_folder = split_path(&package.path).is_none();
        let same = |known: &LockPackage| {
            is_folder
                || known.version == package.version
                    && known.package_name() == package.package_name()
        };
        package.path.is_empty() || index.get(&package.path).is_some_and(same)
    };
    outcome.packages.iter().all(has)
}
