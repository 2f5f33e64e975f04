//! Errors that name the next step: credentials, tags, versions, mistyped names, settings.

use dx_pkg_testkit::{Project, Registry, Run};

use crate::harness::{command, dx, fails, ok};

#[track_caller]
fn says(run: &Run, parts: &[&str]) {
    for part in parts {
        assert!(run.stderr.contains(part), "{part:?} is missing: {run}");
    }
}

/// Returns the line of an `.npmrc` with the token of a registry.
fn token_line(registry: &Registry, token: &str) -> String {
    let address = registry.url().strip_prefix("http:").unwrap().trim_end_matches('/');
    format!("{address}/:_authToken={token}")
}

#[test]
fn a_refused_token_is_named_again_where_it_is_missed() {
    let registry = Registry::start();
    registry.package("secret", "1.0.0").publish();
    registry.require_token("right");
    let project = Project::new(&registry)
        .dep("secret", "1")
        .npmrc(&token_line(&registry, "${NPM_TOKEN}"))
        .create();
    let run = command(&project).env("NPM_TOKEN", "right").args(["install"]).run().failure();
    says(&run, &["warning:", "\"NPM_TOKEN\"", "must not read the environment", "home folder"]);
    let help = run.stderr.split("help:").nth(1).unwrap();
    assert!(help.contains("NPM_TOKEN") && help.contains("home folder"), "{run}");

    // In the user's own file, but not set.
    std::fs::remove_file(project.path().join(".npmrc")).unwrap();
    let lines = format!("registry={}\n{}\n", registry.url(), token_line(&registry, "${NPM_TOKEN}"));
    std::fs::write(project.home().join(".npmrc"), lines).unwrap();
    let run = dx(&project, ["install"]).failure();
    let help = run.stderr.split("help:").nth(1).unwrap();
    assert!(help.contains("set NPM_TOKEN"), "{run}");
    command(&project).env("NPM_TOKEN", "right").args(["install"]).run().success();
}

#[test]
fn a_private_package_that_is_not_shown_points_back_to_the_token() {
    let registry = Registry::start();
    let project = Project::new(&registry)
        .dep("@own/secret", "1")
        .npmrc(&token_line(&registry, "${NPM_TOKEN}"))
        .create();
    let run = dx(&project, ["install"]).failure();
    says(&run, &["package not found: @own/secret (registry ", "required by project"]);
    let help = run.stderr.split("help:").nth(1).unwrap();
    assert!(help.contains("NPM_TOKEN") && help.contains("home folder"), "{run}");
}

#[test]
fn an_unknown_tag_lists_the_tags_and_an_unknown_version_the_nearest() {
    let registry = Registry::start();
    for version in ["1.0.0", "1.1.0", "1.2.0", "2.0.0", "2.1.0", "3.0.0", "3.1.0", "3.2.0-beta.1"] {
        registry.package("one", version).publish();
    }
    registry.dist_tag("one", "latest", "3.1.0");
    registry.dist_tag("one", "next", "3.2.0-beta.1");
    registry.package("single", "1.0.0").publish();
    let project = Project::new(&registry).create();
    let before = project.read("package.json");
    for (argument, said) in [
        ("one@nxt", "its tags are latest (3.1.0), next (3.2.0-beta.1)"),
        (
            "one@1.1.5",
            "the latest version is 3.1.0, the nearest are 3.0.0, 2.1.0, 2.0.0, 1.2.0, 1.1.0, 1.0.0",
        ),
        ("one@^4", "the nearest are 3.2.0-beta.1, 3.1.0 (latest), 3.0.0"),
        ("single@2", "published are 1.0.0 (latest)"),
    ] {
        let run = dx(&project, ["add", argument]);
        fails(run.clone(), "DX_NO_MATCHING_VERSION");
        says(&run, &[said]);
    }
    assert_eq!(project.read("package.json"), before);
}

#[test]
fn a_mistyped_name_is_compared_with_the_names_known_here() {
    let registry = Registry::start();
    registry.package("react", "1.0.0").publish();
    let project = Project::new(&registry).dep("react", "1").create();
    let run = dx(&project, ["add", "raect"]);
    says(&run, &["package not found: raect (registry ", "did you mean react?"]);
    ok(&project, ["install"]);
    // From the metadata of other projects.
    let other = Project::new(&registry).store(project.store()).create();
    says(&dx(&other, ["add", "reactt"]), &["did you mean react?"]);
    let run = dx(&other, ["add", "lodash"]);
    assert!(!run.stderr.contains("did you mean"), "{run}");
}

#[test]
fn a_layout_that_dx_does_not_make_is_refused_with_what_it_makes() {
    let registry = Registry::start();
    let project = Project::new(&registry).create();
    let run = dx(&project, ["install", "--install-strategy=linked"]).failure();
    says(&run, &["install-strategy=linked", "hoisted (npm's default), shallow or nested"]);
    says(
        &dx(&project, ["install", "--registry=foo"]).failure(),
        &["invalid value \"foo\" for --registry"],
    );
    says(&dx(&project, ["install", "--omit=some"]), &["some"]);
}

#[test]
fn platforms_dates_and_kinds_are_flags_that_work() {
    let registry = Registry::start();
    registry.package("native", "1.0.0").os(["win32"]).cpu(["arm64"]).publish();
    registry.package("muslin", "1.0.0").os(["linux"]).libc(["musl"]).publish();
    registry.package("dated", "1.0.0").published_at("2020-01-01T00:00:00.000Z").publish();
    registry.package("dated", "1.1.0").published_at("2024-01-01T00:00:00.000Z").publish();
    registry.package("kept", "1.0.0").publish();
    let project = Project::new(&registry)
        .optional("native", "1")
        .optional("muslin", "1")
        .dep("dated", "1")
        .dev("kept", "1")
        .create();
    ok(
        &project,
        [
            "install",
            "--os",
            "win32",
            "--cpu=arm64",
            "--before=2022-01-01",
            "--omit=dev",
            "--include=dev",
        ],
    );
    assert!(project.exists("node_modules/native") && !project.exists("node_modules/muslin"));
    assert!(project.exists("node_modules/kept"));
    assert_eq!(project.json("node_modules/dated/package.json")["version"], "1.0.0");
    ok(&project, ["install", "--os=linux", "--libc=musl"]);
    assert!(!project.exists("node_modules/native") && project.exists("node_modules/muslin"));
    ok(&project, ["install", "--no-optional", "--prefer-online"]);
    assert!(!project.exists("node_modules/muslin"));
}

/// A package that cannot be loaded fits no peer, and was placed again and again.
#[test]
fn a_version_that_is_not_there_is_named_although_others_have_peers_on_it() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry.package("plugin", "1.0.0").peer("a", "^1.0.0").publish();
    registry.package("preset", "1.0.0").dep("plugin", "1.0.0").peer("a", "^1.0.0").publish();
    let project = Project::new(&registry).dep("preset", "1.0.0").create();
    ok(&project, ["install"]);
    for words in [&["add", "a@99"][..], &["add", "a@99", "--strict-peer-deps"]] {
        let run = command(&project).args(words).run().failure();
        says(
            &run,
            &["no version of a matches \"99\"", "published are 1.0.0", "NO_MATCHING_VERSION"],
        );
    }
    let fresh = Project::new(&registry).dep("preset", "1.0.0").dep("a", "99").create();
    says(&command(&fresh).args(["install"]).run().failure(), &["no version of a matches \"99\""]);
}
