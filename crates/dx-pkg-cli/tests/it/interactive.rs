//! `dx update --interactive`: a list on a terminal, and the packages that somebody chooses in it.

use dx_pkg_testkit::{Project, Registry, terminal};
use serde_json::json;

use crate::harness::{command, dx, fails, locked_version, ok};

const SIZE: (u16, u16) = (80, 24);
/// Part of the last line of the list: then it is there.
const SHOWN: &str = "  enter ";

/// A project with old versions of `a` (1.1.0 and 2.0.0 exist), `b` (1.0.5) and `c` (2.0.0).
fn outdated(registry: &Registry) -> Project {
    for version in ["1.0.0", "1.1.0", "2.0.0"] {
        registry.package("a", version).publish();
    }
    registry.package("b", "1.0.0").publish();
    registry.package("c", "1.0.0").publish();
    let project =
        Project::new(registry).dep("a", "1.0.0").dep("b", "^1.0.0").dev("c", "~1.0.0").create();
    ok(&project, ["install"]);
    registry.package("b", "1.0.5").publish();
    registry.package("c", "2.0.0").publish();
    let text = project.read("package.json");
    project.write("package.json", text.replace("\"a\": \"1.0.0\"", "\"a\": \"^1.0.0\""));
    project
}

fn versions(project: &Project) -> [String; 3] {
    ["a", "b", "c"].map(|name| locked_version(project, &format!("node_modules/{name}")))
}

#[test]
fn what_is_chosen_is_updated_and_nothing_else() {
    if !terminal() {
        return;
    }
    let (within, raised) = (["^1.0.0", "~1.0.0"], ["^2.0.0", "~2.0.0"]);
    for (keys, expected, [a, c]) in [
        (" \r", ["1.1.0", "1.0.0", "1.0.0"], within),
        ("\x1b[B \r", ["1.0.0", "1.0.5", "1.0.0"], within),
        ("jj \r", ["1.0.0", "1.0.0", "2.0.0"], [within[0], raised[1]]),
        ("lj \r", ["2.0.0", "1.0.5", "1.0.0"], [raised[0], within[1]]),
        ("a\r", ["1.1.0", "1.0.5", "2.0.0"], [within[0], raised[1]]),
    ] {
        let registry = Registry::start();
        let project = outdated(&registry);
        let command = command(&project).args(["update", "-i", "--prefer-online"]);
        let run = command.run_on_terminal(SIZE, &[(SHOWN, keys)]).success();
        assert_eq!(versions(&project), expected, "{keys:?}: {run}");
        let manifest = project.json("package.json");
        let found = json!([manifest["dependencies"]["a"], manifest["devDependencies"]["c"]]);
        assert_eq!(found, json!([a, c]), "{keys:?}");
        assert_eq!(manifest["dependencies"]["b"], "^1.0.0");
    }
}

#[test]
fn names_and_patterns_choose_what_is_listed() {
    if !terminal() {
        return;
    }
    let registry = Registry::start();
    let project = outdated(&registry);
    let command = command(&project).args(["update", "-i", "--prefer-online", "-L", "!b", "a"]);
    let run = command.run_on_terminal((60, 10), &[(SHOWN, "a\r")]).success();
    assert!(run.stdout.contains("0 of 1 chosen"), "{run}");
    assert_eq!(versions(&project), ["2.0.0", "1.0.0", "1.0.0"]);
}

#[test]
fn leaving_changes_nothing_and_restores_the_terminal() {
    if !terminal() {
        return;
    }
    let registry = Registry::start();
    let project = outdated(&registry);
    let before = project.read("package-lock.json");
    for (keys, status) in [("aq", 0), ("a\x1b", 0), ("\r", 0), (" \x03", 130)] {
        let command = command(&project).args(["update", "-i", "--prefer-online"]);
        let run = command.run_on_terminal(SIZE, &[(SHOWN, keys)]);
        assert_eq!(run.status, Some(status), "{keys:?}: {run}");
        assert!(run.stdout.contains("\x1b[?25h\x1b[?1049l"), "no cursor, no screen: {run}");
        assert_eq!(project.read("package-lock.json"), before, "{keys:?}");
    }
}

#[test]
fn where_nobody_can_choose_it_is_an_error() {
    let registry = Registry::start();
    let project = outdated(&registry);
    for (arguments, reason) in [
        (["update", "-i", "a"], "there is no terminal"),
        (["update", "-i", "--json"], "--json is given"),
        (["update", "-i", "-g"], "globally installed packages"),
    ] {
        let run = dx(&project, arguments);
        let text = format!("{}{}", run.stdout, run.stderr);
        assert!(text.contains(reason) && text.contains("DX_NOT_INTERACTIVE"), "{text}");
        assert_eq!(run.status, Some(1));
    }
    fails(dx(&project, ["up", "--interactive"]), "DX_NOT_INTERACTIVE");
}

#[test]
fn nothing_is_asked_where_everything_is_new() {
    if !terminal() {
        return;
    }
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let project = Project::new(&registry).dep("a", "^1.0.0").create();
    ok(&project, ["install"]);
    let run = command(&project).args(["update", "-i"]).run_on_terminal(SIZE, &[]).success();
    assert!(run.stdout.contains("No direct dependency has a newer version"), "{run}");
}
