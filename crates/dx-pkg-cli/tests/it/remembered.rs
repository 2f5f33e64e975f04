//! What one install leaves behind for the next: it counts only where everything that decides the
//! result is the same.

use dx_pkg_testkit::{Project, Registry};
use serde_json::Value;

use crate::harness::{command, dx_with_prepared_trees as dx, maintain, ok, required};

const NOTHING_TO_DO: &str = "Already up to date\n";

fn registry() -> Registry {
    let registry = Registry::start();
    registry.cache_control("max-age=300");
    for version in ["1.0.0", "1.1.0"] {
        registry.package("a", version).publish();
    }
    registry
}

/// A lockfile that is right, and not as an install would write it: the project's version is old.
fn outdated(registry: &Registry) -> String {
    let project = Project::new(registry).dep("a", "1").create();
    ok(&project, ["install"]);
    project.read("package-lock.json").replace("\"version\": \"1.0.0\"", "\"version\": \"0.9.0\"")
}

fn root_version(project: &Project) -> Value {
    project.json("package-lock.json")["version"].clone()
}

#[test]
fn install_after_ci_brings_the_lockfile_up_to_date() {
    let registry = registry();
    let lock = outdated(&registry);
    for first in [vec!["ci"], vec!["install", "--frozen-lockfile"]] {
        let create =
            || Project::new(&registry).dep("a", "1").file("package-lock.json", lock.clone());
        let project = create().create();
        let frozen = |project: &Project| {
            let run = command(project).env("DX_PREPARED_TREES", "1").args(&first).run().success();
            maintain(project);
            run
        };
        frozen(&project);
        assert_eq!(root_version(&project), "0.9.0");
        // Another folder with the same input and store.
        let other = create().store(project.store()).create();
        dx(&other, ["install"]);
        assert_eq!(root_version(&other), "1.0.0", "{first:?}");
        assert_eq!(required(&other, "a"), "a@1.1.0");
        ok(&project, ["install"]);
        assert_eq!(root_version(&project), "1.0.0", "{first:?}");
        assert_eq!(ok(&project, ["install"]).stdout, NOTHING_TO_DO);
    }
}

#[test]
fn frozen_install_finds_nothing_to_do_after_any_install() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    assert_eq!(ok(&project, ["install", "--frozen-lockfile"]).stdout, NOTHING_TO_DO);
    let project = Project::new(&registry)
        .dep("a", "1")
        .file("package-lock.json", outdated(&registry))
        .create();
    ok(&project, ["install", "--frozen-lockfile"]);
    assert_eq!(ok(&project, ["install", "--frozen-lockfile"]).stdout, NOTHING_TO_DO);
}

#[test]
fn project_without_a_name_has_its_folders_in_the_lockfile() {
    let registry = registry();
    let name = |path: &std::path::Path| {
        let text = std::fs::read_to_string(path.join("package-lock.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["name"].clone()
    };
    let manifest = r#"{ "dependencies": { "a": "1" } }"#;
    let project = Project::new(&registry).package_json(manifest).create();
    dx(&project, ["install"]);
    assert_eq!(name(&project.path()), "project");
    // The same input in a folder of another name.
    let run_in = |folder: &std::path::Path| {
        let run = command(&project).env("DX_PREPARED_TREES", "1").current_dir(folder);
        run.args(["install"]).run().success()
    };
    for lock in [false, true] {
        let copy = project.home().join(format!("copy-{lock}"));
        std::fs::create_dir_all(&copy).unwrap();
        for file in
            ["package.json", ".npmrc"].into_iter().chain(lock.then_some("package-lock.json"))
        {
            std::fs::copy(project.path().join(file), copy.join(file)).unwrap();
        }
        run_in(&copy);
        assert_eq!(name(&copy), format!("copy-{lock}").as_str());
    }
    // A folder that is moved keeps its files, and they their identities.
    let moved = project.home().join("moved");
    std::fs::rename(project.path(), &moved).unwrap();
    assert_ne!(run_in(&moved).stdout, NOTHING_TO_DO);
    assert_eq!(name(&moved), "moved");
    assert_eq!(run_in(&moved).stdout, NOTHING_TO_DO);
}

/// Installs in two projects that share a store and differ in lines of `.npmrc`; returns what the
/// second one got.
fn second_gets(registry: &Registry, first: &[&str], second: &[&str]) -> String {
    let with = |lines: &[&str]| {
        let builder = Project::new(registry).dep("a", "1");
        lines.iter().fold(builder, |builder, line| builder.npmrc(line))
    };
    let one = with(first).create();
    dx(&one, ["install"]);
    let two = with(second).store(one.store()).create();
    dx(&two, ["install"]);
    required(&two, "a")
}

#[test]
fn result_of_other_settings_is_not_used() {
    let registry = Registry::start();
    registry.cache_control("max-age=300");
    registry.package("a", "1.0.0").published_at("2020-01-01T00:00:00.000Z").publish();
    registry.package("a", "1.1.0").published_at("2022-01-01T00:00:00.000Z").publish();
    assert_eq!(second_gets(&registry, &["before=2021-01-01"], &[]), "a@1.1.0");
    assert_eq!(second_gets(&registry, &[], &["before=2021-01-01"]), "a@1.0.0");
    registry.dist_tag("a", "old", "1.0.0");
    assert_eq!(second_gets(&registry, &[], &["tag=old"]), "a@1.0.0");
    let omitted = Project::new(&registry).dev("a", "1").npmrc("omit=dev").create();
    dx(&omitted, ["install"]);
    let whole = Project::new(&registry).dev("a", "1").store(omitted.store()).create();
    dx(&whole, ["install"]);
    assert_eq!(required(&whole, "a"), "a@1.1.0");
}

#[test]
fn layer_of_a_setting_is_part_of_what_decides() {
    let registry = Registry::start();
    registry.cache_control("max-age=300");
    registry.package("a", "1.0.0").published_at("2020-01-01T00:00:00.000Z").publish();
    registry.package("a", "1.1.0").published_at("2022-01-01T00:00:00.000Z").publish();
    let (date, age) = ("before=2021-01-01", "min-release-age=1");
    let create = |user: &str, store: Option<&Project>| {
        let builder = Project::new(&registry).dep("a", "1").user_npmrc(user);
        match store {
            Some(other) => builder.store(other.store()).create(),
            None => builder.create(),
        }
    };
    // The command line is stronger than the user's file.
    let one = create(date, None);
    dx(&one, ["install", &format!("--{age}")]);
    assert_eq!(required(&one, "a"), "a@1.1.0");
    let two = create(age, Some(&one));
    dx(&two, ["install", &format!("--{date}")]);
    assert_eq!(required(&two, "a"), "a@1.0.0");
}

#[test]
fn what_one_user_of_a_registry_was_told_is_asked_again_for_another() {
    let registry = registry();
    registry.require_token("first");
    let create = |token: &str, store: Option<&Project>| {
        let line = format!("[HOST]:_authToken={token}");
        let builder = Project::new(&registry).dep("a", "1").npmrc(&line);
        match store {
            Some(other) => builder.store(other.store()).create(),
            None => builder.create(),
        }
    };
    let one = create("first", None);
    dx(&one, ["install"]);
    registry.clear_requests();
    let same = create("first", Some(&one));
    dx(&same, ["install"]);
    assert_eq!(registry.metadata_requests(), 0, "the same user's answer is still fresh");
    registry.require_token("second");
    let two = create("second", Some(&one));
    dx(&two, ["install"]);
    assert_eq!(registry.metadata_requests(), 1);
    let stranger = create("third", Some(&one));
    crate::harness::fails(crate::harness::dx(&stranger, ["install"]), "DX_UNAUTHORIZED");
}
