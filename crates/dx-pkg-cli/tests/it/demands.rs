//! What a project demands of dx and of this machine, and what it sets for other package managers.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry, Run};
use serde_json::{Value, json};

use crate::harness::{command, dx, dx_with_prepared_trees, fails, locked_version, ok, required};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("a", "1.1.0").publish();
    registry.package("b", "1.0.0").dep("a", "^1.0.0").publish();
    registry
}

fn builder(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).dep("b", "1.0.0").script("t", "echo ran")
}

fn with(registry: &Registry, field: &str, value: Value) -> Project {
    builder(registry).field(field, value).create()
}

fn warnings(run: &Run) -> Vec<&str> {
    run.stderr.lines().filter_map(|line| line.strip_prefix("warning: ")).collect()
}

#[test]
fn pins_of_other_managers_are_carried_out() {
    let registry = registry();
    for (field, value) in [
        ("resolutions", json!({ "b/a": "1.0.0" })),
        ("resolutions", json!({ "b/**/a": "npm:1.0.0" })),
        ("pnpm", json!({ "overrides": { "b>a": "1.0.0" } })),
    ] {
        let project = with(&registry, field, value.clone());
        for arguments in [["install"].as_slice(), &["ci"], &["install", "--force"]] {
            command(&project).args(arguments).run().success();
            assert_eq!(locked_version(&project, "node_modules/a"), "1.0.0");
        }

        // Side by side with npm's, they are nothing to talk about.
        let overrides = json!({ "b": { "a": "1.0.0" } });
        let project = builder(&registry).field(field, value).field("overrides", overrides).create();
        let run = ok(&project, ["install"]);
        assert_eq!(run.stderr, "");
        assert_eq!(locked_version(&project, "node_modules/a"), "1.0.0");
    }
}

#[test]
fn pins_can_be_passed_over_and_are_not_hidden_by_up_to_date() {
    let registry = registry();
    let project = with(&registry, "resolutions", json!({ "a": "exec:./a.js" }));
    let run = ok(&project, ["install", "--foreign-overrides=warn"]);
    let warning = "versions are pinned in resolutions (a), which dx cannot carry out";
    assert_eq!(warnings(&run), [warning]);
    fails(dx(&project, ["install"]), "DX_FOREIGN_OVERRIDES");
    assert_eq!(warnings(&ok(&project, ["install", "--force"])), [warning]);
    assert_eq!(ok(&project, ["install", "--foreign-overrides=ignore"]).stderr, "");
    fails(dx(&project, ["install", "--foreign-overrides=no"]), "DX_CONFIG_INVALID");
    fails(dx(&project, ["ci"]), "DX_FOREIGN_OVERRIDES");
    // Those that dx knows are passed over with `ignore` only.
    let project = with(&registry, "resolutions", json!({ "a": "1.0.0" }));
    ok(&project, ["install", "--foreign-overrides=ignore"]);
    assert_eq!(locked_version(&project, "node_modules/a"), "1.1.0");
    ok(&project, ["install"]);
    assert_eq!(locked_version(&project, "node_modules/b/node_modules/a"), "1.0.0");
}

#[test]
fn keys_of_overrides_that_npm_stops_at_are_refused() {
    let registry = registry();
    for key in ["b>a", "b/a", "**/a", "a@latest", "a@not a range", ""] {
        let project = with(&registry, "overrides", json!({ key: "1.0.0" }));
        fails(dx(&project, ["install"]), "DX_BAD_OVERRIDES");
        fails(dx(&project, ["install", "--force"]), "DX_BAD_OVERRIDES");
        assert!(!project.exists("node_modules"), "{key}");
    }
}

#[test]
fn other_fields_are_named_in_one_warning() {
    let registry = registry();
    let project = builder(&registry)
        .field("trustedDependencies", json!(["b"]))
        .field("dependenciesMeta", json!({ "a": { "injected": true } }))
        .field("pnpm", json!({ "neverBuiltDependencies": ["x"], "updateConfig": {} }))
        .field("workspaces", json!({ "packages": ["w"], "nohoist": ["a"] }))
        .file("w/package.json", r#"{"name":"w","resolutions":{"a":"1"},"allowScripts":{"a":true}}"#)
        .create();
    let run = ok(&project, ["install"]);
    let told = warnings(&run);
    assert_eq!(told.len(), 1, "{run}");
    for named in [
        "workspaces.nohoist (node_modules is laid out as npm does)",
        "dependenciesMeta.injected (workspaces are linked, not copied)",
        "resolutions in w/package.json, allowScripts in w/package.json (",
    ] {
        assert!(told[0].contains(named), "{named}: {run}");
    }
    let again = ok(&project, ["install"]);
    assert_eq!((again.stdout.as_str(), again.stderr.as_str()), ("Already up to date\n", ""));
}

#[test]
fn settings_of_pnpm_beside_the_project_are_named() {
    let registry = registry();
    let text = "packages:\n  - w\nonlyBuiltDependencies:\n  - x\nshamefullyHoist: true\n";
    let project = builder(&registry).file("pnpm-workspace.yaml", text).create();
    let run = ok(&project, ["install"]);
    let told = warnings(&run);
    assert_eq!(told.len(), 1, "{run}");
    assert!(told[0].contains("carry out shamefullyHoist in pnpm-workspace.yaml"), "{run}");
    assert!(!told[0].contains("packages in pnpm"), "{run}");
}

#[test]
fn protocols_of_other_managers_are_named() {
    let registry = registry();
    registry.package("published", "1.0.0").dep("a", "workspace:^").publish();
    for (spec, managers) in [("exec:./a.js", "yarn"), ("runtime:^22", "pnpm")] {
        let protocol = spec.split_inclusive(':').next().unwrap();
        let expected = format!("{protocol} is a protocol of {managers}");
        let project = builder(&registry).dep("a", spec).create();
        let stderr = fails(dx(&project, ["install"]), "DX_UNSUPPORTED_PROTOCOL");
        assert!(stderr.contains(&expected) && stderr.contains("  help: "), "{spec}: {stderr}");
        assert!(!project.exists("node_modules"));
        let project = builder(&registry).create();
        let before = project.read("package.json");
        let run = command(&project).args(["add", &format!("a@{spec}")]).run();
        let stderr = fails(run, "DX_UNSUPPORTED_PROTOCOL");
        assert!(stderr.contains(&expected), "{spec}: {stderr}");
        assert_eq!(project.read("package.json"), before);
    }
    let project = Project::new(&registry).dep("published", "1.0.0").create();
    let stderr = fails(dx(&project, ["install"]), "DX_UNSUPPORTED_PROTOCOL");
    assert!(stderr.contains("published@1.0.0") && stderr.contains("overrides"), "{stderr}");
    let project = builder(&registry).dep("published", "1.0.0");
    ok(&project.field("overrides", json!({ "published": { "a": "1.0.0" } })).create(), ["install"]);

    // A workspace is meant, as with npm.
    let project = Project::new(&registry)
        .field("workspaces", json!(["w"]))
        .dep("w", "workspace:*")
        .file("w/package.json", r#"{"name":"w","version":"1.0.0"}"#);
    ok(&project.create(), ["install"]);
}

#[test]
fn dev_engines_are_demanded_at_every_command() {
    let registry = registry();
    let project = with(&registry, "devEngines", json!({ "packageManager": { "name": "pip" } }));
    for arguments in [
        ["install"].as_slice(),
        &["ci"],
        &["add", "a"],
        &["remove", "b"],
        &["run", "t"],
        &["run", "no-such"],
        &["run"],
        &["test"],
    ] {
        let run = command(&project).args(arguments).run();
        let stderr = fails(run, "DX_DEV_ENGINES");
        assert!(stderr.contains("demands pip"), "{arguments:?}: {stderr}");
    }
    assert!(!project.exists("node_modules"));
    for arguments in [["install", "--force"].as_slice(), &["run", "t", "--force"]] {
        let run = command(&project).args(arguments).run().success();
        assert_eq!(warnings(&run).len(), 1, "{run}");
    }
    // The state of the install with --force hides nothing.
    fails(dx(&project, ["install"]), "DX_DEV_ENGINES");
}

#[test]
fn dev_engines_decide_what_becomes_of_a_failure() {
    let registry = registry();
    for (value, outcome) in [
        (json!({ "packageManager": [{ "name": "pip" }, { "name": "dx" }] }), Ok(0)),
        (json!({ "packageManager": { "name": "npm", "version": "^12" } }), Ok(0)),
        (json!({ "runtime": { "name": "node", "version": ">=99", "onFail": "ignore" } }), Ok(0)),
        (json!({ "runtime": { "name": "node", "version": ">=99", "onFail": "warn" } }), Ok(1)),
        (json!({ "runtime": { "name": "bun", "onFail": "download" } }), Err("DX_DEV_ENGINES")),
        (json!({ "os": { "name": "plan9" } }), Err("DX_DEV_ENGINES")),
        (json!({ "runtime": "node" }), Err("DX_BAD_DEV_ENGINES")),
        (Value::Null, Err("DX_BAD_DEV_ENGINES")),
    ] {
        let project = with(&registry, "devEngines", value);
        for arguments in [["install"].as_slice(), &["run", "t"]] {
            let run = command(&project).args(arguments).run();
            match outcome {
                Ok(count) => assert_eq!(warnings(&run.success()).len(), count),
                Err(code) => _ = fails(run, code),
            }
        }
    }
}

#[test]
fn dev_engines_are_those_of_the_project() {
    let registry = registry();
    let demand = json!({ "packageManager": { "name": "pip" } });
    let workspace = |dev_engines: &Value| {
        json!({ "name": "w", "scripts": { "t": "echo ran" }, "devEngines": dev_engines })
            .to_string()
    };
    let project = builder(&registry).field("workspaces", json!(["w"]));
    let project = project.file("w/package.json", workspace(&demand)).create();
    ok(&project, ["install"]);
    command(&project).args(["-C", "w", "run", "t"]).run().success();

    let project = builder(&registry).field("workspaces", json!(["w"])).field("devEngines", demand);
    let project = project.file("w/package.json", workspace(&json!({}))).create();
    fails(command(&project).args(["-C", "w", "run", "t"]).run(), "DX_DEV_ENGINES");
}

#[test]
fn engines_of_project_and_workspaces_are_warned_about_once() {
    let registry = registry();
    let project = builder(&registry)
        .field("name", "p")
        .field("version", "1.0.0")
        .field("engines", json!({ "node": ">=99", "npm": ">=10", "yarn": "no" }))
        .field("workspaces", json!(["w"]))
        .file("w/package.json", r#"{"name":"w","engines":{"npm":"^10"}}"#)
        .create();
    for arguments in [["install"].as_slice(), &["ci"], &["add", "a"], &["remove", "a"]] {
        let run = command(&project).args(arguments).run().success();
        let told = warnings(&run);
        assert_eq!(told.len(), 2, "{run}");
        assert!(told[0].starts_with("p@1.0.0 wants node >=99, and this is node "), "{run}");
        let npms = "w wants npm ^10, and this is dx, which counts as npm 12.";
        assert!(told[1].starts_with(npms), "{run}");
    }
    assert_eq!(ok(&project, ["run", "t"]).stderr.matches("wants").count(), 0);
    assert_eq!(ok(&project, ["install", "--force"]).stderr, "");
}

#[test]
fn cached_result_warns_no_more_than_the_first() {
    let registry = registry();
    let project = with(&registry, "engines", json!({ "node": ">=99" }));
    let run = dx_with_prepared_trees(&project, ["install"]);
    assert_eq!(warnings(&run).len(), 1, "{run}");
    project.remove("node_modules");
    let run = dx_with_prepared_trees(&project, ["install", "--verbose"]);
    assert!(
        run.stderr.contains("prepared trees") || run.stdout.contains("prepared trees"),
        "{run}"
    );
    assert_eq!(warnings(&run).len(), 1, "{run}");
}

#[test]
fn engines_are_refused_under_engine_strict_before_anything_is_done() {
    let registry = registry();
    for (engines, is_refused) in [
        (json!({ "node": ">=99" }), true),
        (json!({ "node": "no version" }), true),
        (json!({ "npm": "^10" }), true),
        (json!({ "node": "*", "npm": ">=10", "pnpm": "1" }), false),
        (json!("node >= 99"), false),
        (json!(["node >= 99"]), false),
    ] {
        let project = with(&registry, "engines", engines.clone());
        let run = dx(&project, ["install", "--engine-strict"]);
        if !is_refused {
            run.success();
            continue;
        }
        fails(run, "DX_UNSUPPORTED_PLATFORM");
        assert!(!project.exists("node_modules"), "{engines}");
        ok(&project, ["install"]);
        // Not hidden by what the install without it left.
        fails(dx(&project, ["install", "--engine-strict"]), "DX_UNSUPPORTED_PLATFORM");
        ok(&project, ["install", "--engine-strict", "--force"]);
    }
    // `devEngines` are for those who develop the project, `engines` for those who install it.
    let project = builder(&registry).field("engines", json!({ "node": ">=99" }));
    let project = project.field("devEngines", json!({ "runtime": { "name": "node" } })).create();
    assert_eq!(ok(&project, ["install", "--engine-strict"]).stderr, "");
}

#[test]
fn project_for_another_platform_is_refused() {
    let registry = registry();
    for (field, value) in
        [("os", json!(["plan9"])), ("cpu", json!("z80")), ("libc", json!(["other"]))]
    {
        let project = with(&registry, field, value.clone());
        for arguments in [["install"].as_slice(), &["ci"], &["add", "a"]] {
            fails(command(&project).args(arguments).run(), "DX_UNSUPPORTED_PLATFORM");
        }
        assert!(!project.exists("node_modules"));
        ok(&project, ["run", "t"]);
        ok(&project, ["install", "--force"]);
        assert_eq!(required(&project, "b"), "b@1.0.0");

        let workspace = json!({ "name": "w", field: value }).to_string();
        let project = builder(&registry).field("workspaces", json!(["w"]));
        let project = project.file("w/package.json", workspace).create();
        fails(dx(&project, ["install"]), "DX_UNSUPPORTED_PLATFORM");
    }
}

#[test]
fn rules_about_scripts_are_npms_and_others_are_named() {
    let registry = registry();
    let touch = "node -e \"require('fs').writeFileSync('ran', '')\"";
    for version in ["1.0.0", "2.0.0"] {
        registry.package("s", version).script("postinstall", touch).publish();
    }
    for (rules, runs, told) in [
        (json!({ "s": true }), true, None),
        (json!({ "s@*": true }), true, None),
        (json!({ "s@1.0.0 || 2.0.0": true }), true, None),
        (json!({ "s@2.0.0": true }), false, None),
        (json!({ "s": true, "s@1.0.0 || 3.0.0": false }), false, None),
        (json!({ "s@^1.0.0": true }), false, Some("\"s@^1.0.0\" has a range")),
        (json!({ "s@1": true }), false, Some("\"s@1\" has a range")),
        (json!({ "s@latest": true }), false, Some("\"s@latest\" has a tag")),
        (json!({ "s": "true" }), false, Some("\"s\" has the value \"true\"")),
        (json!(["s"]), false, Some("must be an object")),
    ] {
        let project =
            Project::new(&registry).dep("s", "1.0.0").field("allowScripts", rules.clone());
        let project = project.create();
        let run = ok(&project, ["install"]);
        assert_eq!(project.exists("node_modules/s/ran"), runs, "{rules}: {run}");
        let told_of = warnings(&run).into_iter().any(|line| line.starts_with("allowScripts in "));
        assert_eq!(told_of, told.is_some(), "{rules}: {run}");
        assert!(told.is_none_or(|told| run.stderr.contains(told)), "{rules}: {run}");
    }
}

#[test]
fn settings_that_are_not_read_are_named_once_for_each_file() {
    let registry = registry();
    let lines =
        "shamefully-hoist=true\nsave-dev=true\ninit-license=MIT\njson=false\nfoo=1\nfoo=2\n";
    let project = builder(&registry).npmrc(lines).create();
    let run = ok(&project, ["install"]);
    let [told] = warnings(&run)[..] else { panic!("{run}") };
    assert!(told.starts_with("dx does not read foo, save-dev, shamefully-hoist in "), "{told}");
    // Other programs leave variables of their own; npm's count.
    let foreign = command(&project).env("npm_config_save_peer", "true");
    let run = foreign.env("npm_config_npm_version", "1").args(["ci"]).run().success();
    assert_eq!(warnings(&run).len(), 2, "{run}");
    assert!(run.stderr.contains("save-peer in the environment"), "{run}");
}

#[test]
fn a_project_does_not_make_itself_global() {
    let registry = registry();
    for line in ["location=global", "global=true"] {
        let project = builder(&registry).npmrc(line).create();
        let run = ok(&project, ["install"]);
        assert!(run.stderr.contains("which a project does not decide"), "{run}");
        assert!(project.exists("node_modules/b"), "{line}");
    }
    ok(&builder(&registry).npmrc("location=project").create(), ["install"]);
}

#[test]
fn strict_peer_deps_counts_beside_a_lockfile_and_under_every_command() {
    let registry = registry();
    registry.package("h", "1.0.0").publish();
    registry.package("h", "2.0.0").publish();
    registry.package("plugin", "1.0.0").peer("h", "^1.0.0").publish();
    let builder = || builder(&registry).dep("h", "2.0.0").dep("plugin", "1.0.0");
    let project = builder().create();
    ok(&project, ["install"]);
    let lockfile = project.read("package-lock.json");
    for arguments in [["install"].as_slice(), &["ci"], &["add", "a"], &["remove", "b"]] {
        let run = command(&project).args(arguments).args(["--strict-peer-deps"]).run();
        fails(run, "DX_PEER_CONFLICT");
        assert_eq!(project.read("package-lock.json"), lockfile, "{arguments:?}");
    }
    project.write(".npmrc", format!("{}strict-peer-deps=true\n", project.read(".npmrc")));
    fails(dx(&project, ["install"]), "DX_PEER_CONFLICT");
    fails(dx(&project, ["ci"]), "DX_PEER_CONFLICT");
    // As with npm, --force goes on.
    let run = ok(&project, ["install", "--force"]);
    assert!(run.stdout.contains("1 peer requirement not met"), "{run}");
    fails(dx(&builder().npmrc("strict-peer-deps=true").create(), ["install"]), "DX_PEER_CONFLICT");
}
