//! Peer conflicts that are not solved: offered or explained, with changes that help.

use dx_pkg_resolve::peers::{Ending, Finding};
use dx_pkg_resolve::{Resolution, ResolveError};

use crate::world::{Package, World, package, project, rule, world};

fn solving(packages: impl IntoIterator<Item = Package>) -> World {
    let mut world = world(packages);
    world.options.solves_conflicts = true;
    world
}

/// Versions of one package, each with a peer.
fn versions(name: &str, peers: &[(&str, &str)]) -> Vec<Package> {
    let one = |(version, peer): &(&str, &str)| {
        let package = package(&format!("{name}@{version}"));
        if peer.is_empty() { package } else { package.peer(peer) }
    };
    peers.iter().map(one).collect()
}

/// Versions of a package without peers.
fn plain(name: &str, all: &[&str]) -> Vec<Package> {
    all.iter().map(|version| package(&format!("{name}@{version}"))).collect()
}

fn lines(resolution: &Resolution) -> Vec<String> {
    let places = |_: &str, name: &str| Some(format!("package.json:{}", name.len()));
    let told = resolution.explanations.iter();
    let lines: Vec<String> =
        told.flat_map(|explanation| explanation.lines(Ending::Installed, &places)).collect();
    assert!(resolution.explanations.len() != 1 || lines.len() <= 8, "{lines:#?}");
    lines
}

#[track_caller]
fn assert_lines(resolution: &Resolution, expected: &[&str]) {
    let told = lines(resolution);
    assert_eq!(told, expected, "{told:#?}");
    assert!(resolution.moves.is_empty(), "{resolution:?}");
}

fn commands(resolution: &Resolution) -> Vec<String> {
    let changes = resolution.explanations.iter().flat_map(|one| &one.changes);
    changes.map(|change| change.in_words()).collect()
}

#[test]
fn a_dependent_that_no_version_helps() {
    let mut packages = versions(
        "plugin",
        &[("7.36.0", "lint@^3 || ^9.7"), ("7.37.5", "lint@^3 || ^9.7"), ("2.0.0", "lint@>=0.8.0")],
    );
    packages.extend(plain("lint", &["9.7.0", "9.39.1", "10.1.0"]));
    let world = solving(packages);
    let resolution =
        world.install(&package("project@1.0.0").dev("lint@^10.0.0").dev("plugin@^7.37.5"));
    assert_lines(
        &resolution,
        &[
            "no published version of plugin (7.37.5 is the newest) accepts lint 10.1.0",
            "  package.json:4 asks for lint ^10.0.0",
            "  package.json:6 asks for plugin ^7.37.5; 7.37.5, the newest, needs lint ^3 || ^9.7",
            "  What would help: dx add -D lint@^9.7.0",
            "  To take the risk: \"overrides\": { \"plugin\": { \"lint\": \"$lint\" } } in package.json",
            "  Installed as npm --force would; npm ci refuses this lockfile. More: docs/peer-conflicts.md",
        ],
    );
}

#[test]
fn the_first_version_that_accepts_the_peer_helps_before_an_older_peer() {
    let mut packages = versions(
        "testing",
        &[
            ("13.0.0", "react@^18.0.0"),
            ("13.4.0", "react@^18.0.0"),
            ("14.0.0", "react@^18.0.0"),
            ("16.1.0", "react@^18.0.0 || ^19.0.0"),
            ("16.3.0", "react@^18.0.0 || ^19.0.0"),
        ],
    );
    for version in ["18.3.1", "19.2.0"] {
        packages.push(package(&format!("react@{version}")));
        packages.push(package(&format!("react-dom@{version}")).peer(&format!("react@^{version}")));
    }
    let world = solving(packages);
    let names = ["react-dom@^19.0.0", "react@^19.0.0", "testing@^13.0.0"];
    let resolution = world.install(&project(&names));
    let told = lines(&resolution);
    assert_eq!(told[0], "testing 13.4.0 does not accept react 19.2.0");
    assert_eq!(
        told[2],
        "  package.json:7 asks for testing ^13.0.0; every 13.x needs react ^18.0.0"
    );
    assert_eq!(
        commands(&resolution),
        ["dx add testing@^16.1.0", "dx add react@^18.3.1 react-dom@^18.3.1"]
    );
    // The order of names means nothing.
    let mut turned = names;
    turned.reverse();
    assert_eq!(world.install(&project(&turned)).explanations, resolution.explanations);
}

#[test]
fn dependents_that_contradict_alike_change_together() {
    let mut packages = Vec::new();
    for (version, lint) in
        [("7.17.0", "^8.56.0"), ("7.18.0", "^8.56.0"), ("8.0.0", "^8.57.0 || ^9.0.0")]
    {
        let major = version.split('.').next().unwrap();
        packages.push(package(&format!("ts-parser@{version}")).peer(&format!("lint@{lint}")));
        let plugin = package(&format!("ts-plugin@{version}")).peer(&format!("lint@{lint}"));
        packages.push(plugin.peer(&format!("ts-parser@^{major}.0.0")));
    }
    packages.extend(plain("lint", &["8.57.0", "8.57.1", "9.39.0"]));
    let world = solving(packages);
    let own = package("project@1.0.0").dev("ts-parser@^7.17.0").dev("ts-plugin@^7.17.0");
    let resolution = world.install(&own.dev("lint@^9.8.0"));
    assert_eq!(resolution.explanations.len(), 1, "{:#?}", lines(&resolution));
    assert_eq!(
        commands(&resolution),
        ["dx add -D ts-parser@^8.0.0 ts-plugin@^8.0.0", "dx add -D lint@^8.56.0"]
    );
}

#[test]
fn a_pinned_requirement_stays_pinned() {
    let mut packages = versions(
        "@wind/vite",
        &[
            ("4.1.10", "vite@^5.2.0 || ^6"),
            ("4.1.11", "vite@^5.2.0 || ^6 || ^7"),
            ("4.2.0", "vite@^7"),
        ],
    );
    packages.extend(plain("vite", &["6.4.0", "7.0.0", "7.1.0"]));
    let world = solving(packages);
    let own = package("project@1.0.0").dev("@wind/vite@4.1.10").dev("vite@^7.0.0");
    let resolution = world.install(&own);
    assert_eq!(lines(&resolution)[0], "@wind/vite 4.1.10 does not accept vite 7.1.0");
    let commands = commands(&resolution);
    assert_eq!(commands[0], "dx add -D -E @wind/vite@4.1.11");
    assert_eq!(commands[1], "dx add -D vite@^6.4.0");
}

#[test]
fn a_range_that_would_contradict_again_is_narrower() {
    let mut packages =
        versions("checks", &[("8.63.0", "ts@>=4.8.4 <6.1.0"), ("8.74.0", "ts@>=4.8.4 <6.1.0")]);
    packages.extend(plain("ts", &["5.9.0", "6.0.3", "7.0.2"]));
    let world = solving(packages);
    let resolution =
        world.install(&package("project@1.0.0").dev("checks@^8.63.0").dev("ts@^7.0.2"));
    assert_eq!(commands(&resolution), ["dx add -D ts@~6.0.3"]);
    let told = lines(&resolution);
    assert!(told[2].contains("every published version needs ts >=4.8.4 <6.1.0"), "{told:#?}");
}

#[test]
fn an_optional_peer_binds_where_it_is_there() {
    let scripts = package("scripts@5.0.1").optional_peer("ts@^3.2.1 || ^4");
    let mut packages = vec![scripts, package("scripts@1.0.0")];
    packages.extend(plain("ts", &["4.9.5", "5.9.0"]));
    let world = solving(packages);
    let own = package("project@1.0.0").needs("scripts@5.0.1").dev("ts@^5.1.6");
    let resolution = world.install(&own);
    if resolution.refused_by_npm {
        let told = lines(&resolution);
        assert_eq!(
            told[0],
            "no published version of scripts (5.0.1 is the newest) accepts ts 5.9.0"
        );
        assert!(told[2].contains("accepts ts only as ^3.2.1 || ^4"), "{told:#?}");
        assert_eq!(commands(&resolution), ["dx add -D ts@^4.9.5"]);
    }
}

#[test]
fn a_tag_is_exact_and_the_range_that_would_do_is_named() {
    let mut packages = versions(
        "config",
        &[
            ("14.2.0", "lint@^7 || ^8"),
            ("15.5.0", "lint@^7 || ^8 || ^9"),
            ("16.4.0", "lint@>=9.0.0"),
        ],
    );
    packages.extend(plain("lint", &["8.57.1", "9.0.0", "9.39.0"]));
    let world = solving(packages).tag("config", "latest", "16.4.0");
    let own = package("project@1.0.0").dev("config@latest").dev("lint@^8.57.0");
    let resolution = world.install(&own);
    assert_eq!(commands(&resolution), ["dx add -D config@^15.5.0", "dx add -D lint@^9.0.0"]);
    assert_eq!(resolution.explanations[0].finding, Finding::NoSolution);
}

#[test]
fn a_major_back_within_an_open_range_is_an_offer() {
    let mut packages = versions(
        "config",
        &[
            ("14.2.0", "lint@^7 || ^8"),
            ("15.5.0", "lint@^7 || ^8 || ^9"),
            ("16.4.0", "lint@>=9.0.0"),
        ],
    );
    packages.extend(plain("lint", &["8.57.1", "9.0.0", "9.39.0"]));
    let world = solving(packages);
    let own =
        |range: &str| package("project@1.0.0").dev(&format!("config@{range}")).dev("lint@^8.57.0");
    let resolution = world.install(&own(">=14"));
    assert_lines(
        &resolution,
        &[
            "config 16.4.0 does not accept lint 8.57.1",
            "  package.json:4 asks for lint ^8.57.0",
            "  package.json:6 asks for config >=14; 16.4.0, the newest, needs lint >=9.0.0",
            "  To take it: dx add -D config@^15.5.0  (another major version than 16.4.0, which >=14 allows)",
            "  or: dx add -D lint@^9.0.0",
            "  To take the risk: \"overrides\": { \"config\": { \"lint\": \"$lint\" } } in package.json",
            "  Installed as npm --force would; npm ci refuses this lockfile. More: docs/peer-conflicts.md",
        ],
    );
    assert_eq!(resolution.explanations[0].finding, Finding::Offered);
    // The project leaves it open, or speaks of that major itself.
    for range in ["*", "^15.0.0 || ^16.0.0"] {
        let resolution = world.install(&own(range));
        assert!(resolution.explanations.is_empty(), "{range} {:?}", lines(&resolution));
        assert_eq!(resolution.moves[0].to, "15.5.0", "{range}");
    }
}

#[test]
fn a_looser_old_range_is_an_offer_with_the_reason() {
    let mut packages = versions(
        "hooks",
        &[
            ("7.0.2", "react@>=16.9.0"),
            ("8.0.0", "react@^16.9.0 || ^17.0.0"),
            ("8.0.1", "react@^16.9.0 || ^17.0.0"),
        ],
    );
    packages.extend(plain("react", &["17.0.2", "18.3.1"]));
    let world = solving(packages);
    let resolution = world.install(&package("project@1.0.0").dev("hooks@*").needs("react@^18.2.0"));
    let told = lines(&resolution);
    assert_eq!(told[0], "no published version of hooks (8.0.1 is the newest) accepts react 18.3.1");
    let reason = "7.0.2 is accepted only because it asks for react >=16.9.0; the newer 8.0.1 restricts itself to ^16.9.0 || ^17.0.0";
    assert_eq!(told[3], format!("  To take it: dx add -D hooks@^7.0.2  ({reason})"));
    assert!(resolution.moves.is_empty());
}

#[test]
fn what_is_being_added_is_called_so() {
    let mut packages = versions("plugin", &[("1.0.0", "a@^9")]);
    packages.extend(plain("a", &["1.0.0", "9.0.0"]));
    let mut world = solving(packages);
    let before = world.install(&project(&["a@1.0.0"]));
    world.options.explicit = vec!["plugin".to_owned()];
    let resolution = world.install_from(&project(&["a@1.0.0", "plugin@*"]), &before.lock);
    let told = lines(&resolution);
    assert!(
        told.iter().any(|line| line.contains("you are adding plugin; 1.0.0, the newest,")),
        "{told:#?}"
    );
    assert_eq!(commands(&resolution), ["dx add -E a@9.0.0"]);
}

#[test]
fn a_workspace_is_named_and_no_other() {
    let mut packages =
        versions("config", &[("14.2.8", "lint@^7.23.0 || ^8.0.0"), ("15.0.0", "lint@^8 || ^9")]);
    packages.extend(plain("lint", &["8.57.1", "9.10.0"]));
    let web = package("web@1.0.0").dev("lint@9.10.0").dev("config@14.2.8");
    let api = package("api@1.0.0").dev("lint@^8.57.0");
    let world = solving(packages).workspace("apps/api", api).workspace("apps/web", web);
    let resolution = world.install(&project(&[]));
    let told = resolution.explanations[0].lines(Ending::Installed, &|_, _| None);
    assert!(told[1].starts_with("  apps/web/package.json asks for lint 9.10.0"), "{told:#?}");
    assert!(!told.iter().any(|line| line.contains("api")), "{told:#?}");
    assert_eq!(
        commands(&resolution),
        [
            "\"config\": \"15.0.0\" in apps/web/package.json",
            "\"lint\": \"8.57.1\" in apps/web/package.json"
        ]
    );
}

#[test]
fn independent_conflicts_are_told_apart_and_what_can_be_solved_is() {
    let mut packages = versions("a-plugin", &[("1.0.0", "a@^1")]);
    packages.extend(versions("b-plugin", &[("1.0.0", "b@^1"), ("2.0.0", "b@^2")]));
    for name in ["a", "b"] {
        packages.extend(plain(name, &["1.0.0", "2.0.0"]));
    }
    let world = solving(packages);
    let resolution = world.install(&project(&["a-plugin@^1", "a@^2", "b-plugin@*", "b@^1"]));
    assert_eq!(resolution.moves.len(), 1, "{resolution:?}");
    assert_eq!(resolution.moves[0].to_string(), "b-plugin 1.0.0 instead of 2.0.0");
    assert_eq!(
        lines(&resolution)[0],
        "no published version of a-plugin (1.0.0 is the newest) accepts a 2.0.0"
    );
    assert_eq!(resolution.conflicts.len(), 1);
}

#[test]
fn a_prerelease_appears_in_the_explanation_only() {
    let mut packages = versions("plugin", &[("1.0.0", "a@^1"), ("2.0.0-rc.1", "a@^2")]);
    packages.extend(plain("a", &["1.0.0", "2.0.0"]));
    let resolution = solving(packages).install(&project(&["a@^2", "plugin@*"]));
    let told = lines(&resolution);
    assert!(told[2].ends_with("(the prerelease 2.0.0-rc.1 accepts it)"), "{told:#?}");
    assert_eq!(commands(&resolution), ["dx add a@^1.0.0"]);
}

#[test]
fn strict_peers_refuse_with_the_same_text() {
    let mut packages = versions("plugin", &[("1.0.0", "a@^1")]);
    packages.extend(plain("a", &["1.0.0", "2.0.0"]));
    let mut world = solving(packages);
    world.options.strict_peer_deps = true;
    let error = world.try_install(&project(&["a@^2", "plugin@^1"]), None).unwrap_err();
    assert!(matches!(error, ResolveError::Unsolved { .. }), "{error:?}");
    assert!(error.to_string().contains("dx add a@^1.0.0"), "{error}");
}

#[test]
fn overrides_and_their_references_are_part_of_the_problem() {
    let mut packages = versions("plugin", &[("1.0.0", "a@^1"), ("2.0.0", "a@^1")]);
    packages.extend(versions("other", &[("1.0.0", "a@^2"), ("2.0.0", "a@^3")]));
    packages.extend(plain("a", &["1.0.0", "2.0.0", "3.0.0"]));
    let mut world = solving(packages);
    world.overrides.push(rule("plugin", None, vec![rule("a", Some("$a"), Vec::new())]));
    let resolution = world.install(&project(&["a@^2", "other@*", "plugin@*"]));
    assert!(resolution.conflicts.is_empty(), "{resolution:?}");
    let moves: Vec<String> = resolution.moves.iter().map(ToString::to_string).collect();
    assert_eq!(moves, ["other 1.0.0 instead of 2.0.0"]);
}

#[test]
fn an_older_dependent_is_taken_where_its_sibling_cannot_be_had() {
    let mut packages = Vec::new();
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        packages.push(package(&format!("tool@{version}")).needs(&format!("tool-core@{version}")));
    }
    // The sibling's newest is missing.
    packages.extend(plain("tool-core", &["1.0.0", "1.1.0"]));
    let world = solving(packages);
    let resolution = world.install(&project(&["tool@^1.0.0"]));
    let told: Vec<String> = resolution.moves.iter().map(ToString::to_string).collect();
    let reason = "which needs tool-core@1.2.0: there is no such version";
    assert_eq!(told, [format!("tool 1.1.0 instead of 1.2.0, {reason}")]);
    // The whole range is needed: then the error is npm's.
    let error = world.try_install(&project(&["tool@1.2.0"]), None).unwrap_err();
    assert!(matches!(error, ResolveError::NoVersion { .. }), "{error:?}");
}

#[test]
fn an_older_dependent_is_taken_where_its_sibling_is_too_new() {
    let mut packages = Vec::new();
    for (version, time) in [("1.0.0", 100), ("1.1.0", 200), ("1.2.0", 300)] {
        let tool = package(&format!("tool@{version}")).needs(&format!("tool-core@{version}"));
        packages.push(tool.published(time));
        packages.push(package(&format!("tool-core@{version}")).published(time + 1));
        packages.push(
            package(&format!("app@{version}")).needs(&format!("tool@^{version}")).published(10),
        );
    }
    let mut world = solving(packages);
    world.options.pick.before = Some(300);
    let resolution = world.install(&project(&["app@^1.0.0"]));
    let version = |name: &str| {
        resolution.lock.get(&format!("node_modules/{name}")).unwrap().version.clone().unwrap()
    };
    assert_eq!((version("app"), version("tool")), ("1.1.0".to_owned(), "1.1.0".to_owned()));
}

#[test]
fn with_strict_engines_an_older_dependent_is_taken() {
    let mut packages = vec![
        package("web@1.0.0").needs("http@^1.0.0"),
        package("web@1.1.0").needs("http@^2.0.0"),
        package("http@1.0.0"),
        package("http@2.0.0").node(">=99"),
    ];
    packages.push(package("other@1.0.0"));
    let mut world = solving(packages);
    let own = project(&["other@1.0.0", "web@^1.0.0"]);
    assert_eq!(world.install(&own).unfit.len(), 1);
    world.options.engine_strict = true;
    let resolution = world.install(&own);
    assert!(resolution.unfit.is_empty(), "{resolution:?}");
    assert!(
        resolution.moves[0]
            .to_string()
            .starts_with("web 1.0.0 instead of 1.1.0, which needs http@2.0.0")
    );
}

#[test]
fn packuments_are_announced_before_they_are_asked_for() {
    let mut packages = versions("plugin", &[("1.0.0", "a@^1"), ("2.0.0", "a@^2")]);
    packages.extend(plain("a", &["1.0.0", "2.0.0"]));
    let world = solving(packages);
    world.install(&project(&["a@^1", "plugin@*"]));
    let announced = world.announced.borrow();
    assert!(announced.iter().any(|names| names.len() == 2), "{announced:?}");
}

#[test]
fn a_search_ends_when_the_caller_gives_up() {
    let packages =
        [package("lint@9.0.0"), package("lint@10.0.0"), package("plugin@7.0.0").peer("lint@^9")];
    let world = solving(packages);
    let project = package("project@1.0.0").dev("lint@^10").dev("plugin@^7");
    assert_eq!(world.install(&project).explanations.len(), 1);
    world.cancelled.set(true);
    let resolution = world.install(&project);
    assert!(resolution.moves.is_empty() && resolution.explanations.is_empty());
    assert!(resolution.refused_by_npm, "{:?}", resolution.conflicts);
}

/// Returns how often a resolution asks for packuments where each of many workspaces has a conflict
/// without a solution.
fn requests_of_workspaces(count: usize) -> usize {
    let mut packages = versions(
        "plugin",
        &[("7.36.0", "lint@^3 || ^9.7"), ("7.37.5", "lint@^3 || ^9.7"), ("2.0.0", "lint@>=0.8.0")],
    );
    packages.extend(plain("lint", &["9.7.0", "9.39.1", "10.1.0"]));
    let world = (0..count).fold(solving(packages), |world, at| {
        let own = package(&format!("w{at}@1.0.0")).dev("lint@^10.0.0").dev("plugin@^7.37.5");
        world.workspace(&format!("packages/w{at}"), own)
    });
    let resolution = world.install(&package("project@1.0.0"));
    assert_eq!(resolution.explanations.len(), 5);
    world.asked.borrow().len()
}

#[test]
fn what_workspaces_cost_does_not_grow_with_each_others_conflicts() {
    let (few, many) = (requests_of_workspaces(20), requests_of_workspaces(80));
    assert!(many < few * 3, "{few} requests for 20 workspaces, {many} for 80");
}
