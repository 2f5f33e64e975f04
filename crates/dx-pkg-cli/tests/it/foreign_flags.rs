//! Flags that npm takes and dx has no use for, and flags that nobody has.

use dx_pkg_testkit::{Project, Registry};

use crate::harness::command;

fn project(registry: &Registry) -> Project {
    registry.package("a", "1.0.0").publish();
    Project::new(registry).dep("a", "1").create()
}

#[test]
fn a_flag_of_npm_without_effect_is_told_once_and_passed_over() {
    let registry = Registry::start();
    let project = project(&registry);
    for (arguments, told) in [
        (
            ["install", "--expires", "3", "--expires=4"].as_slice(),
            "--expires has no effect on this",
        ),
        (&["install", "--if-present"], "--if-present has no effect"),
        (&["ls", "--cidr", "x"], "--cidr has no effect"),
        (&["fund", "--omit=dev"], "--omit has no effect"),
        (&["ls", "--registry", "http://registry.example/"], "--registry has no effect"),
        (&["query", "*", "--save-exact"], "--save-exact has no effect"),
    ] {
        let run = command(&project).args(arguments).run().success();
        let flag = told.trim_start_matches('-');
        assert_eq!(run.stderr.matches(flag).count(), 1, "{arguments:?}: {}", run.stderr);
    }
    for arguments in [
        ["install", "--no-color"].as_slice(),
        &["install", "-y"],
        &["install", "--quiet"],
        &["install", "--silent=false"],
        &["install", "--no-json"],
    ] {
        let run = command(&project).args(arguments).run().success();
        assert_eq!(run.stderr, "", "{arguments:?}");
    }
}

#[test]
fn an_unknown_flag_is_an_error_that_names_what_to_write() {
    let registry = Registry::start();
    let project = project(&registry);
    for (flag, advice) in [
        ("--another", ""),
        ("--filter", "--workspace=NAME"),
        ("--recursive", "--workspaces"),
        ("--tilde", "--save-prefix=~"),
        ("-Z", ""),
    ] {
        let run = command(&project).args(["add", "a", flag]).run().failure();
        assert!(run.stderr.contains("unexpected argument"), "{flag}: {}", run.stderr);
        assert!(run.stderr.contains(advice), "{flag}: {}", run.stderr);
    }
    assert!(!project.exists("node_modules"));
}

#[test]
fn commands_of_other_tools_are_told_in_dxs_words() {
    let registry = Registry::start();
    let project = project(&registry);
    for (word, advice) in [
        ("upgrade-interactive", "dx update"),
        ("autoclean", "dx prune"),
        ("updte", "did you mean `dx update`"),
    ] {
        let run = command(&project).args([word]).run().failure();
        assert!(run.stderr.contains(advice), "{word}: {}", run.stderr);
    }
}

#[test]
fn flags_may_stand_in_front_of_the_command() {
    let registry = Registry::start();
    let project = project(&registry);
    command(&project).args(["--package-lock-only", "install"]).run().success();
    assert!(project.exists("package-lock.json") && !project.exists("node_modules"));
    command(&project).args(["--omit", "dev", "--silent", "install"]).run().success();
    assert!(project.exists("node_modules/a"));
}

#[test]
fn a_file_of_settings_is_named_by_a_flag() {
    let registry = Registry::start();
    let project = project(&registry);
    project.write("own.npmrc", "save-exact=true\nregistry=http://127.0.0.1:9/\n");
    let file = project.path().join("own.npmrc");
    let file = file.to_str().unwrap();
    command(&project).args(["install", "--offline", "--userconfig", file]).run().failure();
}

#[test]
fn a_flag_that_limits_what_is_done_is_no_flag_to_pass_over() {
    let registry = Registry::start();
    let project = project(&registry);
    for (arguments, reason) in [
        (["rebuild", "--dry-run"], "unexpected argument"),
        (["unpublish", "--workspaces"], "DX_NO_WORKSPACE"),
    ] {
        let run = command(&project).args(arguments).run().failure();
        assert!(run.stderr.contains(reason), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn all_workspaces_of_a_project_without_any_are_an_error() {
    let registry = Registry::start();
    let project = project(&registry);
    command(&project).args(["install"]).run().success();
    for words in ["ls", "outdated", "fund", "explain a", "query *", "sbom --sbom-format=spdx"] {
        let words: Vec<&str> = words.split(' ').chain(["--workspaces"]).collect();
        let run = command(&project).args(&words).run().failure();
        assert!(run.stderr.contains("[DX_NO_WORKSPACE]"), "{words:?}: {}", run.stderr);
    }
}
