//! A killed process leaves the old or the new tree; the next one removes its garbage.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use dx_pkg_link::{LinkOptions, NoProgress, Tree, materialise};
use dx_pkg_os::files::Dir;
use dx_pkg_store::Store;

use crate::world::{World, package};

const PROJECT: &str = "DX_TEST_CRASH_PROJECT";
const INCREMENTAL: &str = "DX_TEST_CRASH_INCREMENTAL";
const READY: &str = "ready to be killed";
const PACKAGES: usize = 40;

fn trees(world: &World) -> [Tree; 2] {
    ["old", "new"].map(|age| {
        let place = |index| {
            let name = format!("{age}-{index}");
            package(&format!("node_modules/p{index}"), world.module(&name))
        };
        Tree::new((0..PACKAGES).map(place).collect())
    })
}

/// Returns the state file of the tree `index`.
fn state(index: usize) -> [(String, Vec<u8>); 1] {
    [(".package-lock.json".to_owned(), index.to_string().into_bytes())]
}

/// The process that the other tests start and kill.
#[test]
fn killed_child() {
    let Ok(folder) = env::var(PROJECT) else {
        return;
    };
    let incremental = env::var(INCREMENTAL).is_ok();
    let folder = std::path::Path::new(&folder);
    let (project, store) = (folder.join("project"), Store::open(&folder.join("store")).unwrap());
    let world = World { folder: tempfile::TempDir::new().unwrap(), store, project };
    let trees = trees(&world);
    println!("{READY}");
    for index in (0..2).cycle() {
        let previous = incremental.then_some(&trees[1 - index]);
        let options = LinkOptions { extra_files: &state(index), ..LinkOptions::default() };
        materialise(&world.project, &world.store, &trees[index], previous, &options, &NoProgress)
            .unwrap();
    }
}

/// Starts a process that installs one tree after the other and kills it.
fn kill_one(world: &World, incremental: bool, after: Duration) {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "crash::killed_child", "--nocapture"])
        .env(PROJECT, world.folder.path());
    if incremental {
        command.env(INCREMENTAL, "1");
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(READY)), "the child did not start");
    thread::sleep(after);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(9), "the child ended by itself: {status}");
}

/// Returns the entries of the project except garbage, and whether there is garbage.
fn found(world: &World) -> (BTreeMap<String, String>, bool) {
    let mut found = world.snapshot();
    let interrupted = found.keys().any(|path| path.starts_with(".node_modules-dx-"));
    found.retain(|path, _| !path.starts_with(".node_modules-dx-") && !path.contains(".cache"));
    (found, interrupted)
}

fn wanted(world: &World, trees: &[Tree; 2]) -> [BTreeMap<String, String>; 2] {
    [0, 1].map(|index| {
        let options = LinkOptions { extra_files: &state(index), ..LinkOptions::default() };
        world.link(&trees[index], None, &options);
        world.snapshot()
    })
}

#[test]
fn a_killed_install_leaves_a_whole_tree() {
    let world = World::in_memory();
    let trees = trees(&world);
    let wanted = wanted(&world, &trees);
    world.write("node_modules/.cache/mine", "kept");
    let mut interruptions = 0;
    for round in 0..25 {
        kill_one(&world, false, Duration::from_micros(1_700 * round));
        let (found, interrupted) = found(&world);
        interruptions += usize::from(interrupted);
        assert!(wanted.contains(&found), "round {round}: neither the old nor the new tree");
    }
    assert!(interruptions > 5, "only {interruptions} of the processes were killed at work");
    world.install(&trees[1]);
    assert_eq!(world.read("node_modules/.cache/mine"), "kept");
    let names: Vec<_> =
        fs::read_dir(&world.project).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["node_modules"], "what the killed processes left was swept");
}

#[test]
fn a_killed_change_leaves_no_state_that_lies() {
    let world = World::in_memory();
    let trees = trees(&world);
    let wanted = wanted(&world, &trees);
    let mut interruptions = 0;
    for round in 0..40 {
        kill_one(&world, true, Duration::from_micros(730 * round));
        let (found, interrupted) = found(&world);
        interruptions += usize::from(interrupted);
        // Without a state the tree may be anything: the next install replaces it.
        if let Some(state) = found.get("node_modules/.package-lock.json") {
            let index = usize::from(state.ends_with('1'));
            assert_eq!(found, wanted[index], "round {round}");
        }
        let options = LinkOptions { extra_files: &state(1), ..LinkOptions::default() };
        world.link(&trees[1], None, &options);
        assert_eq!(world.snapshot(), wanted[1], "round {round}");
    }
    assert!(interruptions > 5, "only {interruptions} of the processes were killed at work");
}

#[test]
fn only_folders_of_dead_processes_are_swept() {
    let world = World::new();
    let living = format!(".node_modules-dx-{}-0", std::os::unix::process::parent_id());
    let own = format!(".node_modules-dx-{}-0", std::process::id());
    for name in [living.as_str(), &own, ".node_modules-dx-4999999-0", ".node_modules-dx-notes"] {
        world.write(&format!("{name}/.cache-{name}/x"), "");
    }
    let held = Dir::open(world.project.join(&living)).unwrap();
    assert!(held.try_lock().unwrap(), "a living process locks its folder");
    world.install(&Tree::new(vec![package("node_modules/a", world.module("a"))]));
    assert!(world.exists(&living));
    drop(held);
    world.install(&Tree::new(vec![package("node_modules/a", world.module("a"))]));
    assert!(!world.exists(&living), "the process has that number, and is another one");
    assert!(world.exists(".node_modules-dx-notes"));
    assert!(!world.exists(&own));
    assert!(!world.exists(".node_modules-dx-4999999-0"));
    assert!(
        world.exists("node_modules/.cache-.node_modules-dx-4999999-0/x"),
        "the user's entry was rescued"
    );
}
