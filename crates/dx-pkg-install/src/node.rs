//! Finds the Node.js that will run the packages. Its version takes 40 ms to ask for, so it is
//! cached per program.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use dx_pkg_core::{Platform, Version};
use dx_pkg_os::files::{Durability, Identity, create_atomic, read_bounded};
use dx_pkg_os::process::{Asked, NoAnswer};
use dx_pkg_store::{Folder, Store};

use crate::Environment;

/// The cached version's file in a store.
const CACHE: &str = "v1/node-version";
/// The most bytes that are read of that file.
const LONGEST_CACHE: u64 = 64 << 10;
/// The most bytes of output that are read of the program, and the longest time that it has.
const LONGEST_ANSWER: u64 = 4 << 10;
const PATIENCE: Duration = Duration::from_secs(10);

/// The Node.js found on the `PATH`.
#[derive(Clone, Debug)]
pub struct Node {
    /// The program.
    pub path: PathBuf,
    /// Its version.
    pub version: Version,
}

/// A Node.js that was found; its version may still be on the way.
pub(crate) struct Found {
    path: PathBuf,
    answer: Answer,
}

enum Answer {
    Known(Version),
    /// The running program, the cache file and the cache key.
    Asked(Asked, PathBuf, String),
}

/// A program whose version is not known, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the version of Node.js is not known, so engines are not checked: {} {reason}", path.display()
)]
pub(crate) struct Unknown {
    path: PathBuf,
    reason: &'static str,
}

impl Node {
    /// Finds Node on the `PATH` without a store being open. Its version is looked up where the
    /// usual store has it, and is asked for otherwise.
    pub fn find(environment: &Environment) -> Option<Self> {
        let store = environment.store_folder()?;
        Found::with_cache(environment, store.join(CACHE))?.finish().ok()
    }
}

impl Found {
    /// Finds Node on the `PATH` and asks it for its version if that is not cached; `None` where
    /// there is none.
    pub(crate) fn begin(environment: &Environment, store: &Store) -> Option<Self> {
        Self::with_cache(environment, store.folder(Folder::Tmp).with_file_name("node-version"))
    }

    fn with_cache(environment: &Environment, memory: PathBuf) -> Option<Self> {
        let (path, identity) = on_path(environment)?;
        let key = describe(&path, &identity);
        let cached = read_bounded(&memory, LONGEST_CACHE).ok().and_then(|text| {
            let text = String::from_utf8(text).ok()?;
            let (known, version) = text.split_once('\n')?;
            (known == key).then(|| Version::parse(version.trim()).ok())?
        });
        let answer = match cached {
            Some(version) => Answer::Known(version),
            None => Answer::Asked(ask(&path)?, memory, key),
        };
        Some(Found { path, answer })
    }

    /// Waits for the version.
    ///
    /// # Errors
    /// The program does not answer, or not with a version.
    pub(crate) fn finish(self) -> Result<Node, Unknown> {
        let version = match self.answer {
            Answer::Known(version) => version,
            Answer::Asked(asked, memory, key) => {
                let unknown = |reason| Unknown { path: self.path.clone(), reason };
                let answer = asked.answer(PATIENCE).map_err(|failure| {
                    unknown(match failure {
                        NoAnswer::TooLate => "did not answer within 10 seconds",
                        NoAnswer::TooLong => "answered with more than 4 KiB",
                        NoAnswer::Failed(_) => "did not answer",
                    })
                })?;
                let version = String::from_utf8(answer).ok();
                let version = version.and_then(|text| Version::parse(text.trim()).ok());
                let version = version.ok_or_else(|| unknown("did not answer with a version"))?;
                // A version that cannot be cached costs time, nothing else.
                let _ = create_atomic(
                    &memory,
                    format!("{key}\n{version}").as_bytes(),
                    Durability::Rename,
                );
                version
            }
        };
        Ok(Node { path: self.path, version })
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

fn ask(path: &Path) -> Option<Asked> {
    Asked::start(Command::new(path).arg("--version"), LONGEST_ANSWER).ok()
}

/// Returns the user agent in npm's form, which tools such as `create-vite` parse.
#[must_use]
pub(crate) fn user_agent(node: Option<&Node>) -> String {
    let platform = Platform::host(None);
    let node = node.map_or_else(String::new, |node| format!(" node/v{}", node.version));
    let version = env!("CARGO_PKG_VERSION");
    format!("dx/{version} npm/?{node} {} {} workspaces/false", platform.os, platform.cpu)
}
