//! Lockfiles of version 1 with packages from outside the registries: git, addresses and files. They
//! tell neither versions nor commands of these.

use dx_pkg_testkit::{Project, Registry};
use serde_json::{Value, json};

use crate::git::Repositories;
use crate::harness::{dx, fails, locked, ok};

/// The three sources of `tool`, each with what the lockfile of version 1 says of it.
struct Sources {
    registry: Registry,
    server: Registry,
    repositories: Repositories,
    tarball: Vec<u8>,
}

impl Sources {
    fn new() -> Self {
        let registry = Registry::start();
        registry.package("helper", "1.0.0").publish();
        registry.package("helper", "1.1.0").publish();
        let server = Registry::start();
        let tool = || server.package("tool", "2.0.0").bin("tool", "cli.js").dep("helper", "^1.0.0");
        let tarball = tool().file("cli.js", "#!/usr/bin/env node\n").tarball();
        tool().file("cli.js", "#!/usr/bin/env node\n").publish();
        let repositories = Repositories::new();
        let manifest = json!({
            "name": "tool", "version": "2.0.0", "bin": "cli.js",
            "dependencies": {"helper": "^1.0.0"},
        });
        repositories.commit(
            "tool",
            &[("package.json", &manifest.to_string()), ("cli.js", "#!/usr/bin/env node\n")],
        );
        Sources { registry, server, repositories, tarball }
    }

    /// Returns the requirement for each source, and the entry of version 1 for it.
    fn all(&self) -> Vec<(String, Value)> {
        let commit = self.repositories.git("tool", &["rev-parse", "HEAD"]);
        let url = self.repositories.url("tool");
        let address = format!("{}/tool/-/tool-2.0.0.tgz", self.server.url().trim_end_matches('/'));
        let unnumbered = "file:lib.tgz";
        let integrity = self.server.integrity("tool", "2.0.0");
        let of_bytes = |version: &str| json!({"version": version, "integrity": integrity.as_str()});
        vec![
            (url.clone(), json!({"version": format!("{url}#{commit}"), "from": url})),
            (address.clone(), of_bytes(&address)),
            (unnumbered.to_owned(), of_bytes(unnumbered)),
            ("file:tool-2.0.0.tgz".to_owned(), of_bytes("file:tool-2.0.0.tgz")),
        ]
    }

    fn project(&self, name: &str, spec: &str, entry: &Value) -> Project {
        let lock = json!({
            "name": "app", "version": "1.0.0", "lockfileVersion": 1, "requires": true,
            "dependencies": {
                name: entry,
                "helper": {
                    "version": "1.0.0",
                    "resolved": format!(
                        "{}/helper/-/helper-1.0.0.tgz",
                        self.registry.url().trim_end_matches('/'),
                    ),
                    "integrity": self.registry.integrity("helper", "1.0.0"),
                },
            },
        });
        Project::new(&self.registry)
            .user_npmrc("allow-git=all\nallow-remote=all")
            .dep(name, spec)
            .file("lib.tgz", self.tarball.clone())
            .file("tool-2.0.0.tgz", self.tarball.clone())
            .file("package-lock.json", lock.to_string())
            .create()
    }
}

#[test]
fn packages_from_everywhere_get_their_versions_commands_and_dependencies() {
    let sources = Sources::new();
    for (spec, entry) in sources.all() {
        for command in ["ci", "install"] {
            let project = sources.project("tool", &spec, &entry);
            ok(&project, [command]);
            assert!(project.exists("node_modules/.bin/tool"), "{spec} {command}");
            let helper = project.json("node_modules/helper/package.json")["version"].clone();
            assert_eq!(helper, "1.0.0", "{spec} {command}: what is locked stays");
            if command == "ci" {
                continue;
            }
            let found = locked(&project, "node_modules/tool");
            assert_eq!(found["version"], "2.0.0", "{spec}");
            assert_eq!(found["bin"], json!({"tool": "cli.js"}), "{spec}");
            assert_eq!(found["dependencies"], json!({"helper": "^1.0.0"}), "{spec}");
            assert_eq!(found["integrity"], entry["integrity"], "{spec}");
            project.remove("node_modules");
            ok(&project, ["ci"]);
            assert!(project.exists("node_modules/.bin/tool"), "{spec}");
        }
    }
}

#[test]
fn package_under_another_name_keeps_its_own() {
    let sources = Sources::new();
    for (spec, entry) in sources.all().into_iter().take(3) {
        let project = sources.project("other", &spec, &entry);
        ok(&project, ["install"]);
        let found = locked(&project, "node_modules/other");
        if entry["integrity"].is_null() || spec.starts_with("file:") {
            assert_eq!(found["name"], "tool", "{spec}");
        }
        assert!(project.exists("node_modules/.bin/tool"), "{spec}");
    }
}

#[test]
fn other_bytes_than_the_locked_ones_are_refused() {
    let sources = Sources::new();
    for (spec, entry) in sources.all().into_iter().skip(1) {
        let mut entry = entry;
        entry["integrity"] = json!(sources.registry.integrity("helper", "1.0.0"));
        for command in ["ci", "install"] {
            let project = sources.project("tool", &spec, &entry);
            let run = dx(&project, [command]);
            assert_ne!(run.status, Some(0), "{spec} {command}: {run}");
            assert!(!project.exists("node_modules/tool"), "{spec} {command}");
        }
    }
}

#[test]
fn what_is_not_allowed_is_not_fetched() {
    let sources = Sources::new();
    for (spec, entry) in sources.all().into_iter().take(2) {
        let project = sources.project("tool", &spec, &entry);
        let before = sources.server.requests().len();
        let run = dx(&project, ["install", "--allow-git=none", "--allow-remote=none"]);
        fails(run, "DX_SOURCE_NOT_ALLOWED");
        assert_eq!(sources.server.requests().len(), before, "{spec}");
    }
}
