//! Peer conflicts that are not solved: offered or explained once, listed by `dx peers`.

use dx_pkg_testkit::{Project, Registry, Run};
use serde_json::{Value, json};

use crate::harness::{dx, fails, ok, required};

/// Publishes `plugin`, no version of which accepts the newest `lint`.
fn linters() -> Registry {
    let registry = Registry::start();
    for version in ["9.7.0", "9.39.0", "10.1.0"] {
        registry.package("lint", version).publish();
    }
    registry.package("plugin", "7.37.5").peer("lint", "^8 || ^9.7").publish();
    registry.package("other", "1.0.0").publish();
    registry
}

fn project(registry: &Registry) -> Project {
    Project::new(registry).dev("lint", "^10.0.0").dev("plugin", "^7.37.5").create()
}

/// Publishes `config`, of which an older major accepts the project's `lint`.
fn configs() -> Registry {
    let registry = Registry::start();
    for version in ["8.57.1", "9.0.0"] {
        registry.package("lint", version).publish();
    }
    registry.package("config", "15.5.0").peer("lint", "^8 || ^9").publish();
    registry.package("config", "16.4.0").peer("lint", ">=9.0.0").publish();
    registry
}

fn parsed(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

const SENTENCE: &str = "no published version of plugin (7.37.5 is the newest) accepts lint 10.1.0";

#[test]
fn a_conflict_is_explained_once() {
    let registry = linters();
    let project = project(&registry);
    let run = ok(&project, ["install"]);
    let line = |name: &str| {
        let text = project.read("package.json");
        1 + text.lines().position(|line| line.contains(&format!("\"{name}\":"))).unwrap()
    };
    let expected = [
        format!("warning: {SENTENCE}"),
        format!("  package.json:{} asks for lint ^10.0.0", line("lint")),
        format!(
            "  package.json:{} asks for plugin ^7.37.5; 7.37.5, the newest, needs lint ^8 || ^9.7",
            line("plugin")
        ),
        "  What would help: dx add -D lint@^9.7.0".to_owned(),
        "  To take the risk: \"overrides\": { \"plugin\": { \"lint\": \"$lint\" } } in package.json"
            .to_owned(),
        "  Installed as npm --force would; npm ci refuses this lockfile. More: docs/peer-conflicts.md"
            .to_owned(),
    ];
    assert_eq!(run.stderr.lines().collect::<Vec<_>>(), expected, "{run}");
    assert!(run.stdout.contains("with 1 peer requirement not met"), "{run}");
    assert_eq!(required(&project, "lint"), "lint@10.1.0");
    for arguments in [["install", "--prefer-offline"].as_slice(), &["add", "other"], &["ci"]] {
        let run = crate::harness::command(&project).args(arguments).run().success();
        assert!(!run.stderr.contains("What would help"), "{run}");
    }
}

#[test]
fn the_command_that_is_told_ends_the_conflict() {
    let registry = linters();
    let project = project(&registry);
    let told = parsed(&ok(&project, ["install", "--json"]));
    let change = &told["explanations"][0]["changes"][0];
    assert_eq!(change["requirements"], json!({ "lint": "^9.7.0" }));
    assert_eq!(change["command"], "dx add -D lint@^9.7.0");
    let run = ok(&project, ["add", "-D", "lint@^9.7.0"]);
    assert!(run.stderr.is_empty(), "{run}");
    assert_eq!(required(&project, "lint"), "lint@9.39.0");
    assert!(ok(&project, ["peers"]).stdout.contains("no peer conflicts"));
}

#[test]
fn the_override_that_is_told_ends_the_conflict() {
    let registry = linters();
    let overrides = json!({ "plugin": { "lint": "$lint" } });
    let told = parsed(&ok(&project(&registry), ["install", "--json"]));
    assert_eq!(told["explanations"][0]["overrides"], overrides);
    let builder = Project::new(&registry).dev("lint", "^10.0.0").dev("plugin", "^7.37.5");
    let project = builder.field("overrides", overrides).create();
    let run = ok(&project, ["install"]);
    assert_eq!(run.stderr, "", "{run}");
}

#[test]
fn peers_lists_the_conflicts_of_the_lockfile() {
    let registry = linters();
    let project = project(&registry);
    fails(dx(&project, ["peers"]), "DX_NO_LOCKFILE");
    ok(&project, ["install"]);
    let lock = project.read("package-lock.json");
    for arguments in [["peers"].as_slice(), &["check", "peers"], &["peers", "--offline"]] {
        let run = crate::harness::command(&project).args(arguments).run();
        assert_eq!(run.status, Some(1), "{run}");
        assert!(run.stdout.starts_with(SENTENCE), "{run}");
        assert!(run.stdout.contains("What would help: dx add -D lint@^9.7.0"), "{run}");
        assert!(run.stdout.ends_with("1 peer requirement not met\n"), "{run}");
    }
    let told = parsed(&dx(&project, ["peers", "--json"]));
    assert_eq!(told["explanations"][0]["finding"], "explain");
    assert_eq!(told["explanations"][0]["facts"][1]["needs"]["range"], "^8 || ^9.7");
    assert_eq!(told["conflicts"].as_array().unwrap().len(), 1);
    assert_eq!(project.read("package-lock.json"), lock);
    // A lockfile that is out of date is told as such.
    project.write("package.json", r#"{ "dependencies": { "other": "1" } }"#);
    fails(dx(&project, ["peers"]), "DX_LOCKFILE_OUT_OF_DATE");
}

#[test]
fn a_script_called_check_still_runs() {
    let registry = linters();
    let project = Project::new(&registry).script("check", "echo checked").create();
    assert!(ok(&project, ["check"]).stdout.contains("checked"));
}

#[test]
fn strict_peers_refuse_with_the_same_explanation() {
    let registry = linters();
    let project = project(&registry);
    let stderr = fails(dx(&project, ["install", "--strict-peer-deps"]), "DX_PEER_CONFLICT");
    assert!(stderr.contains(SENTENCE), "{stderr}");
    assert!(stderr.contains("What would help: dx add -D lint@^9.7.0"), "{stderr}");
    assert!(!stderr.contains("Installed as"), "{stderr}");
    assert!(!project.exists("package-lock.json"));
}

#[test]
fn an_offer_is_shown_and_not_taken() {
    let registry = configs();
    let project = Project::new(&registry).dev("config", ">=14").dev("lint", "^8.57.0").create();
    let run = ok(&project, ["install"]);
    let offer = "To take it: dx add -D config@^15.5.0";
    assert!(run.stderr.contains(offer), "{run}");
    assert_eq!(required(&project, "config"), "config@16.4.0");
    assert_eq!(parsed(&dx(&project, ["peers", "--json"]))["explanations"][0]["finding"], "offer");
    let run = ok(&project, ["add", "-D", "config@^15.5.0"]);
    assert_eq!(run.stderr, "", "{run}");
    assert_eq!(required(&project, "config"), "config@15.5.0");
}

#[test]
fn add_takes_the_newest_version_that_fits_the_project() {
    let registry = configs();
    let project = Project::new(&registry).dev("lint", "^8.57.0").create();
    ok(&project, ["install"]);
    let run = ok(&project, ["add", "-D", "config"]);
    assert!(run.stdout.contains("config 15.5.0 instead of 16.4.0"), "{run}");
    assert_eq!(required(&project, "config"), "config@15.5.0");
    assert!(project.read("package.json").contains("\"config\": \"^15.5.0\""), "{run}");
    // A tag is the version that it names.
    let run = ok(&project, ["add", "-D", "config@latest"]);
    assert!(run.stderr.contains("you are adding config@16.4.0"), "{run}");
    assert_eq!(required(&project, "config"), "config@16.4.0");
}

#[test]
fn a_pair_of_which_a_bot_moved_one_agrees_again() {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0"] {
        registry.package("core", version).publish();
        registry.package("dom", version).peer("core", version).publish();
    }
    let project = Project::new(&registry).dep("core", "1.0.0").dep("dom", "^1.0.0").create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "dom"), "dom@1.0.0");
    // The bot changes manifest and lockfile, and knows nothing of the other.
    let manifest = project.read("package.json").replace("\"1.0.0\"", "\"1.1.0\"");
    project.write("package.json", manifest);
    let mut lock = project.json("package-lock.json");
    lock["packages"][""]["dependencies"]["core"] = json!("1.1.0");
    let entry = &mut lock["packages"]["node_modules/core"];
    entry["version"] = json!("1.1.0");
    entry["integrity"] = json!(registry.integrity("core", "1.1.0"));
    entry["resolved"] =
        json!(entry["resolved"].as_str().unwrap().replace("1.0.0.tgz", "1.1.0.tgz"));
    project
        .write("package-lock.json", format!("{}\n", serde_json::to_string_pretty(&lock).unwrap()));
    std::fs::remove_dir_all(project.path().join("node_modules")).unwrap();
    let run = ok(&project, ["install"]);
    assert_eq!(required(&project, "dom"), "dom@1.1.0", "{run}");
    assert_eq!(required(&project, "core"), "core@1.1.0");
    ok(&project, ["peers"]);
}

#[test]
fn an_older_dependent_is_taken_where_a_sibling_is_missing() {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0"] {
        registry.package("tool", version).dep("tool-core", version).publish();
    }
    registry.package("tool-core", "1.0.0").publish();
    let project = Project::new(&registry).dep("tool", "^1").create();
    let run = ok(&project, ["install"]);
    let told = "tool 1.0.0 instead of 1.1.0, which needs tool-core@1.1.0: there is no such version";
    assert!(run.stdout.contains(told), "{run}");
    assert_eq!(required(&project, "tool"), "tool@1.0.0");
    let strict = Project::new(&registry).dep("tool", "^1").create();
    fails(dx(&strict, ["install", "--no-solve"]), "DX_NO_MATCHING_VERSION");
}

#[test]
fn with_strict_engines_an_older_dependent_is_taken() {
    let registry = Registry::start();
    registry.package("web", "1.0.0").dep("http", "^1").publish();
    registry.package("web", "1.1.0").dep("http", "^2").publish();
    registry.package("http", "1.0.0").publish();
    registry.package("http", "2.0.0").field("engines", json!({ "node": ">=99" })).publish();
    let project = Project::new(&registry).dep("web", "^1").npmrc("engine-strict=true").create();
    let run = ok(&project, ["install"]);
    assert!(run.stdout.contains("web 1.0.0 instead of 1.1.0, which needs http@2.0.0"), "{run}");
    assert_eq!(required(&project, "web"), "web@1.0.0");
}
