//! Commands as newcomers type them: help, versions, scripts by their names, typos, other managers'
//! flags.

use dx_pkg_testkit::{Project, Registry, Run};
use serde_json::json;

use crate::harness::{command, dx, locked_version, ok};

#[track_caller]
fn refused(run: Run, says: &[&str]) {
    assert_eq!(run.status, Some(2), "{run}");
    for part in says {
        assert!(run.stderr.contains(part), "{part:?} is missing: {run}");
    }
}

#[test]
fn versions_and_help_are_where_they_are_looked_for() {
    let project = Project::offline().create();
    let version = ok(&project, ["--version"]).stdout;
    assert_eq!(ok(&project, ["-v"]).stdout, version);
    assert_eq!(ok(&project, ["help"]).stdout, ok(&project, ["--help"]).stdout);
    assert_eq!(ok(&project, ["help", "add"]).stdout, ok(&project, ["install", "--help"]).stdout);
    let inner = ok(&project, ["store", "prune", "--help"]).stdout;
    assert_eq!(ok(&project, ["help", "store", "prune"]).stdout, inner);
    refused(dx(&project, ["help", "instlal"]), &["unknown command \"instlal\"", "`dx install`"]);
}

#[test]
fn a_script_runs_by_its_name_and_a_command_wins() {
    let project = Project::offline()
        .script("dev", "echo dev")
        .script("store", "echo script")
        .file("inner/deep/x", "")
        .create();
    for (arguments, said) in [
        (["dev"].as_slice(), "dev\n"),
        (&["dev", "--watch", "a"], "dev --watch a\n"),
        (&["dev", "--", "--json"], "dev --json\n"),
        (&["-C", "inner/deep", "dev"], "dev\n"),
        (&["--cwd=inner", "dev"], "dev\n"),
    ] {
        let run = command(&project).args(arguments).run().success();
        assert_eq!(run.stdout, said, "{arguments:?}");
    }
    assert!(!dx(&project, ["store"]).stdout.contains("script"));
    assert_eq!(ok(&project, ["run", "store"]).stdout, "script\n");
}

#[test]
fn a_mistyped_word_is_compared_with_commands_and_scripts() {
    let project = Project::offline().script("typecheck", "echo").create();
    refused(dx(&project, ["typechek"]), &["unknown command \"typechek\"", "`dx typecheck`"]);
    refused(dx(&project, ["remvoe", "a"]), &["`dx remove`"]);
    refused(dx(&project, ["uninstal", "a"]), &["`dx uninstall`"]);
    let run = dx(&project, ["ix"]);
    refused(run.clone(), &["dx --help"]);
    assert!(!run.stderr.contains("did you mean"), "no alias of a letter is suggested: {run}");
}

#[test]
fn install_test_runs_the_test_after_the_install() {
    let registry = Registry::start();
    registry.package("one", "1.0.0").publish();
    let project = Project::new(&registry).script("test", "echo tested").create();
    for name in ["install-test", "it"] {
        let run = ok(&project, [name, "one"]);
        assert!(run.stdout.ends_with("tested\n"), "{run}");
        assert_eq!(locked_version(&project, "node_modules/one"), "1.0.0");
    }
    for name in ["install-ci-test", "cit", "sit", "clean-install-test"] {
        project.remove("node_modules/one");
        let run = ok(&project, [name]);
        assert!(run.stdout.ends_with("tested\n"), "{run}");
        assert!(project.exists("node_modules/one"));
    }
    assert!(!ok(&project, ["it", "--dry-run"]).stdout.contains("tested"));
    let failing =
        Project::new(&registry).dep("nothing", "1").script("test", "echo tested").create();
    let run = dx(&failing, ["it"]);
    assert!(run.status == Some(1) && !run.stdout.contains("tested"), "{run}");
    let failing = Project::new(&registry).script("test", "exit 7").create();
    assert_eq!(dx(&failing, ["it"]).status, Some(7));
}

#[test]
fn flags_of_other_managers_work_or_say_what_to_write() {
    let registry = Registry::start();
    registry.package("one", "1.2.0").publish();
    let project = Project::new(&registry).create();
    ok(&project, ["add", "one", "--exact"]);
    assert_eq!(project.json("package.json")["dependencies"], json!({ "one": "1.2.0" }));
    ok(&project, ["install", "--frozen-lockfile", "--no-frozen-lockfile"]);
    let before = project.read("package.json");
    refused(dx(&project, ["add", "one", "-d"]), &["--save-dev", "--verbose"]);
    refused(dx(&project, ["install", "-p"]), &["--prod"]);
    refused(dx(&project, ["add", "--dev", "one"]), &["--save-dev", "--include=dev"]);
    refused(dx(&project, ["add", "--optional", "one"]), &["--save-optional"]);
    refused(dx(&project, ["install", "--shamefully-hoist"]), &["dx hoists as npm does"]);
    assert_eq!(ok(&project, ["install", "--reporter=silent"]).stdout, "");
    let run = dx(&project, ["install", "--what"]);
    refused(run.clone(), &["--what"]);
    assert!(!run.stderr.contains("as a value"), "{run}");
    assert_eq!(project.read("package.json"), before);
}
