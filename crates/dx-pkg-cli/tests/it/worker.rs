//! The background process: its start, its work, its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dx_pkg_testkit::{Project, Registry};
use serde_json::Value;

use crate::harness::{command, ok, until};

/// So many preparation jobs of no project that a background process is busy long enough to be seen,
/// and stopped.
pub(crate) struct Backlog {
    jobs: PathBuf,
    count: usize,
}

impl Backlog {
    /// As many as take long enough for [`Self::stop_process`].
    pub(crate) const MANY: usize = 3000;

    /// Queues the jobs.
    pub(crate) fn queue(store: &Path, count: usize) -> Self {
        let backlog = Self { jobs: store.join("v1/prepared/jobs"), count };
        fs::create_dir_all(&backlog.jobs).unwrap();
        (0..count).for_each(|job| fs::write(backlog.job(job), "").unwrap());
        backlog
    }

    fn job(&self, number: usize) -> PathBuf {
        self.jobs.join(format!("job-{number}"))
    }

    /// Returns whether nobody took the jobs.
    pub(crate) fn is_waiting(&self) -> bool {
        let entries = fs::read_dir(&self.jobs).unwrap().flatten();
        let is_ours = |name: &str| name.starts_with("job-");
        let ours = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_ours));
        ours.count() == self.count
    }

    /// Stops the one process of the store once it is busy with the jobs.
    pub(crate) fn stop_process(&self, store: &Path) -> Stopped {
        until("a background process takes jobs", || !self.is_waiting());
        let [process] = workers(store)[..] else { panic!("one process, before it ends") };
        let stopped = Stopped(process);
        stopped.send("STOP");
        until("the process stops", || stat(process)[0] == "T");
        stopped
    }

    /// Removes the jobs.
    pub(crate) fn remove(self) {
        (0..self.count).for_each(|job| fs::remove_file(self.job(job)).unwrap());
    }
}

/// A background process that is stopped until it is released.
pub(crate) struct Stopped(pub(crate) u32);

impl Stopped {
    /// Sends a signal.
    pub(crate) fn send(&self, signal: &str) {
        let kill = Command::new("kill").args(["-s", signal, &self.0.to_string()]).status();
        assert!(kill.unwrap().success(), "{signal}");
    }

    /// Lets it go on.
    pub(crate) fn release(self) {
        self.send("CONT");
    }
}

/// Returns the background processes of a store.
pub(crate) fn workers(store: &Path) -> Vec<u32> {
    let variable = [b"DX_STORE=".as_slice(), store.as_os_str().as_encoded_bytes()].concat();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let is_worker = |process: &u32| {
        let read = |file: &str| fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
        let has =
            |text: &[u8], part: &[u8]| text.split(|byte| *byte == 0).any(|found| found == part);
        has(&read("cmdline"), b"--background") && has(&read("environ"), &variable)
    };
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(is_worker)
        .collect()
}

/// Returns the fields of /proc/<process>/stat from the third on.
fn stat(process: u32) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let rest = text.rsplit_once(") ").map(|(_, rest)| rest.to_owned()).unwrap_or_default();
    rest.split_whitespace().map(str::to_owned).collect()
}

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry
}

#[test]
fn worker_outlives_its_command_yields_is_alone_and_ends_on_sigterm() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    let backlog = Backlog::queue(project.store(), Backlog::MANY);
    // The command has ended although its background process has not.
    command(&project).env("DX_PREPARED_TREES", "1").args(["install"]).run().success();
    let stopped = backlog.stop_process(project.store());
    let worker = stopped.0;
    let fields = stat(worker);
    assert_eq!(
        fields[3],
        worker.to_string(),
        "a session of its own: closing the terminal does not reach it"
    );
    assert_eq!(fields[4], "0", "no terminal");
    assert_eq!(fields[16], "19", "the lowest priority");
    assert_eq!(fields[38], "5", "SCHED_IDLE");
    let io = Command::new("ionice").args(["-p", &worker.to_string()]).output();
    if let Ok(io) = io {
        assert_eq!(String::from_utf8_lossy(&io.stdout).trim(), "idle");
    }
    for descriptor in ["0", "1", "2"] {
        assert_eq!(
            fs::read_link(format!("/proc/{worker}/fd/{descriptor}")).unwrap(),
            Path::new("/dev/null")
        );
    }

    // A second one sees the first and ends at once.
    let second = command(&project).env("DX_PREPARED_TREES", "1").args([
        "store",
        "maintain",
        "--background",
        "--json",
    ]);
    let stderr: Value = serde_json::from_str(&second.run().success().stdout).unwrap();
    assert_eq!((&stderr["prepared"], &stderr["deleted"]), (&0.into(), &0.into()));

    stopped.send("TERM");
    stopped.release();
    until("the worker ends", || workers(project.store()).is_empty());
    assert!(
        fs::read_dir(project.store().join("v1/tmp")).unwrap().next().is_none(),
        "nothing is left of it"
    );
    let lock = fs::File::open(project.store().join("v1/locks/background")).unwrap();
    lock.try_lock().expect("the next one can begin");
    drop(lock);
    ok(&project, ["store", "verify"]);
    // The next one does the rest.
    let maintained =
        command(&project).env("DX_PREPARED_TREES", "1").args(["store", "maintain"]).run().success();
    assert!(maintained.stdout.contains("Prepared 1 tree"), "{maintained}");
}

#[test]
fn an_install_in_continuous_integration_starts_no_worker() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    let backlog = Backlog::queue(project.store(), Backlog::MANY);
    // An empty variable counts as unset.
    command(&project)
        .env("CI", "true")
        .env("DX_PREPARED_TREES", "")
        .args(["install"])
        .run()
        .success();
    assert_eq!(workers(project.store()), Vec::<u32>::new());
    assert!(backlog.is_waiting(), "nobody took the jobs");
    // The counter-check: with the setting, there is one.
    project.remove("node_modules");
    command(&project)
        .env("CI", "true")
        .env("DX_PREPARED_TREES", "1")
        .args(["install"])
        .run()
        .success();
    backlog.stop_process(project.store()).release();
    until("the worker ends", || workers(project.store()).is_empty());
}

#[test]
fn reported_size_of_the_store_is_its_size() {
    let registry = registry();
    registry.package("b", "1.0.0").file("data", vec![7; 300_000]).publish();
    let project = Project::new(&registry).dep("a", "1").dep("b", "1").create();
    command(&project).env("DX_PREPARED_TREES", "1").args(["install"]).run().success();
    command(&project).env("DX_PREPARED_TREES", "1").args(["store", "maintain"]).run().success();
    let stderr: Value =
        serde_json::from_str(&ok(&project, ["store", "status", "--json"]).stdout).unwrap();
    let root = project.store().join("v1");
    let parts = [
        "packages",
        "expanded",
        "prepared",
        "metadata",
        "lockfiles",
        "resolutions",
        "pending",
        "tmp",
        "trash",
    ];
    let parts: Vec<PathBuf> =
        parts.iter().map(|part| root.join(part)).filter(|part| part.exists()).collect();
    let measured = |depth: &str| -> u64 {
        // du counts a file with several names once.
        let run =
            Command::new("du").args(["--block-size=1", "-c", depth]).args(&parts).output().unwrap();
        let text = String::from_utf8(run.stdout).unwrap();
        text.lines().last().unwrap().split_whitespace().next().unwrap().parse().unwrap()
    };
    let folders: u64 = parts
        .iter()
        .map(|part| std::os::unix::fs::MetadataExt::blocks(&fs::metadata(part).unwrap()) * 512)
        .sum();
    assert_eq!(stderr["bytes"].as_u64().unwrap(), measured("-s") - folders);
    let bytes = stderr["bytes"].as_u64().unwrap();
    assert!((300_000..600_000).contains(&bytes), "b is there once: {stderr}");
}

#[test]
fn pruning_to_a_size_removes_prepared_trees_first() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    command(&project).env("DX_PREPARED_TREES", "1").args(["install"]).run().success();
    command(&project).env("DX_PREPARED_TREES", "1").args(["store", "maintain"]).run().success();
    let status = || -> Value {
        serde_json::from_str(&ok(&project, ["store", "status", "--json"]).stdout).unwrap()
    };
    let before = status();
    assert_eq!(before["preparedTrees"]["entries"], 1);
    let most = (before["bytes"].as_u64().unwrap() - 1).to_string();
    let run = command(&project)
        .args(["store", "prune", "--json", "--max-size", most.as_str()])
        .run()
        .success();
    let stderr: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&stderr["preparedTrees"], &stderr["packages"]), (&1.into(), &0.into()), "{stderr}");
    let after = status();
    assert_eq!(
        (&after["preparedTrees"]["entries"], &after["packages"]["entries"]),
        (&0.into(), &1.into())
    );
    assert_eq!(
        before["bytes"].as_u64().unwrap() - after["bytes"].as_u64().unwrap(),
        stderr["bytes"].as_u64().unwrap()
    );
}

#[test]
fn prepared_trees_of_unused_projects_are_removed_in_the_background() {
    let registry = registry();
    for number in 0..10 {
        registry.package("n", &format!("1.0.{number}")).publish();
    }
    let first = Project::new(&registry).dep("a", "1").create();
    let mut projects = Vec::new();
    for number in 0..10 {
        let project = Project::new(&registry)
            .dep("n", &format!("1.0.{number}"))
            .store(first.store())
            .create();
        command(&project).env("DX_PREPARED_TREES", "1").args(["install"]).run().success();
        command(&project).env("DX_PREPARED_TREES", "1").args(["store", "maintain"]).run().success();
        // One that comes late would use this tree after the next.
        until("the background process ends", || workers(first.store()).is_empty());
        projects.push(project);
    }
    let stderr: Value =
        serde_json::from_str(&ok(&first, ["store", "status", "--json"]).stdout).unwrap();
    assert_eq!(stderr["preparedTrees"]["entries"], 8, "{stderr}");
    let prepared_trees = |project: &Project| -> Value {
        project.remove("node_modules");
        let run = command(project).args(["install", "--json"]).run().success();
        serde_json::from_str::<Value>(&run.stdout).unwrap()["statistics"]["prepared_trees"].clone()
    };
    assert_eq!(
        (prepared_trees(&projects[0]), prepared_trees(&projects[9])),
        (0.into(), 1.into()),
        "the least recently used went"
    );
}
