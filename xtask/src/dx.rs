//! The programs under test, run in a folder of their own: `dx` with a given store, and npm with a
//! given cache.

use crate::options::Options;
use crate::workspace;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The `dx` binary under test.
pub(crate) struct Dx {
    binary: PathBuf,
    home: Home,
    variables: Vec<(&'static str, &'static str)>,
}

/// The settings that apply: the user's, or none where a registry was named, so that results are
/// comparable.
struct Home {
    empty: bool,
}

impl Home {
    fn new(options: &Options) -> Home {
        Home { empty: options.value("registry").is_some() }
    }

    /// Gives a command an empty home beside its store or cache, if need be.
    fn apply(&self, command: &mut Command, beside: &Path) {
        if self.empty {
            let home = beside.with_file_name("home");
            command.env("npm_config_userconfig", home.join(".npmrc"));
            command.env("USERPROFILE", &home).env("HOME", home);
        }
    }
}

impl Dx {
    /// The binary of `--dx`, else the release build, which is brought up to date.
    pub(crate) fn new(options: &Options) -> Result<Dx, String> {
        let home = Home::new(options);
        if let Some(binary) = options.path("dx")? {
            return Ok(Dx { binary, home, variables: Vec::new() });
        }
        let root = workspace::root();
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--release", "--package", "dx-pkg-cli"]).current_dir(&root);
        run(cargo)?;
        let name = format!("dx{}", std::env::consts::EXE_SUFFIX);
        let binary = workspace::target().join("release").join(name);
        Ok(Dx { binary, home, variables: Vec::new() })
    }

    /// The same with a variable in its environment.
    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Dx {
        self.variables.push((name, value));
        self
    }

    /// The path of the binary.
    pub(crate) fn path(&self) -> &Path {
        &self.binary
    }

    /// A command in a project, with a store, silent where it can be.
    pub(crate) fn command(&self, project: &Path, store: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).current_dir(project).env("DX_STORE", store).stdin(Stdio::null());
        command.envs(self.variables.iter().copied());
        self.home.apply(&mut command, store);
        command
    }

    /// Runs a command to its end and returns how long it took; the error holds what it printed.
    pub(crate) fn run(
        &self,
        project: &Path,
        store: &Path,
        arguments: &[&str],
    ) -> Result<Duration, String> {
        let started = Instant::now();
        run(self.command(project, store, arguments))?;
        Ok(started.elapsed())
    }
}

/// An npm, run by a chosen Node.
pub(crate) struct Npm {
    node: PathBuf,
    cli: PathBuf,
    home: Home,
}

impl Npm {
    /// The npm of `--npm`, run by `--node` or the one in `PATH`.
    pub(crate) fn new(options: &Options) -> Result<Npm, String> {
        options.required("npm")?;
        Ok(Npm {
            node: options.path("node")?.unwrap_or_else(|| PathBuf::from("node")),
            cli: options.path("npm")?.unwrap_or_default(),
            home: Home::new(options),
        })
    }

    /// A command in a project, with a cache.
    pub(crate) fn command(&self, project: &Path, cache: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.node);
        command
            .arg(&self.cli)
            .args(arguments)
            .current_dir(project)
            .env("npm_config_cache", cache)
            .env("npm_config_audit", "false")
            .env("npm_config_fund", "false")
            .env("npm_config_update_notifier", "false")
            .stdin(Stdio::null());
        self.home.apply(&mut command, cache);
        command
    }
}

/// Runs a command to its end; the error holds its command line and what it printed.
pub(crate) fn run(mut command: Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let printed = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    Err(format!(
        "{command:?} ended with {}\n{}\n{}",
        output.status,
        printed(&output.stdout),
        printed(&output.stderr)
    ))
}

/// A fixture: what a project consists of before it is installed.
pub(crate) struct Fixture {
    source: PathBuf,
    registry: Option<String>,
}

impl Fixture {
    /// The project folder or single `package.json` of `--fixture`, for the registry of
    /// `--registry`.
    pub(crate) fn new(options: &Options) -> Result<Fixture, String> {
        options.required("fixture")?;
        let source = options.path("fixture")?.unwrap_or_default();
        if !source.exists() {
            return Err(format!("--fixture {}: not found", source.display()));
        }
        Ok(Fixture { source, registry: options.value("registry").map(str::to_owned) })
    }

    /// The text of its `package.json`.
    pub(crate) fn manifest(&self) -> Result<String, String> {
        workspace::read(&if self.source.is_dir() {
            self.source.join("package.json")
        } else {
            self.source.clone()
        })
    }

    /// Writes the project into a new folder.
    pub(crate) fn write(&self, project: &Path) -> Result<(), String> {
        if self.source.is_dir() {
            workspace::copy_project(&self.source, project)?;
        } else {
            write(&project.join("package.json"), &self.manifest()?)?;
        }
        match &self.registry {
            // The versions of a replayed registry may be of any age.
            Some(registry) => {
                write(&project.join(".npmrc"), &format!("registry={registry}\nmin-release-age=0\n"))
            }
            None => Ok(()),
        }
    }
}

/// Writes a file and its folder; the error names it.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("write {}: {error}", path.display()))
}

/// A folder for the task's projects and stores, removed when it is dropped.
pub(crate) fn workplace(task: &str) -> Result<tempfile::TempDir, String> {
    tempfile::Builder::new()
        .prefix(&format!("dx-{task}-"))
        .tempdir()
        .map_err(|error| format!("make a temporary folder: {error}"))
}
