//! The input of a resolution that leaves fewer copies or versions of packages.

use dx_pkg_acquire::ResolverInput;
use dx_pkg_lock::Lock;
use dx_pkg_resolve::dedupe::{Aim, duplicated, requirements_for};

use super::Mode;
use crate::project::Project;

/// Brings into the input what a mode that deduplicates wants. npm's lets the packages that `locked`
/// has several times be chosen anew, and those win that are there.
pub(super) fn prepare(
    mode: Mode,
    input: &mut ResolverInput,
    project: &Project,
    locked: Option<&Lock>,
) {
    match mode {
        Mode::Install | Mode::Ci | Mode::Prune => {}
        Mode::Fewest => input.aim = Some(Aim::Fewest),
        Mode::Newest => input.aim = Some(Aim::Newest),
        Mode::Dedupe => {
            input.options.prefer_dedupe = true;
            let Some(lock) = locked else { return };
            let folder = project.root.file_name().unwrap_or_default().to_string_lossy();
            input.options.update = duplicated(lock, &folder);
            input.open.extend(requirements_for(lock, &input.options.update));
        }
    }
}
