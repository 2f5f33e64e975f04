//! Installs without a lockfile: what goes out first, and what is kept for the next one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::{Duration, Instant};

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{command, ok, tree};

/// How long a test waits for what never comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Writes a `node` that tells its version once the file `told` is there; returns its folder.
fn slow_node(project: &Project) -> String {
    let folder = project.home().join("bin");
    fs::create_dir_all(&folder).unwrap();
    let told = project.home().join("told");
    let script = format!(
        "#!/bin/sh\nwhile [ ! -e '{}' ]; do sleep 0.01; done\necho v20.1.0\n",
        told.display()
    );
    fs::write(folder.join("node"), script).unwrap();
    fs::set_permissions(folder.join("node"), PermissionsExt::from_mode(0o755)).unwrap();
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

fn names_in(project: &Project, end: &str) -> Vec<String> {
    let registries = fs::read_dir(project.store().join("v1/metadata")).unwrap();
    let files = registries.filter_map(|folder| fs::read_dir(folder.unwrap().path()).ok()).flatten();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(end)).collect()
}

#[test]
fn first_requests_do_not_wait_for_node_and_versions_do() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").engines("node", "<=20").dep("b", "^1").publish();
    registry.package("a", "1.1.0").engines("node", ">=99").dep("c", "^1").publish();
    registry.package("b", "1.0.0").publish();
    registry.package("c", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "^1").npmrc("engine-strict=true").create();
    let path = slow_node(&project);
    thread::scope(|scope| {
        let run = scope.spawn(|| command(&project).env("PATH", path).args(["install"]).run());
        let asked = |name: &str| registry.requests().iter().any(|request| request.path == name);
        let end = Instant::now() + PATIENCE;
        while !asked("/a") && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        let (was_first, followed) = (asked("/a"), asked("/b") || asked("/c"));
        fs::write(project.home().join("told"), "").unwrap();
        run.join().unwrap().success();
        assert!(was_first, "the packument was requested before the version was told");
        assert!(!followed, "no version can be chosen yet");
    });
    assert_eq!(project.installed(), tree([("a", "a@1.0.0"), ("b", "b@1.0.0")]));
}

#[test]
fn packuments_lie_in_few_files_and_are_added_to() {
    let registry = Registry::start();
    for package in 0..30 {
        registry.package(&format!("p{package}"), "1.0.0").publish();
    }
    let all =
        (0..29).fold(Project::new(&registry), |it, package| it.dep(&format!("p{package}"), "*"));
    let project = all.create();
    ok(&project, ["install"]);
    assert_eq!((names_in(&project, ".pack").len(), names_in(&project, ".dxi").len()), (1, 1));
    assert!(names_in(&project, ".dxm").is_empty());
    registry.clear_requests();
    ok(&project, ["add", "p29"]);
    assert_eq!(registry.metadata_requests(), 1);
    assert_eq!(names_in(&project, ".pack").len(), 2);
    registry.clear_requests();
    project.remove("node_modules");
    project.remove("package-lock.json");
    ok(&project, ["install"]);
    assert_eq!(registry.metadata_requests(), 0);
}

#[test]
fn what_a_killed_install_fetched_is_lost_and_nothing_else() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("b", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "*").create();
    ok(&project, ["install"]);
    // What a process leaves that was killed between its two renames, and before the first.
    let folder = fs::read_dir(project.store().join("v1/metadata")).unwrap();
    let folder = folder.map(|entry| entry.unwrap().path()).find(|path| path.is_dir()).unwrap();
    fs::write(folder.join("left.pack"), "half").unwrap();
    ok(&project, ["add", "b"]);
    assert!(!names_in(&project, ".pack").contains(&"left.pack".to_owned()));
    registry.clear_requests();
    project.remove("node_modules");
    project.remove("package-lock.json");
    ok(&project, ["install"]);
    assert_eq!(registry.metadata_requests(), 0);
}

#[test]
fn lockfile_has_the_licences_that_were_recorded() {
    let registry = Registry::start();
    registry.package("text", "1.0.0").field("license", "MIT").publish();
    registry.package("list", "1.0.0").field("license", serde_json::json!(["MIT", "ISC"])).publish();
    registry.package("none", "1.0.0").publish();
    let other = if cfg!(target_os = "linux") { "darwin" } else { "linux" };
    registry.package("other", "1.0.0").field("license", "ISC").os([other]).publish();
    let project = Project::new(&registry)
        .dep("text", "*")
        .dep("list", "*")
        .dep("none", "*")
        .optional("other", "*")
        .create();
    ok(&project, ["install"]);
    let first = project.read("package-lock.json");
    assert!(first.contains("\"license\": \"ISC\""), "{first}");
    registry.clear_requests();
    for _ in 0..2 {
        project.remove("node_modules");
        project.remove("package-lock.json");
        ok(&project, ["install"]);
        assert_eq!(project.read("package-lock.json"), first);
    }
    assert!(registry.requests().is_empty(), "{:?}", registry.requests());
    assert!(project.store().join("v1/metadata/packages.dxn").exists());
}
