//! Putting a tree that was made ahead of time in its place.

use std::path::{Path, PathBuf};

use crate::build::{Run, switch_all};
use crate::staging::Staging;
use crate::tree::NODE_MODULES;
use crate::{LinkError, LinkOptions, LinkReport, NoProgress};

/// Renames the prepared tree in `prepared`, a folder that stands for the project, to its place; what is in the way goes to the
/// trash as with [`crate::materialise`]. `importers` are the folders, relative to the project, whose `node_modules`
/// it holds; the project itself is `""`. Says `None`, with nothing changed, where the tree cannot be moved there.
///
/// # Errors
/// Whatever the system refuses beyond that.
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

/// The same for a run: every importer that `has_packages` must be ready; of the others what is in place is taken away.
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
        // What was adopted already is removed with its staging.
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
