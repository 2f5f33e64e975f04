//! Peer conflicts that npm refuses: solved within the project's ranges, and said.

use dx_pkg_testkit::{Project, Registry, require};

use crate::harness::{command, dx, ok, required};

/// Publishes `loader`, whose newer versions do not accept the `pack` that the project has.
fn loaders() -> Registry {
    let registry = Registry::start();
    registry.package("pack", "4.0.0").publish();
    registry.package("pack", "5.0.0").publish();
    registry.package("loader", "1.0.0").peer("pack", "^3 || ^4").publish();
    registry.package("loader", "2.0.0").peer("pack", "^4 || ^5").publish();
    registry.package("loader", "3.0.0").peer("pack", "^5").publish();
    registry
}

fn project(registry: &Registry) -> Project {
    Project::new(registry).dep("loader", "*").dep("pack", "^4.0.0").create()
}

#[test]
fn the_newest_version_that_agrees_is_installed_and_said_once() {
    let registry = loaders();
    let project = project(&registry);
    let first = ok(&project, ["install"]);
    let told = "so that peer dependencies agree: loader 2.0.0 instead of 3.0.0";
    assert!(first.stdout.contains(told), "{first}");
    assert_eq!(required(&project, "loader"), "loader@2.0.0");
    let lock = project.read("package-lock.json");
    // From then on the lockfile has it.
    for command in ["install", "ci"] {
        std::fs::remove_dir_all(project.path().join("node_modules")).unwrap();
        let run = ok(&project, [command]);
        assert!(!run.stdout.contains("agree") && !run.stderr.contains("peer"), "{run}");
        assert_eq!(required(&project, "loader"), "loader@2.0.0");
        assert_eq!(project.read("package-lock.json"), lock);
    }
    assert!(ok(&project, ["install"]).stdout.contains("up to date"));
}

#[test]
fn without_a_lockfile_it_is_said_each_time() {
    let registry = loaders();
    let project = project(&registry);
    for _ in 0..2 {
        let run = ok(&project, ["install", "--no-package-lock", "--json"]);
        let fields: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(fields["solved"], serde_json::json!(["loader 2.0.0 instead of 3.0.0"]));
        std::fs::remove_dir_all(project.path().join("node_modules")).unwrap();
    }
}

#[test]
fn solving_can_be_turned_off() {
    let registry = loaders();
    for flag in ["--no-solve", "--force", "--legacy-peer-deps"] {
        let project = project(&registry);
        ok(&project, ["install", flag]);
        assert_eq!(required(&project, "loader"), "loader@3.0.0", "{flag}");
    }
    let strict = project(&registry);
    let run = dx(&strict, ["install", "--no-solve", "--strict-peer-deps"]);
    assert_ne!(run.status, Some(0), "{run}");
    ok(&strict, ["install", "--strict-peer-deps"]);
    assert_eq!(required(&strict, "loader"), "loader@2.0.0");
}

/// A project whose only solution is an older version that was never tried with the new host.
fn offered(registry: &Registry) -> Project {
    for version in ["17.0.2", "18.3.1"] {
        registry.package("host", version).publish();
    }
    registry.package("hooks", "7.0.2").peer("host", ">=16.9.0").publish();
    registry.package("hooks", "8.0.1").peer("host", "^16.9.0 || ^17.0.0").publish();
    Project::new(registry).dep("hooks", ">=7").dep("host", "^18.0.0").create()
}

const QUESTION: &str = "Run dx add hooks@^7.0.2 now? [y/N] ";

#[test]
fn an_offer_is_asked_about_on_a_terminal() {
    if !require::terminal() {
        return;
    }
    let size = (100, 30);
    for (keys, version, range, status) in [
        ("y\n", "7.0.2", "^7.0.2", 0),
        ("yes\n", "7.0.2", "^7.0.2", 0),
        ("n\n", "8.0.1", ">=7", 0),
        ("\n", "8.0.1", ">=7", 0),
        // End of input, and Ctrl-C.
        ("\x04", "8.0.1", ">=7", 0),
        ("\x03", "8.0.1", ">=7", 130),
    ] {
        let registry = Registry::start();
        let project = offered(&registry);
        let run = command(&project)
            .args(["install"])
            .env("CI", "false")
            .run_on_terminal(size, &[(QUESTION, keys)]);
        assert_eq!(run.status, Some(status), "{keys:?}: {run}");
        assert_eq!(required(&project, "hooks"), format!("hooks@{version}"), "{keys:?}: {run}");
        assert_eq!(project.json("package.json")["dependencies"]["hooks"], range, "{keys:?}");
        // The project is whole, whatever was answered.
        assert!(ok(&project, ["install"]).stdout.contains("up to date"), "{keys:?}");
    }
}

#[test]
fn each_command_that_installs_asks_about_an_offer() {
    if !require::terminal() {
        return;
    }
    for arguments in [
        ["add", "other"].as_slice(),
        &["update"],
        &["update", "host"],
        &["dedupe"],
        &["dedupe", "--minimise"],
        &["prune"],
        &["remove", "gone"],
    ] {
        let registry = Registry::start();
        registry.package("other", "1.0.0").publish();
        registry.package("gone", "1.0.0").publish();
        let project = offered(&registry);
        let manifest = project.read("package.json");
        let with_more = manifest.replacen("\"hooks\"", "\"gone\": \"*\", \"hooks\"", 1);
        project.write("package.json", &with_more);
        let run = command(&project)
            .args(arguments)
            .env("CI", "false")
            .run_on_terminal((100, 30), &[(QUESTION, "y\n")]);
        assert_eq!(run.status, Some(0), "{arguments:?}: {run}");
        assert_eq!(required(&project, "hooks"), "hooks@7.0.2", "{arguments:?}: {run}");
        assert_eq!(project.json("package.json")["dependencies"]["hooks"], "^7.0.2");
        ok(&project, ["peers"]);
    }
}

#[test]
fn an_offer_is_not_asked_about_where_nobody_answers() {
    let registry = Registry::start();
    let without_terminal = offered(&registry);
    let run = ok(&without_terminal, ["install"]);
    assert!(run.stderr.contains("To take it: dx add hooks@^7.0.2"), "{run}");
    assert!(!run.stderr.contains("[y/N]"), "{run}");
    assert_eq!(required(&without_terminal, "hooks"), "hooks@8.0.1");
    if !require::terminal() {
        return;
    }
    let registry = Registry::start();
    let project = offered(&registry);
    let command = command(&project).args(["install"]).env("CI", "true");
    let run = command.run_on_terminal((100, 30), &[]);
    assert_eq!(run.status, Some(0), "{run}");
    assert!(!run.stdout.contains("[y/N]"), "{run}");
    assert_eq!(required(&project, "hooks"), "hooks@8.0.1");
}
