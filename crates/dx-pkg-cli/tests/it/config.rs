//! `dx config` where it does more than npm's, and the commands about dx itself.

use std::fs;

use dx_pkg_testkit::{Project, Registry};
use serde_json::Value;

use crate::harness::{command, dx, fails, ok};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn comments_and_other_lines_of_a_file_stay() {
    let project = Project::offline().create();
    let text = "; why\nsave-exact = true ; always\n\n# last\ntag=next\n[section]\ntag=x\n";
    project.write(".npmrc", text);
    ok(&project, ["config", "set", "tag=beta", "fund=false", "--location=project"]);
    let written = project.read(".npmrc");
    let expected =
        text.replacen("tag=next", "tag=beta", 1).replace("[section]", "fund=false\n[section]");
    assert_eq!(written, expected);
    ok(&project, ["config", "delete", "tag", "save-exact", "fund", "--location=project"]);
    assert_eq!(project.read(".npmrc"), "; why\n\n# last\n[section]\ntag=x\n");
}

#[cfg(unix)]
#[test]
fn the_users_file_is_the_users_alone_and_may_be_a_link() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::offline().create();
    let file = project.home().join(".npmrc");
    let kept = project.home().join("dotfiles-npmrc");
    let before = fs::read_to_string(&file).unwrap_or_default();
    fs::write(&kept, format!("{before}fund=false\n")).unwrap();
    let _ = fs::remove_file(&file);
    std::os::unix::fs::symlink(&kept, &file).unwrap();
    ok(&project, ["set", "tag=beta"]);
    assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
    let text = fs::read_to_string(&kept).unwrap();
    assert!(text.contains("fund=false\n") && text.ends_with("tag=beta\n"), "{text}");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn secrets_and_unknown_settings_are_refused() {
    let project = Project::offline().create();
    project.write(".npmrc", "//r.example/:_authToken=abc\n@s:registry=http://u:pw@r.example/\n");
    for key in ["//r.example/:_authToken", "_auth", "@s:registry"] {
        let error = fails(dx(&project, ["config", "get", key]), "DX_PROTECTED_SETTING");
        assert!(!error.contains("abc") && !error.contains("pw"), "{error}");
    }
    let list = ok(&project, ["config", "list"]).stdout;
    assert!(!list.contains("abc") && !list.contains("pw@"), "{list}");
    let list = ok(&project, ["config", "list", "--json"]).stdout;
    assert!(!list.contains("abc") && !list.contains("pw@"), "{list}");
    let error = fails(dx(&project, ["config", "set", "save-exat=true"]), "DX_UNKNOWN_SETTING");
    assert!(error.contains("save-exact"), "{error}");
    fails(dx(&project, ["config", "set", "tag=x", "--location=here"]), "DX_NO_SETTINGS_FILE");
    fails(dx(&project, ["config", "nonsense"]), "DX_USAGE");
}

#[test]
fn sources_say_where_each_value_came_from() {
    let project = Project::offline().create();
    project.write(".npmrc", "save-exact=true\nscript-shell=/bin/evil\n");
    let run = command(&project)
        .env("npm_config_tag", "beta")
        .args(["config", "list", "--sources", "--fetch-retries=3", "--json"])
        .run()
        .success();
    let all = json(&run.stdout);
    assert_eq!(all["save-exact"]["source"], "project");
    assert_eq!(all["save-exact"]["value"], true);
    assert!(all["save-exact"]["file"].as_str().unwrap().ends_with(".npmrc"));
    assert_eq!(all["tag"]["source"], "env");
    assert_eq!(all["fetch-retries"]["source"], "cli");
    // What a project's file may not set is not used, and named.
    assert!(all.get("script-shell").is_none(), "{all}");
    let text = ok(&project, ["config", "list", "--sources"]);
    assert!(text.stderr.contains("script-shell"), "{text}");
    assert!(text.stdout.contains("save-exact = true ; project "), "{text}");
}

#[test]
fn a_value_that_would_end_every_command_is_not_written() {
    let registry = Registry::start();
    let project = Project::new(&registry).create();
    let before = project.read(".npmrc");
    let set = |word: &str| dx(&project, ["config", "set", "--location=project", word]);
    fails(set("fetch-retries=abc"), "DX_CONFIG_INVALID");
    fails(set("install-strategy=somehow"), "DX_CONFIG_INVALID");
    fails(set("init-version=x"), "DX_CONFIG_INVALID");
    assert_eq!(project.read(".npmrc"), before);
    // What only npm would pass over is written, with a word.
    assert!(set("audit-level=some").success().stderr.contains("passed over"));
    set("fetch-retries=3").success();
    set("save-prefix=${PREFIX}").success();
}

#[test]
fn values_that_are_not_allowed_are_told_of() {
    let project = Project::offline().create();
    project.write(".npmrc", "fetch-retries=many\n");
    let run = ok(&project, ["config", "get", "fetch-retries"]);
    assert!(run.stderr.contains("fetch-retries=\"many\""), "{run}");
    let run = ok(&project, ["config", "set", "depth=deep"]);
    assert!(run.stderr.contains("depth=deep"), "{run}");
}

#[test]
fn error_codes_are_explained() {
    let project = Project::offline().create();
    let text = ok(&project, ["explain", "DX_NO_MATCHING_VERSION", "DX_SEARCH"]).stdout;
    assert!(text.starts_with("DX_NO_MATCHING_VERSION\n\n") && text.contains("\nDX_SEARCH\n\n"));
    let pages = json(&ok(&project, ["explain", "DX_SEARCH", "--json"]).stdout);
    assert_eq!(pages[0]["code"], "DX_SEARCH");
    fails(dx(&project, ["explain", "DX_NO_SUCH_CODE_AT_ALL"]), "DX_UNKNOWN_CODE");
}

#[test]
fn the_help_is_searched() {
    let project = Project::offline().create();
    let text = ok(&project, ["help-search", "peer", "conflict"]).stdout;
    assert!(text.contains("dx peers"), "{text}");
    fails(dx(&project, ["help-search", "zebra-crossing"]), "DX_NOTHING_IN_HELP");
}

#[test]
fn each_shell_has_its_script_and_words() {
    let project = Project::offline().create();
    project.write("package.json", r#"{"scripts": {"dev": "x", "dev:all": "y"}}"#);
    for (shell, part) in [
        ("bash", "complete "),
        ("zsh", "#compdef"),
        ("fish", "complete -c"),
        ("powershell", "Register"),
    ] {
        let script = ok(&project, ["completion", shell]).stdout;
        assert!(script.contains(part), "{script}");
    }
    let words = |shell: &str| ok(&project, ["__complete", shell, "dx run de", " :"]).stdout;
    assert_eq!(words("bash"), "dev\ndev:all\n");
    assert_eq!(words("zsh"), "dev:x\ndev\\:all:y\n");
    assert_eq!(words("fish"), "dev\tx\ndev:all\ty\n");
}

#[test]
fn the_store_answers_to_npms_words() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("a", "2.0.0").publish();
    let project = Project::new(&registry).create();
    let added = json(&ok(&project, ["cache", "add", "a@^1", "--json"]).stdout);
    assert_eq!(added["packages"][0], "a@1.0.0");
    ok(&project, ["install", "a@1.0.0"]);
    let verified = json(&ok(&project, ["cache", "verify", "--json"]).stdout);
    assert_eq!(verified["damaged"], 0);
    fails(dx(&project, ["cache", "add", "nothere"]), "DX_PACKAGE_NOT_FOUND");
    fails(dx(&project, ["cache", "clean"]), "DX_NEEDS_FORCE");
    ok(&project, ["cache", "clean", "--force"]);
    assert_eq!(json(&ok(&project, ["cache", "npx", "ls", "--json"]).stdout), json("[]"));
    fails(dx(&project, ["cache", "npx", "rm", "nothere"]), "DX_NO_SUCH_KEY");
}

#[test]
fn the_doctor_checks_the_registry_and_folders() {
    let registry = Registry::start();
    let project = Project::new(&registry).create();
    let run = dx(&project, ["doctor", "registry", "permissions", "versions", "--json"]);
    let checks = json(&run.stdout);
    let checks = checks.as_array().unwrap();
    assert!(checks.len() >= 4 && checks.iter().all(|check| check["ok"] == true), "{run}");
    let run = dx(
        &project,
        ["doctor", "connection", "--registry=http://127.0.0.1:9/", "--fetch-retries=0"],
    );
    fails(run, "DX_UNHEALTHY");
}

#[test]
fn packages_are_explored_and_edited() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).create();
    ok(&project, ["install", "a"]);
    let run = ok(&project, ["explore", "a", "--", "pwd"]);
    assert!(run.stdout.trim_end().ends_with("node_modules/a"), "{run}");
    let run = command(&project).env("EDITOR", "touch -r").args(["edit", "a"]).run();
    fails(run, "DX_EDITOR");
    ok(&project, ["edit", "a", "--editor", "true"]);
    for name in ["b", "../..", "@s", "a/b"] {
        fails(dx(&project, ["edit", name]), "DX_NOT_INSTALLED");
        fails(dx(&project, ["explore", name]), "DX_NOT_INSTALLED");
    }
}

#[cfg(unix)]
#[test]
fn a_projects_file_names_no_program_to_start() {
    use std::os::unix::fs::PermissionsExt;
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).create();
    let mark = project.path().join("started");
    let program = project.path().join("evil");
    fs::write(&program, format!("#!/bin/sh\ntouch {}\n", mark.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let mut rc = project.read(".npmrc");
    rc.push_str(&format!("\nbrowser={0}\neditor={0}\n", program.display()));
    project.write(".npmrc", &rc);
    let _ = command(&project).env("PATH", "/nowhere").args(["docs", "a"]).run();
    let _ = command(&project).env("EDITOR", "true").args(["config", "edit"]).run();
    assert!(!mark.exists());
}

#[test]
fn changes_at_the_same_time_are_all_kept() {
    let project = Project::offline().create();
    let each = |words: fn(usize) -> Vec<String>| {
        let started = (0..12).map(|at| command(&project).args(words(at)).spawn());
        let started: Vec<_> = started.collect();
        for mut one in started {
            assert!(one.wait().unwrap().success());
        }
    };
    each(|at| vec!["config".into(), "set".into(), format!("//h{at}.example/:_authToken=v")]);
    let text = fs::read_to_string(project.home().join(".npmrc")).unwrap();
    assert_eq!(text.matches(":_authToken=v").count(), 12, "{text}");
    each(|at| vec!["config".into(), "delete".into(), format!("//h{at}.example/:_authToken")]);
    let text = fs::read_to_string(project.home().join(".npmrc")).unwrap_or_default();
    assert_eq!(text.matches(":_authToken=v").count(), 0, "{text}");
    each(|at| vec!["pkg".into(), "set".into(), format!("key{at}=v")]);
    let manifest = project.json("package.json");
    assert!((0..12).all(|at| manifest[format!("key{at}")] == "v"), "{manifest}");
}
