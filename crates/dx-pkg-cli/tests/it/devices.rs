//! Full and read-only devices. They are mounted, which only root may do.

use std::fs;
use std::path::Path;
use std::process::Command;

use dx_pkg_testkit::{Device, Project, Registry, Run};

use crate::harness::{command, dx, fails, files, ok, stored, unpacked};
use crate::takeover::as_earlier_version;

/// Returns a registry with `a`, of two megabytes, and the small `b`.
fn registry() -> Registry {
    let registry = Registry::start();
    let data: Vec<u8> =
        (0..2_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    registry.package("a", "1.0.0").dep("b", "1").file("data", data).publish();
    registry.package("b", "1.0.0").publish();
    registry
}

/// Creates a project on the device, with its store.
fn project_on(registry: &Registry, device: &Device) -> Project {
    let inside = device.path().join("inside");
    fs::create_dir_all(inside.join("project")).unwrap();
    let project = Project::new(registry).dep("a", "1").store(&inside.join("store")).create();
    for name in ["package.json", ".npmrc"] {
        fs::copy(project.path().join(name), inside.join("project").join(name)).unwrap();
    }
    project
}

/// Runs `dx` in the project on the device.
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
    let Some(device) = Device::memory("size=1m") else { return };
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
    let Some(device) = Device::memory("size=1m") else { return };
    let registry = registry();
    let inside = device.path().join("inside");
    fs::create_dir_all(inside.join("project")).unwrap();
    // The store is on another device and has room.
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
fn install_without_room_for_a_prepared_tree_succeeds_without_one() {
    // Each folder and file takes an inode; a prepared tree takes folders.
    let Some(device) = Device::memory("size=40m") else { return };
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
    let stdout = dx_on(&device, &project, "1", ["install", "--json"]).success().stdout;
    assert!(stdout.contains(r#""prepared_trees":1"#), "{stdout}");
    assert!(in_place(&device));
    dx_on(&device, &project, "1", ["store", "maintain"]).success();
}

#[test]
fn a_prepared_tree_and_a_full_device_give_a_tree_or_an_error_and_then_the_tree() {
    let Some(device) = Device::memory("size=40m") else { return };
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
fn read_only_store_serves_its_packages() {
    let Some(device) = Device::memory("size=40m") else { return };
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
    let stderr = fails(dx(&project, ["install", "c"]), "DX_STORE_READ_ONLY");
    assert!(stderr.contains("DX_STORE="), "what to do about it: {stderr}");
    assert_eq!(project.installed(), installed);
}

#[test]
fn packed_packages_of_a_read_only_store_are_unpacked_into_the_project() {
    let Some(device) = Device::memory("size=40m") else { return };
    let registry = registry();
    let project =
        Project::new(&registry).dep("a", "1").store(&device.path().join("store")).create();
    ok(&project, ["install"]);
    let installed = project.installed();
    as_earlier_version(&project);
    fs::remove_dir_all(project.store().join("v1/expanded")).unwrap();
    device.remount("ro");
    project.remove("node_modules");
    ok(&project, ["ci"]);
    assert_eq!(project.installed(), installed);
    assert_eq!(fs::metadata(project.path().join("node_modules/a/data")).unwrap().len(), 2_000_000);
}

#[test]
fn empty_read_only_store_is_an_error() {
    let Some(device) = Device::memory("size=40m,ro") else { return };
    let registry = registry();
    let project =
        Project::new(&registry).dep("a", "1").store(&device.path().join("store")).create();
    let before = files(&project);
    let stderr = fails(dx(&project, ["install"]), "DX_STORE_READ_ONLY");
    assert!(stderr.contains("DX_STORE="), "{stderr}");
    assert_eq!(files(&project), before);
}
