//! What a benchmark runs ends with the benchmark.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A command that starts others, one of them in a session of its own, and waits.
const FAMILY: &str =
    "sleep 600 & echo $! >> ids; setsid sh -c 'echo $$ >> ids; sleep 600' & echo $$ >> ids; wait";

fn start(folder: &Path, script: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["bench-exec", "log", "--", "sh", "-c", script])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until something is so, for as long as a slow machine may take.
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn ids(folder: &Path) -> Vec<String> {
    fs::read_to_string(folder.join("ids")).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn runs(id: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

#[test]
fn command_and_its_children_end_when_nobody_waits_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = start(folder.path(), FAMILY);
    eventually("all three have started", || ids(folder.path()).len() == 3);
    let ids = ids(folder.path());
    assert!(ids.iter().all(|id| runs(id)));
    drop(process.stdin.take());
    process.wait().unwrap();
    assert!(!ids.iter().any(|id| runs(id)), "{ids:?}");
}

#[test]
fn time_of_what_is_left_running_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = start(folder.path(), "setsid sh -c 'sleep 0.2; echo late > late' & exit 3");
    let held = process.stdin.take();
    let output = process.wait_with_output().unwrap();
    drop(held);
    let cost: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(cost["status"], 3);
    assert!(cost["after_wall"].as_f64().unwrap() > 0.0, "{cost}");
    assert!(folder.path().join("late").exists());
}
