//! What `dx uninstall --self` removes: the stores and the links to dx, and nothing else.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::AcquireError;
use dx_pkg_compat::command_words::Face;
use dx_pkg_install::{Environment, InstallError, session};
use dx_pkg_store::prune::removal::{self, Found};

use crate::{RunError, shims};

/// What is there to be removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leaving {
    /// Stores: the folders with everything that is in them.
    pub stores: Vec<PathBuf>,
    /// Links by which dx is called as another tool.
    pub shims: Vec<PathBuf>,
    /// Folders of dx that are removed if nothing is left in them.
    folders: Vec<PathBuf>,
}

impl Leaving {
    /// Finds the user's store, the one on the project's file system, and the links in dx's own
    /// folder and on the PATH. Changes nothing.
    ///
    /// # Errors
    /// A store belongs to somebody else, or something that is not dx's is in it.
    pub fn find(environment: &Environment, root: &Path) -> Result<Leaving, RunError> {
        let usual = environment.store_folder().ok_or(InstallError::NoHome)?;
        let mut leaving = Leaving::default();
        for store in session::store_folders(environment, root) {
            match removal::find(&store).map_err(InstallError::from)? {
                Found::Nothing => {}
                Found::Store(v1) => leaving.stores.push(v1),
                Found::Foreign(path) => {
                    return Err(RunError::NotOnlyDxs { path: path.display().to_string() });
                }
            }
        }
        let own = shims::default_folder(environment).ok_or(InstallError::NoHome)?;
        let path = environment.variable("PATH").unwrap_or_default();
        let on_path = std::env::split_paths(path).filter(|folder| folder.is_absolute());
        let mut searched: Vec<PathBuf> = vec![own.clone()];
        searched.extend(on_path.filter(|folder| *folder != own));
        for folder in searched {
            for link in shims::find(&folder, &environment.executable, &Face::ALL) {
                if !leaving.shims.contains(&link) {
                    leaving.shims.push(link);
                }
            }
        }
        leaving.folders.push(own);
        if environment.variable("DX_STORE").is_none() {
            leaving.folders.push(usual);
        }
        leaving.folders.extend(environment.data_folder());
        Ok(leaving)
    }

    /// Returns whether nothing is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stores.is_empty() && self.shims.is_empty()
    }

    /// Removes it. The folders of dx go too where nothing else is in them.
    ///
    /// # Errors
    /// Something cannot be removed; what comes before it is gone.
    pub fn remove(&self) -> Result<(), RunError> {
        for link in &self.shims {
            std::fs::remove_file(link)
                .map_err(|error| AcquireError::io(format!("removing {}", link.display()), error))?;
        }
        for store in &self.stores {
            removal::remove(store).map_err(InstallError::from)?;
        }
        for folder in &self.folders {
            // One that is not empty, or not there, stays.
            let _ = std::fs::remove_dir(folder);
        }
        Ok(())
    }
}
