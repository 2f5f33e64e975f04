//! Which Node.js will run the packages. Asking it costs 40 ms, so the answer is remembered for the very program.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use dx_pkg_core::Version;
use dx_pkg_os::{Durability, Identity, write_atomic};
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

/// A Node.js that was found, and its version, or what will tell it.
pub struct Found {
    path: PathBuf,
    answer: Answer,
}

enum Answer {
    Known(Version),
    /// The program that was asked, where the answer will be remembered, and as the answer of whom.
    Asked(Child, PathBuf, String),
}

impl Found {
    /// Finds Node on the `PATH`, and asks it for its version where that is not known; `None` where there is none.
    pub fn begin(surroundings: &Surroundings, store: &Store) -> Option<Self> {
        let (path, identity) = on_path(surroundings)?;
        let memory = store.folder(Folder::Tmp).with_file_name("node-version");
        let key = describe(&path, &identity);
        let remembered = std::fs::read_to_string(&memory).ok().and_then(|text| {
            let (known, version) = text.split_once('\n')?;
            (known == key).then(|| Version::parse(version.trim()).ok())?
        });
        let answer = match remembered {
            Some(version) => Answer::Known(version),
            None => Answer::Asked(ask(&path)?, memory, key),
        };
        Some(Found { path, answer })
    }

    /// Waits for the answer; `None` where there is none.
    pub fn finish(self) -> Option<Node> {
        let version = match self.answer {
            Answer::Known(version) => version,
            Answer::Asked(child, memory, key) => {
                let output = child.wait_with_output().ok()?;
                let version = Version::parse(String::from_utf8(output.stdout).ok()?.trim()).ok()?;
                // Not remembering costs time, nothing else.
                let _ = write_atomic(
                    &memory,
                    format!("{key}\n{version}").as_bytes(),
                    Durability::Rename,
                );
                version
            }
        };
        Some(Node { path: self.path, version })
    }
}

/// The Node program that is found on the `PATH`.
pub fn on_path(surroundings: &Surroundings) -> Option<(PathBuf, Identity)> {
    let name = if cfg!(windows) { "node.exe" } else { "node" };
    std::env::split_paths(surroundings.variable("PATH")?).find_map(|folder| {
        let path = folder.join(name);
        let identity = dx_pkg_os::identity(&path).ok()??;
        Some((path, identity))
    })
}

fn describe(path: &Path, identity: &Identity) -> String {
    format!(
        "{} {} {} {} {}",
        path.display(),
        identity.device,
        identity.inode,
        identity.size,
        identity.mtime_ns
    )
}

fn ask(path: &Path) -> Option<Child> {
    let mut command = Command::new(path);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().ok()
}
