//! The output: text for people, JSON for programs, and no control characters from outside.

use dx_pkg_testkit::{Fault, Project, Registry, Run};
use serde_json::{Value, json};

use crate::harness::{command, dx, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").script("install", "exit 0").publish();
    registry
}

fn json_of(run: &Run) -> Value {
    assert_eq!(run.stdout.lines().count(), 1, "{run}");
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
}

#[test]
fn json_reports_the_result() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    let run = ok(&project, ["install", "--json"]);
    let summary = json_of(&run);
    assert_eq!(summary["added"], 1);
    assert_eq!(summary["packages"], 1);
    assert_eq!(summary["scriptsSkipped"], json!(["a@1.0.0"]));
    assert_eq!(run.stderr, "");
    let again = json_of(&ok(&project, ["install", "--json"]));
    assert_eq!(
        (&again["added"], &again["removed"], &again["changed"]),
        (&json!(0), &json!(0), &json!(0))
    );
    let removed = json_of(&ok(&project, ["remove", "a", "--json"]));
    assert_eq!((&removed["removed"], &removed["packages"]), (&json!(1), &json!(0)));
}

#[test]
fn json_reports_errors() {
    let registry = registry();
    let project = Project::new(&registry).dep("nowhere", "1").create();
    let run = dx(&project, ["install", "--json"]);
    assert_eq!(run.status, Some(1));
    let error = &json_of(&run)["error"];
    assert_eq!(error["code"], "DX_PACKAGE_NOT_FOUND");
    assert!(error["message"].as_str().unwrap().contains("nowhere"));
    assert!(error["hint"].as_str().is_some());
    // npm's names for the two.
    assert_eq!((&error["summary"], &error["detail"]), (&error["message"], &error["hint"]));
}

#[test]
fn a_reporter_says_how_much_is_printed() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "^1").create();
    let run = ok(&project, ["install", "--reporter=silent"]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "{run}");
    assert!(ok(&project, ["ci", "--reporter", "append-only"]).stdout.contains("Added"));
    assert!(ok(&project, ["ci", "--reporter=default"]).stdout.contains("Added"));
    assert!(ok(&project, ["--reporter", "append-only", "ci"]).stdout.contains("Added"));
    assert_eq!(ok(&project, ["-C", ".", "--reporter", "silent", "ci"]).stdout, "");
    let run = dx(&project, ["install", "--reporter=loud"]);
    assert_eq!(run.status, Some(2), "{run}");
    assert!(run.stderr.contains("append-only"), "{run}");
    // npm's words for much output.
    for flag in ["-dd", "-ddd"] {
        assert!(ok(&project, ["ci", flag]).stdout.contains("requests"), "{flag}");
    }
}

/// On a terminal a progress line is shown, which is never wider than that; what is at its end is
/// not there any more.
#[cfg(unix)]
#[test]
fn progress_is_a_line_of_the_terminal() {
    if !dx_pkg_testkit::require::terminal() {
        return;
    }
    let registry = registry();
    registry.package("slow", "1.0.0").script("install", "sleep 0.6").publish();
    let project = Project::new(&registry)
        .field("allowScripts", json!({ "slow": true }))
        .dep("slow", "^1")
        .create();
    ok(&project, ["install", "--ignore-scripts"]);
    for (flags, is_shown) in [(["ci", "--force"], true), (["ci", "--reporter=append-only"], false)]
    {
        let run = command(&project).args(flags).run_on_terminal((24, 10), &[]);
        let run = run.success();
        let has_line = run.stdout.contains("\u{280b} running");
        assert_eq!(has_line, is_shown, "{flags:?}: {run}");
        let after = run.stdout.rsplit("\u{1b}[J").next().unwrap();
        assert!(!after.contains("running"), "{run}");
        assert!(run.stdout.contains("Added 1 package"), "{run}");
        let frames = run.stdout.split("\u{1b}[J").flat_map(|part| part.rsplit('\r').next());
        let drawn = frames.filter(|frame| frame.contains("running"));
        assert!(drawn.clone().all(|frame| frame.chars().count() < 24), "{run}");
    }
}

#[test]
fn json_reports_the_stores_folder() {
    let project = Project::offline().create();
    let result = json_of(&ok(&project, ["store", "path", "--json"]));
    assert_eq!(result["path"].as_str().unwrap(), project.store().join("v1").to_str().unwrap());
}

#[test]
fn store_path_is_the_folder_of_the_environment() {
    let project = Project::offline().create();
    let printed = ok(&project, ["store", "path"]).stdout;
    assert!(std::path::Path::new(printed.trim()).starts_with(project.store()), "{printed}");
}

#[test]
fn store_verify_finds_and_repairs_damage() {
    let registry = registry();
    let project =
        Project::new(&registry).dep("a", "1").npmrc("package-import-method=copy").create();
    ok(&project, ["install"]);
    ok(&project, ["store", "verify"]);
    let id = crate::harness::unpacked(&project).remove(0);
    let id = dx_pkg_core::PackageId::from_hex(&id).unwrap();
    let store = dx_pkg_store::Store::open(project.store()).unwrap();
    let file = store.file_path(id, "index.js").unwrap();
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "damage").unwrap();
    crate::harness::fails(dx(&project, ["store", "verify"]), "DX_STORE_DAMAGED");
    ok(&project, ["store", "verify", "--fix"]);
    ok(&project, ["store", "verify"]);
    ok(&project, ["ci"]);
    assert_eq!(crate::harness::required(&project, "a"), "a@1.0.0");
}

#[test]
fn silent_prints_nothing_but_errors() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    for arguments in [["install", "--silent"], ["install", "-s"], ["ci", "--silent"]] {
        let run = ok(&project, arguments);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "{arguments:?}");
    }
    let run = dx(&project, ["install", "--silent", "nowhere"]);
    assert!(run.stderr.contains("DX_PACKAGE_NOT_FOUND") && run.stdout.is_empty(), "{run}");
}

#[test]
fn pipes_get_plain_text() {
    let registry = registry();
    registry.package("plugin", "1.0.0").peer("a", "^2").publish();
    registry.package("a", "2.0.0").publish();
    let project = Project::new(&registry).dep("a", "^1").dep("plugin", "1").create();
    for run in [
        ok(&project, ["install"]),
        ok(&project, ["ci", "--verbose"]),
        dx(&project, ["install", "nowhere"]),
        command(&project).env("NO_COLOR", "1").args(["ci"]).run(),
        dx(&project, ["--help"]),
        dx(&project, ["install", "--no-such-flag"]),
    ] {
        assert_plain(&run);
    }
}

#[test]
fn wrong_command_line_exits_with_2() {
    let project = Project::offline().create();
    for arguments in [["install", "--no-such-flag"], ["no-such-command", "x"], ["remove", "--json"]]
    {
        assert_eq!(dx(&project, arguments).status, Some(2), "{arguments:?}");
    }
}

#[test]
fn version_is_printed() {
    let project = Project::offline().create();
    let run = ok(&project, ["--version"]);
    assert_eq!(run.stdout, format!("dx {}\n", env!("CARGO_PKG_VERSION")));
}

/// Checks that the output has no terminal controls but line ends.
#[track_caller]
fn assert_plain(run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        let odd = text
            .chars()
            .find(|c| c.is_control() && *c != '\n' || ('\u{202a}'..='\u{202e}').contains(c));
        assert_eq!(odd, None, "{run:?}");
    }
}

/// Moves the cursor, sets the title, changes the direction of writing, hides in a C1 control.
const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\u{9b}31m\r\u{8}";

#[test]
fn terminal_controls_in_packuments_are_not_passed_on() {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .deprecated(&format!("old {EVIL}"))
        .engines("node", &format!(">=999 {EVIL}"))
        .publish();
    registry.package("peer", "1.0.0").peer("a", &format!("9 || {EVIL}")).publish();
    registry.package("wants", "1.0.0").dep("a", &format!("7.7.7 {EVIL}")).publish();
    registry.package("odd", "1.0.0").dep(&format!("b{EVIL}"), "1").publish();
    registry.package("alias", "1.0.0").dep("x", &format!("npm:{EVIL}@1")).publish();
    registry.package("git", "1.0.0").dep("x", &format!("git+https://127.0.0.1/{EVIL}")).publish();
    registry.package("platform", "1.0.0").os([EVIL]).publish();
    registry.package("bin", "1.0.0").bin(EVIL, EVIL).publish();
    let tags = json!({"latest": "1.0.0", EVIL: "1.0.0"});
    registry.package("tagged", "1.0.0").registry_field("dist-tags", tags).publish();
    for name in ["peer", "wants", "odd", "alias", "git", "platform", "bin", "tagged"] {
        let project = Project::new(&registry).dep(name, "1").dep("a", "1").create();
        assert_plain(&dx(&project, ["install"]));
        assert_plain(&dx(&project, ["install", "--verbose"]));
        assert_plain(&dx(&project, ["install", "--json"]));
    }
}

#[test]
fn terminal_controls_in_responses_are_not_passed_on() {
    let bodies = [
        Fault::Body(EVIL.as_bytes().to_vec()),
        Fault::Body(format!("{{\"name\":\"{EVIL}").into_bytes()),
        Fault::Body(
            json!({"name": EVIL, "versions": {EVIL: {}}, "dist-tags": {}}).to_string().into_bytes(),
        ),
        Fault::Status { code: 400, headers: Vec::new(), body: EVIL.as_bytes().to_vec() },
        Fault::Status {
            code: 403,
            headers: Vec::new(),
            body: json!({"error": EVIL}).to_string().into_bytes(),
        },
    ];
    for fault in bodies {
        let registry = registry();
        registry.fault("/a", fault.clone());
        let project = Project::new(&registry).dep("a", "1").create();
        let run = dx(&project, ["install"]);
        assert_eq!(run.status, Some(1), "{fault:?}: {run}");
        assert_plain(&run);
    }
}

#[test]
fn terminal_controls_in_files_of_the_project_are_not_passed_on() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("a", "1")
        .npmrc(&format!("strict-ssl=x{}", EVIL.replace('\r', "")))
        .create();
    assert_plain(&dx(&project, ["install"]));
    let project = Project::new(&registry).dep(&format!("x{EVIL}"), EVIL).create();
    assert_plain(&dx(&project, ["install"]));
    let lock = json!({"lockfileVersion": 3, "packages": {
        "": {"dependencies": {"a": "1"}},
        "node_modules/a": {"version": EVIL, "integrity": EVIL, "resolved": EVIL},
    }});
    let project =
        Project::new(&registry).dep("a", "1").file("package-lock.json", lock.to_string()).create();
    assert_plain(&dx(&project, ["ci"]));
    assert_plain(&dx(&project, ["install"]));
}

#[test]
fn terminal_controls_that_a_dependencys_script_prints_are_not_passed_on() {
    let registry = Registry::start();
    let script = "node -e \"console.error('\\u001b[2J bad'); process.exit(1)\"";
    registry.package("a", "1.0.0").script("install", script).publish();
    let project =
        Project::new(&registry).dep("a", "1").field("allowScripts", json!({"a": true})).create();
    let run = dx(&project, ["install"]);
    assert!(run.stderr.contains("bad"), "{run}");
    assert_plain(&run);
}

#[test]
fn colours_can_be_forced_and_forbidden() {
    let registry = Registry::start();
    let project = Project::new(&registry).create();
    for (forced, forbidden, is_coloured) in
        [("1", "", true), ("1", "1", true), ("0", "", false), ("false", "", false)]
    {
        let command = command(&project).env("FORCE_COLOR", forced).env("NO_COLOR", forbidden);
        let run = command.args(["run", "nothing"]).run().failure();
        assert_eq!(run.stderr.contains("\u{1b}[31merror:"), is_coloured, "{forced}: {run}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_a_failure_and_a_closed_pipe_is_none() {
    use std::fs::File;
    use std::process::{Command, Stdio};
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    let run = |words: &[&str], output: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dx"));
        command.args(words).current_dir(project.path()).env_clear().env("HOME", project.home());
        command.env("DX_STORE", project.store()).env("npm_config_registry", registry.url());
        command.env("DX_PREPARED_TREES", "0").env("PATH", std::env::var_os("PATH").unwrap());
        command.stdin(Stdio::null()).stdout(output).stderr(Stdio::piped());
        command.spawn().unwrap().wait_with_output().unwrap()
    };
    for words in [
        ["install"].as_slice(),
        &["ls"],
        &["ls", "--json"],
        &["query", "*"],
        &["sbom", "--sbom-format=spdx"],
        &["pack", "--dry-run", "--json"],
        &["view", "a"],
        &["config", "list"],
        &["pkg", "get"],
        &["--version"],
        &["--help"],
        &["completion", "bash"],
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ended = run(words, full.into());
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(1), "{words:?}: {said}");
        assert!(said.contains("No space left") && said.contains("[DX_IO]"), "{words:?}: {said}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = run(words, writer.into());
        assert_eq!(ended.status.code(), Some(0), "{words:?}");
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!said.contains("error:"), "{words:?}: {said}");
    }
}
