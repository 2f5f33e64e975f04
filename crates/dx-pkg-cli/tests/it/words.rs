//! The command line in npm's words: any setting as a flag, npm's aliases, arguments of scripts.

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{dx, fails, locked_version, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("one", "1.0.0").publish();
    registry.package("one", "1.1.0").publish();
    registry.package("one", "2.0.0").publish();
    registry.dist_tag("one", "latest", "2.0.0");
    registry.dist_tag("one", "old", "1.0.0");
    registry
}

#[test]
fn any_setting_is_a_flag() {
    let registry = registry();
    let cases: [(&[&str], &str); 5] = [
        (&["add", "one", "--save-prefix=~"], "~2.0.0"),
        (&["add", "one", "--save-prefix="], "2.0.0"),
        (&["add", "one", "--tag", "old"], "^1.0.0"),
        (&["add", "one", "--no-package-lock"], "^2.0.0"),
        (&["add", "-S", "one", "--save", "--no-color", "--depth", "3"], "^2.0.0"),
    ];
    for (arguments, saved) in cases {
        let project = Project::new(&registry).create();
        crate::harness::command(&project).args(arguments).run().success();
        assert_eq!(
            project.json("package.json")["dependencies"],
            json!({ "one": saved }),
            "{arguments:?}"
        );
        let has_lockfile = project.path().join("package-lock.json").exists();
        assert_eq!(has_lockfile, !arguments.contains(&"--no-package-lock"), "{arguments:?}");
    }
}

#[test]
fn flags_for_saving_and_output_leave_the_project_up_to_date() {
    let registry = registry();
    let project = Project::new(&registry).create();
    ok(&project, ["add", "one", "--save-prefix=~", "--loglevel=warn"]);
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
}

#[test]
fn a_flag_is_refused_where_its_setting_would_be() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "^1.0.0").create();
    fails(dx(&project, ["install", "--install-strategy=linked"]), "DX_UNSUPPORTED_SETTING");
    fails(dx(&project, ["install", "--maxsockets=many"]), "DX_CONFIG_INVALID");
    let run = dx(&project, ["add", "one", "--cafile"]);
    assert_eq!(run.status, Some(2), "{run}");
    assert!(run.stderr.contains("--cafile needs a value"), "{run}");
    let run = dx(&project, ["install", "--no-such-setting"]);
    assert_eq!(run.status, Some(2), "{run}");
    assert!(!project.path().join("node_modules").exists());
}

#[test]
fn add_without_a_version_stays_within_the_requirement() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "^1.0.0").create();
    ok(&project, ["install"]);
    ok(&project, ["add", "one"]);
    assert_eq!(project.json("package.json")["dependencies"], json!({ "one": "^1.1.0" }));
    assert_eq!(locked_version(&project, "node_modules/one"), "1.1.0");
    ok(&project, ["add", "one@latest"]);
    assert_eq!(project.json("package.json")["dependencies"], json!({ "one": "^2.0.0" }));
}

#[test]
fn remove_takes_names_only() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "^1.0.0").create();
    ok(&project, ["isntall"]);
    let before = project.read("package.json");
    for argument in ["one@1", "./one", "file:one"] {
        fails(dx(&project, ["remove", argument]), "DX_NOT_A_NAME");
        assert_eq!(project.read("package.json"), before, "{argument}");
    }
    ok(&project, ["r", "one"]);
    assert_eq!(project.json("package.json")["dependencies"], json!(null));
}

#[test]
fn add_and_remove_sort_every_section() {
    let registry = registry();
    for name in ["a", "b", "c"] {
        registry.package(name, "1.0.0").publish();
    }
    let manifest = r#"{
  "devDependencies": {
    "c": "1.0.0",
    "a": "1.0.0"
  },
  "dependencies": {
    "one": "^1.0.0"
  }
}
"#;
    let project = Project::new(&registry).file("package.json", manifest).create();
    let sorted = "    \"a\": \"1.0.0\",\n    \"c\": \"1.0.0\"\n";
    ok(&project, ["add", "b"]);
    assert!(project.read("package.json").contains(sorted));
    ok(&project, ["remove", "b"]);
    assert!(project.read("package.json").contains(sorted));
}

#[test]
fn flags_that_dx_does_not_know_go_to_the_script() {
    let project =
        Project::new(&registry()).script("test", "echo got").script("t", "echo got").create();
    for arguments in [
        ["test", "--watch", "--", "x"].as_slice(),
        &["run", "t", "--watch", "--", "x"],
        &["run", "--if-present", "t", "--watch", "--", "x"],
    ] {
        let run = crate::harness::command(&project).args(arguments).run().success();
        assert_eq!(run.stdout.lines().last(), Some("got --watch -- x"), "{arguments:?}");
    }
    let run = ok(&project, ["-C", ".", "run", "t", "--silent", "--", "--watch"]);
    assert_eq!(run.stdout, "got --watch\n");
    // A package may have the name of a command.
    let run = dx(&project, ["remove", "test", "--watch"]);
    assert_eq!(run.status, Some(2), "{run}");
}

/// Returns a project whose scripts print their arguments and what they see of settings.
fn telling() -> Project {
    let tell = "echo got";
    let project = Project::offline().script("test", tell).script("t", tell).script("dev", tell);
    let project = project.script("see", "echo $npm_config_message $npm_config_offline");
    project.file("own.npmrc", "message=from-own\n").create()
}

/// Returns the arguments that the script got.
#[track_caller]
fn got(project: &Project, words: &[&str]) -> String {
    let run = crate::harness::command(project).args(words).run().success();
    let last = run.stdout.lines().last().unwrap_or_default();
    last.strip_prefix("got").unwrap_or_else(|| panic!("{words:?}: {run}")).trim().to_owned()
}

#[test]
fn flags_in_front_of_a_script_are_never_the_scripts() {
    let project = telling();
    for flags in [
        ["--offline"].as_slice(),
        &["--userconfig", "own.npmrc"],
        &["--globalconfig=own.npmrc"],
        &["--legacy-peer-deps"],
        &["--dry-run"],
        &["--timing"],
        &["--scope=@s"],
        &["--otp", "123456"],
        &["--cafile", "x.pem"],
        &["--if-present=false"],
        &["--include-workspace-root=false", "--json=false"],
        &["--no-color", "--depth", "3"],
        &["-dd"],
    ] {
        for named in [["test"].as_slice(), &["run", "t"], &["dev"]] {
            let words = [flags, named, &["--own", "x"]].concat();
            assert_eq!(got(&project, &words), "--own x", "{words:?}");
        }
        let words = [["run"].as_slice(), flags, &["t", "--own", "x"]].concat();
        assert_eq!(got(&project, &words), "--own x", "{words:?}");
    }
    for (words, seen) in [
        (["--userconfig", "own.npmrc", "run", "see"].as_slice(), "from-own"),
        (&["--userconfig=own.npmrc", "see"], "from-own"),
        (&["--offline", "run", "see"], "true"),
    ] {
        let run = crate::harness::command(&project).args(words).run().success();
        assert_eq!(run.stdout.trim(), seen, "{words:?}");
    }
    for words in [["--another", "test"], ["--workspace=nowhere", "test"], ["-Z", "dev"]] {
        let run = dx(&project, words);
        assert!(!run.stdout.contains("got") && run.status != Some(0), "{run}");
    }
    let version = ok(&project, ["--version"]).stdout;
    for flag in ["--version", "-V", "-v"] {
        assert_eq!(ok(&project, [flag, "test"]).stdout, version);
    }
}

#[test]
fn a_switch_of_dx_has_a_value_in_front_of_a_script_and_behind_it() {
    let project = telling();
    for words in [
        ["run", "t", "--if-present=false"].as_slice(),
        &["run", "--if-present=true", "t"],
        &["test", "--json=false", "--include-workspace-root=false", "--silent=true"],
    ] {
        assert_eq!(got(&project, words), "", "{words:?}");
    }
    assert_eq!(got(&project, &["test", "-s", "true"]), "true");
    assert_eq!(got(&project, &["test", "--", "--if-present=false"]), "--if-present=false");
    assert_eq!(ok(&project, ["run", "--if-present=true", "nosuch"]).stdout, "");
    assert_eq!(dx(&project, ["run", "--if-present=false", "nosuch"]).status, Some(1));
}

#[cfg(unix)]
#[test]
fn arguments_that_are_no_text_reach_scripts_and_commands() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let project = Project::offline()
        .script("bytes", "sh show.sh")
        .file("show.sh", "printf %s \"$1\" | od -An -tx1\n")
        .file("node_modules/.bin/octets", "#!/bin/sh\nsh show.sh \"$1\"\n")
        .create();
    allow(&project, "node_modules/.bin/octets");
    let strange = OsStr::from_bytes(b"-'\xff");
    for words in [
        ["run", "bytes", "--"].as_slice(),
        &["run", "bytes"],
        &["bytes"],
        &["exec", "--", "octets"],
        &["exec", "octets"],
        &["octets"],
    ] {
        let words = words.iter().map(OsStr::new).chain([strange]);
        let run = crate::harness::command(&project).args(words).run().success();
        assert_eq!(run.stdout.trim(), "2d 27 ff", "{run}");
    }
}

#[test]
fn behind_a_command_of_a_package_the_flags_of_the_help_are_dxs() {
    let project = Project::offline()
        .file("package.json", r#"{ "name": "top", "workspaces": ["packages/*"] }"#)
        .file("packages/x/package.json", r#"{ "name": "x", "version": "1.0.0" }"#)
        .file("packages/y/package.json", r#"{ "name": "y", "version": "1.0.0" }"#)
        .file("node_modules/.bin/here", "#!/bin/sh\necho \"${PWD##*/} $*\"\n")
        .create();
    allow(&project, "node_modules/.bin/here");
    let root = project.path();
    let root = root.file_name().unwrap().to_str().unwrap();
    for (flags, places) in [
        (["-w", "x"].as_slice(), ["x"].as_slice()),
        (&["--workspace=x"], &["x"]),
        (&["--workspace", "y"], &["y"]),
        (&["--workspaces"], &["x", "y"]),
        (&["--ws"], &["x", "y"]),
        (&["--ws", "--iwr"], &[root, "x", "y"]),
        (&["--workspaces", "--include-workspace-root"], &[root, "x", "y"]),
        (&["--no-workspaces"], &[root]),
        (&["--registry=http://127.0.0.1:9/"], &[root]),
        (&["--registry", "http://127.0.0.1:9/"], &[root]),
        (&["--offline"], &[root]),
        (&["--prefer-offline"], &[root]),
        (&["--prefer-online"], &[root]),
        (&["--force"], &[root]),
        (&["--yes"], &[root]),
        (&["-y"], &[root]),
        (&["--no"], &[root]),
    ] {
        for words in [
            [["exec", "here", "a"].as_slice(), flags, &["b", "-x", "--ws"]].concat(),
            [["exec"].as_slice(), flags, &["here", "a", "b", "-x", "--ws"]].concat(),
            [flags, &["exec", "here", "a", "b", "--", "-x", "--ws"]].concat(),
        ] {
            let run = crate::harness::command(&project).args(&words).run().success();
            let lines = places.iter().map(|place| format!("{place} a b -x --ws\n"));
            assert_eq!(run.stdout, lines.collect::<String>(), "{words:?}");
        }
    }
    for flag in ["-f", "-c", "-p", "-ws", "--json", "--color", "--cafile=x", "--omit=dev", "--help"]
    {
        let run = crate::harness::command(&project).args(["exec", "here", flag]).run().success();
        assert_eq!(run.stdout, format!("{root} {flag}\n"));
    }
    let run = ok(&project, ["exec", "--ws", "--if-present", "-c", "echo $npm_package_name"]);
    assert_eq!(run.stdout.lines().count(), 2, "{run}");
}

#[cfg(unix)]
fn allow(project: &Project, path: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = project.path().join(path);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
