//! The output of commands that fail.

use dx_pkg_testkit::{Fault, Project, Registry};
use insta::assert_snapshot;
use serde_json::json;

use super::output;
use crate::harness::{impatient, ok};

/// Returns a registry with `a` in two versions.
fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("a", "1.1.0").publish();
    registry
}

#[test]
fn unknown_package() {
    let registry = registry();
    let project = Project::new(&registry).dep("nowhere", "1").create();
    assert_snapshot!(output(&project, ["install"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: package not found: nowhere (registry [REGISTRY]/), required by project [DX_PACKAGE_NOT_FOUND]
      help: check the name; if the package is private, log in or set //[HOST]/:_authToken in your .npmrc
    ");
}

#[test]
fn version_that_does_not_exist() {
    let registry = registry();
    let project = Project::new(&registry).create();
    assert_snapshot!(output(&project, ["install", "a@^2"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: no version of a matches "^2", required by project; published are 1.1.0 (latest), 1.0.0 [DX_NO_MATCHING_VERSION]
      help: change the requirement, or check that a is published in the configured registry
    "#);
    assert_snapshot!(output(&project, ["install", "a@next"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: no version of a matches "next", required by project; its tags are latest (1.1.0) [DX_NO_MATCHING_VERSION]
      help: change the requirement, or check that a is published in the configured registry
    "#);
}

#[test]
fn missing_lockfile() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    assert_snapshot!(output(&project, ["ci"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: there is no lockfile in [PROJECT] [DX_NO_LOCKFILE]
      help: run dx install once to write it
    ");
}

#[test]
fn outdated_lockfile() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1.0.0").create();
    ok(&project, ["install"]);
    project.write("package.json", r#"{"dependencies":{"a":"1.1.0"}}"#);
    assert_snapshot!(output(&project, ["install", "--frozen-lockfile"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: the lockfile has no a that satisfies "1.1.0", which the project asks for [DX_LOCKFILE_OUT_OF_DATE]
      help: run dx install to bring the lockfile up to date
    "#);
}

#[test]
fn lockfile_of_another_manager() {
    let project = Project::offline().dep("a", "1").file("pnpm-lock.yaml", "").create();
    assert_snapshot!(output(&project, ["install"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: this project is locked by pnpm-lock.yaml, which dx cannot read yet [DX_FOREIGN_LOCKFILE]
      help: to start over with a package-lock.json, move pnpm-lock.yaml away and run the command again
    ");
}

#[test]
fn missing_manifest() {
    let project = Project::offline().create();
    project.remove("package.json");
    assert_snapshot!(output(&project, ["install"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: there is no package.json in [PROJECT] or above [DX_NO_MANIFEST]
      help: run dx in a project's folder, or add a package with dx add, which makes a package.json
    ");
}

#[test]
fn manifest_that_is_not_json() {
    let project = Project::offline().package_json("{\n  \"name\": \"p\",,\n}\n").create();
    assert_snapshot!(output(&project, ["install"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: [PROJECT]/package.json: package.json is not valid JSON at line 2, column 15: key must be a string [DX_MANIFEST_SYNTAX]
      help: correct the text at that place; JSON has no comments and no comma after a last entry
    ");
}

#[test]
fn offline_without_the_package() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    assert_snapshot!(output(&project, ["install", "--offline"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: cannot load a@1, required by project: a is not in the metadata cache, and --offline forbids to fetch it [DX_OFFLINE]
      help: run the command once without --offline
    ");
}

#[test]
fn damaged_tarball() {
    let registry = registry();
    let project = impatient(&registry).dep("a", "1").create();
    ok(&project, ["install", "--lockfile-only"]);
    let lockfile = project.read("package-lock.json");
    let (before, after) = lockfile.split_once("sha512-").unwrap();
    let (_, after) = after.split_once('"').unwrap();
    let wrong = format!("{before}sha512-{}==\"{after}", "A".repeat(86));
    project.write("package-lock.json", wrong);
    assert_snapshot!(without_digest(&output(&project, ["ci"])), @r"
    exit: 1
    --- stdout
    --- stderr
    error: the tarball of a from [REGISTRY]/a/-/a-1.1.0.tgz: integrity check failed: expected sha512-AAAA…, got sha512-[DIGEST] [DX_INTEGRITY_MISMATCH]
      help: the bytes are not those that were published or locked; do not install them before you know why
    ");
}

/// Replaces every digest but the wrong one: tarballs differ between machines.
fn without_digest(text: &str) -> String {
    let mut parts = text.split("sha512-");
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        replaced.push_str(if part.starts_with("AAAA") {
            "sha512-AAAA…"
        } else {
            "sha512-[DIGEST]"
        });
        let is_digest = |char: char| char.is_ascii_alphanumeric() || "+/=".contains(char);
        replaced.push_str(part.trim_start_matches(is_digest));
    }
    replaced
}

#[test]
fn registry_that_fails() {
    let registry = registry();
    let project = impatient(&registry).dep("a", "1").create();
    registry.fault("/a", Fault::status(500)).every(1);
    assert_snapshot!(output(&project, ["install"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: cannot load a@1, required by project: a: could not fetch [REGISTRY]/a in 2 tries: the server answered 500 Internal Server Error [DX_FETCH_STATUS]
      help: the server has a problem of its own; try again later
    "#);
}

#[test]
fn registry_that_wants_a_token() {
    let registry = registry();
    registry.require_token("secret");
    let project = impatient(&registry).dep("a", "1").create();
    assert_snapshot!(output(&project, ["install"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: cannot load a@1, required by project: the registry refuses a (401 Unauthorized) at [REGISTRY]/a: no credentials are configured for it [DX_UNAUTHORIZED]
      help: log in, or set //[HOST]/:_authToken in your .npmrc
    ");
}

#[test]
fn strict_peer_conflict() {
    let registry = registry();
    registry.package("plugin", "1.0.0").peer("a", "1.0.0").publish();
    let project = Project::new(&registry).dep("plugin", "1").dep("a", "1.1.0").create();
    assert_snapshot!(output(&project, ["install", "--strict-peer-deps"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: no published version of plugin (1.0.0 is the newest) accepts a 1.1.0
      package.json:6 asks for a 1.1.0
      package.json:5 asks for plugin 1; 1.0.0, the newest, needs a 1.0.0
      What would help: dx add -E a@1.0.0
      To take the risk: "overrides": { "plugin": { "a": "$a" } } in package.json
      More: docs/peer-conflicts.md [DX_PEER_CONFLICT]
      help: change one of the versions, or install without --strict-peer-deps to go on with a warning
    "#);
}

#[test]
fn undecided_scripts() {
    let registry = registry();
    registry.package("native", "1.0.0").script("install", "exit 0").publish();
    let project =
        Project::new(&registry).dep("native", "1").npmrc("strict-allow-scripts=true").create();
    assert_snapshot!(output(&project, ["install"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: no decision for the install scripts of native@1.0.0, and strict-allow-scripts is set [DX_SCRIPTS_UNDECIDED]
      help: add "allowScripts": { "native": true } to package.json, with false for those that must not run
    "#);
}

#[test]
fn script_that_fails() {
    let registry = registry();
    registry.package("native", "1.0.0").script("install", "node -e \"process.exit(3)\"").publish();
    let project = Project::new(&registry)
        .dep("native", "1")
        .field("allowScripts", json!({"native": true}))
        .create();
    assert_snapshot!(output(&project, ["install"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: the script "install" of native@1.0.0 in node_modules/native ended with code 3: node -e "process.exit(3)" [DX_SCRIPT_FAILED]
      help: correct what the script needs, or install with --ignore-scripts
    "#);
}

#[test]
fn unknown_script() {
    let project = Project::offline().script("build", "node -e 0").create();
    assert_snapshot!(output(&project, ["run", "biuld"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: project@1.0.0 has no script "biuld" [DX_SCRIPT_UNKNOWN]
      help: did you mean "build"? `dx run` lists the scripts
    "#);
}

#[test]
fn source_not_allowed() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "git+ssh://git@example.com/a.git").create();
    assert_snapshot!(output(&project, ["install"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: cannot load a@git+ssh://git@example.com/a.git, required by project: a comes from git+ssh://git@example.com/a.git, which allow-git=none forbids [DX_SOURCE_NOT_ALLOWED]
      help: if you trust it, set allow-git=root (what the project requires itself) or allow-git=all in the .npmrc of your home folder, or as a flag, --allow-git=all
    "#);
}

#[test]
fn other_platform() {
    let registry = registry();
    registry.package("elsewhere", "1.0.0").os(["aix"]).publish();
    let project = Project::new(&registry).dep("elsewhere", "1").create();
    assert_snapshot!(output(&project, ["install"]), @r"
    exit: 1
    --- stdout
    --- stderr
    error: elsewhere@1.0.0 does not run here: it requires os aix (current: [HERE]) [DX_UNSUPPORTED_PLATFORM]
      help: remove the dependency, make it an optional one, or use --force
    ");
}

#[test]
fn missing_folder() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "file:../none").create();
    assert_snapshot!(output(&project, ["install"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: cannot load a@file:../none, required by project: a@"file:../none": there is no folder [TEMPORARY]/none [DX_NO_FOLDER]
      help: correct the path in package.json
    "#);
}

#[test]
fn unusable_overrides() {
    let registry = registry();
    let project =
        Project::new(&registry).dep("a", "1").field("overrides", json!({"a": 1})).create();
    assert_snapshot!(output(&project, ["install"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: package.json: the override "a" is neither text nor an object [DX_BAD_OVERRIDES]
      help: an override is a name with a version, or with an object of overrides that apply below it
    "#);
}

#[test]
fn unusable_setting() {
    let registry = registry();
    let project = Project::new(&registry).npmrc("package-import-method=magic").create();
    assert_snapshot!(output(&project, ["install"]), @r#"
    exit: 1
    --- stdout
    --- stderr
    error: invalid value "magic" for "package-import-method" in [PROJECT]/.npmrc [DX_CONFIG_INVALID]
      help: allowed: auto, hardlink, clone, clone-or-copy or copy
    "#);
}

#[test]
fn wrong_command_line() {
    let project = Project::offline().create();
    assert_snapshot!(output(&project, ["instalk"]), @r#"
    exit: 2
    --- stdout
    --- stderr
    error: unknown command "instalk"

      did you mean `dx install`?

    Usage: dx [OPTIONS] <COMMAND>

    For more information, try '--help'.
    "#);
    assert_snapshot!(output(&project, ["install", "--prodd"]), @r"
    exit: 2
    --- stdout
    --- stderr
    error: unexpected argument '--prodd' found

      tip: a similar argument exists: '--prod'

    Usage: dx install --prod [PACKAGE]...

    For more information, try '--help'.
    ");
    assert_snapshot!(output(&project, ["install", "--omit", "tests"]), @r"
    exit: 2
    --- stdout
    --- stderr
    error: invalid value 'tests' for '--omit <KIND>'
      [possible values: dev, optional, peer]

    For more information, try '--help'.
    ");
    assert_snapshot!(output(&project, ["remove"]), @r"
    exit: 2
    --- stdout
    --- stderr
    error: no package is named [DX_NOTHING_NAMED]
      help: name packages, as in `dx remove NAME`
    ");
}
