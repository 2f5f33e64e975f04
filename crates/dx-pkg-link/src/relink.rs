//! Commands of packages in place, linked again.

use std::path::Path;

use dx_pkg_os::files::Dir;
use dx_pkg_store::Store;

use crate::bins::{self, BIN};
use crate::run::Run;
use crate::tree::{PlacementSource, Site, Sites};
use crate::{LinkError, LinkOptions, NoProgress, Tree};

impl Tree {
    /// Links the commands of those packages again that `is_wanted` selects by their paths,
    /// where their files are in place. Where two packages of a folder have a command of one name, it
    /// stays that of the first, in npm's order. Neither packages nor other entries change.
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
        sites.retain(|site| !site.placement.bins.is_empty());
        sites.sort_by_key(Site::folder);
        for sites in sites.chunk_by(|a, b| a.folder() == b.folder()) {
            run.check_cancelled()?;
            let mut sites = sites.to_vec();
            sites.sort_by(|a, b| dx_pkg_lock::locale_compare(&a.placement.path, &b.placement.path));
            let Ok(modules) = run.open(sites[0].folder()) else { continue };
            let mut known = Vec::new();
            let mut wanted = Vec::new();
            for site in &sites {
                for command in bins::commands(site) {
                    let file = project.join(&site.placement.path).join(&command.file);
                    if !file.exists() || known.contains(&command.name) {
                        continue;
                    }
                    known.push(command.name);
                    if is_wanted(&site.placement.path) {
                        if matches!(site.placement.source, PlacementSource::Symlink { .. }) {
                            crate::import::repair_in_place(project, &file)?;
                        }
                        wanted.push((command.name, format!("../{}/{}", site.name, command.file)));
                    }
                }
            }
            link(&modules, &wanted).map_err(LinkError::io(
                "link commands in",
                project.join(sites[0].folder()).join(BIN),
            ))?;
        }
        Ok(())
    }
}

fn link(modules: &Dir, wanted: &[(&str, String)]) -> std::io::Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let bin = modules.make_or_open_dir(BIN)?;
    for (name, target) in wanted {
        if !bins::is(&bin, name, target) {
            bins::make(&bin, name, target)?;
        }
    }
    Ok(())
}
