//! Globally installed packages.

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};

use crate::harness::{command, fails};

fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "2.0.0"] {
        let script = format!("#!/usr/bin/env node\nconsole.log('cli {version}')\n");
        registry
            .package("cli", version)
            .dep("lib", "^1.0.0")
            .bin("cli", "cli.js")
            .file("cli.js", script)
            .publish();
    }
    registry.package("lib", "1.0.0").bin("lib", "l.js").file("l.js", "").publish();
    registry.package("other", "1.0.0").bin("cli", "o.js").file("o.js", "").publish();
    registry
}

/// A project whose user has configured the registry: settings of the project do not count here.
fn new(registry: &Registry) -> ProjectBuilder {
    Project::new(registry).user_npmrc(&format!("registry={}", registry.url()))
}

/// Runs dx with a prefix in the project's folder, which is not on the `PATH`.
fn run(project: &Project, arguments: &[&str]) -> dx_pkg_testkit::Run {
    let prefix = project.path().join("prefix");
    command(project).env("npm_config_prefix", &prefix).args(arguments.iter().copied()).run()
}

fn version(project: &Project, name: &str) -> String {
    let manifest = project.json(&format!("prefix/lib/node_modules/{name}/package.json"));
    manifest["version"].as_str().unwrap().to_owned()
}

#[test]
fn a_package_is_added_updated_and_removed_with_its_commands() {
    let registry = registry();
    let project = new(&registry).create();
    let before = project.read("package.json");
    let added = run(&project, &["add", "-g", "cli@1.0.0"]).success();
    assert!(added.stderr.contains("is not in PATH"), "{}", added.stderr);
    assert_eq!(version(&project, "cli"), "1.0.0");
    // Dependencies are inside, and only the package's own commands are linked.
    assert!(project.exists("prefix/lib/node_modules/cli/node_modules/lib/package.json"));
    assert!(!project.exists("prefix/bin/lib") && !project.exists("prefix/lib/node_modules/.bin"));
    let link = std::fs::read_link(project.path().join("prefix/bin/cli")).unwrap();
    assert_eq!(link.to_str().unwrap(), "../lib/node_modules/cli/cli.js");
    assert_eq!(project.read("package.json"), before);
    assert!(!project.exists("package-lock.json") && !project.exists("node_modules"));

    run(&project, &["update", "-g"]).success();
    assert_eq!(version(&project, "cli"), "2.0.0");
    run(&project, &["add", "--global", "lib"]).success();
    assert_eq!(version(&project, "cli"), "2.0.0");
    assert!(project.exists("prefix/bin/lib") && project.exists("prefix/bin/cli"));
    run(&project, &["rm", "-g", "cli"]).success();
    assert!(!project.exists("prefix/bin/cli") && !project.exists("prefix/lib/node_modules/cli"));
    assert!(project.exists("prefix/lib/node_modules/lib") && project.exists("prefix/bin/lib"));
    let again = run(&project, &["rm", "-g", "cli"]).success();
    assert!(again.stderr.contains("cli is not installed in"), "{}", again.stderr);
}

#[test]
fn packages_of_other_programs_stay_and_can_be_replaced_or_removed() {
    let registry = registry();
    let project = new(&registry)
        .file("prefix/lib/node_modules/theirs/package.json", r#"{"name":"theirs"}"#)
        .file("prefix/lib/node_modules/@s/theirs/package.json", r#"{"name":"@s/theirs"}"#)
        .file("prefix/lib/node_modules/cli/package.json", r#"{"name":"cli","version":"0.0.1"}"#)
        .create();
    run(&project, &["add", "-g", "lib"]).success();
    assert_eq!(version(&project, "cli"), "0.0.1");
    run(&project, &["add", "-g", "cli"]).success();
    assert_eq!(version(&project, "cli"), "2.0.0");
    assert!(project.exists("prefix/lib/node_modules/theirs/package.json"));
    run(&project, &["rm", "-g", "theirs"]).success();
    assert!(!project.exists("prefix/lib/node_modules/theirs"));
    assert!(project.exists("prefix/lib/node_modules/@s/theirs/package.json"));
}

#[test]
fn what_another_program_made_of_a_package_is_its_own() {
    let registry = registry();
    let project = new(&registry).create();
    run(&project, &["add", "-g", "cli@1.0.0"]).success();
    let manifest = "prefix/lib/node_modules/cli/package.json";
    let replaced = project.read(manifest).replace("1.0.0\",", "2.0.0\",");
    project.write(manifest, &replaced);
    run(&project, &["add", "-g", "lib"]).success();
    assert_eq!(version(&project, "cli"), "2.0.0", "it is not put back");
    let run = run(&project, &["add", "-g", "cli@1.0.0"]).success();
    assert_eq!(version(&project, "cli"), "1.0.0", "{run}");
}

#[test]
fn a_command_in_the_way_is_not_replaced() {
    let registry = registry();
    let project = new(&registry).file("prefix/bin/cli", "mine").create();
    fails(run(&project, &["add", "-g", "cli"]), "DX_COMMAND_IN_THE_WAY");
    assert!(!project.exists("prefix/lib/node_modules/cli"));
    assert_eq!(project.read("prefix/bin/cli"), "mine");
    run(&project, &["add", "-g", "cli", "--force"]).success();
    fails(run(&project, &["add", "-g", "other"]), "DX_COMMAND_IN_THE_WAY");
}

#[test]
fn a_command_that_was_taken_stays_so_until_its_package_changes() {
    let registry = registry();
    let project = new(&registry).create();
    run(&project, &["add", "-g", "cli@2.0.0", "lib"]).success();
    run(&project, &["add", "-g", "other", "--force"]).success();
    let link = || std::fs::read_link(project.path().join("prefix/bin/cli")).unwrap();
    let others = std::path::Path::new("../lib/node_modules/other/o.js");
    for words in [["update", "-g", "--silent"], ["add", "-g", "cli@2.0.0"]] {
        run(&project, &words).success();
        assert_eq!(link(), others);
    }
    fails(run(&project, &["add", "-g", "cli@1.0.0"]), "DX_COMMAND_IN_THE_WAY");
    run(&project, &["add", "-g", "cli@2.0.0", "--force"]).success();
    assert_eq!(link().to_str().unwrap(), "../lib/node_modules/cli/cli.js");
    run(&project, &["add", "-g", "other@1.0.0", "cli@1.0.0"]).success();
    assert_eq!(link().to_str().unwrap(), "../lib/node_modules/cli/cli.js");
}

#[test]
fn the_package_of_the_folder_is_linked_without_names() {
    let registry = registry();
    let project = new(&registry)
        .package_json(r#"{"name":"mine","version":"1.0.0","bin":"m.js"}"#)
        .file("m.js", "#!/usr/bin/env node\n")
        .create();
    run(&project, &["install", "-g"]).success();
    assert!(project.path().join("prefix/lib/node_modules/mine").is_symlink());
    assert!(project.exists("prefix/bin/mine"));
    run(&project, &["rm", "-g"]).success();
    assert!(!project.exists("prefix/bin/mine") && project.exists("m.js"));
}

#[test]
fn folders_are_found_from_where_dx_runs_whatever_the_prefix() {
    let registry = registry();
    let project = new(&registry).create();
    project.write("inside/tool/package.json", r#"{"name":"tool","version":"1.0.0"}"#);
    let inside = project.path().join("inside");
    let words = ["add", "-g", "./tool", "--prefix", "../prefix"];
    command(&project).current_dir(&inside).args(words).run().success();
    assert_eq!(version(&project, "tool"), "1.0.0");
}

#[test]
fn the_flag_and_the_default_name_the_prefix() {
    let registry = registry();
    let project = new(&registry).create();
    let place = project.path().join("place");
    command(&project)
        .args(["add", "-g", "lib", "--prefix", place.to_str().unwrap()])
        .run()
        .success();
    assert!(project.exists("place/lib/node_modules/lib/package.json"));
    for (words, expected) in [
        (["ls", "-g", "--prefix", "place"], "lib@1.0.0"),
        (["ll", "-g", "--prefix", "place"], "lib@1.0.0"),
        (["root", "-g", "--prefix", "place"], "place/lib/node_modules"),
        (["bin", "--prefix=place", "--global", "--no-color"], "place/bin"),
    ] {
        let run = command(&project).args(words).run().success();
        assert!(run.stdout.contains(expected) && run.stderr.is_empty(), "{run}");
    }
    let data = project.path().join("data");
    command(&project).env("XDG_DATA_HOME", &data).args(["-g", "add", "lib"]).run().success();
    assert!(project.exists("data/dx/global/lib/node_modules/lib/package.json"));
}
