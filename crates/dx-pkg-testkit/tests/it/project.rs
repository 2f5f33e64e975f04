//! Projects, and the programs run in them.

use dx_pkg_testkit::{Project, Registry, require};

#[test]
fn project_names_its_registry_and_keeps_the_order_of_keys() {
    let registry = Registry::start();
    let project = Project::new(&registry)
        .dep("z", "^1")
        .dep("a", "^2")
        .npmrc("[HOST]:_authToken=secret")
        .file("src/index.js", "1")
        .create();
    let npmrc = project.read(".npmrc");
    assert!(npmrc.contains(&format!("registry={}\n", registry.url())), "{npmrc}");
    assert!(
        npmrc.contains(&format!("//127.0.0.1:{}/:_authToken=secret", registry.port())),
        "{npmrc}"
    );
    assert_eq!(
        project.read("package.json"),
        "{\n  \"name\": \"project\",\n  \"version\": \"1.0.0\",\n  \"dependencies\": {\n    \"z\": \"^1\",\n    \
         \"a\": \"^2\"\n  }\n}\n"
    );
    assert_eq!(project.read("src/index.js"), "1");
}

#[test]
fn installed_lists_nested_and_scoped_packages() {
    let project = Project::offline().create();
    let add = |folder: &str, name: &str, version: &str| {
        let manifest = serde_json::json!({ "name": name, "version": version }).to_string();
        project.write(&format!("{folder}/package.json"), manifest);
    };
    add("node_modules/a", "a", "1.0.0");
    add("node_modules/a/node_modules/b", "b", "2.0.0");
    add("node_modules/@scope/c", "@scope/c", "3.0.0");
    add("node_modules/alias", "real", "4.0.0");
    project.write("node_modules/.bin/tool", "");
    let installed: Vec<_> = project.installed().into_iter().collect();
    let expected = [
        ("node_modules/@scope/c", "@scope/c@3.0.0"),
        ("node_modules/a", "a@1.0.0"),
        ("node_modules/a/node_modules/b", "b@2.0.0"),
        ("node_modules/alias", "real@4.0.0"),
    ];
    assert_eq!(installed, expected.map(|(path, id)| (path.to_owned(), id.to_owned())));
}

#[test]
fn programs_see_only_the_projects_own_home_and_store() {
    let project = Project::offline().create();
    let code = "console.log(process.env.HOME); console.log(process.env.DX_STORE); \
                console.log(process.env.CARGO_MANIFEST_DIR)";
    let run = project.node(code).success();
    assert_eq!(run.normalised(&run.stdout), "[HOME]\n[STORE]\nundefined\n");
}

#[test]
fn snapshot_hides_what_differs_between_runs() {
    let registry = Registry::start();
    let project = Project::new(&registry).create();
    let code = format!(
        "console.log('in', process.cwd(), 'from', '{}', 'took 1.5s'); process.exit(3)",
        registry.url()
    );
    let run = project.node(&code).failure();
    assert_eq!(
        run.snapshot(),
        "exit: 3\n--- stdout\nin [PROJECT] from [REGISTRY]/ took [TIME]\n--- stderr\n"
    );
}

#[test]
fn npm_installs_what_the_registry_serves() {
    let registry = Registry::start();
    registry
        .package("a", "1.0.0")
        .dep("@s/b", "^1")
        .bin("a", "cli.js")
        .file("cli.js", "")
        .publish();
    registry.package("@s/b", "1.1.0").bundle("c", "2.0.0").publish();
    let project = Project::new(&registry).dep("a", "^1").create();
    let Some(npm) = require::npm() else { return };
    project.command(&npm).args(["install", "--no-audit", "--no-fund"]).run().success();
    let installed: Vec<_> = project.installed().into_values().collect();
    assert_eq!(installed, ["@s/b@1.1.0", "c@2.0.0", "a@1.0.0"]);
    assert_eq!(project.node("console.log(require('@s/b'))").success().stdout.trim(), "@s/b@1.1.0");
    let lock = project.json("package-lock.json");
    assert_eq!(lock["packages"]["node_modules/a"]["integrity"], registry.integrity("a", "1.0.0"));
}
