//! What users' files hold that is not quite right, and that npm does not mind.

use dx_pkg_testkit::{Project, Registry};
use serde_json::json;

use crate::harness::{dx, fails, ok, required};

fn registry() -> Registry {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    registry
}

#[test]
fn bytes_that_are_not_utf_8_keep_nothing_from_being_installed() {
    let registry = registry();
    let npmrc = [b"; f\xfcr alle\nregistry=".as_slice(), registry.url().as_bytes(), b"\n"].concat();
    let project = Project::new(&registry).dep("a", "1").file(".npmrc", npmrc).create();
    ok(&project, ["install"]);

    let workspace = b"{\"name\":\"w\",\"author\":\"Andr\xe9\",\"dependencies\":{\"a\":\"1\"}}";
    let project = Project::new(&registry)
        .field("workspaces", json!(["w"]))
        .file("w/package.json", workspace.as_slice())
        .create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
    // The workspace's folder still belongs to the project.
    let run = crate::harness::command(&project).current_dir(&project.path().join("w"));
    let stdout = run.args(["install"]).run().success().stdout;
    assert!(stdout.starts_with("Already up to date"), "{stdout}");
}

#[test]
fn manifest_keeps_its_bytes_through_an_edit() {
    let registry = registry();
    let text = b"{\r\n \"name\": \"x\",\r\n \"author\": \"Andr\xe9 \xff\"\r\n}\r\n";
    let project = Project::new(&registry).file("package.json", text.as_slice()).create();
    ok(&project, ["install", "a"]);
    let path = project.path().join("package.json");
    let added = std::fs::read(&path).unwrap();
    let own = b" \"author\": \"Andr\xe9 \xff\"";
    assert!(added.windows(own.len()).any(|part| part == own), "{}", added.escape_ascii());
    assert_eq!(project.json("package-lock.json")["name"], "x");
    ok(&project, ["remove", "a"]);
    assert_eq!(std::fs::read(&path).unwrap(), text);
}

#[test]
fn lockfile_with_such_bytes_is_obeyed_and_left_alone() {
    let registry = registry();
    let project = Project::new(&registry).dep("a", "1").create();
    ok(&project, ["install"]);
    let path = project.path().join("package-lock.json");
    let text = project.read("package-lock.json").replace("\"1.0.0\",", "\"1.0.0\",\"x\":\"?\",");
    let bytes: Vec<u8> = text.bytes().map(|byte| if byte == b'?' { 0xe9 } else { byte }).collect();
    std::fs::write(&path, &bytes).unwrap();
    ok(&project, ["ci"]);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn utf_16_is_refused_for_nothing_of_it_would_be_read() {
    let registry = registry();
    let project =
        Project::new(&registry).dep("a", "1").file(".npmrc", b"\xff\xfes\0".as_slice()).create();
    let stderr = fails(dx(&project, ["install"]), "DX_NOT_TEXT");
    assert!(stderr.contains(".npmrc"), "{stderr}");
}

#[test]
fn empty_values_count_as_none() {
    let registry = registry();
    for lines in [
        "proxy=\nhttps-proxy=\n",
        "proxy=\"\"\nnoproxy=\n",
        "cafile=\nca=\n",
        "fetch-retries=\nfetch-timeout=\nmaxsockets=\nmin-release-age=\nbefore=\n",
        "omit=\ninclude=\nos=\ncpu=\nlibc=\nnode-version=\ntag=\nlocal-address=\n",
        "script-shell=\nnode-options=\nlockfile-version=\ninstall-strategy=\nloglevel=\n",
        "allow-remote=\nreplace-registry-host=\nextension-file=\npackage-import-method=\n",
        "//127.0.0.1/:_authToken=\n//127.0.0.1/:certfile=\n//127.0.0.1/:keyfile=\ncert=\nkey=\n",
    ] {
        let project = Project::new(&registry).dep("a", "1").npmrc(lines).create();
        let run = ok(&project, ["install"]);
        assert_eq!(run.stderr, "", "{lines}");
        assert_eq!(required(&project, "a"), "a@1.0.0", "{lines}");
    }
}

#[test]
fn empty_value_lets_a_weaker_layer_count() {
    let registry = registry();
    registry.package("a", "2.0.0").publish();
    registry.dist_tag("a", "old", "1.0.0");
    let project = Project::new(&registry).dep("a", "").npmrc("tag=").create();
    std::fs::write(project.home().join(".npmrc"), "tag=old\n").unwrap();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn empty_registry_is_named() {
    let registry = registry();
    let user = format!("registry={}\n", registry.url());
    let project = Project::offline().dep("a", "1").npmrc("registry=\n@s:registry=").create();
    std::fs::write(project.home().join(".npmrc"), user).unwrap();
    let run = ok(&project, ["install"]);
    for key in ["\"registry\"", "\"@s:registry\""] {
        assert!(run.stderr.contains(key), "{run}");
    }
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn zero_is_no_limit() {
    let registry = registry();
    let lines = "fetch-timeout=0\nmaxsockets=0\nnetwork-concurrency=0\nfetch-retries=0\n\
                 fetch-retry-factor=0\nfetch-retry-mintimeout=0\nfetch-retry-maxtimeout=0";
    let project = Project::new(&registry).dep("a", "1").npmrc(lines).create();
    ok(&project, ["install"]);
    assert_eq!(required(&project, "a"), "a@1.0.0");
}

#[test]
fn node_options_reach_scripts() {
    let registry = registry();
    let show = "node -p process.env.NODE_OPTIONS";
    let project = Project::new(&registry)
        .dep("a", "1")
        .script("show", show)
        .script("postinstall", &format!("{show} > seen"))
        .user_npmrc("node-options=--max-old-space-size=99")
        .create();
    let run = crate::harness::command(&project).env("NODE_OPTIONS", "--max-old-space-size=50");
    let run = run.args(["run", "show"]).run().success();
    assert!(run.stdout.contains("--max-old-space-size=99"), "{run}");
    ok(&project, ["install"]);
    assert_eq!(project.read("seen").trim(), "--max-old-space-size=99");
    // Without the setting the user's own variable stays.
    std::fs::write(project.home().join(".npmrc"), "").unwrap();
    let run = crate::harness::command(&project).env("NODE_OPTIONS", "--max-old-space-size=50");
    let run = run.args(["run", "show"]).run().success();
    assert!(run.stdout.contains("--max-old-space-size=50"), "{run}");
}
