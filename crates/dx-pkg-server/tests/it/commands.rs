//! The commands besides `serve`.

use crate::server::{Server, command, tarball};
use dx_pkg_testkit::Registry;
use serde_json::json;
use std::fs;
use std::path::Path;

fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = command(folder).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8(text).unwrap())
}

#[test]
fn serve_says_on_standard_error_why_it_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start("none");
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for (arguments, reason) in [
        (["--listen", &server.address], "another program has it"),
        (["--listen", "nowhere"], "listen"),
        (["--storage", file.to_str().unwrap()], "storage folder"),
        (["--upstream", "nowhere"], "upstream"),
    ] {
        let output = command(folder.path()).arg("serve").args(arguments).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()), "{errors}");
        assert!(errors.starts_with("dx-registry: ") && errors.contains(reason), "{errors}");
    }
    let (_, users) = run(folder.path(), &["user", "list"]);
    assert_eq!(users, "", "no administrator whose password nobody has seen");
}

#[test]
fn test_runs_a_command_with_a_registry_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = folder.path().join("fixture");
    fs::create_dir_all(fixture.join("@acme/one")).unwrap();
    let manifest = json!({ "name": "@acme/one", "version": "1.0.0" }).to_string();
    fs::write(fixture.join("@acme/one/package.json"), manifest).unwrap();
    fs::write(fixture.join("two-2.0.0.tgz"), tarball("two", "2.0.0")).unwrap();
    let ask = "const get = path => fetch(process.env.DX_TEST_REGISTRY + path).then(r => r.json());
        Promise.all([get('@acme%2fone'), get('two'), get('three')]).then(all => {
            console.log(...all.map(one => one.error ? 'none' : Object.keys(one.versions)[0]));
            process.exit(7);
        })";
    let fixture = fixture.to_str().unwrap();
    let arguments = ["test", "--fixture", fixture, "--upstream", "none", "--", "node", "-e", ask];
    let (code, text) = run(folder.path(), &arguments);
    assert_eq!((code, text.trim()), (7, "1.0.0 2.0.0 none"));
    assert!(!folder.path().join("data").exists());
}

#[test]
fn import_takes_over_what_was_published_to_verdaccio() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("verdaccio");
    let package = |name: &str, distfiles: serde_json::Value| {
        let own = old.join(name);
        fs::create_dir_all(&own).unwrap();
        let document = json!({
            "name": name, "readme": "# hello", "dist-tags": { "latest": "1.0.0", "old": "0.1.0" },
            "time": { "created": "2020-01-01T00:00:00.000Z", "modified": "2021-01-01T00:00:00.000Z",
                      "1.0.0": "2021-01-01T00:00:00.000Z" },
            "versions": { "1.0.0": { "name": name, "version": "1.0.0", "dist": {} } },
            "_distfiles": distfiles, "_attachments": { "x-1.0.0.tgz": {} },
        });
        fs::write(own.join("package.json"), document.to_string()).unwrap();
        let file = format!("{}-1.0.0.tgz", name.rsplit('/').next().unwrap());
        fs::write(own.join(file), tarball(name, "1.0.0")).unwrap();
    };
    package("@acme/x", json!({}));
    package("cached", json!({ "cached-1.0.0.tgz": { "url": "http://elsewhere.example/" } }));
    let (code, text) = run(folder.path(), &["import", "verdaccio", old.to_str().unwrap()]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("imported 1 versions of 1 packages"), "{text}");
    assert!(text.contains("cached: only cached from another registry"), "{text}");
    let server = Server::over(folder, "none");
    let packument = server.get("/@acme%2fx").json();
    assert_eq!(packument["dist-tags"], json!({ "latest": "1.0.0" }));
    assert_eq!(packument["time"]["1.0.0"], "2021-01-01T00:00:00.000Z");
    assert_eq!(packument["readme"], "# hello");
    assert_eq!(server.get("/@acme/x/-/x-1.0.0.tgz").body, tarball("@acme/x", "1.0.0"));
    assert_eq!(server.get("/cached").status, 404);
}

#[test]
fn export_writes_what_a_registry_without_an_upstream_serves() {
    let upstream = Registry::start();
    upstream.package("a", "1.0.0").dep("@s/b", "^1").publish();
    upstream.package("a", "2.0.0").publish();
    upstream.package("@s/b", "1.2.0").publish();
    let folder = tempfile::tempdir().unwrap();
    let lock = json!({ "lockfileVersion": 3, "packages": {
        "": { "name": "project" },
        "node_modules/a": { "version": "1.0.0", "resolved": "http://elsewhere.example/a/-/a-1.0.0.tgz" },
        "node_modules/a/node_modules/@s/b": { "version": "1.2.0" },
        "node_modules/other": { "version": "1.2.0", "name": "@s/b" },
        "node_modules/local": { "resolved": "local", "link": true },
        "node_modules/git": { "version": "1.0.0", "resolved": "git+ssh://git@host/x.git#1" },
    } });
    let file = folder.path().join("package-lock.json");
    fs::write(&file, lock.to_string()).unwrap();
    let to = folder.path().join("data/dx/registry");
    let (file, to) = (file.to_str().unwrap(), to.to_str().unwrap());
    let own = folder.path().join("own");
    let own = own.to_str().unwrap();
    let arguments =
        ["export", "--lockfile", file, "--to", to, "--upstream", upstream.url(), "--storage", own];
    let (code, text) = run(folder.path(), &arguments);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("exported 2 versions of 2 packages"), "{text}");
    assert!(text.contains("left out: node_modules/git"), "{text}");
    upstream.stop();
    let server = Server::over(folder, "none");
    assert_eq!(server.versions("a"), ["1.0.0"]);
    for (path, file) in [("/a", "a-1.0.0.tgz"), ("/@s/b", "b-1.2.0.tgz")] {
        let packument = server.get(path).json();
        let versions = packument["versions"].as_object().unwrap();
        let integrity = versions.values().next().unwrap()["dist"]["integrity"].clone();
        let tarball = server.get(&format!("{path}/-/{file}")).body;
        assert_eq!(integrity, dx_pkg_testkit::integrity_sha512(&tarball));
    }
}

#[test]
fn import_of_a_lockfile_fills_the_cache() {
    let upstream = Registry::start();
    upstream.package("a", "1.0.0").dep("@s/b", "^1").publish();
    upstream.package("a", "2.0.0").publish();
    upstream.package("@s/b", "1.2.0").publish();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("package-lock.json");
    let mut lock = json!({ "lockfileVersion": 3, "packages": {
        "": { "name": "project" },
        "node_modules/a": { "version": "1.0.0" },
        "node_modules/@s/b": { "version": "1.2.0" },
        "node_modules/git": { "version": "1.0.0", "resolved": "git+ssh://git@host/x.git#1" },
    } });
    fs::write(&file, lock.to_string()).unwrap();
    let path = file.to_str().unwrap().to_owned();
    let import = ["import", "lockfile", &path, "--upstream", upstream.url()];
    let (code, text) = run(folder.path(), &import);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("imported 2 versions of 2 packages"), "{text}");
    assert!(text.contains("left out: node_modules/git"), "{text}");
    lock["packages"]["node_modules/c"] = json!({ "version": "9.0.0" });
    fs::write(&file, lock.to_string()).unwrap();
    let (code, text) = run(folder.path(), &import);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("FAILED c@9.0.0: "), "{text}");
    fs::write(&file, "lockfileVersion: '9.0'\npackages: [").unwrap();
    let (code, text) = run(folder.path(), &import);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("pnpm-lock.yaml"), "{text}");
    let bun = r#"{ "workspaces": {}, "packages": { "a": ["a@1.0.0", "", {}, ""], }, }"#;
    fs::write(&file, bun).unwrap();
    let (code, text) = run(folder.path(), &import);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("imported 1 versions of 1 packages"), "{text}");
    let url = upstream.url().to_owned();
    upstream.stop();
    let server = Server::over(folder, &url);
    for (path, tarball) in [("/a", "/a/-/a-1.0.0.tgz"), ("/@s/b", "/@s/b/-/b-1.2.0.tgz")] {
        assert_eq!(server.get(path).status, 200, "{path}");
        assert_eq!(server.get(tarball).status, 200, "{tarball}");
    }
    assert!(server.get("/a/-/a-2.0.0.tgz").status >= 500, "it was not in the lockfile");
}

#[test]
fn check_reports_which_endpoints_a_registry_has() {
    let server = Server::start("none");
    server.publish("tool", "1.0.0");
    let (code, text) = run(server.folder.path(), &["check", &server.url(), "--package", "tool"]);
    let wrong: Vec<&str> = text.lines().filter(|line| line.starts_with("WRONG")).collect();
    assert_eq!((code, wrong), (0, vec![]), "{text}");
    for part in ["HEAD of a tarball", "Range of a tarball"] {
        assert!(text.contains(&format!("right  {part}")), "{text}");
    }
    let other = Registry::start();
    let (code, text) = run(server.folder.path(), &["check", other.url(), "--package", "tool"]);
    assert_eq!(code, 1);
    assert!(text.contains("WRONG  full packument: it answers 404"), "{text}");
}

#[test]
fn check_publishes_changes_and_unpublishes_if_it_may() {
    let server = Server::start("none");
    server.publish("tool", "1.0.0");
    for name in ["dx-check", "@acme/dx-check"] {
        let output = command(server.folder.path())
            .args(["check", &server.url(), "--package", "tool", "--token-variable", "TOKEN"])
            .args(["--write", name])
            .env("TOKEN", &server.token)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let wrong: Vec<&str> = text.lines().filter(|line| line.starts_with("WRONG")).collect();
        assert_eq!((output.status.code(), wrong), (Some(0), vec![]), "{text}");
        assert!(text.contains("right  404 for what was unpublished"), "{text}");
    }
    let check = ["check", &server.url(), "--write", "tool"];
    assert_eq!(run(server.folder.path(), &check).0, 2, "it needs a token");
}

#[test]
fn gc_removes_from_the_cache_what_was_used_least_recently_and_nothing_that_is_published() {
    let upstream = Registry::start();
    upstream.package("old", "1.0.0").publish();
    let server = Server::start(upstream.url());
    server.get("/old/-/old-1.0.0.tgz");
    server.publish("mine", "1.0.0");
    let hours_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
    for file in files(&server.storage()) {
        fs::File::options().append(true).open(file).unwrap().set_modified(hours_ago).unwrap();
    }
    let gc = |arguments: &[&str]| {
        let output = command(server.folder.path())
            .env("DX_REGISTRY_CACHE__SIZE", "0")
            .arg("gc")
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let before = files(&server.storage());
    let text = gc(&["--dry-run"]);
    assert!(
        text.starts_with("would remove 0 files of interrupted writes and 2 of the cache"),
        "{text}"
    );
    assert_eq!(files(&server.storage()), before);
    let text = gc(&[]);
    assert!(text.starts_with("removed 0 files of interrupted writes and 2 of the cache"), "{text}");
    assert_eq!(server.get("/mine/-/mine-1.0.0.tgz").body, tarball("mine", "1.0.0"));
    assert_eq!(server.get("/old/-/old-1.0.0.tgz").status, 200);
}

#[test]
fn a_setting_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    for (text, wanted) in [
        ("listne = 1", "listne"),
        ("listen = \"nowhere\"", "listen"),
        ("upstream = \"ftp://x\"", "no http: or https: address"),
        ("[cache]\nfresh = \"soon\"", "no span of time"),
        ("[limits]\npublish = \"much\"", "no size"),
        ("trusted-proxies = [\"x\"]", "no network"),
        ("[[packages]]\nnames = \"@a/*\"\nfrom = \"there\"", "neither \"hosted\" nor"),
    ] {
        fs::write(&file, text).unwrap();
        let (code, said) = run(folder.path(), &["serve", "--config", file.to_str().unwrap()]);
        assert_eq!(code, 1, "{text}: {said}");
        assert!(said.contains(wanted), "{text}: {said}");
    }
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
