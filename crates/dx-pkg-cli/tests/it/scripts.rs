//! Lifecycle scripts: which run, when and how often, and the report of the others.

use std::fs;

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::json;

use crate::harness::{command, dx, fails, locked, ok};

/// A script that records in the project which package ran which event.
const NOTE: &str = "node -e \"require('fs').appendFileSync(process.env.INIT_CWD + '/ran', process.env.npm_package_name + ':' + process.env.npm_lifecycle_event + ' ')\"";

fn registry() -> Registry {
    let registry = Registry::start();
    let native =
        registry.package("native", "1.0.0").script("preinstall", NOTE).script("install", NOTE);
    native.script("postinstall", NOTE).publish();
    registry.package("other", "1.0.0").script("postinstall", NOTE).publish();
    registry.package("plain", "1.0.0").script("test", NOTE).publish();
    registry
}

fn project(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).dep("native", "1").dep("other", "1").dep("plain", "1")
}

fn ran(project: &Project) -> String {
    if project.exists("ran") { project.read("ran").trim().to_owned() } else { String::new() }
}

#[test]
fn scripts_of_dependencies_are_not_run_and_named() {
    let registry = registry();
    let project = project(&registry).create();
    let run = ok(&project, ["install"]);
    assert_eq!(ran(&project), "");
    assert!(run.stderr.contains("native@1.0.0, other@1.0.0"), "{run}");
    assert!(run.stderr.contains("allowScripts"), "how to allow them: {run}");
    assert!(!run.stderr.contains("plain"), "{run}");
    assert_eq!(locked(&project, "node_modules/native")["hasInstallScript"], true);
}

#[test]
fn allowed_scripts_run_once_and_in_order() {
    let registry = registry();
    registry.package("late", "1.0.0").publish();
    let project =
        project(&registry).field("allowScripts", json!({"native": true, "other": false})).create();
    let run = ok(&project, ["install"]);
    let expected = "native:preinstall native:install native:postinstall";
    assert_eq!(ran(&project), expected);
    assert_eq!(run.stderr, "", "what was denied is not named: {run}");
    ok(&project, ["install"]);
    ok(&project, ["install", "late"]);
    assert_eq!(ran(&project), expected, "what is in place is not run again");
}

#[test]
fn allowing_scripts_later_runs_them() {
    let registry = registry();
    let project = project(&registry).create();
    ok(&project, ["install"]);
    let mut manifest = project.json("package.json");
    manifest["allowScripts"] = json!({"other@1.0.0": true, "native@2.0.0": true});
    project.write("package.json", manifest.to_string());
    ok(&project, ["install"]);
    assert_eq!(ran(&project), "other:postinstall");
}

#[test]
fn ci_runs_allowed_scripts_in_its_new_tree() {
    let registry = registry();
    let project = project(&registry).field("allowScripts", json!({"other": true})).create();
    ok(&project, ["install"]);
    ok(&project, ["ci"]);
    assert_eq!(ran(&project), "other:postinstall other:postinstall");
}

#[test]
fn scripts_of_the_project_run_and_see_the_tree() {
    let registry = registry();
    let look = "node -e \"require('fs').appendFileSync('ran', require('plain') + ' ')\"";
    let events = [
        "preinstall",
        "install",
        "postinstall",
        "prepublish",
        "preprepare",
        "prepare",
        "postprepare",
    ];
    let builder = Project::new(&registry).dep("plain", "1");
    let builder = events.into_iter().fold(builder, |builder, event| builder.script(event, NOTE));
    let project = builder.script("postinstall", look).create();
    ok(&project, ["install"]);
    let expected = "project:preinstall project:install plain@1.0.0 project:prepublish project:preprepare \
                    project:prepare project:postprepare";
    assert_eq!(ran(&project), expected);
}

#[test]
fn scripts_of_the_project_do_not_run_when_packages_are_added() {
    let registry = registry();
    let project =
        Project::new(&registry).script("postinstall", NOTE).script("prepare", NOTE).create();
    ok(&project, ["install", "plain"]);
    ok(&project, ["remove", "plain"]);
    assert_eq!(ran(&project), "");
}

#[test]
fn dependencies_runs_whenever_the_tree_has_changed_and_only_then() {
    let registry = registry();
    registry.package("late", "1.0.0").publish();
    let events = ["predependencies", "dependencies", "postdependencies"];
    let builder = Project::new(&registry).dep("plain", "1");
    let project =
        events.into_iter().fold(builder, |builder, event| builder.script(event, NOTE)).create();
    let mut expected = Vec::new();
    for (arguments, changes) in [
        (&["install"][..], true),
        (&["install"], false),
        (&["install", "late"], true),
        (&["install", "--lockfile-only", "other"], false),
        (&["remove", "late", "other"], true),
        (&["ci"], true),
    ] {
        command(&project).args(arguments).run().success();
        expected
            .extend(events.map(|event| format!("project:{event}")).into_iter().filter(|_| changes));
        assert_eq!(ran(&project), expected.join(" "), "{arguments:?}");
    }
}

#[test]
fn ignore_scripts_runs_none_at_all() {
    let registry = registry();
    let project = project(&registry)
        .field("allowScripts", json!({"native": true}))
        .script("postinstall", NOTE)
        .create();
    ok(&project, ["install", "--ignore-scripts"]);
    assert_eq!(ran(&project), "");
    ok(&project, ["install"]);
    assert_eq!(
        ran(&project),
        "native:preinstall native:install native:postinstall project:postinstall"
    );
}

#[test]
fn what_scripts_made_stays_where_they_are_not_to_run() {
    let registry = registry();
    registry.package("late", "1.0.0").publish();
    let make = "node -e \"require('fs').writeFileSync('built', '')\"";
    registry.package("maker", "1.0.0").script("install", make).publish();
    let project = Project::new(&registry).dep("maker", "1").create();
    let allowed = "--allow-scripts=maker";
    let built = |project: &Project| project.exists("node_modules/maker/built");
    ok(&project, ["install", allowed]);
    assert!(built(&project));
    for args in [
        &["install", "--ignore-scripts"][..],
        &["install", "late", "--ignore-scripts"],
        &["install"],
        &["remove", "late"],
        &["install", "--force", "--ignore-scripts"],
        &["update", "--ignore-scripts"],
    ] {
        command(&project).args(args).run().success();
        assert!(built(&project), "{args:?}");
    }
    // What is not there as it was is built again.
    let modules = project.path().join("node_modules");
    fs::remove_dir_all(modules.join("maker")).unwrap();
    ok(&project, ["install", "--ignore-scripts"]);
    assert!(project.exists("node_modules/maker/package.json") && !built(&project));
    ok(&project, ["install", allowed]);
    assert!(built(&project));
    ok(&project, ["ci", "--ignore-scripts"]);
    assert!(!built(&project));
}

#[test]
fn failing_allowed_script_is_an_error_and_runs_again_next_time() {
    let registry = Registry::start();
    let fail = "node -e \"console.error('no compiler'); require('fs').appendFileSync(process.env.INIT_CWD + '/ran', 'x'); \
                process.exit(require('fs').existsSync(process.env.INIT_CWD + '/compiler') ? 0 : 3)\"";
    registry.package("native", "1.0.0").script("install", fail).publish();
    let project = Project::new(&registry)
        .dep("native", "1")
        .field("allowScripts", json!({"native": true}))
        .create();
    let stderr = fails(dx(&project, ["install"]), "DX_SCRIPT_FAILED");
    for part in ["native", "install", "code 3", "no compiler"] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    fails(dx(&project, ["install"]), "DX_SCRIPT_FAILED");
    project.write("compiler", "");
    ok(&project, ["install"]);
    assert_eq!(ran(&project), "xxx");
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
}

#[test]
fn optional_package_whose_script_fails_is_removed_with_its_exclusive_dependencies() {
    let registry = Registry::start();
    registry
        .package("native", "1.0.0")
        .script("install", "exit 3")
        .dep("helper", "1")
        .dep("shared", "1")
        .publish();
    registry.package("helper", "1.0.0").publish();
    registry.package("shared", "1.0.0").publish();
    registry.package("well", "1.0.0").script("postinstall", "echo ran > ran.txt").publish();
    let project = Project::new(&registry)
        .dep("shared", "1")
        .dep("well", "1")
        .optional("native", "1")
        .field("allowScripts", json!({"native": true, "well": true}))
        .create();
    ok(&project, ["install"]);
    let left: Vec<String> = project.installed().into_keys().collect();
    assert_eq!(left, ["node_modules/shared", "node_modules/well"]);
    assert_eq!(locked(&project, "node_modules/native")["optional"], true);
    project.remove("node_modules/well/ran.txt");
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("native"), "it is tried again: {run}");
    assert!(!project.exists("node_modules/native"));
    assert!(!project.exists("node_modules/well/ran.txt"), "what went well is not run again");
}

#[test]
fn failing_script_of_an_optional_package_is_a_warning() {
    let registry = Registry::start();
    registry.package("native", "1.0.0").script("install", "exit 3").publish();
    let project = Project::new(&registry)
        .optional("native", "1")
        .field("allowScripts", json!({"native": true}))
        .create();
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("native") && run.stderr.contains("code 3"), "{run}");
}

#[test]
fn failing_script_of_the_project_is_an_error() {
    let registry = registry();
    let project = Project::new(&registry).dep("plain", "1").script("prepare", "exit 4").create();
    let stderr = fails(dx(&project, ["install"]), "DX_SCRIPT_FAILED");
    assert!(stderr.contains("prepare") && stderr.contains("code 4"), "{stderr}");
}

#[test]
fn script_changes_its_own_copy_and_not_the_store() {
    let registry = Registry::start();
    let build =
        "node -e \"require('fs').writeFileSync('index.js', 'module.exports = \\'built\\'')\"";
    registry.package("native", "1.0.0").script("install", build).publish();
    let builder = || Project::new(&registry).dep("native", "1");
    let allowing = builder().field("allowScripts", json!({"native": true})).create();
    ok(&allowing, ["install"]);
    assert_eq!(crate::harness::required(&allowing, "native"), "built");
    let other = builder().store(allowing.store()).create();
    ok(&other, ["install"]);
    assert_eq!(crate::harness::required(&other, "native"), "native@1.0.0");
}

#[test]
fn script_finds_commands_of_its_dependencies() {
    let registry = Registry::start();
    let tool = registry.package("tool", "1.0.0").bin("tool", "tool.js");
    let code = "#!/usr/bin/env node\nrequire('fs').appendFileSync(process.env.INIT_CWD + '/ran', 'tool ')\n";
    tool.executable("tool.js", code).publish();
    registry.package("native", "1.0.0").dep("tool", "1").script("install", "tool").publish();
    let project = Project::new(&registry)
        .dep("native", "1")
        .field("allowScripts", json!({"native": true}))
        .script("postinstall", "tool")
        .create();
    ok(&project, ["install"]);
    assert_eq!(ran(&project), "tool tool");
}

#[test]
fn setting_that_allows_all_scripts_is_obeyed() {
    let registry = registry();
    let project = project(&registry)
        .user_npmrc("dangerously-allow-all-scripts=true")
        .field("allowScripts", json!({"other": false}))
        .create();
    ok(&project, ["install"]);
    assert_eq!(
        ran(&project),
        "native:preinstall native:install native:postinstall other:postinstall"
    );
}

#[test]
fn strict_allow_scripts_makes_undecided_scripts_an_error() {
    let registry = registry();
    let project = project(&registry).npmrc("strict-allow-scripts=true").create();
    let stderr = fails(dx(&project, ["install"]), "DX_SCRIPTS_UNDECIDED");
    assert!(stderr.contains("native@1.0.0, other@1.0.0"), "{stderr}");
    assert!(!project.exists("node_modules"));
    project.write(
        "package.json",
        r#"{"dependencies":{"native":"1"},"allowScripts":{"native":false}}"#,
    );
    ok(&project, ["install"]);
}

#[test]
#[cfg_attr(windows, ignore = "the shell of the test is a Unix script")]
fn script_shell_is_the_shell() {
    let registry = registry();
    let project =
        Project::new(&registry).script("postinstall", "whatever").file("shell", "").create();
    let shell = project.path().join("shell");
    project.write("shell", "#!/bin/sh\necho \"$@\" > \"$INIT_CWD/ran\"\n");
    #[cfg(unix)]
    std::fs::set_permissions(&shell, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let line = format!("script-shell={}\n", shell.display());
    std::fs::write(project.home().join(".npmrc"), line).unwrap();
    ok(&project, ["install"]);
    assert_eq!(ran(&project), "-c whatever");
}

#[test]
fn secrets_of_the_environment_are_not_printed_by_dx() {
    let registry = registry();
    let project = Project::new(&registry).script("postinstall", "exit 1").create();
    let run = command(&project).env("SECRET_TOKEN", "s3cret").args(["install", "--verbose"]).run();
    assert!(!format!("{run}").contains("s3cret"), "{run}");
}
