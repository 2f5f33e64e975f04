//! What killed installs leave beside the tree: nothing of it remains after the next one.

use std::fs;
use std::path::Path;

use dx_pkg_testkit::{Project, Registry, require};

use crate::harness::{command, ok};

/// Returns the names in a folder of the project that only dx gives.
fn own_names(project: &Project, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(project.path().join(folder)).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    let own = [".node_modules-dx-", ".dx-trash-", ".dx-tmp-"];
    names.filter(|name| own.iter().any(|prefix| name.starts_with(prefix))).collect()
}

#[track_caller]
fn nothing_is_left(project: &Project, case: &str) {
    for folder in ["", "node_modules", "node_modules/.dx", "packages/w", "packages/v"] {
        assert_eq!(own_names(project, folder), [""; 0], "{case}: in {folder:?}");
    }
}

fn monorepo(registry: &Registry) -> Project {
    registry.package("a", "1.0.0").publish();
    registry.package("a", "2.0.0").publish();
    let workspace = |name: &str, version: &str| {
        format!(r#"{{"name":"{name}","version":"1.0.0","dependencies":{{"a":"{version}"}}}}"#)
    };
    Project::new(registry)
        .dep("a", "1")
        .field("workspaces", serde_json::json!(["packages/*"]))
        .file("packages/w/package.json", workspace("w", "1"))
        .file("packages/v/package.json", workspace("v", "2"))
        .create()
}

#[test]
fn the_next_install_removes_what_killed_ones_left() {
    let registry = Registry::start();
    let project = monorepo(&registry);
    ok(&project, ["install"]);
    // A living process with that number says nothing: it is another one, or in another container.
    let living = std::process::id();
    for folder in ["", "node_modules", "packages/w", "packages/v"] {
        let at = |name: String| project.path().join(folder).join(name);
        fs::create_dir_all(at(format!(".node_modules-dx-{living}-x")).join("a")).unwrap();
        fs::create_dir_all(at(".dx-trash-x".to_owned()).join("a")).unwrap();
    }
    project.write("node_modules/.dx/.dx-tmp-x", "");
    // An install removes it before it makes anything, and writes it at its end.
    project.remove("node_modules/.dx/state");
    ok(&project, ["install"]);
    nothing_is_left(&project, "after an install");
}

/// Kills `dx` at its first call that creates or renames a folder, the second, and so on, until one
/// run ends by itself.
#[test]
fn an_install_is_not_up_to_date_after_one_that_was_killed() {
    let works = require::output("strace", ["-qq", "-o", "/dev/null", "true"]);
    if require::met(require::Need::Strace, works).is_none() {
        return;
    }
    for args in [["install", "b"].as_slice(), &["ci"]] {
        for nth in 1..200 {
            let registry = Registry::start();
            registry.package("a", "1.0.0").publish();
            registry.package("b", "1.0.0").publish();
            let project = Project::new(&registry).dep("a", "1").create();
            ok(&project, ["install"]);
            let inject = format!("inject=mkdirat,renameat,renameat2,rename:signal=KILL:when={nth}");
            let strace = project.command(Path::new("strace"));
            let strace = strace.args(["-f", "-qq", "-o", "/dev/null", "-e", &inject]);
            let dx = strace.env("DX_PREPARED_TREES", "0").args([env!("CARGO_BIN_EXE_dx")]);
            let killed = dx.args(args).run();
            ok(&project, ["install"]);
            nothing_is_left(&project, &format!("{args:?} was killed at call {nth}"));
            assert!(project.exists("node_modules/a/package.json"));
            if killed.status == Some(0) {
                break;
            }
        }
    }
}

#[test]
fn nothing_stays_where_the_store_is_on_another_file_system() {
    let Some(memory) = require::shared_memory() else { return };
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("b", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").store(memory.path()).create();
    for args in [["install"].as_slice(), &["install", "b"], &["ci"], &["remove", "b"]] {
        for trees in ["0", "1"] {
            command(&project).env("DX_PREPARED_TREES", trees).args(args).run();
            nothing_is_left(&project, &format!("{args:?}"));
        }
    }
}
