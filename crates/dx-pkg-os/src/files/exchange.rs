//! Replacement of a tree by another in one step.

use std::io;
use std::path::Path;

use super::Dir;

/// The way in which a tree got into its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    /// By a rename: the place was free.
    Renamed,
    /// By an exchange: the old tree is now at the new tree's former path.
    Exchanged,
}

/// Moves `new` in `from` to `place` in `into`, and an old tree there to `new`.
///
/// This is one atomic step if the file system can exchange two names. Otherwise it is two renames,
/// between which `place` is missing for an instant.
pub fn exchange_or_rename(
    from: &Dir,
    new: impl AsRef<Path>,
    into: &Dir,
    place: impl AsRef<Path>,
) -> io::Result<Swap> {
    let (new, place) = (new.as_ref(), place.as_ref());
    match from.exchange(new, into, place) {
        Ok(()) => Ok(Swap::Exchanged),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            from.rename(new, into, place)?;
            Ok(Swap::Renamed)
        }
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            exchange_by_renaming(from, new, into, place)
        }
        Err(error) => Err(error),
    }
}

/// Does the same by renames alone.
fn exchange_by_renaming(from: &Dir, new: &Path, into: &Dir, place: &Path) -> io::Result<Swap> {
    let aside = new.with_file_name(super::unique_name(".dx-old-"));
    match into.rename(place, from, &aside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            from.rename(new, into, place)?;
            return Ok(Swap::Renamed);
        }
        Err(error) => return Err(error),
    }
    if let Err(error) = from.rename(new, into, place) {
        from.rename(&aside, into, place)?;
        return Err(error);
    }
    from.rename(&aside, from, new)?;
    Ok(Swap::Exchanged)
}

#[cfg(test)]
mod tests;
