//! Commands of packages in place, linked again.

use std::path::Path;

use dx_pkg_os::files::Dir;
use dx_pkg_store::Store;

use crate::bins::{self, BIN};
use crate::run::Run;
use crate::tree::{PlacementSource, Site, Sites};
use crate::{LinkError, LinkOptions, NoProgress, Tree};

impl Tree {
    /// Links the commands of those packages again that `is_wanted` selects by their paths, where
    /// their files are in place. Of two of them with a command of one name the first has it, in
    /// npm's order. Neither packages nor other entries change.
    ///
    /// # Errors
    /// An unsafe path, and any refusal of the system.
    pub fn link_commands(
        &self,
        project: &Path,
        store: &Store,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Result<(), LinkError> {
        let options = LinkOptions { links_outside: true, ..LinkOptions::default() };
        let run = Run::new(project, store, Default::default(), &options, &NoProgress);
        let mut sites: Vec<Site<'_>> = Sites::of(self, true)?.0;
        sites.retain(|site| !site.placement.bins.is_empty() && is_wanted(&site.placement.path));
        sites.sort_by(|a, b| {
            let paths = [a, b].map(|site| site.placement.path.as_str());
            a.folder().cmp(b.folder()).then_with(|| dx_pkg_lock::locale_compare(paths[0], paths[1]))
        });
        for sites in sites.chunk_by(|a, b| a.folder() == b.folder()) {
            run.check_cancelled()?;
            let folder = sites[0].folder();
            let Ok(modules) = run.open(folder) else { continue };
            link(&modules, &commands(project, sites)?)
                .map_err(LinkError::io("link commands in", project.join(folder).join(BIN)))?;
        }
        Ok(())
    }
}

/// Returns the commands of a folder's packages whose files are there, each with its target.
fn commands<'s>(project: &Path, sites: &[Site<'s>]) -> Result<Vec<(&'s str, String)>, LinkError> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for site in sites {
        for command in bins::commands(site) {
            let file = project.join(&site.placement.path).join(&command.file);
            if !file.exists() || found.iter().any(|(known, _)| *known == command.name) {
                continue;
            }
            if matches!(site.placement.source, PlacementSource::Symlink { .. }) {
                crate::import::repair_in_place(project, &file)?;
            }
            found.push((command.name, format!("../{}/{}", site.name, command.file)));
        }
    }
    Ok(found)
}

fn link(modules: &Dir, commands: &[(&str, String)]) -> std::io::Result<()> {
    if commands.is_empty() {
        return Ok(());
    }
    let bin = modules.make_or_open_dir(BIN)?;
    for (name, target) in commands {
        if !bins::is(&bin, name, target) {
            bins::make(&bin, name, target)?;
        }
    }
    Ok(())
}
