//! The needs of tests that not every machine meets: a test is skipped there, or fails.
//!
//! A test that needs more than every machine has asks for it here. Where it is missing, the test
//! says so on standard error and returns. `DX_TEST_REQUIRE` turns that into a failure: it is a
//! list of names, separated by commas, as [`Need::name`] gives them.
//!
//! ```sh
//! DX_TEST_REQUIRE=mounts,strace cargo test --workspace
//! ```

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The variable with the names of the needs that must be met.
const VARIABLE: &str = "DX_TEST_REQUIRE";

/// Something that not every machine provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The right to mount file systems in memory.
    Mounts,
    /// The right to mount overlay file systems.
    Overlay,
    /// Btrfs: `DX_TEST_BTRFS` names a folder on it, or an image can be made and mounted.
    Btrfs,
    /// `/dev/shm`, on another file system than the temporary folder.
    SharedMemory,
    /// The right to give files to other users.
    Root,
    /// A user whom permissions bind: not root.
    Unprivileged,
    /// `strace`, and the right to trace.
    Strace,
    /// System calls that another process answers: seccomp(2) with user notification.
    Seccomp,
    /// Time namespaces, and the right to make one.
    TimeNamespace,
    /// A second user: the right to become one.
    SecondUser,
    /// A terminal, by script(1) of util-linux.
    Terminal,
    /// Node.js.
    Node,
    /// npm in any version.
    Npm,
    /// npm 11 or later, whose results dx's are compared with.
    Npm11,
}

impl Need {
    const ALL: [Need; 14] = [
        Need::Mounts,
        Need::Overlay,
        Need::Btrfs,
        Need::SharedMemory,
        Need::Root,
        Need::Unprivileged,
        Need::Strace,
        Need::Seccomp,
        Need::TimeNamespace,
        Need::SecondUser,
        Need::Terminal,
        Need::Node,
        Need::Npm,
        Need::Npm11,
    ];

    /// The name in `DX_TEST_REQUIRE`.
    pub fn name(self) -> &'static str {
        match self {
            Need::Mounts => "mounts",
            Need::Overlay => "overlay",
            Need::Btrfs => "btrfs",
            Need::SharedMemory => "shared-memory",
            Need::Root => "root",
            Need::Unprivileged => "unprivileged",
            Need::Strace => "strace",
            Need::Seccomp => "seccomp",
            Need::TimeNamespace => "time-namespace",
            Need::SecondUser => "second-user",
            Need::Terminal => "terminal",
            Need::Node => "node",
            Need::Npm => "npm",
            Need::Npm11 => "npm-11",
        }
    }
}

/// Returns what an attempt to meet a need gave; `None`, having said why, where it failed.
///
/// Panics where `DX_TEST_REQUIRE` names the need, or names something that is no need.
#[track_caller]
pub fn met<T>(need: Need, attempt: Result<T, impl Display>) -> Option<T> {
    let required = std::env::var(VARIABLE).unwrap_or_default();
    decide(need, attempt, &required)
}

#[track_caller]
fn decide<T>(need: Need, attempt: Result<T, impl Display>, required: &str) -> Option<T> {
    let names: Vec<&str> = required.split(',').map(str::trim).filter(|n| !n.is_empty()).collect();
    for name in &names {
        assert!(
            Need::ALL.iter().any(|need| need.name() == *name),
            "{VARIABLE} names `{name}`, which no test needs"
        );
    }
    match attempt {
        Ok(value) => Some(value),
        Err(reason) if names.contains(&need.name()) => {
            panic!("{VARIABLE} names `{}`: {reason}", need.name())
        }
        Err(reason) => {
            // Written past the test harness, which shows the output of failed tests only.
            let _ = writeln!(std::io::stderr(), "skipped without {}: {reason}", need.name());
            None
        }
    }
}

/// Returns the output of a program that is to succeed; the error says what happened instead.
pub fn output<A: AsRef<OsStr>>(
    program: &str,
    args: impl IntoIterator<Item = A>,
) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!("{program}: {}: {}", output.status, stderr.lines().next().unwrap_or_default()))
    }
}

/// Returns whether Node.js is installed.
#[track_caller]
pub fn node() -> bool {
    met(Need::Node, output("node", ["--version"])).is_some()
}

/// Returns the program npm, where it is installed.
#[track_caller]
pub fn npm() -> Option<PathBuf> {
    met(Need::Npm, output(NPM, ["--version"])).map(|_| PathBuf::from(NPM))
}

const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Returns the package folder of the installed npm, where that is version 11 or later.
#[track_caller]
pub fn npm_11_folder() -> Option<PathBuf> {
    met(Need::Npm11, find_npm_11())
}

fn find_npm_11() -> Result<PathBuf, String> {
    let version = output(NPM, ["--version"])?;
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < 11) {
        return Err(format!("npm is {version}"));
    }
    let folder = Path::new(&output(NPM, ["root", "--global"])?).join("npm");
    if folder.join("node_modules/semver").is_dir() {
        Ok(folder)
    } else {
        Err(format!("npm's package is not at {}", folder.display()))
    }
}

/// Returns a folder in `/dev/shm`, where that is another file system than the temporary folder's.
#[track_caller]
pub fn shared_memory() -> Option<TempDir> {
    met(Need::SharedMemory, in_shared_memory())
}

#[cfg(target_os = "linux")]
fn in_shared_memory() -> Result<TempDir, String> {
    use std::os::unix::fs::MetadataExt;

    let folder = TempDir::new_in("/dev/shm").map_err(|error| format!("/dev/shm: {error}"))?;
    let device = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.dev()).ok();
    if device(folder.path()) == device(&std::env::temp_dir()) {
        return Err("/dev/shm and the temporary folder are one file system".to_owned());
    }
    Ok(folder)
}

#[cfg(not(target_os = "linux"))]
fn in_shared_memory() -> Result<TempDir, String> {
    Err("this system has none".to_owned())
}

/// Returns whether the user who runs the tests may give files to others.
#[cfg(unix)]
#[track_caller]
pub fn root() -> bool {
    let folder = TempDir::new().unwrap();
    let given = std::os::unix::fs::chown(folder.path(), Some(1234), None);
    met(Need::Root, given).is_some()
}

/// Returns whether permissions bind the user who runs the tests.
#[cfg(unix)]
#[track_caller]
pub fn unprivileged() -> bool {
    use std::os::unix::fs::PermissionsExt;

    let folder = TempDir::new().unwrap();
    let read_only = std::fs::Permissions::from_mode(0o500);
    std::fs::set_permissions(folder.path(), read_only).unwrap();
    let attempt = match std::fs::write(folder.path().join("probe"), "") {
        Ok(()) => Err("permissions do not bind this user"),
        Err(_) => Ok(()),
    };
    met(Need::Unprivileged, attempt).is_some()
}

#[cfg(test)]
mod tests;
