//! Packages with a `binding.gyp`, which npm builds without a script of their own.

use dx_pkg_testkit::{PackageBuilder, Project, ProjectBuilder, Registry};
use serde_json::{Value, json};

use crate::harness::{command, dx, fails, incompressible, locked, ok};

fn gyp<'r>(registry: &'r Registry, name: &str) -> PackageBuilder<'r> {
    registry.package(name, "1.0.0").file("binding.gyp", "{}")
}

fn registry() -> Registry {
    let registry = Registry::start();
    gyp(&registry, "plain").publish();
    gyp(&registry, "refusing").field("gypfile", false).publish();
    gyp(&registry, "with-preinstall").script("preinstall", "true").publish();
    registry.package("deep", "1.0.0").file("lib/binding.gyp", "{}").publish();
    registry
}

fn project(registry: &Registry) -> ProjectBuilder {
    let names = ["plain", "refusing", "with-preinstall", "deep"];
    names.iter().fold(Project::new(registry), |project, name| project.dep(name, "1"))
}

/// Puts a `node-gyp` into the project that records what it is called for.
#[cfg(unix)]
fn with_gyp(project: ProjectBuilder) -> ProjectBuilder {
    let allowed = json!({"plain": true, "refusing": true, "with-preinstall": true, "deep": true});
    project.field("allowScripts", allowed).file("tools/node-gyp", "")
}

/// Runs `dx` with that `node-gyp` and without npm's; returns the packages that were built.
#[cfg(unix)]
fn built(project: &Project, args: &[&str]) -> Vec<String> {
    let tool = project.path().join("tools/node-gyp");
    project.write(
        "tools/node-gyp",
        "#!/bin/sh\necho \"$npm_package_name $@\" >> \"$INIT_CWD/built\"\n",
    );
    std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    // No npm of the machine brings its own.
    let run = command(project).env("PATH", tool.parent().unwrap()).args(args).run().success();
    assert!(!run.stderr.contains("not run"), "{run}");
    let lines = if project.exists("built") { project.read("built") } else { String::new() };
    project.write("built", "");
    lines.lines().map(str::to_owned).collect()
}

/// Returns the paths that the lockfile marks as having install scripts.
fn marked(project: &Project) -> Vec<String> {
    let lock = project.json("package-lock.json");
    let packages = lock["packages"].as_object().unwrap();
    let is_marked = |(_, entry): &(&String, &Value)| entry["hasInstallScript"] == true;
    packages.iter().filter(is_marked).map(|(path, _)| path.clone()).collect()
}

/// Returns the lockfile's text without these marks.
fn unmarked(project: &Project) -> String {
    let mut lock = project.json("package-lock.json");
    for entry in lock["packages"].as_object_mut().unwrap().values_mut() {
        entry.as_object_mut().unwrap().remove("hasInstallScript");
    }
    lock.to_string()
}

const MARKED: [&str; 2] = ["node_modules/plain", "node_modules/with-preinstall"];

#[test]
fn lockfile_says_that_they_have_install_scripts() {
    let registry = registry();
    let project = project(&registry).create();
    ok(&project, ["install", "--ignore-scripts"]);
    assert_eq!(marked(&project), MARKED);
    // Also where another project has unpacked them, and where the lockfile does not say so.
    let other = self::project(&registry).store(project.store()).create();
    ok(&other, ["install", "--ignore-scripts"]);
    assert_eq!(marked(&other), MARKED);
    let bare = unmarked(&project);
    let third = self::project(&registry).file("package-lock.json", bare).create();
    assert_eq!(marked(&third).len(), 0);
    ok(&third, ["install", "--ignore-scripts"]);
    assert_eq!(marked(&third), MARKED);
}

#[test]
fn lockfile_alone_does_not_know_it_as_with_npm() {
    let registry = registry();
    let project = project(&registry).create();
    ok(&project, ["install", "--package-lock-only"]);
    assert_eq!(marked(&project), ["node_modules/with-preinstall"]);
}

#[test]
fn large_packages_that_are_unpacked_as_they_arrive_are_seen_too() {
    let registry = Registry::start();
    let large = |name: &str| gyp(&registry, name).file("data", incompressible());
    large("large").publish();
    large("large-refusing").field("gypfile", false).publish();
    let project = Project::new(&registry).dep("large", "1").dep("large-refusing", "1").create();
    ok(&project, ["install"]);
    assert_eq!(marked(&project), ["node_modules/large"]);
}

#[test]
fn skipped_builds_are_named() {
    let registry = registry();
    let project = project(&registry).create();
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("not run: plain@1.0.0, with-preinstall@1.0.0;"), "{run}");
}

#[cfg(unix)]
#[test]
fn allowed_ones_are_built_by_every_kind_of_install() {
    let registry = registry();
    let project = with_gyp(project(&registry)).create();
    assert_eq!(built(&project, &["install"]), ["plain rebuild"]);
    assert_eq!(built(&project, &["install"]).len(), 0, "once");
    assert_eq!(built(&project, &["install", "--force"]).len(), 0, "what is in place is not built");
    assert_eq!(built(&project, &["ci"]), ["plain rebuild"]);
    let bare = unmarked(&project);
    let other = with_gyp(self::project(&registry)).file("package-lock.json", bare).create();
    assert_eq!(built(&other, &["ci"]), ["plain rebuild"]);
    assert_eq!(locked(&other, "node_modules/plain")["hasInstallScript"], Value::Null);
    registry.package("late", "1.0.0").publish();
    gyp(&registry, "late-gyp").publish();
    let added = Project::new(&registry)
        .dep("late", "1")
        .field("allowScripts", json!({"late-gyp": true}))
        .file("tools/node-gyp", "")
        .create();
    assert_eq!(built(&added, &["install"]).len(), 0);
    assert_eq!(built(&added, &["install", "late-gyp"]), ["late-gyp rebuild"]);
}

#[cfg(unix)]
#[test]
fn missing_node_gyp_is_told_with_the_next_step() {
    let registry = registry();
    let allowed = json!({"plain": true});
    let project = Project::new(&registry).dep("plain", "1").field("allowScripts", allowed).create();
    let run =
        command(&project).env("PATH", project.path().join("no-tools")).args(["install"]).run();
    let stderr = fails(run, "DX_SCRIPT_FAILED");
    assert!(
        stderr.contains("node-gyp: not found") || stderr.contains("command not found"),
        "{stderr}"
    );
    assert!(stderr.contains("dx add -D node-gyp"), "{stderr}");
    let other = Project::new(&registry).script("install", "exit 1").create();
    let stderr = fails(dx(&other, ["install"]), "DX_SCRIPT_FAILED");
    assert!(!stderr.contains("node-gyp"), "{stderr}");
}

#[cfg(unix)]
#[test]
fn node_gyp_of_the_project_is_taken_where_npm_brings_none() {
    let registry = registry();
    let code = "#!/bin/sh\necho own > \"$INIT_CWD/built\"\n";
    registry
        .package("node-gyp", "1.0.0")
        .bin("node-gyp", "g.sh")
        .executable("g.sh", code)
        .publish();
    let project = Project::new(&registry)
        .dep("plain", "1")
        .dev("node-gyp", "1")
        .field("allowScripts", json!({"plain": true}))
        .create();
    command(&project)
        .env("PATH", project.path().join("no-tools"))
        .args(["install"])
        .run()
        .success();
    assert_eq!(project.read("built"), "own\n");
}
