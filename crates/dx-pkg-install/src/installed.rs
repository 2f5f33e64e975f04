//! The tree in `node_modules`: its record, whether that still holds, and the state for the next
//! install.

use std::path::Path;

use dx_pkg_core::Version;
use dx_pkg_lock::Lock;
use dx_pkg_lock::dxl;
use dx_pkg_os::files::Identity;

use crate::plan::Plan;
use crate::project::Project;
use crate::seal::Seal;
use crate::state::Baseline;
use crate::{InstallError, built, own_files};

pub(crate) use crate::own_files::{HIDDEN, RECORD};

/// Returns the record's name and contents for a tree whose scripts have still to run.
///
/// It has no private copies. Until [`complete_record`] adds them, a package whose scripts may run
/// does not count as in place: however this install ends, the next one puts it there again and runs
/// them.
pub(crate) fn record(installed: &Lock, seal: Option<Seal>) -> (String, Vec<u8>) {
    (RECORD.to_owned(), sealed(dxl::encode(installed, [0; 32]), seal))
}

/// Returns a record with the store's seal, if it has one.
pub(crate) fn sealed(mut record: Vec<u8>, seal: Option<Seal>) -> Vec<u8> {
    if let Some(seal) = seal {
        seal.seal_record(&mut record);
    }
    record
}

/// The messages that every install of a tree reports.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diagnostics {
    /// Unmet peer requirements, in words.
    pub(crate) conflicts: Vec<String>,
    /// The packages that these concern.
    pub(crate) disputed: Vec<String>,
    /// Other warnings.
    pub(crate) warnings: Vec<String>,
    /// Whether another resolution would keep the lock as it is.
    pub(crate) is_complete: bool,
}

/// Returns the baseline for a later incremental install, now that the tree is in place. `node` is
/// the version of Node.js that packages were chosen for.
pub(crate) fn baseline(
    root: &Path,
    node: Option<&Version>,
    diagnostics: &Diagnostics,
) -> Option<Baseline> {
    let [record, hidden] = own_files::identities(root, [RECORD, HIDDEN])?;
    Some(Baseline {
        node: node.map(ToString::to_string).unwrap_or_default(),
        record: record?,
        hidden: hidden?,
        is_complete: diagnostics.is_complete,
        conflicts: diagnostics.conflicts.clone(),
        disputed: diagnostics.disputed.clone(),
        warnings: diagnostics.warnings.clone(),
    })
}

/// Returns the identity of a file below `node_modules`, if it is there.
pub(crate) fn identity_of(root: &Path, name: &str) -> Option<Identity> {
    own_files::identity(root, name)
}

/// Completes the record with private copies, once the scripts of these packages have ended well,
/// and notes what they have made.
pub(crate) fn complete_record(
    project: &Project,
    plan: &Plan,
    seal: Option<Seal>,
) -> Result<(), InstallError> {
    if !plan.has_private() {
        return Ok(());
    }
    let failed = |error| InstallError::io("noting what scripts have made", error);
    built::note(&project.root, plan).map_err(failed)?;
    let (path, record) = record(&plan.installed, seal);
    let name = path.rsplit('/').next().unwrap_or_default();
    own_files::replace(&project.root, name, &record)
        .map_err(|error| InstallError::io(format!("writing node_modules/{path}"), error))
}
