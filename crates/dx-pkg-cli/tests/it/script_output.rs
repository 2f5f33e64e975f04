//! The output of install scripts: whole lines of the one that failed, nothing of the others.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry, Run};
use serde_json::json;

use crate::harness::{command, dx, fails, ok};

/// Prints on both outputs, with an indent, a tab, a colour and a progress bar, and fails.
const FAILS: &str = "printf 'one\\n  two\\n'; printf '\\tthree \\033[31mred\\033[0m\\n' >&2; \
                     printf '10%%\\r100%%\\nlast\\n'; exit 3";
const SHOWN: &str = "one\n  two\n\tthree red\n100%\nlast\n";

fn project(registry: &Registry) -> ProjectBuilder {
    Project::new(registry)
        .dep("well", "1")
        .dep("native", "1")
        .field("allowScripts", json!({"native": true, "well": true}))
}

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("native", "1.0.0").script("postinstall", FAILS).publish();
    registry.package("well", "1.0.0").script("install", "echo all is well").publish();
    registry
}

#[test]
fn output_of_a_failed_script_keeps_its_lines_and_no_other_is_shown() {
    let registry = registry();
    let run = dx(&project(&registry).create(), ["install"]);
    assert_eq!(run.stdout, "");
    let stderr = fails(run, "DX_SCRIPT_FAILED");
    let error = "error: the script \"postinstall\" of native@1.0.0 in node_modules/native ended with code 3: printf";
    assert!(stderr.starts_with(&format!("{SHOWN}{error}")), "{stderr}");
    assert!(!stderr.contains("well") && !stderr.contains('\u{1b}'), "{stderr}");
}

#[test]
fn json_has_the_output_beside_the_message() {
    let registry = registry();
    let run = dx(&project(&registry).create(), ["install", "--json"]);
    let error = &serde_json::from_str::<serde_json::Value>(&run.stdout).unwrap()["error"];
    assert_eq!(error["output"], SHOWN.trim_end());
    assert!(!error["message"].as_str().unwrap().contains("three red"), "{run}");
    assert_eq!(run.stderr, "");
    let missing = dx(&Project::new(&registry).dep("no-such", "1").create(), ["install", "--json"]);
    let error = &serde_json::from_str::<serde_json::Value>(&missing.stdout).unwrap()["error"];
    assert_eq!(error["output"], serde_json::Value::Null, "{missing}");
}

#[test]
fn foreground_scripts_write_to_the_terminal_themselves() {
    let registry = registry();
    let ways: [fn(&Project) -> Run; 3] = [
        |project| dx(project, ["install", "--foreground-scripts"]),
        |project| {
            command(project).env("npm_config_foreground_scripts", "true").args(["install"]).run()
        },
        |project| {
            project
                .write(".npmrc", format!("{}\nforeground-scripts=true\n", project.read(".npmrc")));
            dx(project, ["install"])
        },
    ];
    for way in ways {
        let run = way(&project(&registry).create());
        assert_eq!(run.stdout, "all is well\none\n  two\n10%\r100%\nlast\n", "{run}");
        let shown =
            "> well@1.0.0 install\n> echo all is well\n> native@1.0.0 postinstall\n> printf";
        assert!(run.stderr.starts_with(shown), "{run}");
        assert!(run.stderr.contains("\tthree \u{1b}[31mred"), "as it was written: {run}");
        assert_eq!(run.stderr.matches("three \u{1b}").count(), 1, "{run}");
        assert!(!run.stderr.contains("three red"), "it is not shown twice: {run}");
    }
    for quiet in ["--json", "--silent"] {
        let run = dx(&project(&registry).create(), ["install", "--foreground-scripts", quiet]);
        assert!(!run.stdout.contains("all is well"), "{run}");
    }
}

#[test]
fn optional_package_that_fails_is_one_warning_without_its_output() {
    let registry = registry();
    let project = Project::new(&registry)
        .optional("native", "1")
        .field("allowScripts", json!({"native": true}))
        .create();
    let run = ok(&project, ["install"]);
    let (warning, rest) = run.stderr.split_once('\n').unwrap();
    assert!(warning.contains("native@1.0.0") && warning.ends_with("it is left out"), "{run}");
    assert_eq!(rest, "", "{run}");
}

#[test]
fn own_script_is_named_before_it_writes() {
    let registry = Registry::start();
    let project = Project::new(&registry).script("prepare", "echo preparing").create();
    let run = ok(&project, ["install"]);
    assert!(run.stdout.starts_with("preparing\n"), "{run}");
    assert!(run.stderr.contains("> project@1.0.0 prepare\n> echo preparing\n"), "{run}");
    let run = ok(&project, ["install", "--force", "--silent"]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}
