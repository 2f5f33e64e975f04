//! Finds the Node.js that will run the packages. Its version takes 40 ms to ask for, so it is
//! cached per program.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use dx_pkg_core::{Platform, Version};
use dx_pkg_os::files::{Durability, Identity, write_atomic};
use dx_pkg_store::{Folder, Store};

use crate::Environment;

/// The cached version's file in a store.
const CACHE: &str = "v1/node-version";

/// The Node.js found on the `PATH`.
#[derive(Clone, Debug)]
pub struct Node {
    /// The program.
    pub path: PathBuf,
    /// Its version.
    pub version: Version,
}

/// A Node.js that was found; its version may still be on the way.
pub struct Found {
    path: PathBuf,
    answer: Answer,
}

enum Answer {
    Known(Version),
    /// The running program, the cache file and the cache key.
    Asked(Child, PathBuf, String),
}

impl Node {
    /// Finds Node on the `PATH` without a store being open. Its version is looked up where the
    /// usual store has it, and is asked for otherwise.
    pub fn find(environment: &Environment) -> Option<Self> {
        let store = environment.store_folder()?;
        Found::with_cache(environment, store.join(CACHE))?.finish()
    }
}

impl Found {
    /// Finds Node on the `PATH` and asks it for its version if that is not cached; `None` where
    /// there is none.
    pub fn begin(environment: &Environment, store: &Store) -> Option<Self> {
        Self::with_cache(environment, store.folder(Folder::Tmp).with_file_name("node-version"))
    }

    fn with_cache(environment: &Environment, memory: PathBuf) -> Option<Self> {
        let (path, identity) = on_path(environment)?;
        let key = describe(&path, &identity);
        let cached = std::fs::read_to_string(&memory).ok().and_then(|text| {
            let (known, version) = text.split_once('\n')?;
            (known == key).then(|| Version::parse(version.trim()).ok())?
        });
        let answer = match cached {
            Some(version) => Answer::Known(version),
            None => Answer::Asked(ask(&path)?, memory, key),
        };
        Some(Found { path, answer })
    }

    /// Waits for the version; `None` where the program does not answer.
    pub fn finish(self) -> Option<Node> {
        let version = match self.answer {
            Answer::Known(version) => version,
            Answer::Asked(child, memory, key) => {
                let output = child.wait_with_output().ok()?;
                let version = Version::parse(String::from_utf8(output.stdout).ok()?.trim()).ok()?;
                // A version that cannot be cached costs time, nothing else.
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

/// Returns the Node program on the `PATH`.
pub fn on_path(environment: &Environment) -> Option<(PathBuf, Identity)> {
    let name = if cfg!(windows) { "node.exe" } else { "node" };
    std::env::split_paths(environment.variable("PATH")?).find_map(|folder| {
        let path = folder.join(name);
        let identity = dx_pkg_os::files::identity(&path).ok()??;
        Some((path, identity))
    })
}

/// Returns the cache key of a program.
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

/// Returns the user agent in npm's form, which tools such as `create-vite` parse.
#[must_use]
pub fn user_agent(node: Option<&Node>) -> String {
    let platform = Platform::host(None);
    let node = node.map_or_else(String::new, |node| format!(" node/v{}", node.version));
    let version = env!("CARGO_PKG_VERSION");
    format!("dx/{version} npm/?{node} {} {} workspaces/false", platform.os, platform.cpu)
}
