//! Two users of one machine: what belongs to the other is not changed, and the error or warning
//! says so.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use dx_pkg_testkit::require::{Need, met, output};
use dx_pkg_testkit::{Command, Project, Registry, Run};

use crate::harness::{fails, files, ok, required};

/// The other user, `nobody` on most systems.
const OTHER: u32 = 65_534;

/// Returns whether programs can be started as the other user.
#[track_caller]
fn may_become_another() -> bool {
    let user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let attempt =
        output("setpriv", user.into_iter().chain([env!("CARGO_BIN_EXE_dx"), "--version"]));
    met(Need::SecondUser, attempt).is_some()
}

/// Returns a project that the other user can reach, with a home and store of that user's.
fn project(registry: &Registry) -> Project {
    let project = Project::new(registry).dep("a", "1").create();
    let root = project.path().parent().unwrap().to_owned();
    for folder in [&root, &project.path()] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    }
    chown(project.home(), Some(OTHER), Some(OTHER)).unwrap();
    project
}

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("b", "1.0.0").publish();
    registry
}

/// A `dx` command of the other user, with a store in that user's home.
fn as_other(project: &Project, arguments: &[&str]) -> Command {
    project
        .command(Path::new("setpriv"))
        .env("npm_config_globalconfig", project.home().join("no-such-npmrc"))
        .env("DX_PREPARED_TREES", "0")
        .env("DX_STORE", project.home().join("store"))
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", env!("CARGO_BIN_EXE_dx")])
        .args(arguments)
}

fn run_as_other(project: &Project, arguments: &[&str]) -> Run {
    as_other(project, arguments).run()
}

/// Gives a file or folder, without what is in it, to the other user.
fn give(project: &Project, path: &str) {
    chown(project.path().join(path), Some(OTHER), Some(OTHER)).unwrap();
}

#[test]
fn project_of_another_user_is_refused_and_not_changed() {
    if !may_become_another() {
        return;
    }
    let registry = registry();
    let project = project(&registry);
    let before = files(&project);
    for arguments in [&["install"][..], &["add", "b"], &["ci"]] {
        let run = run_as_other(&project, arguments);
        assert_eq!(run.status, Some(1), "{run}");
        assert!(run.stderr.contains("[DX_") && run.stderr.contains("help:"), "{run}");
        assert_eq!(files(&project), before, "{arguments:?}");
    }
    // With the owner's tree in place, too.
    ok(&project, ["install"]);
    let before = files(&project);
    for arguments in [&["add", "b"][..], &["remove", "a"], &["ci"]] {
        let run = run_as_other(&project, arguments);
        assert_eq!(run.status, Some(1), "{run}");
        assert!(run.stderr.contains("ermission denied") && run.stderr.contains("help:"), "{run}");
        assert_eq!(files(&project), before, "{arguments:?}");
    }
}

#[test]
fn lockfile_of_another_user_is_not_replaced() {
    if !may_become_another() {
        return;
    }
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    give(&project, "");
    give(&project, "package.json");
    let before = files(&project);
    let stderr = fails(run_as_other(&project, &["add", "b"]), "DX_IO");
    assert!(stderr.contains("package-lock.json: Permission denied"), "{stderr}");
    assert!(stderr.contains("check who owns the file or folder"), "{stderr}");
    assert_eq!(files(&project), before);
}

#[test]
fn tree_of_another_user_is_replaced_and_what_stays_of_it_is_named() {
    if !may_become_another() {
        return;
    }
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    for path in ["", "package.json", "package-lock.json"] {
        give(&project, path);
    }
    let run = run_as_other(&project, &["ci"]).success();
    let left: Vec<String> = fs::read_dir(project.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with(".dx-trash-"))
        .collect();
    let [left] = &left[..] else { panic!("{left:?}") };
    assert!(run.stderr.contains(left.as_str()), "{run}");
    assert!(run.stderr.contains("belong to another user"), "{run}");
    assert_eq!(required(&project, "a"), "a@1.0.0");
    let owner = fs::metadata(project.path().join("node_modules/a")).unwrap().uid();
    assert_eq!(owner, OTHER);
    // Its owner's next command removes it.
    ok(&project, ["install", "--force"]);
    assert!(!project.exists(left));
}

#[test]
fn store_of_another_user_is_not_written_to() {
    if !may_become_another() {
        return;
    }
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    project.remove("node_modules");
    for path in ["", "package.json", "package-lock.json"] {
        give(&project, path);
    }
    let list = |folder: &Path| {
        output("find", [folder.as_os_str(), "-printf".as_ref(), "%p %m %u %s %T@\n".as_ref()])
    };
    let before = list(project.store()).unwrap();
    // Whether packages of such a store are used is not decided here.
    let run = as_other(&project, &["add", "b"]).env("DX_STORE", project.store()).run();
    assert!(run.status == Some(0) || run.stderr.contains("help:"), "{run}");
    assert_eq!(list(project.store()).unwrap(), before, "{run}");
}
