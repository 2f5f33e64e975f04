//! The example against a registry in this process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use dx_pkg_testkit::{Project, ProjectBuilder, Registry, Run};

/// Runs the example on the project's manifest.
fn embed(project: &Project, flags: &[&str]) -> Run {
    let command = project.dx(env!("CARGO_BIN_EXE_embed"));
    command.args(["package.json"].iter().chain(flags)).run()
}

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.2.0").dep("b", "^2").publish();
    registry.package("b", "1.0.0").publish();
    registry.package("b", "2.1.0").dep("@s/c", "*").publish();
    registry.package("@s/c", "3.0.0").publish();
    registry
}

fn requiring_two_versions_of_b(builder: ProjectBuilder) -> Project {
    builder.dep("a", "^1").dep("b", "^1").create()
}

const TREE: &str = "\
node_modules/@s/c 3.0.0
node_modules/a 1.2.0
  node_modules/a/node_modules/b 2.1.0
node_modules/b 1.0.0
";

#[test]
fn prints_the_tree_of_the_registry_in_npmrc() {
    let registry = registry();
    let project = requiring_two_versions_of_b(Project::new(&registry));
    assert_eq!(embed(&project, &[]).success().stdout, TREE);
    assert_eq!(registry.tarball_requests(), 0);
    assert!(!project.exists("node_modules") && !project.exists("package-lock.json"));
}

#[test]
fn registry_on_the_command_line_wins() {
    let (registry, other) = (registry(), Registry::start());
    let project = requiring_two_versions_of_b(Project::new(&other));
    assert_eq!(embed(&project, &["--registry", registry.url()]).success().stdout, TREE);
    assert_eq!(other.metadata_requests(), 0);
}

#[test]
fn missing_package_is_an_error() {
    let registry = Registry::start();
    let project = requiring_two_versions_of_b(Project::new(&registry));
    let run = embed(&project, &[]).failure();
    assert_eq!(run.stdout, "");
    assert!(!run.stderr.is_empty());
}
