//! Replacement of a tree by another in one step.

use std::io;
use std::path::Path;

/// The way in which a tree got into its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    /// By a rename: the place was free.
    Renamed,
    /// By an exchange: the old tree is now at the new tree's former path.
    Exchanged,
}

/// Moves `new` to `place`, and an old tree at `place` to `new`.
///
/// This is one atomic step if the file system can exchange two names. Otherwise it is two renames,
/// between which `place` is missing for an instant.
pub fn exchange_or_rename(new: &Path, place: &Path) -> io::Result<Swap> {
    match exchange(new, place) {
        Ok(()) => Ok(Swap::Exchanged),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::rename(new, place)?;
            Ok(Swap::Renamed)
        }
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            exchange_by_renaming(new, place)
        }
        Err(error) => Err(error),
    }
}

/// Does the same by renames alone.
fn exchange_by_renaming(new: &Path, place: &Path) -> io::Result<Swap> {
    let aside = new.with_file_name(super::unique_name(".dx-old-"));
    match std::fs::rename(place, &aside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::rename(new, place)?;
            return Ok(Swap::Renamed);
        }
        Err(error) => return Err(error),
    }
    if let Err(error) = std::fs::rename(new, place) {
        std::fs::rename(&aside, place)?;
        return Err(error);
    }
    std::fs::rename(&aside, new)?;
    Ok(Swap::Exchanged)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn exchange(new: &Path, place: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    renameat_with(CWD, new, CWD, place, RenameFlags::EXCHANGE).map_err(|errno| match errno {
        // File systems refuse the flag by the first, kernels the call by the others.
        Errno::INVAL | Errno::NOSYS | Errno::NOTSUP => io::ErrorKind::Unsupported.into(),
        other => other.into(),
    })
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn exchange(_new: &Path, _place: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests;
