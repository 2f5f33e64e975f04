//! Writing files that belong to the user, such as a manifest: what such a file is stays as it is,
//! and only its contents change.
//!
//! A file is replaced by rename where nothing is lost by that, so that a reader or a crash finds
//! the old contents or the new ones. Where a rename cannot serve, the contents are written into the
//! file: it is a mount of its own, it has further names (hard links), its folder cannot be written
//! to, or its owner, group or extended attributes cannot be given to another file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::atomic::{Durability, TEMPORARY, create_atomic, sync_dir};
use super::unique_name;
use super::within::{Target, parent_of, target_within};

/// Checks that [`write_user_file`] can write the file `name` in `folder`, as far as that can be
/// told without writing it.
pub fn check_user_file(folder: &Path, name: &str) -> io::Result<()> {
    let path = target_of(folder, name)?;
    match open(OpenOptions::new().write(true), &path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => may_create_in(parent_of(&path)),
        opened => opened.map(drop),
    }
}

/// Writes the file `name` in `folder`; an error leaves the old contents.
///
/// A symbolic link stays, and the file that it leads to is written; one that leads out of the
/// folder is an error, see [`super::target_within`]. Owner, group, permission bits,
/// extended attributes and hard links stay. A file without permission to write stays as it is.
pub fn write_user_file(
    folder: &Path,
    name: &str,
    contents: &[u8],
    durability: Durability,
) -> io::Result<()> {
    let path = target_of(folder, name)?;
    let mut file = match open(OpenOptions::new().read(true).write(true), &path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return create_atomic(&path, contents, durability);
        }
        opened => opened?,
    };
    match replace(&path, &file, contents, durability)? {
        Replaced::Yes => Ok(()),
        Replaced::No => write_into(&mut file, contents),
    }
}

/// Returns where the file is that `name` in `folder` stands for.
fn target_of(folder: &Path, name: &str) -> io::Result<PathBuf> {
    match target_within(folder, name)? {
        Target::Within(path) => Ok(path),
        Target::Outside(_) => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it is a link that leads out of its folder",
        )),
    }
}

/// Opens a plain file, unless a link has taken its place since its own links were followed. A pipe
/// does not keep the caller waiting.
#[cfg(unix)]
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
    }
}

#[cfg(not(unix))]
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.open(path)
}

#[cfg(unix)]
fn may_create_in(folder: &Path) -> io::Result<()> {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    Ok(accessat(CWD, folder, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS)?)
}

#[cfg(not(unix))]
fn may_create_in(folder: &Path) -> io::Result<()> {
    fs::metadata(folder).map(drop)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Replaced {
    Yes,
    /// It cannot be, and is as it was.
    No,
}

/// Replaces `file`, which is at `path`, by another one with these contents.
fn replace(
    path: &Path,
    file: &File,
    contents: &[u8],
    durability: Durability,
) -> io::Result<Replaced> {
    let parent = parent_of(path);
    if !is_alone(file)? {
        return Ok(Replaced::No);
    }
    let temporary = parent.join(unique_name(TEMPORARY));
    let draft = match create_private(&temporary) {
        Err(error) if is_refusal(&error) => return Ok(Replaced::No),
        created => created?,
    };
    let replaced = fill(&draft, file, contents, durability).and_then(|filled| {
        if filled == Replaced::No {
            return Ok(Replaced::No);
        }
        match fs::rename(&temporary, path) {
            Ok(()) => Ok(Replaced::Yes),
            Err(error) if is_no_place(&error) || is_refusal(&error) => Ok(Replaced::No),
            Err(error) => Err(error),
        }
    });
    if !matches!(replaced, Ok(Replaced::Yes)) {
        // Nothing else knows its name; the next command in the folder removes it.
        let _ = fs::remove_file(&temporary);
    } else if durability == Durability::Fsync {
        sync_dir(parent)?;
    }
    replaced
}

/// Gives the draft the contents, and all else that `file` has.
fn fill(
    mut draft: &File,
    file: &File,
    contents: &[u8],
    durability: Durability,
) -> io::Result<Replaced> {
    draft.write_all(contents)?;
    if !keep_attributes(file, draft) {
        return Ok(Replaced::No);
    }
    if durability == Durability::Fsync {
        draft.sync_all()?;
    }
    Ok(Replaced::Yes)
}

/// Returns whether a folder or file system does not allow a file to be created or renamed.
fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// Returns whether another file cannot take the place of this one: it is a mount.
fn is_no_place(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices)
}

/// Writes the contents into the file, or restores the old ones.
fn write_into(file: &mut File, contents: &[u8]) -> io::Result<()> {
    let mut old = Vec::new();
    file.read_to_end(&mut old)?;
    let written = overwrite(file, contents);
    if written.is_err() {
        // The old contents need no more space than they had.
        let _ = overwrite(file, &old);
    }
    written
}

/// Overwrites from the start, so that no block is given back before the last byte is written.
fn overwrite(file: &mut File, contents: &[u8]) -> io::Result<()> {
    use std::io::Seek;
    file.rewind()?;
    file.write_all(contents)?;
    file.set_len(contents.len() as u64)?;
    file.sync_all()
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Returns whether the file is a plain one without further names.
#[cfg(unix)]
fn is_alone(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata()?;
    Ok(metadata.is_file() && metadata.nlink() == 1)
}

#[cfg(not(unix))]
fn is_alone(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.is_file())
}

/// Gives `to` owner, group, extended attributes and permission bits of `from`; returns whether it
/// has them now.
#[cfg(unix)]
fn keep_attributes(from: &File, to: &File) -> bool {
    use std::os::unix::fs::{MetadataExt, fchown};
    let (Ok(old), Ok(new)) = (from.metadata(), to.metadata()) else { return false };
    let is_theirs = old.uid() == new.uid() && old.gid() == new.gid();
    (is_theirs || fchown(to, Some(old.uid()), Some(old.gid())).is_ok())
        && attributes::copy(from, to)
        && to.set_permissions(old.permissions()).is_ok()
}

#[cfg(not(unix))]
fn keep_attributes(from: &File, to: &File) -> bool {
    from.metadata().is_ok_and(|old| to.set_permissions(old.permissions()).is_ok())
}

#[cfg(unix)]
mod attributes;

#[cfg(all(test, unix))]
mod tests;
