//! `--dry-run`: says what would change, and changes nothing.

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::{command, dx, fails, files, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("one", "1.0.0").publish();
    registry.package("one", "1.1.0").publish();
    registry.package("one", "2.0.0").publish();
    registry.package("two", "1.0.0").dep("one", "^1.0.0").publish();
    registry
}

#[test]
fn nothing_is_written_and_everything_is_said() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("one", "^1.0.0")
        .dev("two", "^1.0.0")
        .script("preinstall", "echo ran > ran")
        .script("postinstall", "echo ran > ran")
        .create();
    ok(&project, ["install", "--ignore-scripts"]);
    project.remove("node_modules/two/package.json");
    let before = files(&project);
    for (arguments, said) in [
        (
            ["add", "one@2", "--dry-run"].as_slice(),
            "+ one 1.1.0 (in node_modules/two)\n~ one 1.1.0 -> 2.0.0\n\
             Dry run: would add 1 package, change 1 package, write package.json and package-lock.json; nothing was written\n",
        ),
        (
            &["remove", "two", "--dry-run"],
            "- two 1.0.0 (dev)\nDry run: would remove 1 package, write package.json and package-lock.json; nothing was written\n",
        ),
        (
            &["remove", "two", "--no-save", "--dry-run"],
            "- two 1.0.0 (dev)\nDry run: would remove 1 package; nothing was written\n",
        ),
        (&["install", "--dry-run"], "Dry run: nothing would change\n"),
        (
            &["install", "--dry-run=true", "--omit=dev"],
            "- two 1.0.0 (dev)\nDry run: would remove 1 package; nothing was written\n",
        ),
        (&["ci", "--dry-run"], "Dry run: nothing would change\n"),
        (
            &["add", "one@2", "--dry-run", "--lockfile-only"],
            "+ one 1.1.0 (in node_modules/two)\n~ one 1.1.0 -> 2.0.0\n\
             Dry run: would add 1 package, change 1 package, write package.json and package-lock.json; nothing was written\n",
        ),
    ] {
        let run = command(&project).args(arguments).run().success();
        assert_eq!(run.stdout, said, "{arguments:?}");
        assert_eq!(files(&project), before, "{arguments:?}");
    }
}

#[test]
fn a_project_without_anything_gets_nothing() {
    let registry = registry();
    let project = Project::new(&registry).dep("two", "^1.0.0").create();
    let before = files(&project);
    let run = ok(&project, ["install", "--dry-run"]);
    assert!(run.stdout.starts_with("+ one 1.1.0\n+ two 1.0.0\nDry run: would add 2"), "{run}");
    assert_eq!(files(&project), before);
    // No tarball is requested either.
    assert!(registry.requests().iter().all(|request| !request.path.ends_with(".tgz")));
    fails(dx(&project, ["ci", "--dry-run"]), "DX_NO_LOCKFILE");
    fails(dx(&project, ["add", "nothing", "--dry-run"]), "DX_PACKAGE_NOT_FOUND");
    fails(dx(&project, ["install", "--frozen-lockfile", "--dry-run"]), "DX_NO_LOCKFILE");
    assert_eq!(files(&project), before);
}

#[test]
fn json_has_the_same_lists() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "^1.0.0").create();
    ok(&project, ["install"]);
    let run = ok(&project, ["add", "one@2", "two", "--dry-run", "--json"]);
    let said: Value = serde_json::from_str(&run.stdout).unwrap();
    let package = |name: &str, version: &str, place: &str| {
        let parts = [name, version, place];
        json!({ "name": parts[0], "version": parts[1], "path": parts[2] })
    };
    assert_eq!(said["dryRun"], true);
    assert_eq!(
        (&said["added"], &said["changed"], &said["removed"]),
        (&2.into(), &1.into(), &0.into())
    );
    assert_eq!(
        said["add"],
        json!([
            package("two", "1.0.0", "node_modules/two"),
            package("one", "1.1.0", "node_modules/two/node_modules/one"),
        ])
    );
    assert_eq!(
        said["change"],
        json!([{
            "from": package("one", "1.1.0", "node_modules/one"),
            "to": package("one", "2.0.0", "node_modules/one"),
        }])
    );
    assert_eq!(said["remove"], json!([]));
    assert_eq!(said["files"], json!(["package.json", "package-lock.json"]));
}

#[test]
fn a_project_that_is_up_to_date_says_so_and_stays_so() {
    let registry = registry();
    let project = Project::new(&registry).dep("one", "^1.0.0").create();
    ok(&project, ["install"]);
    assert_eq!(ok(&project, ["install", "--dry-run"]).stdout, "Dry run: nothing would change\n");
    assert_eq!(ok(&project, ["install"]).stdout, "Already up to date\n");
}
