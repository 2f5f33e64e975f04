//! The modes of what is installed: those that npm gives under the usual umask, whatever the umask
//! of this install or of the one that filled the store.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use dx_pkg_testkit::{Command, Entry, Project, ProjectBuilder, Registry};
use serde_json::json;

use crate::harness::{command, incompressible};

/// Modes in a tarball, and those that npm 12 makes of them under the umask 022.
const MODES: [(u32, u32); 14] = [
    (0o000, 0o644),
    (0o001, 0o645),
    (0o010, 0o654),
    (0o100, 0o744),
    (0o111, 0o755),
    (0o444, 0o644),
    (0o600, 0o644),
    (0o654, 0o654),
    (0o666, 0o644),
    (0o700, 0o744),
    (0o744, 0o744),
    (0o775, 0o755),
    (0o777, 0o755),
    // npm keeps this bit only for the superuser.
    (0o4755, 0o755),
];

fn registry() -> Registry {
    let registry = Registry::start();
    for (name, script) in [("small", false), ("large", false), ("scripted", true)] {
        let mut package = registry.package(name, "1.0.0").bin(&format!("run-{name}"), "bin/run.sh");
        for (mode, _) in MODES {
            let file = Entry::file(format!("package/lib/{mode:04o}"), format!("{name} {mode}"));
            package = package.raw_entry(Entry { mode, ..file });
        }
        let tool = Entry::file("package/bin/run.sh", "#!/bin/sh\n");
        package = package.raw_entry(Entry { mode: 0o600, ..tool });
        if name == "large" {
            package = package.file("data.bin", incompressible());
        }
        if script {
            package = package.script("postinstall", "true");
        }
        package.publish();
    }
    registry
}

fn project(registry: &Registry) -> ProjectBuilder {
    Project::new(registry)
        .dep("small", "1")
        .dep("large", "1")
        .dep("scripted", "1")
        .field("allowScripts", json!({"scripted": true}))
}

/// Returns `dx` under a umask.
fn under(project: &Project, umask: &str) -> Command {
    let shell = format!("umask {umask}; exec \"$@\"");
    project
        .command(Path::new("sh"))
        .env("npm_config_globalconfig", project.home().join("no-such-npmrc"))
        .env("DX_PREPARED_TREES", "0")
        .args(["-c", &shell, "sh", env!("CARGO_BIN_EXE_dx")])
}

fn modes_below(folder: &Path, prefix: &str, found: &mut BTreeMap<String, u32>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = format!("{prefix}/{}", entry.file_name().to_str().unwrap());
        let metadata = entry.metadata().unwrap();
        if metadata.is_symlink() || path.ends_with(".dx/state") {
            continue;
        }
        found.insert(path.clone(), metadata.permissions().mode() & 0o7777);
        if metadata.is_dir() {
            modes_below(&entry.path(), &path, found);
        }
    }
}

/// Checks the modes of everything in `node_modules`.
#[track_caller]
fn check(project: &Project, what: &str) {
    let modules = project.path().join("node_modules");
    let mut found = BTreeMap::new();
    found.insert("".to_owned(), fs::metadata(&modules).unwrap().permissions().mode() & 0o7777);
    modes_below(&modules, "", &mut found);
    for name in ["small", "large", "scripted"] {
        for (mode, expected) in MODES {
            let path = format!("/{name}/lib/{mode:04o}");
            assert_eq!(found.remove(&path), Some(expected), "{what}: {path}");
        }
        let command = found.remove(&format!("/{name}/bin/run.sh"));
        assert_eq!(command, Some(0o755), "{what}: the command of {name}");
    }
    for (path, mode) in found {
        let expected =
            if modules.join(&path[path.len().min(1)..]).is_dir() { 0o755 } else { 0o644 };
        assert_eq!(mode, expected, "{what}: `{path}`");
    }
}

#[test]
fn modes_are_npms_under_every_umask() {
    for umask in ["022", "077", "002", "000", "027"] {
        let registry = registry();
        let project = project(&registry).create();
        under(&project, umask).args(["install"]).run().success();
        check(&project, umask);
        project.remove("node_modules");
        under(&project, umask).args(["ci"]).run().success();
        check(&project, &format!("{umask}, from the store"));
    }
}

#[test]
fn modes_do_not_depend_on_the_umask_that_filled_the_store() {
    // As DXP files at once, by the background process, and as tarballs.
    for (trees, ci) in [("0", ""), ("1", ""), ("0", "true")] {
        let registry = registry();
        let first = project(&registry).create();
        let fill = under(&first, "077").env("DX_PREPARED_TREES", trees).env("CI", ci);
        fill.args(["install"]).run().success();
        under(&first, "077").args(["store", "maintain"]).run().success();
        check(&first, "the first");
        for method in ["auto", "hardlink", "clone-or-copy", "copy"] {
            let second = project(&registry)
                .npmrc(&format!("package-import-method={method}"))
                .store(first.store())
                .create();
            command(&second).args(["install"]).run().success();
            check(&second, &format!("trees {trees}, CI {ci:?}, {method}"));
        }
    }
}

#[test]
fn prepared_and_changed_trees_have_the_same_modes() {
    let registry = registry();
    let project = project(&registry).field("allowScripts", json!({})).create();
    let dx = |umask: &str, args: &[&str]| {
        let command = under(&project, umask).env("DX_PREPARED_TREES", "1");
        command.args(args.iter().copied()).run().success()
    };
    dx("077", &["install"]);
    dx("077", &["store", "maintain"]);
    project.remove("node_modules");
    let result = dx("022", &["install", "--json"]).stdout;
    assert!(result.contains("\"prepared_trees\":1") || result.contains("\"prepared_trees\": 1"));
    check(&project, "a prepared tree");
    dx("077", &["remove", "small"]);
    dx("077", &["add", "small@1"]);
    check(&project, "changed in place");
    // What was lost from a tree comes back with its modes.
    dx("022", &["store", "maintain"]);
    fs::remove_dir_all(project.store().join("v1/prepared")).unwrap();
    dx("077", &["ci"]);
    check(&project, "built anew");
}
