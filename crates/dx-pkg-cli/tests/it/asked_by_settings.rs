//! Questions whose flags are settings, and what they read: dx's record of the tree where that
//! holds, npm's or the packages themselves where it does not.

use std::fs;

use dx_pkg_testkit::{Project, Registry};

use crate::harness::{command, dx, fails, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "1").file("deep/x.js", "1").publish();
    registry.package("b", "1.0.0").publish();
    registry.package("c", "1.0.0").dep("b", "2").publish();
    registry.package("b", "2.0.0").publish();
    registry.package("@s/d", "1.0.0").publish();
    registry
}

fn project(registry: &Registry) -> Project {
    let project = Project::new(registry).dep("a", "1").dep("c", "1").dev("@s/d", "1").create();
    ok(&project, ["install"]);
    project
}

/// Returns what `dx` prints with a variable in its environment.
fn with(project: &Project, variable: (&str, &str), args: &[&str]) -> String {
    command(project).env(variable.0, variable.1).args(args).run().stdout
}

#[test]
fn settings_of_the_environment_stand_for_flags() {
    let registry = registry();
    let project = project(&registry);
    for (variable, flag) in [
        (("npm_config_json", "true"), "--json"),
        (("npm_config_long", "true"), "--long"),
        (("npm_config_parseable", "true"), "--parseable"),
        (("npm_config_all", "true"), "--all"),
        (("npm_config_depth", "1"), "--depth=1"),
        (("npm_config_link", "true"), "--link"),
        (("npm_config_omit", "dev"), "--omit=dev"),
        (("npm_config_only", "prod"), "--omit=dev"),
        (("npm_config_production", "true"), "--omit=dev"),
        (("npm_config_package_lock_only", "true"), "--package-lock-only"),
    ] {
        let flagged = dx(&project, ["ls", flag]).stdout;
        assert_eq!(with(&project, variable, &["ls"]), flagged, "{variable:?}");
    }
    let ascii = command(&project).env("LC_ALL", "C.UTF-8").env("npm_config_unicode", "false");
    assert!(!ascii.args(["ls"]).run().stdout.contains('├'));
    for (flag, is_drawn) in [("--no-unicode", false), ("--unicode=false", false), ("--all", true)] {
        let listed = command(&project).env("LC_ALL", "C.UTF-8").args(["ls", flag]).run();
        assert_eq!(listed.stdout.contains('├'), is_drawn, "{flag}: {}", listed.stdout);
    }
    let plain = dx(&project, ["ls"]).stdout;
    assert_eq!(with(&project, ("npm_config_json", "true"), &["ls", "--no-json"]), plain);
    assert_eq!(with(&project, ("npm_config_all", "true"), &["ls", "--all", "false"]), plain);
    fs::write(project.path().join(".npmrc"), "long=true\n").unwrap();
    let long = dx(&project, ["ls"]).stdout;
    assert!(long.lines().count() > plain.lines().count(), "{long}");
    assert_eq!(dx(&project, ["ls", "--long=false"]).stdout, plain);
}

#[test]
fn flags_are_understood_as_npm_does() {
    let registry = registry();
    let project = project(&registry);
    let text = |args: &[&str]| command(&project).args(args).run().success().stdout;
    for (given, meant) in [
        (&["ls", "--all", "true"][..], &["ls", "--all"][..]),
        (&["ls", "--only=prod"], &["ls", "--omit=dev"]),
        (&["ls", "--optional=false"], &["ls", "--omit=optional"]),
        (&["ls", "--location=global"], &["ls", "--global"]),
        (&["ls", "--offline"], &["ls"]),
        (&["la"], &["ls", "--long"]),
        (&["ls", "-all"], &["ls", "--all"]),
        (&["ls", "-depth=1", "-json"], &["ls", "--depth=1", "--json"]),
        (&["query", "*", "--global=false"], &["query", "*"]),
    ] {
        assert_eq!(text(given), text(meant), "{given:?}");
    }
}

#[test]
fn the_record_says_what_the_tree_says() {
    let registry = registry();
    let project = project(&registry);
    let answers = || {
        [&["ls", "--all", "--json", "--long"][..], &["query", "*"], &["explain", "b", "--json"]]
            .map(|args| command(&project).args(args).run().stdout)
    };
    let recorded = answers();
    let own = project.path().join("node_modules/.dx");
    fs::rename(&own, project.path().join("away")).unwrap();
    assert_eq!(answers(), recorded, "without dx's record");
    fs::rename(project.path().join("away"), &own).unwrap();
    // What changes in the tree afterwards is seen, although the record does not say so.
    let stray = project.path().join("node_modules/stray");
    fs::create_dir(&stray).unwrap();
    fs::write(stray.join("package.json"), r#"{ "name": "stray", "version": "9.9.9" }"#).unwrap();
    let listed = dx(&project, ["ls"]).stdout;
    assert!(listed.contains("stray@9.9.9 extraneous"), "{listed}");
    fs::remove_dir_all(&stray).unwrap();
    fs::remove_dir_all(project.path().join("node_modules/c/node_modules/b")).unwrap();
    let listed = dx(&project, ["ls", "--all"]);
    assert!(listed.stdout.contains("b@1.0.0 deduped invalid"), "{listed}");
    fs::remove_dir_all(project.path().join("node_modules/a")).unwrap();
    let listed = dx(&project, ["ls"]);
    assert!(listed.stdout.contains("UNMET DEPENDENCY a@1"), "{listed}");
}

#[test]
fn an_error_of_a_query_is_json() {
    let registry = registry();
    let project = project(&registry);
    let run = dx(&project, ["query", ":nope"]);
    assert_eq!(run.status, Some(1), "{run}");
    let error: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(error["error"]["summary"].as_str().unwrap().contains("nope"), "{run}");
    assert!(run.stderr.contains("nope"), "{run}");
}

#[test]
fn a_tarball_at_an_address_is_packed_as_it_is() {
    let registry = registry();
    let project = project(&registry);
    let address = format!("{}/a/-/a-1.0.0.tgz", registry.url().trim_end_matches('/'));
    fails(dx(&project, ["pack", &address]), "DX_SOURCE_NOT_ALLOWED");
    let run = ok(&project, ["pack", &address, "--allow-remote=all"]);
    assert_eq!(run.stdout, "a-1.0.0.tgz\n", "{run}");
    let packed = fs::read(project.path().join("a-1.0.0.tgz")).unwrap();
    assert!(packed.starts_with(&[0x1f, 0x8b]), "it is compressed");
    let allowed = ["pack", &address, "--json", "--dry-run", "--allow-remote=all"];
    let files = ok(&project, allowed).stdout;
    assert!(files.contains("deep/x.js"), "{files}");
    let offline = command(&project).env("npm_config_offline", "true");
    fails(offline.args(["pack", &address, "--allow-remote=all"]).run(), "DX_OFFLINE");
}
