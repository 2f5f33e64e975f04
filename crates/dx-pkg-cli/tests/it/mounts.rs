//! File systems that are mounted in a tree: what is in them stays.

use std::fs;
use std::path::Path;

use dx_pkg_testkit::require::{self, Need};
use dx_pkg_testkit::{Project, Registry, Run};

use crate::harness::{ok, required};

/// The content of a file in the folder that is mounted.
const KEPT: &str = "of the user";

/// Runs `dx` with arguments after a folder of the user's was mounted at `point` in the project;
/// `None` where nothing can be mounted. Trees that were replaced are deleted before it ends.
fn with_mount(project: &Project, point: &str, arguments: &str) -> Option<Run> {
    let may_mount = require::output("unshare", ["-m", "true"]);
    require::met(Need::Mounts, may_mount)?;
    let mounted = project.home().join("mounted");
    fs::create_dir_all(mounted.join("folder")).unwrap();
    fs::write(mounted.join("folder/file"), KEPT).unwrap();
    fs::create_dir_all(project.path().join(point)).unwrap();
    let dx = env!("CARGO_BIN_EXE_dx");
    let script = format!(
        "mount --bind '{}' '{point}' && '{dx}' {arguments}; code=$?; '{dx}' store maintain; exit $code",
        mounted.display(),
    );
    let run = project
        .command(Path::new("unshare"))
        .env("DX_PREPARED_TREES", "0")
        .args(["-m", "sh", "-c", &script])
        .run();
    let kept = fs::read_to_string(mounted.join("folder/file")).ok();
    assert_eq!(kept.as_deref(), Some(KEPT), "{point}: {run}");
    Some(run)
}

fn project(registry: &Registry) -> Project {
    registry.package("a", "1.0.0").publish();
    registry.package("b", "1.0.0").publish();
    Project::new(registry).dep("a", "1").create()
}

#[test]
fn tree_with_a_mount_is_not_replaced() {
    let registry = Registry::start();
    let project = project(&registry);
    for point in ["node_modules/a", "node_modules/mine", "node_modules/a/lib"] {
        for arguments in ["install", "install --force"] {
            let _ = fs::remove_dir_all(project.path().join("node_modules"));
            let Some(run) = with_mount(&project, point, arguments) else { return };
            let error = run.failure();
            assert!(error.stderr.contains("a file system is mounted there"), "{error}");
            assert!(error.stderr.contains(point), "{error}");
        }
        let _ = fs::remove_dir_all(project.path().join("node_modules"));
        ok(&project, ["install"]);
        let Some(run) = with_mount(&project, point, "ci") else { return };
        run.failure();
    }
}

#[test]
fn tree_around_a_mounted_cache_is_changed_from_within() {
    let registry = Registry::start();
    let project = project(&registry);
    for point in ["node_modules/.cache", "node_modules/.cache/tool"] {
        for arguments in ["install", "install --force", "install b", "remove b"] {
            if arguments != "remove b" {
                let _ = fs::remove_dir_all(project.path().join("node_modules"));
            }
            let Some(run) = with_mount(&project, point, arguments) else { return };
            run.success();
            assert_eq!(required(&project, "a"), "a@1.0.0");
        }
        // As with npm, which removes all first.
        let Some(run) = with_mount(&project, point, "ci") else { return };
        run.failure();
    }
}

#[test]
fn package_with_a_mount_goes_without_what_is_mounted() {
    let registry = Registry::start();
    let project = project(&registry);
    for point in ["node_modules/b", "node_modules/b/lib"] {
        ok(&project, ["install", "b"]);
        if with_mount(&project, point, "remove b").is_none() {
            return;
        }
        project.remove("node_modules");
        ok(&project, ["install"]);
    }
}
