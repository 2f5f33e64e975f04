//! Removal of trees, without long paths, recursion, or following links and mounts.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::{Dir, EntryKind};

/// The most directories open at once; deeper ones are first moved up to the top of the tree. Some
/// processes may have only 64 files open.
const MAX_DEPTH: usize = 16;

/// Removes the tree, file or link at `path`, if there is one.
///
/// Directories without write permission are made writable first. Entries that vanish meanwhile are
/// no error. What is mounted at or below `path` stays, with the folders around it, and is an error.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let (Some(name), Some(parent)) = (path.file_name(), path.parent()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let parent = match Dir::open(parent) {
        Ok(parent) => parent,
        Err(error) => return gone_is_fine(Err(error)),
    };
    remove_in(&parent, Path::new(name))
}

impl Dir {
    /// Removes the tree, file or link called `name`, if there is one; see [`remove_tree`].
    pub fn remove_tree(&self, name: impl AsRef<Path>) -> io::Result<()> {
        remove_in(self, name.as_ref())
    }
}

fn remove_in(parent: &Dir, name: &Path) -> io::Result<()> {
    match parent.kind(name)? {
        Some(EntryKind::Directory) => gone_is_fine(remove_dir_in(parent, name.into())),
        Some(_) => gone_is_fine(parent.remove_file(name)),
        None => Ok(()),
    }
}

/// A directory that is being emptied.
struct Level {
    dir: Dir,
    name: OsString,
    subdirectories: Vec<OsString>,
}

impl Level {
    fn enter(parent: &Dir, name: OsString) -> io::Result<Self> {
        let dir = match parent.open_dir_unmounted(&name) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                parent.set_mode(&name, 0o700)?;
                parent.open_dir_unmounted(&name)?
            }
            opened => opened?,
        };
        let mut subdirectories = Vec::new();
        let mut writable = false;
        for entry in dir.entries()? {
            if entry.kind == EntryKind::Directory {
                subdirectories.push(entry.name);
                continue;
            }
            match dir.remove_file(&entry.name) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied && !writable => {
                    dir.set_own_mode(0o700)?;
                    writable = true;
                    gone_is_fine(dir.remove_file(&entry.name))?;
                }
                removed => gone_is_fine(removed)?,
            }
        }
        Ok(Self { dir, name, subdirectories })
    }
}

fn remove_dir_in(parent: &Dir, name: OsString) -> io::Result<()> {
    let mut levels = vec![Level::enter(parent, name)?];
    loop {
        let depth = levels.len();
        let Some(level) = levels.last_mut() else {
            return Ok(());
        };
        if let Some(name) = level.subdirectories.pop() {
            if depth == MAX_DEPTH {
                move_to_top(&mut levels, name)?;
                continue;
            }
            match Level::enter(&level.dir, name) {
                Ok(level) => levels.push(level),
                Err(error) => gone_is_fine(Err(error))?,
            }
        } else if let Some(Level { name, .. }) = levels.pop() {
            let above = levels.last().map_or(parent, |level| &level.dir);
            match above.remove_dir(&name) {
                Err(error)
                    if error.kind() == io::ErrorKind::PermissionDenied && !levels.is_empty() =>
                {
                    above.set_own_mode(0o700)?;
                    gone_is_fine(above.remove_dir(&name))?;
                }
                removed => gone_is_fine(removed)?,
            }
        }
    }
}

fn move_to_top(levels: &mut [Level], name: OsString) -> io::Result<()> {
    let [top, .., bottom] = levels else {
        return Ok(());
    };
    let moved = OsString::from(super::unique_name(".dx-deep-"));
    match bottom.dir.rename(&name, &top.dir, &moved) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            bottom.dir.set_own_mode(0o700)?;
            bottom.dir.set_mode(&name, 0o700)?;
            top.dir.set_own_mode(0o700)?;
            bottom.dir.rename(&name, &top.dir, &moved)?;
        }
        renamed => renamed?,
    }
    top.subdirectories.push(moved);
    Ok(())
}

fn gone_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
