//! The output of commands that succeed, with their warnings.

use dx_pkg_testkit::{Project, Registry};
use insta::assert_snapshot;

use super::output;
use crate::harness::ok;

/// Returns a registry with `a`, which needs `b`, and with `c`.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").dep("b", "^1").publish();
    registry.package("b", "1.2.0").publish();
    registry.package("c", "2.0.0").publish();
    registry.package("c", "2.1.0").publish();
    registry
}

#[test]
fn first_install_and_one_with_nothing_to_do() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    assert_snapshot!(output(&project, ["install"]), @r"
    exit: 0
    --- stdout
    + a 1.0.0
    Added 2 packages (2 in total) in [TIME]
    --- stderr
    ");
    assert_snapshot!(output(&project, ["install"]), @r"
    exit: 0
    --- stdout
    Already up to date
    --- stderr
    ");
}

#[test]
fn adding_and_removing() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    assert_snapshot!(output(&project, ["install", "c"]), @r"
    exit: 0
    --- stdout
    + c 2.1.0
    Added 1 package (3 in total) in [TIME]
    --- stderr
    ");
    assert_snapshot!(output(&project, ["install", "--save-dev", "--save-exact", "c@2.0.0"]), @r"
    exit: 0
    --- stdout
    ~ c 2.1.0 -> 2.0.0 (dev)
    Changed 1 package (3 in total) in [TIME]
    --- stderr
    ");
    assert_snapshot!(output(&project, ["remove", "a"]), @r"
    exit: 0
    --- stdout
    - a 1.0.0
    Removed 2 packages (1 in total) in [TIME]
    --- stderr
    ");
}

#[test]
fn install_from_the_lockfile() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    assert_snapshot!(output(&project, ["install", "--lockfile-only"]), @r"
    exit: 0
    --- stdout
    + a 1.0.0
    Lockfile written: 2 packages in [TIME]
    --- stderr
    ");
    assert_snapshot!(output(&project, ["ci"]), @r"
    exit: 0
    --- stdout
    + a 1.0.0
    Added 2 packages (2 in total) in [TIME]
    --- stderr
    ");
    assert_snapshot!(output(&project, ["ci", "--silent"]), @r"
    exit: 0
    --- stdout
    --- stderr
    ");
}

#[test]
fn project_without_dependencies() {
    let project = Project::offline().create();
    assert_snapshot!(output(&project, ["install"]), @r"
    exit: 0
    --- stdout
    Already up to date: 0 packages in [TIME]
    --- stderr
    ");
}

#[test]
fn skipped_scripts() {
    let registry = registry();
    registry.package("native", "1.0.0").script("install", "exit 0").publish();
    registry.package("other", "1.0.0").script("postinstall", "exit 0").publish();
    let project = Project::new(&registry).dep("native", "1").dep("other", "1").create();
    assert_snapshot!(output(&project, ["install"]), @r#"
    exit: 0
    --- stdout
    + native 1.0.0
    + other 1.0.0
    Added 2 packages (2 in total) in [TIME]
    --- stderr
    warning: install scripts not run: native@1.0.0, other@1.0.0; to run them, add "allowScripts": { "native": true, "other": true } to package.json
    "#);
}

#[test]
fn peer_conflict() {
    let registry = registry();
    registry.package("plugin", "1.0.0").peer("c", "2.0.0").publish();
    let project = Project::new(&registry).dep("plugin", "1").dep("c", "2.1.0").create();
    assert_snapshot!(output(&project, ["install"]), @r#"
    exit: 0
    --- stdout
    + c 2.1.0
    + plugin 1.0.0
    Added 2 packages (2 in total) in [TIME], with 1 peer requirement not met (see above)
    --- stderr
    warning: no published version of plugin (1.0.0 is the newest) accepts c 2.1.0
      package.json:6 asks for c 2.1.0
      package.json:5 asks for plugin 1; 1.0.0, the newest, needs c 2.0.0
      What would help: dx add -E c@2.0.0
      To take the risk: "overrides": { "plugin": { "c": "$c" } } in package.json
      Installed as npm --force would; npm ci refuses this lockfile. More: docs/peer-conflicts.md
    "#);
}

#[test]
fn optional_dependency_that_is_not_there() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").optional("gone", "1").create();
    assert_snapshot!(output(&project, ["install"]), @r"
    exit: 0
    --- stdout
    + a 1.0.0
    Added 2 packages (2 in total) in [TIME]
    --- stderr
    warning: optional: package not found: gone (registry [REGISTRY]/), required by project
    ");
}

#[test]
fn deprecated_package_and_unfit_engine() {
    let registry = registry();
    registry.package("old", "1.0.0").deprecated("use new instead").publish();
    registry.package("picky", "1.0.0").engines("node", ">=999").publish();
    let project = Project::new(&registry).dep("old", "1").dep("picky", "1").create();
    assert_snapshot!(output(&project, ["install"]), @r"
    exit: 0
    --- stdout
    + old 1.0.0
    + picky 1.0.0
    Added 2 packages (2 in total) in [TIME]
    --- stderr
    warning: picky@1.0.0 requires Node >=999 (current: [HERE])
    warning: deprecated old@1.0.0: use new instead
    ");
}

#[test]
fn scripts_of_the_project() {
    let project = Project::offline()
        .script("build", "node -e 0")
        .script("greet", "node -e \"console.log('hello')\"")
        .create();
    assert_snapshot!(output(&project, ["run"]), @r#"
    exit: 0
    --- stdout
    Scripts available in project@1.0.0 via `dx run`:
      build
        node -e 0
      greet
        node -e "console.log('hello')"
    --- stderr
    "#);
    assert_snapshot!(output(&project, ["run", "greet"]), @r#"
    exit: 0
    --- stdout
    hello
    --- stderr
    > project@1.0.0 greet
    > node -e "console.log('hello')"
    "#);
    assert_snapshot!(output(&project, ["run", "none", "--if-present"]), @r"
    exit: 0
    --- stdout
    --- stderr
    ");
}

#[test]
fn store_commands() {
    let project = Project::offline().create();
    assert_snapshot!(output(&project, ["store", "verify"]), @r"
    exit: 0
    --- stdout
    Checked 0 packages, 0 damaged
    --- stderr
    ");
    assert_snapshot!(output(&project, ["store", "prune"]), @r"
    exit: 0
    --- stdout
    Removed 0 prepared trees, 0 packages and 0 documents: 0 B
    --- stderr
    ");
    assert_snapshot!(output(&project, ["store", "maintain"]), @r"
    exit: 0
    --- stdout
    Prepared 0 trees, deleted 0 old ones
    --- stderr
    ");
}
