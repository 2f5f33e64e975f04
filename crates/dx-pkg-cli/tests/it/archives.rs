//! `dx store export` and `import`: what a lockfile needs, in one file, for another machine's store.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use dx_pkg_testkit::{Command, Project, Registry, Run};
use serde_json::Value;

use crate::harness::{command, dx, fails, files, incompressible, maintain, ok, required};

fn registry() -> Registry {
    let here = std::env::consts::OS.replace("macos", "darwin").replace("windows", "win32");
    let there = if here == "linux" { "darwin" } else { "linux" };
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .dep("b", "1")
        .optional("here", "1")
        .optional("there", "1")
        .bin("ay", "./cli.js")
        .file("cli.js", "#!/usr/bin/env node\nconsole.log('ay')")
        .file("lib/large.bin", incompressible())
        .file("index.js", "module.exports = 'a with ' + require('b')")
        .publish();
    registry.package("b", "1.0.0").file("index.js", "module.exports = 'b1'").publish();
    registry.package("b", "2.0.0").file("index.js", "module.exports = 'b2'").publish();
    registry.package("c", "1.0.0").dep("b", "2").file("binding.gyp", "{}").publish();
    registry.package("here", "1.0.0").os([&here]).publish();
    registry.package("there", "1.0.0").os([there]).dep("only-there", "1").publish();
    registry.package("only-there", "1.0.0").publish();
    registry.package("outer", "1.0.0").bundle("inner", "3.0.0").dep("inner", "3").publish();
    registry.package("tool", "1.0.0").publish();
    registry
}

fn project(registry: &Registry) -> Project {
    let project = Project::new(registry).dep("a", "1").dep("c", "1").dep("outer", "1");
    project.dep("alias", "npm:b@2").dev("tool", "1").create()
}

/// The packages of [`project`] that are installed here: the bundled one is in its dependent.
const PACKAGES: usize = 7;

/// Returns a project with the same files and another store, as on another machine.
fn elsewhere(project: &Project, registry: &Registry) -> Project {
    let other = Project::new(registry).create();
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        other.write(name, project.read(name));
    }
    other
}

fn tree(project: &Project) -> BTreeMap<String, Vec<u8>> {
    let mut files = files(project);
    // They name the project's own folder, or the time.
    files.retain(|path, _| !path.starts_with("node_modules/.dx/") && !path.ends_with(".dxa"));
    files
}

fn json(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run}"))
}

fn exported(project: &Project) -> Value {
    json(&ok(project, ["store", "export", "packages.dxa", "--json"]))
}

/// Imports the archive of another project; returns its path.
fn imported(from: &Project, into: &Project) -> (PathBuf, Value) {
    let path = from.path().join("packages.dxa");
    let run = command(into).args(["store", "import"]).args([&path]).args(["--json"]);
    (path, json(&run.run().success()))
}

fn temporary(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(".dx-tmp-")).count()
}

fn in_ci(project: &Project) -> Command {
    command(project).env("CI", "true").env("DX_PREPARED_TREES", "")
}

#[test]
fn what_was_imported_is_installed_without_a_network() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    let told = exported(&project);
    assert_eq!((&told["packages"], &told["leftOut"]), (&PACKAGES.into(), &Value::Array(vec![])));
    assert_eq!(told["bytes"], fs::metadata(project.path().join("packages.dxa")).unwrap().len());
    let other = elsewhere(&project, &registry);
    registry.stop();
    let (_, told) = imported(&project, &other);
    assert_eq!((&told["packages"], &told["present"]), (&PACKAGES.into(), &0.into()));
    let run = ok(&other, ["ci", "--offline"]);
    assert!(run.stderr.contains("c@1.0.0"), "its install script is known: {run}");
    assert_eq!(tree(&other), tree(&project));
    assert_eq!(required(&other, "a"), "a with b1");
    ok(&other, ["store", "verify"]);
    let (_, told) = imported(&project, &other);
    assert_eq!((&told["packages"], &told["present"]), (&0.into(), &PACKAGES.into()));
}

#[test]
fn tarballs_of_continuous_integration_are_exported_as_packages() {
    let registry = registry();
    let project = project(&registry);
    in_ci(&project).args(["install"]).run().success();
    assert_eq!(exported(&project)["packages"], PACKAGES);
    let other = elsewhere(&project, &registry);
    registry.stop();
    imported(&project, &other);
    let run = in_ci(&other).args(["ci", "--offline"]).run().success();
    assert!(run.stderr.contains("c@1.0.0"), "its install script is known: {run}");
    assert_eq!(tree(&other), tree(&project));
    #[cfg(unix)]
    {
        let mode = fs::metadata(other.path().join("node_modules/a/cli.js")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
        assert_eq!(mode & 0o777, 0o755, "a command can be executed");
    }
    ok(&other, ["store", "verify"]);
}

#[test]
fn packages_that_maintenance_has_yet_to_store_are_exported() {
    let registry = registry();
    let project = project(&registry);
    // Its background process may or may not have ended.
    command(&project).env("DX_PREPARED_TREES", "1").args(["install"]).run().success();
    assert_eq!(exported(&project)["packages"], PACKAGES);
    maintain(&project);
}

#[test]
fn only_what_the_lockfile_needs_is_exported() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    let more = Project::new(&registry).store(project.store()).dep("b", "1").create();
    ok(&more, ["install"]);
    assert_eq!(exported(&more)["packages"], 1);
    for (args, packages) in [
        (&["--omit=dev"][..], PACKAGES - 1),
        (&["--omit", "dev", "--include", "dev"], PACKAGES),
        (&["--omit=dev,optional"], PACKAGES - 2),
    ] {
        let run = command(&project).args(["store", "export", "-", "--silent"]).args(args);
        run.run().success();
        let run = command(&project).args(["store", "export", "x.dxa", "--json"]).args(args);
        assert_eq!(json(&run.run().success())["packages"], packages, "{args:?}");
    }
    let run = command(&project).env("NODE_ENV", "production");
    let run = run.args(["store", "export", "x.dxa", "--json"]).run().success();
    assert_eq!(json(&run)["packages"], PACKAGES - 1);
}

#[test]
fn several_lockfiles_share_an_archive() {
    let registry = registry();
    let first = Project::new(&registry).dep("b", "1").create();
    let second = Project::new(&registry).store(first.store()).dep("c", "1").create();
    let apart = Project::new(&registry).store(first.store()).create();
    let args = |lockfiles: [PathBuf; 2]| {
        let [one, other] = lockfiles;
        let run = command(&apart).args(["store", "export", "all.dxa", "--json", "--lockfile"]);
        run.args([one]).args(["--lockfile"]).args([other]).run()
    };
    ok(&first, ["install"]);
    ok(&second, ["install"]);
    let lockfile = |project: &Project| project.path().join("package-lock.json");
    assert_eq!(json(&args([lockfile(&first), lockfile(&second)]).success())["packages"], 3);
    assert_eq!(json(&args([first.path(), second.path()]).success())["packages"], 3);
    let missing = args([first.path().join("no-such.json"), second.path()]);
    assert!(missing.status == Some(1) && missing.stdout.contains("no-such.json"), "{missing}");
    fails(dx(&apart, ["store", "export", "x.dxa"]), "DX_NO_LOCKFILE");
    apart.write("pnpm-lock.yaml", "lockfileVersion: '9.0'");
    fails(dx(&apart, ["store", "export", "x.dxa"]), "DX_FOREIGN_LOCKFILE");
    apart.write("package-lock.json", "{ no lockfile");
    let run = dx(&apart, ["store", "export", "x.dxa"]);
    assert!(run.status == Some(1) && run.stderr.contains("package-lock.json"), "{run}");
    assert!(!apart.exists("x.dxa"));
}

#[test]
fn packages_that_the_store_lacks_are_named_and_nothing_is_written() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install", "--lockfile-only"]);
    project.write("packages.dxa", "old");
    let stderr = fails(dx(&project, ["store", "export", "packages.dxa"]), "DX_EXPORT_INCOMPLETE");
    for package in ["a@1.0.0", "b@1.0.0", "b@2.0.0", "c@1.0.0", "tool@1.0.0"] {
        assert!(stderr.contains(package), "{package}: {stderr}");
    }
    assert!(stderr.contains("dx ci") && !stderr.contains("there"), "{stderr}");
    assert_eq!((project.read("packages.dxa").as_str(), temporary(&project.path())), ("old", 0));

    ok(&project, ["ci", "--omit=dev"]);
    let stderr = fails(dx(&project, ["store", "export", "packages.dxa"]), "DX_EXPORT_INCOMPLETE");
    assert!(stderr.contains("tool@1.0.0") && !stderr.contains("a@1.0.0"), "{stderr}");
    assert!(stderr.contains("--omit"), "{stderr}");
    ok(&project, ["store", "export", "packages.dxa", "--omit=dev"]);
}

#[test]
fn an_optional_package_that_the_store_lacks_is_left_out_with_a_warning() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    ok(&project, ["ci", "--omit=optional"]);
    fs::remove_dir_all(project.store()).unwrap();
    ok(&project, ["ci", "--omit=optional"]);
    let run = ok(&project, ["store", "export", "packages.dxa"]);
    assert!(run.stderr.contains("here@1.0.0") && !run.stderr.contains("there@1.0.0"), "{run}");
    assert_eq!(exported(&project)["leftOut"], serde_json::json!(["here@1.0.0"]));
    let other = elsewhere(&project, &registry);
    imported(&project, &other);
    ok(&other, ["ci"]);
    assert_eq!(registry.tarball_requests() > 0, other.exists("node_modules/here/package.json"));
}

#[cfg(unix)]
#[test]
fn archives_go_through_pipes() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    let other = elsewhere(&project, &registry);
    registry.stop();
    let pipe = format!(
        "'{dx}' store export - | DX_STORE='{}' '{dx}' store import - --json",
        other.store().display(),
        dx = env!("CARGO_BIN_EXE_dx"),
    );
    let store = project.store().display().to_string();
    let run = project.command(Path::new("/bin/sh")).env("DX_STORE", store);
    let run = run.args(["-c", &pipe]).run().success();
    assert_eq!(json(&run)["packages"], PACKAGES, "nothing else is on standard output: {run}");
    assert!(run.stderr.contains("Exported 7 packages"), "{run}");
    ok(&other, ["ci", "--offline"]);
}

#[test]
fn a_damaged_archive_is_an_error_and_the_store_stays_sound() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    exported(&project);
    let sound = fs::read(project.path().join("packages.dxa")).unwrap();
    let mut flipped = sound.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x20;
    for (bytes, code) in [
        (&sound[..sound.len() / 2], "DX_ARCHIVE_DAMAGED"),
        (&sound[..sound.len() - 1], "DX_ARCHIVE_DAMAGED"),
        (&flipped, "DX_ARCHIVE_DAMAGED"),
        (b"PK no archive", "DX_ARCHIVE_UNKNOWN"),
        (b"", "DX_ARCHIVE_UNKNOWN"),
    ] {
        let other = elsewhere(&project, &registry);
        other.write("packages.dxa", bytes);
        fails(dx(&other, ["store", "import", "packages.dxa"]), code);
        let error = json(&dx(&other, ["store", "import", "packages.dxa", "--json"]));
        assert_eq!(error["error"]["code"], code);
        ok(&other, ["store", "verify"]);
        let tmp = fs::read_dir(other.store().join("v1/tmp")).map_or(0, Iterator::count);
        assert_eq!(tmp, 0);
        ok(&other, ["ci"]);
        assert_eq!(required(&other, "a"), "a with b1");
    }
    let run = dx(&project, ["store", "import", "no-such.dxa"]);
    assert!(run.status == Some(1) && run.stderr.contains("no-such.dxa"), "{run}");
}

#[test]
fn a_damaged_package_is_not_exported() {
    let registry = registry();
    let project = project(&registry);
    in_ci(&project).args(["install"]).run().success();
    let shard = fs::read_dir(project.store().join("v1/packages")).unwrap().next().unwrap().unwrap();
    let tarball = fs::read_dir(shard.path()).unwrap().next().unwrap().unwrap().path();
    fs::write(&tarball, b"no tarball").unwrap();
    fails(dx(&project, ["store", "export", "packages.dxa"]), "DX_STORE_DAMAGED");
    assert!(!project.exists("packages.dxa") && temporary(&project.path()) == 0);
    // What is damaged was removed, and is fetched again.
    project.remove("node_modules");
    ok(&project, ["ci"]);
    assert_eq!(exported(&project)["packages"], PACKAGES);
}

#[test]
fn the_folder_that_path_prints_is_all_that_a_cache_has_to_keep() {
    let registry = registry();
    for ci in [false, true] {
        let project = project(&registry);
        let dx = |project: &Project| if ci { in_ci(project) } else { command(project) };
        dx(&project).args(["install"]).run().success();
        let printed = ok(&project, ["store", "path"]).stdout.trim().to_owned();
        assert_eq!(json(&ok(&project, ["store", "path", "--json"]))["path"], printed);
        let other = elsewhere(&project, &registry);
        let place = ok(&other, ["store", "path"]).stdout.trim().to_owned();
        fs::remove_dir_all(&place).unwrap();
        fs::rename(&printed, &place).unwrap();
        let requests = registry.requests().len();
        dx(&other).args(["ci", "--offline"]).run().success();
        assert_eq!(registry.requests().len(), requests);
        assert_eq!(tree(&other), tree(&project));
    }
}

#[cfg(unix)]
#[test]
fn status_tells_what_is_free_without_the_store_and_what_projects_keep() {
    let registry = registry();
    let project = project(&registry);
    ok(&project, ["install"]);
    ok(&project, ["ci"]);
    let status = || json(&ok(&project, ["store", "status", "--json"]));
    let linked = status();
    assert!(linked["shared"].as_u64() > Some(1_000_000), "{linked}");
    assert_eq!(linked["shared"], linked["expanded"]["shared"]);
    assert_eq!(linked["metadata"]["shared"], 0);
    let text = ok(&project, ["store", "status"]).stdout;
    assert!(text.contains("also projects'") && text.contains("Without the store, "), "{text}");
    assert!(text.contains("hard links"), "{text}");
    project.remove("node_modules");
    let alone = status();
    assert_eq!((&alone["shared"], &alone["bytes"]), (&0.into(), &linked["bytes"]));
    let text = ok(&project, ["store", "status"]).stdout;
    assert!(!text.contains("hard links"), "{text}");
}
