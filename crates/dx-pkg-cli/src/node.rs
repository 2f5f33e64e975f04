//! Which Node.js will run the packages. Asking it costs 40 ms, so the answer is remembered for the very program.

use std::path::{Path, PathBuf};

use dx_pkg_core::Version;
use dx_pkg_fs::{Durability, Identity, write_atomic};
use dx_pkg_store::{Folder, Store};

use crate::surroundings::Surroundings;

/// The Node.js found on the `PATH`.
#[derive(Clone, Debug)]
pub struct Node {
    /// The program.
    pub path: PathBuf,
    /// Its version.
    pub version: Version,
}

/// Finds Node on the `PATH` and its version; `None` where there is none that answers.
pub fn find(surroundings: &Surroundings, store: &Store) -> Option<Node> {
    let (path, identity) = on_path(surroundings)?;
    let memory = store.folder(Folder::Tmp).with_file_name("node-version");
    let key = describe(&path, &identity);
    let remembered = std::fs::read_to_string(&memory).ok().and_then(|text| {
        let (known, version) = text.split_once('\n')?;
        (known == key).then(|| Version::parse(version.trim()).ok())?
    });
    let version = match remembered {
        Some(version) => version,
        None => {
            let version = ask(&path)?;
            // Not remembering costs time, nothing else.
            let _ = write_atomic(&memory, format!("{key}\n{version}").as_bytes(), Durability::Rename);
            version
        }
    };
    Some(Node { path, version })
}

/// The Node program that is found on the `PATH`.
pub fn on_path(surroundings: &Surroundings) -> Option<(PathBuf, Identity)> {
    let name = if cfg!(windows) { "node.exe" } else { "node" };
    std::env::split_paths(surroundings.variable("PATH")?).find_map(|folder| {
        let path = folder.join(name);
        let identity = dx_pkg_fs::identity(&path).ok()??;
        Some((path, identity))
    })
}

fn describe(path: &Path, identity: &Identity) -> String {
    format!("{} {} {} {} {}", path.display(), identity.device, identity.inode, identity.size, identity.mtime_ns)
}

fn ask(path: &Path) -> Option<Version> {
    let output = std::process::Command::new(path).arg("--version").output().ok()?;
    Version::parse(String::from_utf8(output.stdout).ok()?.trim()).ok()
}
