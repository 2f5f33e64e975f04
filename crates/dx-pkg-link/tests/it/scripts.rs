//! Scripts in the environment made for them.

use std::path::Path;

use dx_pkg_link::scripts::{LockFacts, Output, ScriptCommand, ScriptEnvironment, environment, run};

use crate::world::{WithBins, World, package};

#[test]
fn a_script_finds_the_commands_around_it() {
    let world = World::new();
    let (a, b) = (world.module("outer"), world.module("inner"));
    let tree = dx_pkg_link::Tree::new(vec![
        package("node_modules/a", a).bins(&[("where", "cli.js"), ("outer", "cli.js")]),
        package("node_modules/a/node_modules/b", b).bins(&[("where", "cli.js")]),
    ]);
    world.install(&tree);
    let folder = world.project.join("node_modules/a");
    let environment = environment(
        std::env::vars(),
        &ScriptEnvironment {
            event: "postinstall",
            script: "where && outer && echo $npm_package_name:$npm_lifecycle_event:$INIT_CWD",
            package: &folder,
            name: Some("a"),
            version: Some("1.0.0"),
            fields: &[],
            lock: Some(LockFacts::default()),
            project: &world.project,
            called_from: Path::new("/called"),
            command: "install",
            settings: &[],
            user_agent: "dx",
            executable: Path::new("/dx"),
            node: None,
            node_gyp: None,
        },
    );
    let outcome = run(&ScriptCommand {
        script: &environment["npm_lifecycle_script"],
        arguments: &["it's".to_owned(), "$HOME *".to_owned()],
        folder: &folder,
        environment: &environment,
        shell: None,
        output: Output::Capture,
    })
    .unwrap();
    assert!(outcome.success(), "{}", String::from_utf8_lossy(&outcome.stderr));
    assert_eq!(
        String::from_utf8(outcome.stdout).unwrap(),
        "inner\nouter\na:postinstall:/called it's $HOME *\n"
    );
}
