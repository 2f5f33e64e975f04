//! Devices that are full or that cannot be written to. They are mounted, which only root may do: for others these tests are
//! skipped, and say so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dx_pkg_testkit::{Project, Registry, Run};

use crate::harness::{command, dx, fails, files, ok, stored, unpacked};

/// A file system in memory, unmounted when it is dropped.
struct Device {
    folder: tempfile::TempDir,
}

impl Device {
    /// One with these mount options; `None`, having said so, where it cannot be mounted.
    fn mount(options: &str) -> Option<Self> {
        let device = Device { folder: tempfile::tempdir().unwrap() };
        let path = device.folder.path();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "dx-test"])
            .arg(path)
            .output();
        if done.is_ok_and(|done| done.status.success()) {
            return Some(device);
        }
        // What a test is not able to do is told, not passed over.
        let _ = std::io::Write::write_all(
            &mut std::io::stderr(),
            b"skipped: only root can mount a file system\n",
        );
        None
    }

    fn path(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap()
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,{options}")])
            .arg(self.path())
            .status();
        assert!(status.unwrap().success(), "remount {options}");
    }

    /// Leaves no room for another byte.
    fn fill(&self) {
        let mut size = 1 << 20;
        let mut number = 0;
        while size > 0 {
            number += 1;
            if fs::write(self.path().join(format!("filler-{number}")), vec![1; size]).is_err() {
                size /= 2;
            }
        }
    }

    fn make_room(&self) {
        for entry in fs::read_dir(self.path()).unwrap().flatten() {
            if entry.file_name().to_str().unwrap().starts_with("filler-") {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

/// `a`, whose files take two megabytes, and `b`, which takes next to nothing.
fn registry() -> Registry {
    let registry = Registry::start();
    let data: Vec<u8> =
        (0..2_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    registry.package("a", "1.0.0").dep("b", "1").file("data", data).publish();
    registry.package("b", "1.0.0").publish();
    registry
}

/// A project that lies, as does its store, on the device.
fn project_on(registry: &Registry, device: &Device) -> Project {
    let inside = device.path().join("inside");
    fs::create_dir_all(inside.join("project")).unwrap();
    let project = Project::new(registry).dep("a", "1").store(&inside.join("store")).create();
    for name in ["package.json", ".npmrc"] {
        fs::copy(project.path().join(name), inside.join("project").join(name)).unwrap();
    }
    project
}

/// Runs `dx` for the project's copy on the device.
fn dx_on<const N: usize>(device: &Device, project: &Project, trees: &str, args: [&str; N]) -> Run {
    let folder = device.path().join("inside/project");
    command(project).env("DX_PREPARED_TREES", trees).current_dir(&folder).args(args).run()
}

fn in_place(device: &Device) -> bool {
    let modules = device.path().join("inside/project/node_modules");
    let size = |path: &str| fs::metadata(modules.join(path)).map_or(0, |metadata| metadata.len());
    size("a/data") == 2_000_000 && size("b/package.json") > 0
}

#[test]
fn a_store_that_is_full_leaves_everything_as_it_was() {
    let Some(device) = Device::mount("size=1m") else { return };
    let registry = registry();
    let project =
        Project::new(&registry).dep("a", "1").store(&device.path().join("store")).create();
    let before = files(&project);
    fails(dx(&project, ["install"]), "DX_STORE_FULL");
    assert_eq!(files(&project), before);
    assert!(stored(&project).len() <= 1 && unpacked(&project).len() <= 1, "b at most");
    device.remount("size=20m");
    ok(&project, ["install"]);
    assert_eq!(fs::metadata(project.path().join("node_modules/a/data")).unwrap().len(), 2_000_000);
    ok(&project, ["store", "verify"]);
}

#[test]
fn a_project_on_a_full_device_keeps_its_tree() {
    let Some(device) = Device::mount("size=1m") else { return };
    let registry = registry();
    let inside = device.path().join("inside");
    fs::create_dir_all(inside.join("project")).unwrap();
    // The store is elsewhere and has room.
    let project = Project::new(&registry).dep("a", "1").create();
    for name in ["package.json", ".npmrc"] {
        fs::copy(project.path().join(name), inside.join("project").join(name)).unwrap();
    }
    fs::write(inside.join("project/package.json"), r#"{"dependencies":{"b":"1"}}"#).unwrap();
    dx_on(&device, &project, "0", ["install"]).success();
    fs::copy(project.path().join("package.json"), inside.join("project/package.json")).unwrap();
    let run = dx_on(&device, &project, "0", ["install"]).failure();
    assert!(run.stderr.contains("no space") || run.stderr.contains("No space"), "{run}");
    assert!(inside.join("project/node_modules/b/package.json").exists());
    assert!(!inside.join("project/node_modules/a").exists());
    let left: Vec<_> = names(&inside.join("project"));
    assert_eq!(left, [".npmrc", "node_modules", "package-lock.json", "package.json"]);
    device.remount("size=20m");
    dx_on(&device, &project, "0", ["install"]).success();
    assert!(in_place(&device));
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn where_there_is_no_room_for_a_prepared_tree_there_is_none_and_the_next_install_is_right() {
    // Each folder and file takes an inode; a prepared tree takes folders.
    let Some(device) = Device::mount("size=40m") else { return };
    let registry = registry();
    let project = project_on(&registry, &device);
    dx_on(&device, &project, "0", ["install"]).success();
    let used = String::from_utf8(
        Command::new("df").args(["--output=iused"]).arg(device.path()).output().unwrap().stdout,
    );
    let used: u64 = used.unwrap().lines().nth(1).unwrap().trim().parse().unwrap();
    device.remount(&format!("nr_inodes={}", used + 6));
    fs::create_dir_all(device.path().join("inside/store/v1/prepared/jobs")).unwrap();
    let folder = device.path().join("inside/project");
    let job = format!("-{}", folder.display());
    fs::write(device.path().join("inside/store/v1/prepared/jobs/w"), job).unwrap();
    dx_on(&device, &project, "1", ["store", "maintain"]).failure();
    let unfinished = names(&device.path().join("inside/store/v1/tmp"));
    assert_eq!(unfinished, Vec::<String>::new(), "what was begun is removed");
    device.remount("nr_inodes=10000");
    fs::remove_dir_all(folder.join("node_modules")).unwrap();
    dx_on(&device, &project, "1", ["install"]).success();
    assert!(in_place(&device));
    dx_on(&device, &project, "1", ["store", "maintain"]).success();
    fs::remove_dir_all(folder.join("node_modules")).unwrap();
    let said = dx_on(&device, &project, "1", ["install", "--json"]).success().stdout;
    assert!(said.contains(r#""prepared_trees":1"#), "{said}");
    assert!(in_place(&device));
    dx_on(&device, &project, "1", ["store", "maintain"]).success();
}

#[test]
fn a_prepared_tree_and_a_full_device_give_a_tree_or_an_error_and_then_the_tree() {
    let Some(device) = Device::mount("size=40m") else { return };
    let registry = registry();
    let project = project_on(&registry, &device);
    let folder = device.path().join("inside/project");
    dx_on(&device, &project, "1", ["install"]).success();
    dx_on(&device, &project, "1", ["store", "maintain"]).success();
    fs::remove_dir_all(folder.join("node_modules")).unwrap();
    device.fill();
    let run = dx_on(&device, &project, "1", ["install"]);
    assert!(run.status == Some(0) || run.stderr.contains("[DX_"), "{run}");
    assert!(!folder.join("node_modules").exists() || in_place(&device), "half a tree");
    device.make_room();
    dx_on(&device, &project, "1", ["install"]).success();
    assert!(in_place(&device));
    dx_on(&device, &project, "1", ["store", "maintain"]).success();
    dx_on(&device, &project, "1", ["store", "verify"]).success();
}

#[test]
fn a_store_that_cannot_be_written_to_gives_what_it_has() {
    let Some(device) = Device::mount("size=40m") else { return };
    let registry = registry();
    let project =
        Project::new(&registry).dep("a", "1").store(&device.path().join("store")).create();
    ok(&project, ["install"]);
    let installed = project.installed();
    device.remount("ro");
    for trees in ["0", "1"] {
        // Without metadata, then with a lockfile only, then with nothing.
        for args in [["install"], ["ci"]] {
            project.remove("node_modules");
            command(&project).env("DX_PREPARED_TREES", trees).args(args).run().success();
            assert_eq!(project.installed(), installed);
            assert_eq!(
                fs::metadata(project.path().join("node_modules/a/data")).unwrap().len(),
                2_000_000
            );
        }
    }
    // The first is of other settings than the last.
    ok(&project, ["install"]);
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");

    registry.package("c", "1.0.0").publish();
    let said = fails(dx(&project, ["install", "c"]), "DX_STORE_READ_ONLY");
    assert!(said.contains("DX_STORE="), "what to do about it: {said}");
    assert_eq!(project.installed(), installed);
}

#[test]
fn packages_that_are_only_packed_in_a_store_that_cannot_be_written_to_are_unpacked_into_the_project()
 {
    let Some(device) = Device::mount("size=40m") else { return };
    let registry = registry();
    let project =
        Project::new(&registry).dep("a", "1").store(&device.path().join("store")).create();
    ok(&project, ["install"]);
    let installed = project.installed();
    fs::remove_dir_all(project.store().join("v1/expanded")).unwrap();
    device.remount("ro");
    project.remove("node_modules");
    ok(&project, ["ci"]);
    assert_eq!(project.installed(), installed);
    assert_eq!(fs::metadata(project.path().join("node_modules/a/data")).unwrap().len(), 2_000_000);
}

#[test]
fn a_store_that_is_empty_and_cannot_be_written_to_is_a_clear_error() {
    let Some(device) = Device::mount("size=40m,ro") else { return };
    let registry = registry();
    let project =
        Project::new(&registry).dep("a", "1").store(&device.path().join("store")).create();
    let before = files(&project);
    let said = fails(dx(&project, ["install"]), "DX_STORE_READ_ONLY");
    assert!(said.contains("DX_STORE="), "{said}");
    assert_eq!(files(&project), before);
}
