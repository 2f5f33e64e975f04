//! Renaming of a prepared tree into its place.

use std::path::{Path, PathBuf};

use crate::build::switch_all;
use crate::run::Run;
use crate::staging::Staging;
use crate::tree::NODE_MODULES;
use crate::{LinkError, LinkOptions, LinkReport, NoProgress};

/// Renames the tree in `prepared`, a folder that stands for the project, into the project. Trees in
/// its place are trashed, as by [`crate::materialise`]. Returns `None`, with nothing changed, if
/// the tree cannot be moved there.
///
/// `importers` are the folders, relative to the project, whose `node_modules` the tree has; the
/// project itself is `""`.
///
/// # Errors
/// Any other refusal of the system.
pub fn place_prepared(
    project: &Path,
    store: &dx_pkg_store::Store,
    prepared: &Path,
    importers: &[&str],
    options: &LinkOptions<'_>,
) -> Result<Option<LinkReport>, LinkError> {
    let run = Run::new(project, store, Default::default(), options, &NoProgress);
    let leftovers = place(&run, importers, |importer| importers.contains(&importer), prepared)?;
    Ok(leftovers.map(|leftovers| LinkReport { fresh: true, leftovers, ..LinkReport::default() }))
}

/// Does the same for a run. Every importer with packages must be in the prepared tree; the trees in
/// place of the others are removed.
pub(crate) fn place(
    run: &Run<'_>,
    importers: &[&str],
    has_packages: impl Fn(&str) -> bool,
    prepared: &Path,
) -> Result<Option<Vec<PathBuf>>, LinkError> {
    let mut leftovers = Vec::new();
    let mut stagings = Vec::with_capacity(importers.len());
    for importer in importers {
        let folder = run.folder(importer)?;
        leftovers.extend(Staging::sweep(&folder, run.packages.store, run.options.keep_foreign)?);
        let staging = if has_packages(importer) || importer.is_empty() {
            Staging::adopt(&folder, &prepared.join(importer).join(NODE_MODULES))?
        } else {
            Some(Staging::create(&folder)?)
        };
        // The trees adopted before are removed with their staging folders.
        let Some(staging) = staging else { return Ok(None) };
        let is_there =
            |(name, _): &(String, Vec<u8>)| matches!(staging.dir.identity(name), Ok(Some(_)));
        if importer.is_empty() && !run.options.extra_files.iter().all(is_there) {
            return Ok(None);
        }
        stagings.push((*importer, staging));
    }
    leftovers.extend(switch_all(run, stagings, has_packages)?);
    Ok(Some(leftovers))
}
