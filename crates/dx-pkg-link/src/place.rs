//! The placement of single packages, links and commands in a folder.

use std::io;
use std::path::Path;

use dx_pkg_os::files::Dir;
use dx_pkg_store::PackageTables;

use crate::LinkError;
use crate::bins::{self, BIN};
use crate::import::{Counts, Folder, Importer, Need};
use crate::run::Run;
use crate::tree::{PlacementSource, Site, below};

/// Returns the sites within the first of `sites`, which are sorted by segments.
pub(crate) fn descendants<'s, 'a>(sites: &'s [Site<'a>]) -> &'s [Site<'a>] {
    let Some((first, rest)) = sites.split_first() else {
        return &[];
    };
    let end = rest.iter().position(|site| !below(&site.placement.path, &first.placement.path));
    &rest[..end.unwrap_or(rest.len())]
}

/// Creates the package or link of `site` as `name` in `into`. Bundled files at the places of the
/// sites `within` are left out.
pub(crate) fn place(
    run: &Run<'_>,
    into: &Dir,
    name: &str,
    site: &Site<'_>,
    within: &[Site<'_>],
) -> Result<(), LinkError> {
    let path = site.placement.path.as_str();
    let mut counts = Counts::default();
    match &site.placement.source {
        PlacementSource::Symlink { target } => {
            let target = relative(path, target);
            with_parents(into, name, &mut counts, || into.symlink(&target, name))
                .map_err(LinkError::io("link", path))?;
            counts.symlinks += 1;
        }
        PlacementSource::Bundled { .. } => {}
        PlacementSource::Package(id) => {
            let package = run.packages.open(*id, path)?;
            if place_whole(run, into, name, site, within, &package)? {
                run.progress.linked(1);
                return Ok(());
            }
            let mut dir = with_parents(into, name, &mut counts, || into.make_dir(name))
                .map_err(LinkError::io("make the folder", path))?;
            dir.trust();
            counts.directories += 1;
            let source = run.importer.source(run.packages.store, *id, path, &package);
            let commands = bins::command_files(site, within);
            let private = site.placement.private_copy;
            let mut last = "";
            for entry in source.dxp.entries() {
                if occupied(entry.path, path, within) {
                    continue;
                }
                make_folders(&dir, last, entry.path, &mut counts).map_err(LinkError::io(
                    "make the folders of",
                    Path::new(path).join(entry.path),
                ))?;
                last = entry.path;
                let need = if commands.iter().any(|file| file == entry.path) {
                    Need::Command { private }
                } else if private {
                    Need::Private
                } else {
                    Need::Shared
                };
                run.importer.file(
                    &source,
                    &entry,
                    Folder { dir: &dir, path },
                    need,
                    &mut counts,
                )?;
            }
        }
    }
    run.count(counts);
    run.progress.linked(1);
    Ok(())
}

/// Places a package by one call: by a rename if it may be moved, by a clone of its folder where the
/// system can. Returns whether it is placed.
fn place_whole(
    run: &Run<'_>,
    into: &Dir,
    name: &str,
    site: &Site<'_>,
    within: &[Site<'_>],
    package: &PackageTables,
) -> Result<bool, LinkError> {
    let PlacementSource::Package(id) = site.placement.source else {
        return Ok(false);
    };
    let store = run.packages.store;
    let moves = run.importer.moves()
        && !site.placement.private_copy
        && run.movable.contains(&id)
        && store.is_own(id);
    if !moves && !run.importer.clones_trees() {
        return Ok(false);
    }
    let path = site.placement.path.as_str();
    let source = if moves {
        run.importer.unchecked_source(store, id, path, package)
    } else {
        run.importer.source(store, id, path, package)
    };
    let commands = bins::command_files(site, within);
    let shadowed = source.dxp.entries().any(|entry| occupied(entry.path, path, within));
    if shadowed || !Importer::fits_whole(&source, &commands) {
        return Ok(false);
    }
    let mut counts = Counts::default();
    let placed = with_parents(into, name, &mut counts, || {
        if moves { store.move_own(id, into, name) } else { store.clone_expanded(id, into, name) }
    });
    if placed.is_ok() {
        let files = source.dxp.len() as u64;
        counts.bytes_saved += source.dxp.entries().map(|entry| entry.size).sum::<u64>();
        if moves {
            counts.moves += files;
            counts.packages_moved += 1;
        } else {
            counts.reflinks += files;
        }
    }
    run.count(counts);
    // After a refusal the caller places the package file by file.
    Ok(placed.is_ok())
}

/// Returns whether a bundled file is at a place of another package of the tree.
pub(crate) fn occupied(file: &str, path: &str, within: &[Site<'_>]) -> bool {
    file.starts_with("node_modules/")
        && within.iter().filter(|site| !site.placement.source.is_bundled()).any(|site| {
            site.placement
                .path
                .strip_prefix(path)
                .is_some_and(|inner| below(file, inner.trim_start_matches('/')))
        })
}

/// Creates the folders of `file` that its predecessor in sorted order does not share.
fn make_folders(dir: &Dir, last: &str, file: &str, counts: &mut Counts) -> io::Result<()> {
    for (end, _) in file.match_indices('/') {
        if !last.starts_with(&file[..=end]) {
            dir.create_dir(&file[..end])?;
            counts.directories += 1;
        }
    }
    Ok(())
}

/// Calls `work`. If a parent of `name` is missing, creates all parents and calls it once more.
pub(crate) fn with_parents<T>(
    dir: &Dir,
    name: &str,
    counts: &mut Counts,
    work: impl Fn() -> io::Result<T>,
) -> io::Result<T> {
    match work() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && name.contains('/') => {}
        done => return done,
    }
    make_parents(dir, name, counts)?;
    work()
}

/// Creates the parents of `name` that are missing.
pub(crate) fn make_parents(dir: &Dir, name: &str, counts: &mut Counts) -> io::Result<()> {
    for (end, _) in name.match_indices('/') {
        match dir.create_dir(&name[..end]) {
            Ok(()) => counts.directories += 1,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Creates the `.bin` of a `node_modules` folder, with the commands of `sites`.
pub(crate) fn link_commands(
    run: &Run<'_>,
    dir: &Dir,
    folder: &str,
    sites: &[Site<'_>],
) -> Result<(), LinkError> {
    let winners = bins::winners(run, sites, |_| true)?;
    if winners.is_empty() {
        return Ok(());
    }
    let bin = if folder.is_empty() { BIN.to_owned() } else { format!("{folder}/{BIN}") };
    let at = |name: &str| Path::new(sites[0].folder()).join(BIN).join(name);
    let mut counts = Counts { directories: 1, ..Counts::default() };
    let bin = with_parents(dir, &bin, &mut counts, || dir.make_or_open_dir(&bin))
        .map_err(LinkError::io("make", at("")))?;
    for (name, target) in winners {
        bins::make(&bin, name, &target).map_err(LinkError::io("link the command", at(name)))?;
        counts.symlinks += 1;
    }
    run.count(counts);
    Ok(())
}

/// Returns the text of a link at `path` to `target`, both relative to the project.
pub(crate) fn relative(path: &str, target: &str) -> String {
    let mut from: Vec<&str> = path.split('/').collect();
    from.pop();
    let to: Vec<&str> = target.split('/').filter(|segment| !segment.is_empty()).collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let mut text = vec![".."; from.len() - common];
    text.extend(&to[common..]);
    if text.is_empty() { ".".to_owned() } else { text.join("/") }
}
