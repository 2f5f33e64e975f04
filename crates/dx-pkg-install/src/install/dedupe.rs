//! The input of a resolution that chooses versions anew: of all packages, of some, or so that fewer
//! copies or versions are left.

use dx_pkg_acquire::ResolverInput;
use dx_pkg_lock::Lock;
use dx_pkg_resolve::dedupe::{Aim, duplicated, requirements_for};

use super::{Mode, Options};
use crate::project::Project;

/// Brings into the input what a mode that deduplicates wants. npm's lets the packages that `locked`
/// has several times be chosen anew, and those win that are there; an update those that it names.
pub(super) fn prepare(
    options: &Options<'_>,
    input: &mut ResolverInput,
    project: &Project,
    locked: Option<&Lock>,
) {
    match options.mode {
        Mode::Install | Mode::Ci | Mode::Prune => {}
        Mode::Update => {
            let mut names = options.update.clone();
            names.sort_unstable();
            let open = locked.map(|lock| requirements_for(lock, &names));
            input.open.extend(open.unwrap_or_default());
            input.options.update = names;
        }
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
