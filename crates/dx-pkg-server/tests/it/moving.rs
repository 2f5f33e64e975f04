//! Packages that are brought in and written out: what is compared, what is kept, and the exit code.

use crate::people::{add_user, publish, send};
use crate::server::{Server, command, tarball, tarball_of};
use dx_pkg_testkit::{Registry, integrity_sha512};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = command(folder).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap_or(-1), String::from_utf8(text).unwrap())
}

/// Writes npm's lockfile with these entries and returns its path.
fn lockfile(folder: &Path, packages: &Value) -> String {
    let file = folder.join("package-lock.json");
    fs::write(&file, json!({ "lockfileVersion": 3, "packages": packages }).to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

/// Whether a version is signed with a key that the registry tells.
fn is_signed(server: &Server, name: &str, version: &str) -> bool {
    let path = crate::server::path_of(name);
    let dist =
        send(server, &server.token, "GET", &path, None).json()["versions"][version]["dist"].clone();
    let keys = server.get("/-/npm/v1/keys").json();
    let signatures = dist["signatures"].as_array().unwrap();
    let known = |id: &Value| keys["keys"].as_array().unwrap().iter().any(|key| key["keyid"] == *id);
    assert_eq!(dist.get("attestations"), None);
    signatures.len() == 1 && known(&signatures[0]["keyid"])
}

#[test]
fn a_folder_is_imported_again_and_again_signed_and_with_its_access() {
    let server = Server::start("none");
    let folder = tempfile::tempdir().unwrap();
    let package = |path: &str, manifest: Value| {
        fs::create_dir_all(folder.path().join(path)).unwrap();
        fs::write(folder.path().join(path).join("package.json"), manifest.to_string()).unwrap();
    };
    package("a", json!({ "name": "a", "version": "1.0.0", "publishConfig": { "tag": "next" } }));
    let config = json!({ "access": "restricted" });
    package("@s/b", json!({ "name": "@s/b", "version": "1.0.0", "publishConfig": config }));
    fs::write(folder.path().join("c-1.0.0.tgz"), tarball("c", "1.0.0")).unwrap();
    fs::write(folder.path().join("broken.tgz"), &tarball("broken", "1.0.0")[..60]).unwrap();
    let path = folder.path().to_str().unwrap();
    let (code, text) = run(server.folder.path(), &["import", "folder", path]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("imported 3 versions") && text.contains("FAILED"), "{text}");
    assert!(text.contains("broken.tgz"), "{text}");
    fs::remove_file(folder.path().join("broken.tgz")).unwrap();
    package("d", json!({ "name": "d", "version": "1.0.0" }));
    let import = ["import", "folder", path, "--owner", "alice"];
    let (code, text) = run(server.folder.path(), &import);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("imported 1 versions"), "{text}");
    assert_eq!(text.matches("left out: ").count(), 3, "{text}");
    for name in ["a", "c", "d"] {
        assert!(is_signed(&server, name, "1.0.0"), "{name}");
    }
    assert_eq!(server.get("/a").json()["dist-tags"]["next"], "1.0.0");
    assert_eq!(server.get("/a").json()["maintainers"], json!([]));
    assert_eq!(server.get("/d").json()["maintainers"][0]["name"], "alice");
    assert_eq!(send(&server, "", "GET", "/@s%2fb", None).status, 404, "it is restricted");
    assert_eq!(publish(&server, &server.token, "a", "1.1.0", &[]), 403, "nobody owns it yet");
    assert_eq!(publish(&server, &server.token, "d", "1.1.0", &[]), 201);
    package("e", json!({ "name": "e", "version": "1.0.0", "publishConfig": { "access": "x" } }));
    let (code, text) = run(server.folder.path(), &["import", "folder", path, "--owner", "nobody"]);
    assert!(code == 1 && text.contains("there is no user nobody"), "{text}");
    let (code, text) = run(server.folder.path(), &import);
    assert!(code == 1 && text.contains("neither public nor restricted"), "{text}");
}

#[test]
fn a_damaged_package_of_verdaccio_is_a_failure_and_an_import_can_be_repeated() {
    let server = Server::start("none");
    let old = server.folder.path().join("verdaccio");
    let write = |name: &str, versions: &[&str]| {
        let own = old.join(name);
        fs::create_dir_all(&own).unwrap();
        let manifest = |version: &&str| {
            let dist = json!({ "shasum": dx_pkg_testkit::shasum(&tarball(name, version)) });
            let manifest = json!({ "name": name, "version": version, "dist": dist });
            ((*version).to_owned(), manifest)
        };
        let manifests: serde_json::Map<String, Value> = versions.iter().map(manifest).collect();
        let document = json!({ "name": name, "versions": manifests, "_attachments": {} });
        fs::write(own.join("package.json"), document.to_string()).unwrap();
        for version in versions {
            fs::write(own.join(format!("{name}-{version}.tgz")), tarball(name, version)).unwrap();
        }
    };
    write("fine", &["1.0.0"]);
    write("torn", &["1.0.0", "1.1.0"]);
    write("swapped", &["1.0.0"]);
    let cut = &tarball("torn", "1.1.0")[..60];
    fs::write(old.join("torn/torn-1.1.0.tgz"), cut).unwrap();
    fs::write(old.join("swapped/swapped-1.0.0.tgz"), tarball("swapped", "6.6.6")).unwrap();
    let import = ["import", "verdaccio", old.to_str().unwrap()];
    let (code, text) = run(server.folder.path(), &import);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("imported 1 versions of 1 packages"), "{text}");
    assert!(text.contains("torn: 1.1.0: ") && text.contains("swapped: 1.0.0: "), "{text}");
    assert!(is_signed(&server, "fine", "1.0.0"));
    assert_eq!(server.get("/torn").status, 404, "not half of it");
    write("torn", &["1.0.0", "1.1.0"]);
    write("swapped", &["1.0.0"]);
    write("fine", &["1.0.0", "1.1.0"]);
    let (code, text) = run(server.folder.path(), &import);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("imported 4 versions of 3 packages"), "{text}");
    assert_eq!(server.versions("fine"), ["1.0.0", "1.1.0"]);
    let (code, text) = run(server.folder.path(), &import);
    assert_eq!((code, text.matches("it is here already").count()), (0, 3), "{text}");
    assert_eq!(server.publish("mine", "1.0.0").status, 201);
    write("mine", &["2.0.0"]);
    let (code, text) = run(server.folder.path(), &import);
    assert!(code == 1 && text.contains("another package of this name"), "{text}");
}

#[test]
fn what_a_lockfile_names_is_compared_with_what_is_brought() {
    let upstream = Registry::start();
    upstream.package("a", "1.0.0").publish();
    upstream.package("b", "1.0.0").publish();
    let bytes =
        |server: &Server, name: &str| server.get(&format!("/{name}/-/{name}-1.0.0.tgz")).body;
    let server = Server::start(upstream.url());
    let (a, b) = (integrity_sha512(&bytes(&server, "a")), integrity_sha512(&bytes(&server, "b")));
    let folder = server.folder.path();
    let to = folder.join("exported");
    let both = |packages: &Value| {
        let file = lockfile(folder, packages);
        let _ = fs::remove_dir_all(&to);
        let to = to.to_str().unwrap();
        let url = upstream.url();
        let import = run(folder, &["import", "lockfile", &file, "--upstream", url]);
        let export = run(folder, &["export", "--lockfile", &file, "--to", to, "--upstream", url]);
        [import, export]
    };
    for (code, text) in both(&json!({
        "node_modules/a": { "version": "1.0.0", "integrity": a,
            "resolved": "https://mirror.example/a/-/a-1.0.0.tgz" },
        "node_modules/b": { "version": "1.0.0", "integrity": b,
            "resolved": "https://mirror.example/download/b/1" },
    })) {
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("2 versions of 2 packages"), "{text}");
    }
    for (code, text) in both(&json!({
        "node_modules/a": { "version": "1.0.0", "integrity": b },
        "node_modules/b": { "version": "1.0.0" },
    })) {
        assert_eq!(code, 1, "{text}");
        assert!(text.contains("1 versions of 1 packages"), "{text}");
        assert!(text.contains("FAILED a@1.0.0: the tarball is not the one"), "{text}");
    }
    let forked = json!({
        "node_modules/a": { "version": "1.0.0", "integrity": b,
            "resolved": "https://me:SECRET@files.example/fork/a.tgz" },
        "node_modules/b": { "version": "1.0.0", "resolved": "https://files.example/b.tgz" },
        "node_modules/own": { "version": "3.0.0", "resolved": "https://files.example/own.tgz" },
    });
    for (code, text) in both(&forked) {
        assert_eq!(code, 0, "{text}");
        assert!(text.contains("0 versions"), "{text}");
        assert_eq!(text.matches("left out: ").count(), 3, "{text}");
        assert!(!text.contains("SECRET"), "{text}");
    }
    let told = |packages: &Value| {
        let lock = json!({ "lockfileVersion": 3, "packages": packages });
        send(&server, "", "POST", "/-/policy/lockfile", Some(&lock)).json()
    };
    let answer = told(&forked);
    assert_eq!(answer["checked"], 0, "{answer}");
    assert_eq!(answer["elsewhere"].as_array().unwrap().len(), 3, "{answer}");
    let answer = told(&json!({
        "node_modules/a": { "version": "1.0.0", "integrity": b },
        "node_modules/b": { "version": "1.0.0", "integrity": b },
        "node_modules/c/node_modules/b": { "version": "2.0.0", "integrity": b },
    }));
    assert_eq!(answer["altered"][0]["package"], "a@1.0.0", "{answer}");
    assert_eq!(answer["altered"].as_array().unwrap().len(), 1, "{answer}");
    assert_eq!(answer["unknown"][0]["package"], "b@2.0.0", "{answer}");
    assert_eq!(answer["elsewhere"], json!([]), "{answer}");
}

#[test]
fn export_of_a_restricted_package_is_restricted_and_signed_by_the_new_registry() {
    let server = Server::start("none");
    let folder = server.folder.path();
    assert_eq!(server.publish("@frank/secret", "1.0.0").status, 201);
    assert_eq!(server.publish("@frank/open", "1.0.0").status, 201);
    let access = "/-/package/@frank%2fsecret/access";
    let body = json!({ "access": "restricted" });
    assert_eq!(send(&server, &server.token, "POST", access, Some(&body)).status, 200);
    let file = lockfile(
        folder,
        &json!({
            "node_modules/@frank/secret": { "version": "1.0.0" },
            "node_modules/@frank/open": { "version": "1.0.0" },
        }),
    );
    let target = tempfile::tempdir().unwrap();
    let to = target.path().join("data/dx/registry");
    let (code, text) = run(folder, &["export", "--lockfile", &file, "--to", to.to_str().unwrap()]);
    assert_eq!(code, 0, "{text}");
    let mut exported = Server::over(target, "none");
    assert_eq!(exported.get("/@frank%2fopen").status, 200);
    assert_eq!(exported.get("/@frank%2fsecret").status, 404);
    assert_eq!(exported.get("/@frank/secret/-/secret-1.0.0.tgz").status, 404);
    exported.token = add_user(&exported, "alice");
    let read = send(&exported, &exported.token, "GET", "/@frank%2fsecret", None);
    assert_eq!(read.status, 200, "its owner reads it");
    for name in ["@frank/secret", "@frank/open"] {
        assert!(is_signed(&exported, name, "1.0.0"), "{name}");
    }
}

#[test]
fn nobody_registers_the_name_of_a_removed_user_or_of_an_owner() {
    let server = Server::with("none", &[("DX_REGISTRY_ACCOUNTS__REGISTRATION", "true")]);
    let erin = add_user(&server, "erin");
    assert_eq!(publish(&server, &erin, "erin-pkg", "1.0.0", &[]), 201);
    add_user(&server, "member");
    assert_eq!(publish(&server, &server.token, "@acme/a", "1.0.0", &[]), 201);
    let member = json!({ "user": "member", "role": "owner" });
    assert_eq!(send(&server, &server.token, "PUT", "/-/org/acme/user", Some(&member)).status, 200);
    let imported = server.folder.path().join("verdaccio/old");
    fs::create_dir_all(&imported).unwrap();
    let manifest = json!({ "name": "old", "version": "1.0.0" });
    let document = json!({ "name": "old", "versions": { "1.0.0": manifest },
        "maintainers": [{ "name": "veteran", "email": "" }] });
    fs::write(imported.join("package.json"), document.to_string()).unwrap();
    fs::write(imported.join("old-1.0.0.tgz"), tarball_of(&manifest)).unwrap();
    let folder = server.folder.path();
    let from = folder.join("verdaccio");
    assert_eq!(run(folder, &["import", "verdaccio", from.to_str().unwrap()]).0, 0);
    add_user(&server, "idle");
    for name in ["erin", "member", "idle"] {
        assert_eq!(run(folder, &["user", "remove", name]).0, 0);
    }
    let register = |name: &str| {
        let body = json!({ "name": name, "password": "correct horse" });
        send(&server, "", "PUT", &format!("/-/user/org.couchdb.user:{name}"), Some(&body)).status
    };
    for name in ["erin", "member", "idle", "veteran"] {
        assert_eq!(register(name), 403, "{name}");
    }
    assert_eq!(register("newcomer"), 201);
    let (code, text) = run(folder, &["user", "add", "erin"]);
    assert_eq!(code, 0, "an administrator can: {text}");
    assert!(text.contains("erin-pkg") && text.contains("warning"), "{text}");
}

#[test]
fn bodies_of_many_values_are_refused_before_they_fill_the_memory() {
    let server = Server::start("none");
    let many = "[],".repeat(1_200_000);
    let lock = format!("{{\"lockfileVersion\":3,\"packages\":{{\"\":[{many}0]}}}}");
    let answer = server.send_as("POST", "/-/policy/lockfile", &[], lock.as_bytes());
    assert_eq!(answer.status, 400);
    assert!(answer.json()["error"].as_str().unwrap().contains("values"), "{answer:?}");
    let publish = format!("{{\"name\":\"a\",\"versions\":[{many}0]}}");
    let answer =
        server.send("PUT", "/a", &[("content-type", "application/json")], publish.as_bytes());
    assert_eq!(answer.status, 400);
    assert!(answer.json()["error"].as_str().unwrap().contains("values"), "{answer:?}");
}

#[test]
fn a_copy_of_the_named_folders_is_a_backup() {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy(&entry.path(), &to);
            } else {
                fs::copy(entry.path(), to).unwrap();
            }
        }
    }
    let server = Server::start("none");
    assert_eq!(server.publish("left", "1.0.0").status, 201);
    let target = tempfile::tempdir().unwrap();
    for folder in ["accounts", "keys", "documents", "tarballs"] {
        copy(&server.storage().join(folder), &target.path().join("data/dx/registry").join(folder));
    }
    let mut restored = Server::over(target, "none");
    restored.token.clone_from(&server.token);
    assert_eq!(restored.get("/-/npm/v1/keys").json(), server.get("/-/npm/v1/keys").json());
    assert!(is_signed(&restored, "left", "1.0.0"));
    assert_eq!(restored.get("/-/whoami").json()["username"], "alice");
    assert_eq!(restored.get("/left/-/left-1.0.0.tgz").body, tarball("left", "1.0.0"));
}
