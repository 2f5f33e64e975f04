//! The commands of a `node_modules` folder: the links in `.bin`, and the packages behind them.
//!
//! If two packages have a command of one name, the package with the lower path wins, by npm's
//! collation.

use std::collections::BTreeMap;
use std::io;

use dx_pkg_os::files::Dir;
use dx_pkg_store::PackageTables;

use crate::LinkError;
use crate::run::Run;
use crate::tree::{NODE_MODULES, PlacementSource, Site};

#[cfg(any(windows, test))]
mod shim;
#[cfg(test)]
mod tests;

/// The folder of commands within a `node_modules` folder.
pub(crate) const BIN: &str = ".bin";

/// A command of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command<'a> {
    pub(crate) name: &'a str,
    /// The file, relative to the package.
    pub(crate) file: String,
}

/// Returns the commands of one package, normalised as by npm. Invalid ones are left out.
pub(crate) fn commands<'a>(site: &Site<'a>) -> Vec<Command<'a>> {
    let mut commands = BTreeMap::new();
    for (name, file) in &site.placement.bins {
        if let (Some(name), Some(file)) = (command_name(name), command_file(file)) {
            commands.insert(name, file);
        }
    }
    commands.into_iter().map(|(name, file)| Command { name, file }).collect()
}

/// Returns the files, relative to the package, that its commands start and those of the packages in
/// its tarball. `within` are the sites within it.
pub(crate) fn command_files(site: &Site<'_>, within: &[Site<'_>]) -> Vec<String> {
    let mut files: Vec<String> = commands(site).into_iter().map(|command| command.file).collect();
    for inner in within {
        let PlacementSource::Bundled { folder, .. } = &inner.placement.source else { continue };
        let place = inner.placement.path.strip_suffix(folder.as_str());
        if place.and_then(|place| place.strip_suffix('/')) == Some(&site.placement.path) {
            let own = commands(inner).into_iter();
            files.extend(own.map(|command| format!("{folder}/{}", command.file)));
        }
    }
    files
}

/// Returns the last segment of a command's name, so that no name leads out of `.bin`.
fn command_name(name: &str) -> Option<&str> {
    let name = name.rsplit(['/', '\\', ':']).next().unwrap_or(name);
    (!matches!(name, "" | "." | "..") && !name.contains('\0')).then_some(name)
}

/// Returns a path relative to the package; `..` stops at the package's folder.
fn command_file(file: &str) -> Option<String> {
    let mut segments = Vec::new();
    for segment in file.split(['/', '\\']) {
        match segment {
            "" | "." => {}
            ".." => _ = segments.pop(),
            segment => segments.push(segment),
        }
    }
    let file = segments.join("/");
    (!file.is_empty() && !file.contains('\0')).then_some(file)
}

/// Returns, for each `wanted` name in a folder, the target relative to `.bin`: the file of the
/// first package, in npm's order, whose file exists.
pub(crate) fn winners<'a>(
    run: &Run<'_>,
    sites: &[Site<'a>],
    wanted: impl Fn(&str) -> bool,
) -> Result<BTreeMap<&'a str, String>, LinkError> {
    let is_left =
        |site: &Site<'_>| run.options.leaves_own_commands && site.folder() == NODE_MODULES;
    let mut offering: Vec<&Site<'a>> =
        sites.iter().filter(|site| !site.placement.bins.is_empty() && !is_left(site)).collect();
    offering.sort_by(|a, b| dx_pkg_lock::locale_compare(&a.placement.path, &b.placement.path));
    let mut winners = BTreeMap::new();
    for site in offering {
        let mut commands = commands(site);
        commands.retain(|command| wanted(command.name) && !winners.contains_key(command.name));
        retain_existing(run, site, &mut commands)?;
        for command in commands {
            winners.insert(command.name, format!("../{}/{}", site.name, command.file));
        }
    }
    Ok(winners)
}

/// Returns whether a link's target is in the project's `node_modules`.
fn is_in_modules(target: &str) -> bool {
    target.strip_prefix(NODE_MODULES).is_some_and(|rest| rest.starts_with('/'))
}

/// Removes commands whose file is missing. npm links folders, too. Files in linked folders of the
/// project are made executable.
fn retain_existing(
    run: &Run<'_>,
    site: &Site<'_>,
    commands: &mut Vec<Command<'_>>,
) -> Result<(), LinkError> {
    match &site.placement.source {
        _ if commands.is_empty() => {}
        PlacementSource::Package(id) => {
            let package = run.packages.open(*id, &site.placement.path)?;
            commands.retain(|command| has(&package, &command.file));
        }
        PlacementSource::Bundled { bundler, folder } => {
            let package = run.packages.open(*bundler, &site.placement.path)?;
            commands.retain(|command| has(&package, &format!("{folder}/{}", command.file)));
        }
        // A package of the same tree, which may not be in its place yet.
        PlacementSource::Symlink { target } if is_in_modules(target) => {}
        PlacementSource::Symlink { target } => {
            let folder = run.project.join(target);
            commands.retain(|command| folder.join(&command.file).exists());
            for command in commands {
                crate::import::repair_in_place(run.project, &folder.join(&command.file))?;
            }
        }
    }
    Ok(())
}

/// Returns whether the package has this file or folder.
fn has(package: &PackageTables, path: &str) -> bool {
    let dxp = package.dxp();
    dxp.find(path).is_some() || dxp.entries().any(|entry| crate::tree::below(entry.path, path))
}

/// Creates the command `name` in a `.bin` folder, replacing an existing entry. `target` is relative
/// to the folder.
#[cfg(not(windows))]
pub(crate) fn make(bin: &Dir, name: &str, target: &str) -> io::Result<()> {
    match bin.symlink(target, name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bin.remove_file(name)?;
            bin.symlink(target, name)
        }
        done => done,
    }
}

/// Returns whether the command exists.
#[cfg(not(windows))]
pub(crate) fn is(bin: &Dir, name: &str, target: &str) -> bool {
    bin.read_link(name).is_ok_and(|found| found.as_os_str() == target)
}

/// Removes a command if it exists.
#[cfg(not(windows))]
pub(crate) fn remove(bin: &Dir, name: &str) -> io::Result<()> {
    missing_is_fine(bin.remove_file(name))
}

/// Creates the command `name` in a `.bin` folder, replacing an existing entry. `target` is relative
/// to the folder.
#[cfg(windows)]
pub(crate) fn make(bin: &Dir, name: &str, target: &str) -> io::Result<()> {
    use std::io::Read;

    remove(bin, name)?;
    let mut start = [0; 256];
    let length = bin.open_file(target).and_then(|mut file| file.read(&mut start)).unwrap_or(0);
    for shim in shim::shims(name, target, &start[..length]) {
        bin.write_file(&shim.name, shim.text.as_bytes(), 0o755)?;
    }
    Ok(())
}

/// Returns `false`: shims are always written anew.
#[cfg(windows)]
pub(crate) fn is(_bin: &Dir, _name: &str, _target: &str) -> bool {
    false
}

/// Removes a command if it exists.
#[cfg(windows)]
pub(crate) fn remove(bin: &Dir, name: &str) -> io::Result<()> {
    for suffix in ["", ".cmd", ".ps1"] {
        missing_is_fine(bin.remove_file(format!("{name}{suffix}")))?;
    }
    Ok(())
}

fn missing_is_fine(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
