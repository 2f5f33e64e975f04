//! `dx install-scripts`, `dx approve-scripts` and `dx deny-scripts`, beside what npm 12.2.2 did.

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::harness::{command, dx, fails, ok};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("one", "1.1.0").publish();
    registry
        .package("nat2", "1.0.0")
        .script("preinstall", "echo p >> b.txt")
        .script("install", "echo i >> b.txt")
        .script("postinstall", "echo o >> b.txt")
        .publish();
    registry.package("nat2", "2.0.0").script("install", "echo i2 >> b.txt").publish();
    registry.package("native", "1.0.0").script("postinstall", "echo n >> b.txt").publish();
    registry.package("@s/nat", "1.0.0").script("postinstall", "echo s >> b.txt").publish();
    registry
}

fn project(registry: &Registry) -> Project {
    let project = Project::new(registry)
        .dep("nat2", "1.0.0")
        .dep("native", "1.0.0")
        .dep("n3", "npm:nat2@2.0.0")
        .dep("local", "file:./local")
        .dep("@s/nat", "1.0.0")
        .dep("one", "^1.0.0")
        .file(
            "local/package.json",
            r#"{ "name": "local", "version": "0.1.0", "scripts": { "install": "echo x" } }"#,
        )
        .create();
    ok(&project, ["install"]);
    project
}

/// A command, what it prints, and `allowScripts` then.
type Step = (&'static str, &'static str, Value);

/// Returns commands that are run one after the other.
fn steps() -> Vec<Step> {
    vec![
        (
            "install-scripts ls",
            "5 packages have install scripts blocked because they are not covered by \
             allowScripts:\n\
             \x20 local@0.1.0 (install: echo x)\n\
             \x20 @s/nat@1.0.0 (postinstall: echo s >> b.txt)\n\
             \x20 nat2@2.0.0 (install: echo i2 >> b.txt)\n\
             \x20 nat2@1.0.0 (preinstall: echo p >> b.txt; install: echo i >> b.txt; \
             postinstall: echo o >> b.txt)\n\
             \x20 native@1.0.0 (postinstall: echo n >> b.txt)\n\n\
             Run `dx install-scripts approve <pkg>` to allow, or `dx install-scripts deny <pkg>` \
             to deny.\n",
            Value::Null,
        ),
        (
            "approve-scripts nat2",
            "Approved nat2:\n  added nat2@2.0.0\n  added nat2@1.0.0\n",
            json!({ "nat2@2.0.0": true, "nat2@1.0.0": true }),
        ),
        (
            "approve-scripts nat2",
            "Nothing to approve; allowScripts unchanged.\n",
            json!({ "nat2@2.0.0": true, "nat2@1.0.0": true }),
        ),
        (
            "approve-scripts nat2@2",
            "Approved nat2:\n  removed-stale nat2@1.0.0\n",
            json!({ "nat2@2.0.0": true }),
        ),
        (
            "install-scripts approve one",
            "Approved one:\n  added one@1.1.0\n",
            json!({ "nat2@2.0.0": true, "one@1.1.0": true }),
        ),
        (
            "approve-scripts native --no-allow-scripts-pin",
            "Approved native:\n  added native\n",
            json!({ "nat2@2.0.0": true, "one@1.1.0": true, "native": true }),
        ),
        (
            "approve-scripts native",
            "Approved native:\n  added native@1.0.0\n  replaced-by-pin native\n",
            json!({ "nat2@2.0.0": true, "one@1.1.0": true, "native@1.0.0": true }),
        ),
        (
            "deny-scripts native",
            "Denied native:\n  removed-pinned-allow native@1.0.0\n  added native\n",
            json!({ "nat2@2.0.0": true, "one@1.1.0": true, "native": false }),
        ),
        (
            "approve-scripts native",
            "Nothing to approve; allowScripts unchanged.\n",
            json!({ "nat2@2.0.0": true, "one@1.1.0": true, "native": false }),
        ),
    ]
}

/// Returns those that follow.
fn later_steps() -> Vec<Step> {
    vec![
        (
            "approve-scripts local",
            "Approved file:../local:\n  added file:../local\n",
            json!({
                "nat2@2.0.0": true, "one@1.1.0": true, "native": false, "file:../local": true
            }),
        ),
        (
            "approve-scripts --all",
            "Approved @s/nat:\n  added @s/nat@1.0.0\n\
             Approved nat2:\n  removed-stale nat2@2.0.0\n  added nat2@1.0.0\n",
            json!({
                "one@1.1.0": true, "native": false, "file:../local": true, "@s/nat@1.0.0": true,
                "nat2@1.0.0": true
            }),
        ),
        (
            "approve-scripts --allow-scripts-pending",
            "1 package has install scripts blocked because they are not covered by allowScripts:\n\
             \x20 nat2@2.0.0 (install: echo i2 >> b.txt)\n\n\
             Run `dx install-scripts approve <pkg>` to allow, or `dx install-scripts deny <pkg>` \
             to deny.\n",
            json!({
                "one@1.1.0": true, "native": false, "file:../local": true, "@s/nat@1.0.0": true,
                "nat2@1.0.0": true
            }),
        ),
        (
            "install-scripts deny nat2 @s/nat",
            "Denied nat2:\n  removed-pinned-allow nat2@1.0.0\n  added nat2\n\
             Denied @s/nat:\n  removed-pinned-allow @s/nat@1.0.0\n  added @s/nat\n",
            json!({
                "one@1.1.0": true, "native": false, "file:../local": true, "nat2": false,
                "@s/nat": false
            }),
        ),
        (
            "install-scripts prune --dry-run",
            "Would remove 1 unused allowScripts entry:\n  one@1.1.0 (no install scripts)\n",
            json!({
                "one@1.1.0": true, "native": false, "file:../local": true, "nat2": false,
                "@s/nat": false
            }),
        ),
        (
            "install-scripts prune",
            "Removed 1 unused allowScripts entry:\n  one@1.1.0 (no install scripts)\n",
            json!({ "native": false, "file:../local": true, "nat2": false, "@s/nat": false }),
        ),
        (
            "install-scripts prune",
            "No unused allowScripts entries.\n",
            json!({ "native": false, "file:../local": true, "nat2": false, "@s/nat": false }),
        ),
        (
            "install-scripts deny --all",
            "No packages with unreviewed install scripts.\n",
            json!({ "native": false, "file:../local": true, "nat2": false, "@s/nat": false }),
        ),
    ]
}

#[test]
fn decisions_are_npms() {
    let registry = registry();
    let project = project(&registry);
    for (words, expected, entries) in steps().into_iter().chain(later_steps()) {
        let run = command(&project).args(words.split(' ')).run().success();
        assert_eq!(run.stdout, expected, "{words}");
        let own = &project.json("package.json")["allowScripts"];
        assert_eq!(own.to_string(), entries.to_string(), "{words}");
    }
    assert!(!project.exists("node_modules/nat2/b.txt"), "nothing is run");
}

#[test]
fn json_is_npms() {
    let registry = registry();
    let project = project(&registry);
    let steps = [
        (
            "install-scripts list --json",
            json!([
                { "name": "local", "changes": [{ "key": "local@0.1.0", "change": "pending" }] },
                { "name": "@s/nat", "changes": [{ "key": "@s/nat@1.0.0", "change": "pending" }] },
                { "name": "nat2", "changes": [
                    { "key": "nat2@2.0.0", "change": "pending" },
                    { "key": "nat2@1.0.0", "change": "pending" }
                ] },
                { "name": "native", "changes": [{ "key": "native@1.0.0", "change": "pending" }] }
            ]),
        ),
        (
            "approve-scripts native --json",
            json!([
                { "name": "native", "changes": [{ "key": "native@1.0.0", "change": "added" }] }
            ]),
        ),
        ("approve-scripts native --json", json!([{ "name": "native", "changes": [] }])),
        ("install-scripts prune --json", json!({ "removed": [], "dryRun": false })),
    ];
    for (words, expected) in steps {
        let run = command(&project).args(words.split(' ')).run().success();
        let printed: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(printed, json!({ "allowScripts": expected }), "{words}");
    }
    ok(&project, ["remove", "native"]);
    let run = ok(&project, ["install-scripts", "prune", "--dry-run", "--json"]);
    let unused = json!({ "key": "native@1.0.0", "value": true, "reason": "not-installed" });
    assert_eq!(
        serde_json::from_str::<Value>(&run.stdout).unwrap(),
        json!({ "allowScripts": { "removed": [unused], "dryRun": true } })
    );
    ok(&project, ["install-scripts", "prune"]);
    assert!(project.json("package.json").get("allowScripts").is_none());
}

#[test]
fn only_what_is_installed_can_be_decided_about() {
    let registry = registry();
    let project = project(&registry);
    let manifest = project.read("package.json");
    let wrong = ["approve-scripts nothere native", "deny-scripts nat2@3", "approve-scripts nat2@0"];
    for words in wrong {
        let run = command(&project).args(words.split(' ')).run();
        let text = fails(run, "DX_NOT_INSTALLED");
        assert!(text.contains("no installed packages match"), "{text}");
    }
    for words in [
        "approve-scripts",
        "deny-scripts",
        "install-scripts",
        "install-scripts foo",
        "install-scripts approve",
        "approve-scripts --all native",
        "approve-scripts --allow-scripts-pending native",
        "deny-scripts --allow-scripts-pending",
        "install-scripts ls native",
        "install-scripts prune native",
    ] {
        let run = command(&project).args(words.split(' ')).run();
        assert_eq!(run.status, Some(2), "{words}: {run}");
    }
    assert_eq!(project.read("package.json"), manifest);
}

#[test]
#[cfg(unix)]
fn what_was_approved_runs_with_rebuild_or_at_once_in_pnpms_words() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["approve-scripts", "native"]);
    assert!(!project.exists("node_modules/native/b.txt"));
    ok(&project, ["rebuild"]);
    assert_eq!(project.read("node_modules/native/b.txt"), "n\n");
    ok(&project, ["approve-builds", "@s/nat", "!nat2"]);
    assert_eq!(project.read("node_modules/@s/nat/b.txt"), "s\n");
    let entries = &project.json("package.json")["allowScripts"];
    let expected = json!({ "native@1.0.0": true, "nat2": false, "@s/nat@1.0.0": true });
    assert_eq!(*entries, expected);
    assert!(ok(&project, ["ignored-builds"]).stdout.contains("local@0.1.0"));
    // Nobody can answer here.
    assert!(ok(&project, ["approve-builds"]).stdout.contains("local@0.1.0"));
    ok(&project, ["install"]);
    assert_eq!(project.read("node_modules/native/b.txt"), "n\n");
}

#[test]
fn settings_decide_about_versions_and_lists_do_not_need_scripts() {
    let registry = registry();
    let project = Project::new(&registry)
        .dep("native", "1.0.0")
        .npmrc("allow-scripts-pin=false")
        .npmrc("ignore-scripts=true")
        .create();
    ok(&project, ["install"]);
    assert!(ok(&project, ["install-scripts", "ls"]).stdout.contains("native@1.0.0"));
    ok(&project, ["approve-scripts", "--all"]);
    assert_eq!(project.json("package.json")["allowScripts"], json!({ "native": true }));
    ok(&project, ["approve-scripts", "native", "--allow-scripts-pin"]);
    assert_eq!(project.json("package.json")["allowScripts"], json!({ "native@1.0.0": true }));
    let project = Project::offline().create();
    let run = ok(&project, ["install-scripts", "ls"]);
    assert_eq!(run.stdout, "No packages with unreviewed install scripts.\n");
    let run = dx(&project, ["install-scripts", "ls", "--json"]);
    let printed: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(printed, json!({ "allowScripts": [] }));
}
