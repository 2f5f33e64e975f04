//! Changes in a repository of workspaces: what an install works out from the change alone is what
//! one makes that looks at everything.

use std::collections::BTreeMap;

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};
use serde_json::{Map, Value, json};

use crate::harness::{command, files, locked, ok, share_key};

/// A generator of pseudorandom numbers, the same ones for a seed every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % sides
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.roll(of.len())]
    }
}

const NAMES: [&str; 10] = ["a", "b", "c", "d", "@s/e", "@s/f", "g", "plugin", "host", "tool"];
const FOLDERS: [&str; 5] = ["one", "two", "three", "four", "five"];
const SECTIONS: [&str; 3] = ["dependencies", "devDependencies", "optionalDependencies"];

/// Packages with dependencies, peers that conflict, commands and a deprecated version.
fn registry() -> Registry {
    let registry = Registry::start();
    for version in ["1.0.0", "2.0.0"] {
        registry.package("c", version).dep("d", "*").publish();
        registry.package("d", version).publish();
        registry.package("@s/f", version).bin("f", "f.js").executable("f.js", "").publish();
        registry.package("host", version).dep("g", "1").publish();
    }
    registry.package("a", "1.0.0").dep("b", "1").dep("c", "1").publish();
    registry.package("a", "2.0.0").dep("b", "2").dep("d", "1").optional("g", "2").publish();
    registry.package("b", "1.0.0").deprecated("old").dep("c", "2").publish();
    registry.package("b", "2.0.0").dep("@s/f", "2").publish();
    registry.package("@s/e", "1.0.0").dep("d", "2").dep("@s/f", "1").publish();
    registry.package("@s/e", "2.0.0").peer_optional("host", "2").publish();
    registry.package("g", "1.0.0").publish();
    registry.package("g", "2.0.0").engines("node", ">=99").publish();
    registry.package("plugin", "1.0.0").peer("host", "1").publish();
    registry.package("plugin", "2.0.0").peer("host", "2").peer("g", "1").publish();
    registry.package("tool", "1.0.0").bin("tool", "t.js").executable("t.js", "").publish();
    registry
        .package("tool", "2.0.0")
        .bin("f", "t.js")
        .executable("t.js", "")
        .dep("g", "*")
        .publish();
    registry
}

/// The requirements of a workspace: section, name and spec.
type Asked = BTreeMap<String, (usize, String)>;

fn manifest(name: &str, asked: &Asked) -> String {
    let mut manifest = json!({"name": format!("@m/{name}"), "version": "1.0.0"});
    for (section, key) in SECTIONS.iter().enumerate() {
        let of_section = asked.iter().filter(|(_, (own, _))| *own == section);
        let list: Map<String, Value> =
            of_section.map(|(name, (_, spec))| (name.clone(), json!(spec))).collect();
        if !list.is_empty() {
            manifest[*key] = Value::Object(list);
        }
    }
    format!("{manifest:#}\n")
}

fn ask(dice: &mut Dice, asked: &mut Asked) {
    let (section, name) = (dice.roll(SECTIONS.len()), dice.one(&NAMES));
    let spec = dice.one(&["*", "1", "2", "^1.0.0"]);
    if dice.roll(8) == 0 {
        asked.insert(format!("@m/{}", dice.one(&FOLDERS)), (section, "*".to_owned()));
    } else {
        asked.insert(name.to_owned(), (section, spec.to_owned()));
    }
}

fn repository(registry: &Registry, workspaces: &[(&str, Asked)]) -> ProjectBuilder {
    let start =
        Project::new(registry).field("name", "root").field("workspaces", json!(["packages/*"]));
    workspaces.iter().fold(start, |project, (name, asked)| {
        project.file(&format!("packages/{name}/package.json"), manifest(name, asked))
    })
}

/// Returns every file of the project but the state, which has its times.
fn contents(project: &Project) -> BTreeMap<String, String> {
    let mut files = files(project);
    files.remove("node_modules/.dx/state");
    files.remove(".npmrc");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    files.into_iter().map(|(path, bytes)| (path, text(bytes))).collect()
}

/// Has the next install of a project look at everything: a file that it wrote is no longer the very
/// same. It still knows what it has told.
fn look_at_everything(project: &Project) {
    let hidden = project.path().join("node_modules/.package-lock.json");
    match std::fs::metadata(&hidden) {
        Ok(found) if cfg!(unix) => std::fs::set_permissions(&hidden, found.permissions()).unwrap(),
        _ => project.remove("node_modules/.dx/state"),
    }
}

/// Changes a random repository step by step, in one project incrementally and in another fully.
fn walk(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let registry = registry();
    let mut workspaces: Vec<(&str, Asked)> =
        FOLDERS.iter().map(|folder| (*folder, Asked::new())).collect();
    for (_, asked) in &mut workspaces {
        (0..dice.roll(6)).for_each(|_| ask(&mut dice, asked));
    }
    let projects = [(); 2].map(|()| repository(&registry, &workspaces).create());
    share_key(&projects.each_ref());
    projects.iter().for_each(|project| drop(ok(project, ["install"])));
    for step in 0..12 {
        let mut arguments = vec!["install".to_owned()];
        match dice.roll(6) {
            0 => {
                arguments.push(format!("{}@{}", dice.one(&NAMES), dice.one(&["1", "2", "latest"])))
            }
            1 => arguments = vec!["uninstall".to_owned(), dice.one(&NAMES).to_owned()],
            kind => {
                for _ in 0..=usize::from(kind == 2) {
                    let (folder, asked) = &mut workspaces[dice.roll(FOLDERS.len())];
                    if dice.roll(2) == 0 && !asked.is_empty() {
                        let at = dice.roll(asked.len());
                        let name = asked.keys().nth(at).unwrap().clone();
                        asked.remove(&name);
                    } else {
                        ask(&mut dice, asked);
                    }
                    let text = manifest(folder, asked);
                    for project in &projects {
                        project.write(&format!("packages/{folder}/package.json"), &text);
                    }
                }
            }
        }
        look_at_everything(&projects[1]);
        let [of_change, of_all] =
            projects.each_ref().map(|project| command(project).args(&arguments).run());
        let label = format!("seed {seed}, step {step}: {arguments:?}");
        assert_eq!(of_change.status, of_all.status, "{label}: {of_change}{of_all}");
        assert_eq!(of_change.snapshot(), of_all.snapshot(), "{label}");
        let [of_change, of_all] = projects.each_ref().map(contents);
        for path in of_change.keys().chain(of_all.keys()) {
            assert_eq!(of_change.get(path), of_all.get(path), "{label}: {path}");
        }
        if !projects[1].exists("node_modules/.dx/state") {
            ok(&projects[1], ["install"]);
        }
    }
}

#[test]
fn change_of_workspaces_has_the_result_of_a_full_install() {
    let seeds = std::env::var("MONOREPO_SEEDS").ok().map_or(3, |number| number.parse().unwrap());
    (1..=seeds).for_each(walk);
}

#[test]
fn change_of_a_workspace_leaves_alone_what_it_does_not_touch() {
    let registry = registry();
    let asked = |names: &[&str]| -> Asked {
        names.iter().map(|name| ((*name).to_owned(), (0, "1".to_owned()))).collect()
    };
    let workspaces = [("one", asked(&["c", "plugin"])), ("two", asked(&["g", "host"]))];
    let project = repository(&registry, &workspaces).create();
    ok(&project, ["install"]);
    // A full install looks at every package, and puts back what is missing.
    project.remove("node_modules/c/package.json");
    project.write("packages/two/package.json", manifest("two", &asked(&["g", "host", "tool"])));
    let run = ok(&project, ["install"]);
    assert!(run.stdout.contains("Added 1 package"), "{run}");
    assert!(project.exists("node_modules/.bin/tool"));
    assert!(!project.exists("node_modules/c/package.json"));
    assert_eq!(locked(&project, "packages/two")["dependencies"]["tool"], "1");
    project.write("packages/two/package.json", manifest("two", &asked(&["host"])));
    let run = ok(&project, ["install"]);
    assert!(run.stdout.contains("Removed 1 package"), "{run}");
    assert!(!project.exists("node_modules/.bin/tool"));
    assert!(project.exists("node_modules/g"), "host needs it");
    ok(&project, ["install", "d@1"]);
    assert!(!project.exists("node_modules/c/package.json"));
    let run = ok(&project, ["install"]);
    assert_eq!(run.stdout, "Already up to date\n");
}

#[test]
fn what_a_workspace_no_longer_requires_is_told() {
    let registry = Registry::start();
    for name in ["a", "b"] {
        registry.package(name, "1.0.0").publish();
    }
    let project = Project::new(&registry)
        .field("workspaces", json!(["w", "x"]))
        .file("w/package.json", r#"{"name":"w","dependencies":{"a":"1","b":"1"}}"#)
        .file("x/package.json", r#"{"name":"x","dependencies":{"b":"1"}}"#)
        .create();
    ok(&project, ["install"]);
    let run = ok(&project, ["remove", "a", "-w", "w"]);
    assert!(run.stdout.contains("- a 1.0.0\n"), "{run}");
    let run = ok(&project, ["remove", "b", "-w", "w"]);
    assert!(run.stdout.contains("b 1.0.0 (stays: other packages need it)"), "{run}");
    let run = ok(&project, ["remove", "b", "-w", "x"]);
    assert!(run.stdout.contains("- b 1.0.0\n"), "{run}");
}

#[test]
fn change_of_a_workspace_leaves_alone_the_conflicts_of_others() {
    let registry = registry();
    let asked = |pairs: &[(&str, &str)]| -> Asked {
        pairs.iter().map(|(name, spec)| ((*name).to_owned(), (0, (*spec).to_owned()))).collect()
    };
    let conflicting = [("host", "2"), ("plugin", "1")];
    let workspaces = [("one", asked(&conflicting)), ("two", asked(&[("c", "1")]))];
    let project = repository(&registry, &workspaces).create();
    let counted = "with 1 peer requirement not met (as before: dx peers)";
    let run = ok(&project, ["install"]);
    assert!(run.stderr.contains("plugin 1.0.0 does not accept host 2.0.0"), "{run}");
    // A full install looks at every package, and puts back what is missing.
    project.remove("node_modules/c/package.json");
    for names in [&[("c", "1"), ("tool", "1")][..], &[("c", "1")]] {
        project.write("packages/two/package.json", manifest("two", &asked(names)));
        let run = ok(&project, ["install"]);
        assert!(run.stdout.contains(counted), "{run}");
        assert_eq!(project.exists("node_modules/.bin/tool"), names.len() == 2);
        assert!(!project.exists("node_modules/c/package.json"));
    }
    // One that is part of the conflict may have solved it.
    let more = [conflicting[0], conflicting[1], ("tool", "1")];
    project.write("packages/one/package.json", manifest("one", &asked(&more)));
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/c/package.json"));
    // So may one that leaves the project's own manifest.
    project.remove("node_modules/c/package.json");
    project.write(
        "package.json",
        r#"{"name": "root", "workspaces": ["packages/*"], "dependencies": {"g": "1"}}"#,
    );
    ok(&project, ["install"]);
    assert!(project.exists("node_modules/c/package.json"));
}

#[test]
fn command_of_a_workspace_that_was_built_since_is_linked() {
    let registry = registry();
    let project = repository(&registry, &[("two", Asked::new())])
        .file(
            "packages/one/package.json",
            r#"{"name":"@m/one","version":"1.0.0","bin":{"made":"dist/made.js"}}"#,
        )
        .create();
    ok(&project, ["install"]);
    assert!(!project.exists("node_modules/.bin/made"));
    project.write("packages/one/dist/made.js", "#!/usr/bin/env node\n");
    let asked = Asked::from([("g".to_owned(), (0, "1".to_owned()))]);
    project.write("packages/two/package.json", manifest("two", &asked));
    ok(&project, ["install"]);
    let command =
        if cfg!(windows) { "node_modules/.bin/made.cmd" } else { "node_modules/.bin/made" };
    assert!(project.exists(command));
}
