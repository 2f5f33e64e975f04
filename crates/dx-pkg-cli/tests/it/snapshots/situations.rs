//! Whole outputs in situations that users meet, piped: a table, to which a row is a function and a
//! line. The outputs are in `situations/<name>.snap`.

use dx_pkg_testkit::{Fault, Project, Registry};
use serde_json::json;

use super::without_machine;
use crate::harness::{command, impatient, ok};

/// A situation: its name, the project before the command, and the command.
type Situation = (&'static str, fn(&Registry) -> Project, &'static [&'static str]);

/// Runs each command, and compares its whole output.
fn check(situations: &[Situation]) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("situations");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, before, arguments) in situations {
            let registry = registry();
            let project = before(&registry);
            let run = command(&project).args(*arguments).run();
            let output = without_digests(&without_machine(&run.snapshot()));
            let output = without_milliseconds(&output);
            let words = arguments.join(" ");
            insta::assert_snapshot!(*name, format!("$ dx {words}\n{output}"));
        }
    });
}

/// Replaces digests, which differ between machines.
fn without_digests(text: &str) -> String {
    let mut parts = text.split("sha512-");
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        replaced.push_str("sha512-[DIGEST]");
        let is_digest = |char: char| char.is_ascii_alphanumeric() || "+/=…".contains(char);
        replaced.push_str(part.trim_start_matches(is_digest));
    }
    replaced
}

/// Replaces the number of milliseconds in JSON.
fn without_milliseconds(text: &str) -> String {
    match text.split_once("\"milliseconds\":") {
        Some((before, after)) => {
            let after = after.trim_start_matches(|char: char| char.is_ascii_digit());
            format!("{before}\"milliseconds\":[TIME]{after}")
        }
        None => text.to_owned(),
    }
}

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("react", "18.3.1").dep("loose-envify", "^1").publish();
    registry.package("react", "19.2.0").publish();
    registry.package("loose-envify", "1.4.0").publish();
    registry.package("react-dom", "18.3.1").peer("react", "^18.3.1").publish();
    registry.package("typescript", "5.9.3").bin("tsc", "bin/tsc").publish();
    registry
        .package("request", "2.88.2")
        .deprecated("request has been deprecated\nsee 3142")
        .publish();
    registry.package("har", "5.1.5").deprecated("this library is no longer supported").publish();
    registry.package("uuid", "3.4.0").deprecated("").publish();
    registry.package("client", "1.0.0").dep("har", "^5").dep("request", "2").publish();
    registry.package("modern", "1.0.0").engines("node", ">=999").publish();
    registry.package("mac-only", "1.0.0").os(["darwin"]).publish();
    registry.package("native", "1.0.0").script("install", "exit 0").publish();
    registry.package("broken", "1.0.0").script("install", "exit 3").publish();
    registry
}

fn empty(registry: &Registry) -> Project {
    Project::new(registry).create()
}

fn react_18(registry: &Registry) -> Project {
    Project::new(registry).dep("react", "^18.0.0").dev("typescript", "^5.0.0").create()
}

fn installed(project: Project) -> Project {
    ok(&project, ["install"]);
    project
}

fn without_modules(project: Project) -> Project {
    let project = installed(project);
    std::fs::remove_dir_all(project.path().join("node_modules")).unwrap();
    project
}

fn conflict(registry: &Registry) -> Project {
    Project::new(registry).dep("react", "^19.0.0").dep("react-dom", "^18.0.0").create()
}

#[test]
fn installs() {
    check(&[
        ("install_first", react_18, &["install"]),
        ("install_again", |registry| installed(react_18(registry)), &["install"]),
        ("install_from_lockfile", |registry| without_modules(react_18(registry)), &["install"]),
        ("install_lockfile_only", react_18, &["install", "--lockfile-only"]),
        (
            "install_restores_a_package",
            |registry| {
                let project = installed(react_18(registry));
                std::fs::remove_file(project.path().join("node_modules/react/index.js")).unwrap();
                project
            },
            &["install", "--force"],
        ),
        (
            "install_after_edit",
            |registry| {
                let project = installed(react_18(registry));
                project.write("package.json", r#"{"dependencies": {"react": "^19.0.0"}}"#);
                project
            },
            &["install"],
        ),
        (
            "install_many",
            |registry| {
                let names: Vec<String> = (10..35).map(|number| format!("p{number}")).collect();
                for name in &names {
                    registry.package(name, "1.0.0").publish();
                }
                let project = Project::new(registry);
                names.iter().fold(project, |project, name| project.dep(name, "1")).create()
            },
            &["install"],
        ),
        ("install_nothing", empty, &["install"]),
        ("install_json", react_18, &["install", "--json", "--lockfile-only"]),
        ("ci", |registry| without_modules(react_18(registry)), &["ci"]),
        ("ci_again", |registry| installed(react_18(registry)), &["ci"]),
        ("ci_silent", |registry| without_modules(react_18(registry)), &["ci", "--silent"]),
    ]);
}

#[test]
fn warnings() {
    check(&[
        (
            "deprecated",
            |registry| Project::new(registry).dep("client", "1").dep("request", "2").create(),
            &["install"],
        ),
        (
            "deprecated_from_lockfile",
            |registry| without_modules(Project::new(registry).dep("request", "2").create()),
            &["install"],
        ),
        (
            "deprecated_in_place",
            |registry| installed(Project::new(registry).dep("request", "2").create()),
            &["add", "react@18"],
        ),
        ("engine", |registry| Project::new(registry).dep("modern", "1").create(), &["install"]),
        (
            "engine_in_ci",
            |registry| without_modules(Project::new(registry).dep("modern", "1").create()),
            &["ci"],
        ),
        (
            "engine_strict",
            |registry| Project::new(registry).dep("modern", "1").create(),
            &["install", "--engine-strict"],
        ),
        (
            "engine_of_optional",
            |registry| Project::new(registry).optional("modern", "1").create(),
            &["install"],
        ),
        (
            "other_platform",
            |registry| Project::new(registry).dep("mac-only", "1").create(),
            &["install"],
        ),
        (
            "other_platform_forced",
            |registry| Project::new(registry).dep("mac-only", "1").create(),
            &["install", "--force"],
        ),
        (
            "other_platform_optional",
            |registry| Project::new(registry).optional("mac-only", "1").create(),
            &["install"],
        ),
        (
            "scripts_skipped",
            |registry| Project::new(registry).dep("native", "1").create(),
            &["install"],
        ),
        (
            "script_failed",
            |registry| {
                let project = Project::new(registry).dep("broken", "1");
                project.field("allowScripts", json!({"broken": true})).create()
            },
            &["install", "--json"],
        ),
    ]);
}

#[test]
fn peer_conflicts() {
    check(&[
        ("peers", conflict, &["install"]),
        ("peers_in_ci", |registry| without_modules(conflict(registry)), &["ci"]),
        ("peers_strict", conflict, &["install", "--strict-peer-deps"]),
        (
            "peers_strict_in_ci",
            |registry| without_modules(conflict(registry)),
            &["ci", "--strict-peer-deps"],
        ),
        (
            "peers_overridden",
            |registry| {
                let project =
                    Project::new(registry).dep("react", "^19.0.0").dep("react-dom", "^18.0.0");
                project.field("overrides", json!({"react": "$react"})).create()
            },
            &["install"],
        ),
        (
            "peers_of_a_workspace",
            |registry| {
                let workspace = |name: &str, dependencies: serde_json::Value| {
                    json!({"name": name, "version": "1.0.0", "dependencies": dependencies})
                        .to_string()
                };
                Project::new(registry)
                    .field("workspaces", json!(["packages/*"]))
                    .file("packages/a/package.json", workspace("a", json!({"react": "^19.0.0"})))
                    .file("packages/b/package.json", workspace("b", json!({"react-dom": "^18"})))
                    .file(
                        "packages/c/package.json",
                        workspace("c", json!({"react": "^19.0.0", "react-dom": "^18"})),
                    )
                    .create()
            },
            &["install"],
        ),
        (
            "peers_many",
            |registry| {
                for number in 1..12 {
                    let name = format!("plugin-{number:02}");
                    registry.package(&name, "1.0.0").peer("react", "^18").publish();
                }
                let names = (1..12).map(|number| format!("plugin-{number:02}"));
                let project = Project::new(registry).dep("react", "^19.0.0");
                names.fold(project, |project, name| project.dep(&name, "1")).create()
            },
            &["install"],
        ),
    ]);
}

#[test]
fn changes() {
    check(&[
        ("add", empty, &["add", "react@18"]),
        ("add_several", empty, &["add", "react@18", "client"]),
        ("add_dev", empty, &["add", "-D", "typescript"]),
        ("add_newer", |registry| installed(react_18(registry)), &["add", "react@19"]),
        ("add_what_is_there", |registry| installed(react_18(registry)), &["add", "loose-envify"]),
        ("add_with_conflict", |registry| installed(react_18_only(registry)), &["add", "plugin"]),
        (
            "add_with_conflict_strict",
            |registry| installed(react_18_only(registry)),
            &["add", "plugin", "--strict-peer-deps"],
        ),
        (
            "add_with_conflict_lockfile_only",
            |registry| installed(react_18_only(registry)),
            &["add", "plugin", "--lockfile-only"],
        ),
        ("remove", |registry| installed(react_18(registry)), &["remove", "react"]),
        ("remove_dev", |registry| installed(react_18(registry)), &["remove", "typescript"]),
        (
            "remove_what_others_need",
            |registry| {
                let project = Project::new(registry).dep("react", "^18.0.0");
                installed(project.dep("loose-envify", "1").create())
            },
            &["remove", "loose-envify"],
        ),
        ("remove_unknown", |registry| installed(react_18(registry)), &["remove", "raect"]),
    ]);
}

/// A project with react 18, and a plugin for it that needs 19.
fn react_18_only(registry: &Registry) -> Project {
    registry.package("plugin", "1.0.0").peer("react", "^19.0.0").publish();
    Project::new(registry).dep("react", "^18.0.0").create()
}

#[test]
fn refusals() {
    check(&[
        ("unknown_package", empty, &["add", "raect"]),
        ("unknown_version", empty, &["add", "react@17"]),
        ("unknown_tag", empty, &["add", "react@nightly"]),
        ("unknown_flag", empty, &["install", "--productoin"]),
        (
            "forbidden",
            |registry| {
                registry.fault("/react", Fault::status(403)).every(1);
                impatient(registry).dep("react", "18").create()
            },
            &["install"],
        ),
        (
            "integrity",
            |registry| {
                let project = Project::new(registry).dep("typescript", "5").create();
                ok(&project, ["install", "--lockfile-only"]);
                let text = project.read("package-lock.json");
                let (before, after) = text.split_once("sha512-").unwrap();
                let (_, after) = after.split_once('"').unwrap();
                let wrong = format!("{before}sha512-{}==\"{after}", "A".repeat(86));
                project.write("package-lock.json", wrong);
                project
            },
            &["install"],
        ),
        (
            "frozen",
            |registry| {
                let project = installed(react_18(registry));
                project.write("package.json", r#"{"dependencies": {"react": "^19.0.0"}}"#);
                project
            },
            &["ci"],
        ),
        ("no_lockfile", react_18, &["ci"]),
        (
            "no_manifest",
            |registry| {
                let project = empty(registry);
                project.remove("package.json");
                project
            },
            &["install"],
        ),
        ("offline", react_18, &["install", "--offline"]),
    ]);
}
