//! The folder of one manager and one fixture: a project and a home, put into the state that a
//! scenario begins with.

use super::disk::{self, write};
use super::exec::{self, Cost};
use super::fixtures::Fixture;
use super::managers::{Manager, Registry};
use super::scenario::{Scenario, Start};
use super::server::Server;
use std::fs;
use std::path::{Path, PathBuf};

/// The lines of a failed command's output that are shown.
const TOLD: usize = 600;

/// The folder in which one manager installs one fixture.
pub(crate) struct Place<'a> {
    pub(crate) manager: &'a Manager,
    fixture: &'a Fixture,
    folder: PathBuf,
    node: PathBuf,
}

impl<'a> Place<'a> {
    /// Makes an empty place below `root`.
    pub(crate) fn new(
        root: &Path,
        manager: &'a Manager,
        fixture: &'a Fixture,
        node: &Path,
    ) -> Result<Place<'a>, String> {
        let folder = root.join(fixture.name).join(&manager.name);
        disk::remove(&folder)?;
        Ok(Place { manager, fixture, folder, node: node.to_owned() })
    }

    fn project(&self) -> PathBuf {
        self.folder.join("project")
    }

    fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// The home where continuous integration is said to run: what a manager keeps there may be
    /// other than what it keeps for a user, and would change what the next scenario finds.
    fn home_in_ci(&self) -> PathBuf {
        self.folder.join("home-in-ci")
    }

    /// The lockfile, which a run may not have written.
    pub(crate) fn lockfile(&self) -> PathBuf {
        self.project().join(self.manager.lockfile())
    }

    /// The lockfile as the first install wrote it.
    fn saved_lockfile(&self) -> PathBuf {
        self.folder.join("lockfile")
    }

    /// The bytes that the project takes, and the home that a scenario uses.
    pub(crate) fn usage(&self, scenario: Scenario) -> u64 {
        let home = if scenario.is_in_ci() { self.home_in_ci() } else { self.home() };
        disk::usage(&[&self.project(), &home])
    }

    /// Installs into an empty place, and keeps the lockfile.
    pub(crate) fn fill(&self, server: &Server) -> Result<(), String> {
        disk::remove(&self.folder)?;
        self.write_project(server)?;
        self.work(server, &self.manager.install())?;
        self.maintain(server)?;
        self.save_lockfile()
    }

    /// Keeps the lockfile that an install has just written, for the scenarios that begin with one.
    pub(crate) fn save_lockfile(&self) -> Result<(), String> {
        fs::copy(self.lockfile(), self.saved_lockfile())
            .map_err(|error| format!("{}: {error}", self.lockfile().display()))?;
        Ok(())
    }

    /// Brings the place into the state that a scenario begins with, from any state that the one
    /// before left.
    pub(crate) fn prepare(
        &self,
        server: &Server,
        scenario: Scenario,
        changed: bool,
    ) -> Result<(), String> {
        let Start { caches, lockfile, tree } = scenario.start();
        if (caches || lockfile) && !self.saved_lockfile().exists() {
            self.fill(server)?;
        }
        self.write_project(server)?;
        if lockfile {
            write(&self.lockfile(), &crate::workspace::read(&self.saved_lockfile())?)?;
        } else {
            disk::remove(&self.lockfile())?;
        }
        if !tree {
            self.remove_trees()?;
        }
        disk::remove(&self.home_in_ci())?;
        if scenario.is_in_ci() {
            Manager::make_home(&self.home_in_ci())?;
        } else if !caches {
            disk::remove(&self.home())?;
            Manager::make_home(&self.home())?;
        }
        if tree && (changed || !self.project().join("node_modules").exists()) {
            self.work(server, &self.manager.install())?;
            self.maintain(server)?;
        }
        Ok(())
    }

    /// Writes the lockfile and nothing else, with packuments in the cache or without anything.
    pub(crate) fn resolve(&self, server: &Server, cached: bool) -> Result<Cost, String> {
        let words = self.manager.resolve();
        if !cached || !self.home().exists() {
            disk::remove(&self.home())?;
        }
        self.write_project(server)?;
        disk::remove(&self.lockfile())?;
        self.work(server, &words)
    }

    /// Removes `node_modules`, of workspaces too.
    fn remove_trees(&self) -> Result<(), String> {
        disk::remove(&self.project().join("node_modules"))?;
        let Ok(packages) = fs::read_dir(self.project().join("packages")) else { return Ok(()) };
        packages
            .flatten()
            .try_for_each(|package| disk::remove(&package.path().join("node_modules")))
    }

    fn write_project(&self, server: &Server) -> Result<(), String> {
        self.fixture.write(&self.project())?;
        self.manager.write_settings(self.fixture, &self.project(), &registry(server))?;
        Manager::make_home(&self.home())
    }

    /// Runs the manager's deferred maintenance.
    pub(crate) fn maintain(&self, server: &Server) -> Result<Cost, String> {
        self.manager.maintain().map_or(Ok(Cost::default()), |words| self.work(server, &words))
    }

    /// Runs a command of the manager in the project; the error holds what it printed last.
    pub(crate) fn work(&self, server: &Server, words: &[String]) -> Result<Cost, String> {
        self.work_in(server, words, &self.home(), &[])
    }

    /// Runs the command of a scenario in its environment.
    pub(crate) fn work_for(
        &self,
        server: &Server,
        scenario: Scenario,
        words: &[String],
    ) -> Result<Cost, String> {
        if scenario.is_in_ci() {
            self.work_in(server, words, &self.home_in_ci(), &[("CI", "true")])
        } else {
            self.work(server, words)
        }
    }

    fn work_in(
        &self,
        server: &Server,
        words: &[String],
        home: &Path,
        variables: &[(&str, &str)],
    ) -> Result<Cost, String> {
        let log = self.folder.join("output.log");
        let cost = exec::measure(&log, words, |command| {
            command.current_dir(self.project());
            command.env_clear().envs(self.manager.environment(home, &self.node, &registry(server)));
            command.envs(variables.iter().copied());
        })?;
        if cost.status == 0 {
            return Ok(cost);
        }
        let printed = fs::read(&log).unwrap_or_default();
        let from = printed.len().saturating_sub(TOLD);
        let printed = String::from_utf8_lossy(&printed[from..]).trim().to_owned();
        Err(format!("`{}` ended with {}: {printed}", words.join(" "), cost.status))
    }

    /// The system calls of a command and of what it left running; `None` without strace.
    pub(crate) fn system_calls(
        &self,
        server: &Server,
        words: &[String],
    ) -> Result<Option<u64>, String> {
        let Some(strace) = strace() else { return Ok(None) };
        let report = self.folder.join("strace.txt");
        let mut traced = vec![
            strace,
            "-f".to_owned(),
            "-c".to_owned(),
            "-U".to_owned(),
            "calls,name".to_owned(),
        ];
        traced.extend(["-o".to_owned(), report.display().to_string(), "--".to_owned()]);
        traced.extend_from_slice(words);
        self.work(server, &traced)?;
        let text = fs::read_to_string(&report)
            .map_err(|error| format!("{}: {error}", report.display()))?;
        let total =
            text.lines().find_map(|line| line.trim().strip_suffix("total")?.trim().parse().ok());
        total.map(Some).ok_or_else(|| "strace counted nothing".to_owned())
    }
}

fn registry(server: &Server) -> Registry<'_> {
    Registry { url: server.url(), authority: server.authority() }
}

/// Returns the path of strace.
fn strace() -> Option<String> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join("strace"))
        .find(|file| file.is_file())
        .map(|file| file.display().to_string())
}
