//! Optional dependencies: unavailable ones, and those for other platforms, are dropped.

use dx_pkg_testkit::{Fault, Project, Registry};

use crate::harness::{dx, fails, files, impatient, locked, locked_version, ok, required};

fn other_system() -> &'static str {
    if cfg!(target_os = "linux") { "darwin" } else { "linux" }
}

#[test]
fn package_for_another_system_is_locked_and_not_installed() {
    let registry = Registry::start();
    let here = std::env::consts::OS.replace("macos", "darwin").replace("windows", "win32");
    registry
        .package("tool", "1.0.0")
        .optional("tool-here", "1")
        .optional("tool-there", "1")
        .publish();
    registry.package("tool-here", "1.0.0").os([&here]).publish();
    registry.package("tool-there", "1.0.0").os([other_system()]).dep("only-there", "1").publish();
    registry.package("only-there", "1.0.0").publish();
    let project = Project::new(&registry).dep("tool", "1").create();
    ok(&project, ["install"]);
    let installed: Vec<String> = project.installed().into_keys().collect();
    assert_eq!(installed, ["node_modules/tool", "node_modules/tool-here"]);
    assert_eq!(locked(&project, "node_modules/tool-there")["optional"], true);
    assert_eq!(locked(&project, "node_modules/tool-there")["os"][0], other_system());
    assert_eq!(locked_version(&project, "node_modules/only-there"), "1.0.0");
    assert!(
        !registry
            .requests()
            .iter()
            .any(|request| request.is_tarball() && request.path.contains("there"))
    );
    // The lockfile is for every system: obeying it gives the same tree.
    ok(&project, ["ci"]);
    assert_eq!(project.installed().into_keys().collect::<Vec<_>>(), installed);
}

#[test]
fn required_package_for_another_system_is_an_error() {
    let registry = Registry::start();
    registry.package("there", "1.0.0").os([other_system()]).publish();
    let project = Project::new(&registry).dep("there", "1").create();
    let before = files(&project);
    let stderr = fails(dx(&project, ["install"]), "DX_UNSUPPORTED_PLATFORM");
    assert!(stderr.contains("there@1.0.0") && stderr.contains(other_system()), "{stderr}");
    assert_eq!(files(&project), before);
}

#[test]
fn optional_package_that_does_not_exist_is_dropped() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").optional("missing", "1").publish();
    let project = Project::new(&registry).dep("a", "1").optional("gone", "1").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
    assert!(locked(&project, "node_modules/missing").is_null());
    assert_eq!(project.json("package.json")["optionalDependencies"]["gone"], "1");
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
}

#[test]
fn optional_package_without_a_matching_version_is_dropped() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").optional("b", "9").publish();
    registry.package("b", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    assert_eq!(project.installed().into_keys().collect::<Vec<_>>(), ["node_modules/a"]);
}

#[test]
fn optional_package_whose_dependency_is_missing_is_dropped_with_it() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").optional("b", "1").publish();
    registry.package("b", "1.0.0").dep("missing", "1").dep("c", "1").publish();
    registry.package("c", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    assert_eq!(project.installed().into_keys().collect::<Vec<_>>(), ["node_modules/a"]);
}

#[test]
fn optional_package_whose_tarball_cannot_be_fetched_is_dropped_with_a_warning() {
    for fault in [Fault::status(404), Fault::status(500), Fault::WrongBytes] {
        let registry = Registry::start();
        registry.package("a", "1.0.0").optional("b", "1").publish();
        registry.package("b", "1.0.0").dep("c", "1").publish();
        registry.package("c", "1.0.0").publish();
        registry.fault("/b/-/*", fault);
        let project = impatient(&registry).dep("a", "1").create();
        let run = ok(&project, ["install"]);
        assert!(run.stderr.contains("warning: optional: ") && run.stderr.contains('b'), "{run}");
        assert!(!project.exists("node_modules/b"));
        assert!(!project.exists("node_modules/c"), "only b needs it");
        assert_eq!(required(&project, "a"), "a@1.0.0");
        assert_eq!(locked(&project, "node_modules/b")["optional"], true);
    }
}

#[test]
fn optional_package_is_dropped_with_its_unavailable_dependency_and_shared_ones_stay() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").optional("b", "1").dep("shared", "1").publish();
    registry.package("b", "1.0.0").dep("c", "1").dep("shared", "1").dep("own", "1").publish();
    registry.package("c", "1.0.0").publish();
    registry.package("own", "1.0.0").publish();
    registry.package("shared", "1.0.0").publish();
    registry.fault("/c/-/*", Fault::status(404));
    let project = impatient(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    assert_eq!(
        project.installed().into_keys().collect::<Vec<_>>(),
        ["node_modules/a", "node_modules/shared"]
    );
    assert_eq!(
        locked(&project, "node_modules/c")["optional"],
        true,
        "the lockfile is for machines that can have it"
    );
}

#[test]
fn dropped_optional_package_is_installed_once_the_registry_recovers() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").optional("b", "1").publish();
    registry.package("b", "1.0.0").publish();
    let fault = registry.fault("/b/-/*", Fault::status(500));
    let project = impatient(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    assert!(!project.exists("node_modules/b"));
    fault.clear();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "b"), "b@1.0.0");
}

#[test]
fn required_package_that_does_not_exist_is_an_error() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("missing", "1").publish();
    let project = Project::new(&registry).dep("a", "1").create();
    let before = files(&project);
    let stderr = fails(dx(&project, ["install"]), "DX_PACKAGE_NOT_FOUND");
    assert!(
        stderr.contains("missing") && stderr.contains("a@1.0.0"),
        "what is missing and who wants it: {stderr}"
    );
    assert_eq!(files(&project), before);
}

#[test]
fn optional_dependency_wins_over_a_dependency_of_the_same_name() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "1").optional("b", "1").publish();
    registry.package("b", "1.0.0").os([other_system()]).publish();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    assert_eq!(project.installed().into_keys().collect::<Vec<_>>(), ["node_modules/a"]);
}

#[test]
fn c_library_of_this_machine_says_nothing_of_another_system() {
    let registry = Registry::start();
    registry.package("native", "1.0.0").libc(["glibc", "musl"]).publish();
    let project = Project::new(&registry).optional("native", "1.0.0").create();
    ok(&project, ["install", "--os=win32"]);
    assert!(!project.exists("node_modules/native"));
    ok(&project, ["install", "--os=linux", "--libc=musl"]);
    assert!(project.exists("node_modules/native"));
}
