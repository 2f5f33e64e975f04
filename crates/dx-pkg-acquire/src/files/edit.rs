//! Changing a text file of the user's, which several commands may change at once.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use dx_pkg_compat::foreign_bytes;
use dx_pkg_os::files::{Durability, FolderLock, write_user_file};

use super::read_text_to_edit;
use crate::AcquireError;

/// A text file of the user's that is changed, or not there yet.
#[derive(Clone, Copy, Debug)]
pub struct EditedFile<'p> {
    /// Its path.
    pub path: &'p Path,
    /// Whether it may be a link to anywhere; otherwise one must not lead out of its folder.
    pub follows_links: bool,
    /// Whether only its owner is to read it, as it may hold credentials.
    pub is_private: bool,
}

impl EditedFile<'_> {
    /// Writes what `edit` makes of the text, `None` where there is no file; a file without text is
    /// removed. From reading to writing, no other command changes a file of the folder.
    ///
    /// # Errors
    /// The one of `edit`, or the file cannot be read or written; it is then as it was.
    pub fn edit<E: From<AcquireError>>(
        &self,
        mut edit: impl FnMut(Option<&str>) -> Result<String, E>,
    ) -> Result<(), E> {
        let failed = |error| AcquireError::io(format!("writing {}", self.path.display()), error);
        let target = if self.follows_links { fs::canonicalize(self.path).ok() } else { None };
        let target = target.as_deref().unwrap_or(self.path);
        let (Some(folder), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(failed(io::Error::from(ErrorKind::InvalidInput)).into());
        };
        if !folder.is_dir() {
            if is_blank(&edit(None)?) {
                return Ok(());
            }
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let _lock = FolderLock::wait(folder).map_err(failed)?;
        let old = read_text_to_edit(target)?;
        let text = edit(old.as_deref())?;
        if old.as_deref().unwrap_or_default() == text {
            return Ok(());
        }
        if is_blank(&text) {
            return match fs::remove_file(self.path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error).into()),
                _ => Ok(()),
            };
        }
        if self.is_private {
            make_private(target).map_err(failed)?;
        }
        let bytes = foreign_bytes::restored(&text, old.as_deref().unwrap_or_default());
        write_user_file(folder, &name.to_string_lossy(), &bytes, Durability::Fsync)
            .map_err(|error| failed(error).into())
    }
}

/// Returns whether a text says nothing, not even in a comment.
fn is_blank(text: &str) -> bool {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').is_empty()
}

/// Makes a file one that only its owner reads; creates it so.
#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mut options = fs::OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        }
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn make_private(_path: &Path) -> io::Result<()> {
    Ok(())
}
