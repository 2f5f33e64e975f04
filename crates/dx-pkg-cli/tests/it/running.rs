//! What `dx run`, `dx exec` and `dx init` do, beside what npm 12.2.2 did in the same folders.
//!
//! `running.json` has small projects with what npm's own commands printed and wrote. Paths of the
//! project are `<root>` in it; of the output it has the lines that begin with `@@`.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use dx_pkg_testkit::Registry;
use serde_json::Value;

/// Returns a program that prints its name and its arguments.
fn say(name: &str, version: &str) -> String {
    format!(
        "#!/bin/sh\nprintf '@@{name}@{version}'\nfor word; do printf ' [%s]' \"$word\"; done\n\
         echo\nexit ${{SAY_EXIT:-0}}\n"
    )
}

/// Publishes the packages that the recorded commands ran.
pub(crate) fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        registry
            .package("tool", version)
            .bin("tool", "tool.sh")
            .bin("tool-extra", "extra.sh")
            .executable("tool.sh", say("tool", version))
            .executable("extra.sh", say("tool-extra", version))
            .publish();
    }
    for (package, version, command) in [
        ("solo-bin", "1.0.0", "solo-bin"),
        ("solo-bin", "1.5.0", "solo-bin"),
        ("@scope/tool", "1.0.0", "tool"),
        ("create-thing", "1.0.0", "create-thing"),
        ("@scope/create-it", "1.0.0", "create-it"),
        ("@scope/create", "1.0.0", "create"),
    ] {
        let package = registry.package(package, version).bin(command, "run.sh");
        package.executable("run.sh", say(command, version)).publish();
    }
    let two = registry.package("twobins", "1.0.0").bin("x1", "a.sh").bin("x2", "a.sh");
    two.bin("x2", "b.sh").executable("a.sh", say("x1", "1.0.0")).publish();
    registry.package("nobin", "1.0.0").publish();
    registry
}

/// Writes the files of a case into `root`.
fn write_files(case: &Value, root: &Path) {
    for (path, text) in case["files"].as_object().unwrap() {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.as_str().unwrap()).unwrap();
    }
    for path in case["executables"].as_array().unwrap() {
        use std::os::unix::fs::PermissionsExt;
        let path = root.join(path.as_str().unwrap());
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn run(words: &[&str], folder: &Path, home: &Path, registry: &Registry) -> Output {
    Command::new(env!("CARGO_BIN_EXE_dx"))
        .args(words)
        .current_dir(folder)
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("DX_PREPARED_TREES", "0")
        .env("npm_config_registry", registry.url())
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn commands_do_what_npms_do() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("running.json")).unwrap();
    let registry = registry();
    let mut different = Vec::new();
    for case in &cases {
        // Each begins with the same files, unless it goes on where the one before it ended.
        let mut folder = tempfile::tempdir().unwrap();
        for (at, recorded) in case["runs"].as_array().unwrap().iter().enumerate() {
            let goes_on = at > 0 && recorded["follows"] == true;
            if !goes_on {
                folder = tempfile::tempdir().unwrap();
            }
            let home = folder.path().join("home");
            let root = folder.path().canonicalize().unwrap().join(case["name"].as_str().unwrap());
            if !goes_on {
                write_files(case, &root);
                std::fs::create_dir(&home).unwrap();
            }
            let words = recorded["arguments"].as_array().unwrap();
            let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap()).collect();
            let at = root.join(recorded["folder"].as_str().unwrap());
            let output = run(&words, &at, &home, &registry);
            let text = String::from_utf8(output.stdout.clone()).unwrap();
            let text = text.replace(root.to_str().unwrap(), "<root>");
            let marks: Vec<&str> = text.lines().filter(|line| line.starts_with("@@")).collect();
            let mut faults = Vec::new();
            // npm's code for a file that is not there.
            let code = recorded["code"].as_i64().map(|code| if code == 254 { 1 } else { code });
            if output.status.code().map(i64::from) != code {
                faults.push(format!("{}", output.status));
            }
            if recorded.get("marks").is_some_and(|expected| *expected != Value::from(marks.clone()))
            {
                faults.push(format!("npm: {}\ndx: {marks:?}", recorded["marks"]));
            }
            let is_same = match &recorded["output"] {
                Value::Null => true,
                Value::String(expected) => *expected == text,
                expected => serde_json::from_str::<Value>(&text).is_ok_and(|it| it == *expected),
            };
            if !is_same {
                faults.push(format!("npm: {}\ndx: {text}", recorded["output"]));
            }
            for (path, expected) in recorded["packages"].as_object().into_iter().flatten() {
                let found = std::fs::read_to_string(root.join(path)).unwrap_or_default();
                if found.trim_end() != expected.as_str().unwrap().trim_end() {
                    faults.push(format!("{path}\nnpm: {expected}\ndx: {found}"));
                }
            }
            if !faults.is_empty() {
                let errors = String::from_utf8_lossy(&output.stderr);
                let name = &case["name"];
                different.push(format!("{name} {words:?}:\n{}\n{errors}", faults.join("\n")));
            }
        }
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
}
