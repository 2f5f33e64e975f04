//! Packages that the store had and lacks, because files of theirs were altered: they are fetched
//! again.

use std::path::Path;
use std::sync::Arc;

use dx_pkg_acquire::{Counters, Downloads};
use dx_pkg_core::PackageId;
use dx_pkg_link::LinkError;
use dx_pkg_store::StoreMode;

use crate::plan::Plan;
use crate::{InstallError, Session, altered};

/// Returns whether linking failed for want of a package, or of its contents, that can be fetched.
pub(crate) fn is_due(error: &LinkError) -> bool {
    matches!(error, LinkError::MissingPackage { .. } | LinkError::Corrupt { .. })
}

/// Brings back what a plan needs after linking it failed with `error`.
///
/// # Errors
/// A package cannot be fetched.
pub(crate) fn all(
    session: &Session,
    root: &Path,
    plan: &Plan,
    error: &LinkError,
) -> Result<(), InstallError> {
    let store = session.store();
    if let LinkError::Corrupt { id, .. } = error
        && let Some(id) = PackageId::from_hex(id)
    {
        store.reject(id)?;
    }
    let mut ids: Vec<PackageId> = plan.wanted()?.into_iter().map(|(id, _)| id).collect();
    ids.sort_unstable();
    ids.dedup();
    altered::check(store, &ids);
    ids.retain(|id| !store.has(*id));
    fetch(session, root, plan, &ids)
}

/// Fetches the packages `ids` of a plan, which the store lacks, at once.
///
/// # Errors
/// One cannot be fetched.
pub(crate) fn fetch(
    session: &Session,
    root: &Path,
    plan: &Plan,
    ids: &[PackageId],
) -> Result<(), InstallError> {
    let counters = Arc::<Counters>::default();
    let offline = session.config().offline()?;
    let downloads =
        Downloads::new(&session.context, offline, StoreMode::Now, counters).in_project(root);
    let wanted = plan.wanted()?.into_iter().filter(|(id, _)| ids.contains(id));
    let failed = downloads.wait(wanted)?;
    failed.into_iter().next().map_or(Ok(()), |(_, error)| Err(error.into()))
}
