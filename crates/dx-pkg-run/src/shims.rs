//! Links by which dx is called as npm, npx, pnpm, pnpx or yarn.

use std::io;
use std::path::{Path, PathBuf};

use dx_pkg_acquire::AcquireError;
use dx_pkg_compat::command_words::Face;
use dx_pkg_install::Environment;

use crate::RunError;

/// Makes links to the program `dx` in a folder, one for each tool; returns those that are new.
///
/// # Errors
/// Something else has the name of a tool there, or the folder cannot be written.
pub fn make(folder: &Path, dx: &Path, tools: &[Face]) -> Result<Vec<PathBuf>, RunError> {
    let making = |path: &Path, error| {
        RunError::from(AcquireError::io(format!("making {}", path.display()), error))
    };
    std::fs::create_dir_all(folder).map_err(|error| making(folder, error))?;
    let occupied = tools.iter().map(|tool| path_of(folder, *tool));
    let occupied = occupied.filter(|path| path.symlink_metadata().is_ok() && !is_dx(path, dx));
    if let Some(path) = occupied.into_iter().next() {
        return Err(RunError::ShimOccupied { path: path.display().to_string() });
    }
    let mut new = Vec::new();
    for path in tools.iter().map(|tool| path_of(folder, *tool)) {
        if path.symlink_metadata().is_err() {
            link(dx, &path).map_err(|error| making(&path, error))?;
            new.push(path);
        }
    }
    Ok(new)
}

/// Removes such links from a folder; returns those that were there. Anything else stays.
///
/// # Errors
/// A link cannot be removed.
pub fn remove(folder: &Path, dx: &Path, tools: &[Face]) -> Result<Vec<PathBuf>, RunError> {
    let present = find(folder, dx, tools);
    for path in &present {
        std::fs::remove_file(path)
            .map_err(|error| AcquireError::io(format!("removing {}", path.display()), error))?;
    }
    Ok(present)
}

/// Returns the links to the program `dx` in a folder.
#[must_use]
pub fn find(folder: &Path, dx: &Path, tools: &[Face]) -> Vec<PathBuf> {
    tools.iter().map(|tool| path_of(folder, *tool)).filter(|path| is_dx(path, dx)).collect()
}

/// Returns dx's own folder for the links, which is the user's wherever the store is.
#[must_use]
pub fn default_folder(environment: &Environment) -> Option<PathBuf> {
    environment.data_folder().map(|folder| folder.join("shims"))
}

fn path_of(folder: &Path, tool: Face) -> PathBuf {
    folder.join(tool.name()).with_extension(std::env::consts::EXE_EXTENSION)
}

/// Returns whether a file is a link to the program, or to a dx that is no longer there.
fn is_dx(path: &Path, dx: &Path) -> bool {
    let target = std::fs::read_link(path);
    let named = target.is_ok_and(|target| target.file_stem() == Some("dx".as_ref()));
    named || path.canonicalize().ok().zip(dx.canonicalize().ok()).is_some_and(|(a, b)| a == b)
}

fn link(dx: &Path, path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::symlink(dx, path);
    #[cfg(not(unix))]
    std::fs::hard_link(dx, path).or_else(|_| std::fs::copy(dx, path).map(|_| ()))
}
