//! What the commands of accounts, `dx publish` and `dx diff` say and send, beside what npm 12.2.2
//! said and sent to the same registry.
//!
//! `registry.json` has the registry's packages, small projects, and invocations with npm's output
//! and requests. Tarballs are compared by their files, and digests not at all.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::lines;
use super::server::{Sent, Server, TOKEN};

/// Returns the packages of the table in a registry.
fn start(table: &Value) -> Server {
    let tarballs = table["tarballs"].as_object().unwrap().iter();
    let tarballs: BTreeMap<String, Vec<u8>> = tarballs
        .map(|(path, text)| (path.clone(), STANDARD.decode(text.as_str().unwrap()).unwrap()))
        .collect();
    Server::start(&table["packuments"], tarballs)
}

/// Runs dx in a project, with the settings of a user who has a token or none.
fn run(server: &Server, words: &[&str], root: &Path, with_token: bool) -> Output {
    let place = server.url.strip_prefix("http:").unwrap();
    let token = if with_token { format!("{place}:_authToken={TOKEN}\n") } else { String::new() };
    run_with(server, words, root, &token)
}

/// Runs dx with these lines in the user's `.npmrc`.
fn run_with(server: &Server, words: &[&str], root: &Path, lines: &str) -> Output {
    let home = root.parent().unwrap().join("home");
    std::fs::create_dir_all(&home).unwrap();
    let url = &server.url;
    // What stands in a section counts for nothing.
    let text = format!("registry={url}\nmin-release-age=0\n{lines}[elsewhere]\nkey=value\n");
    std::fs::write(home.join(".npmrc"), text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_dx"))
        .args(words)
        .current_dir(root)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", &home)
        .env("DX_STORE", home.join("store"))
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap()
}

/// Returns a request without what differs from run to run.
fn comparable(sent: &Sent) -> Value {
    let mut request = sent.request.clone();
    if let Some(at) = request.find("/-rev/") {
        request.truncate(at);
        request.push_str("/-rev/R");
    }
    let mut body = sent.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("_rev");
        let attachments = members.get_mut("_attachments").and_then(Value::as_object_mut);
        for attachment in attachments.into_iter().flatten().map(|(_, one)| one) {
            let Some(data) = attachment["data"].as_str() else { continue };
            let bytes = STANDARD.decode(data).unwrap();
            let limits = dx_pkg_compat::tarball::Limits::default();
            let unpacked = dx_pkg_compat::tarball::unpack(&bytes, &limits).unwrap();
            let names: Vec<String> =
                unpacked.entries().iter().map(|file| format!("package/{}", file.path)).collect();
            *attachment = json!({ "content_type": attachment["content_type"], "files": names });
        }
        let versions = members.get_mut("versions").and_then(Value::as_object_mut);
        for version in versions.into_iter().flatten().filter_map(|(_, one)| one.as_object_mut()) {
            for key in ["_nodeVersion", "_npmVersion", "gitHead"] {
                if version.contains_key(key) {
                    version.insert(key.to_owned(), "present".into());
                }
            }
            if let Some(dist) = version.get_mut("dist").and_then(Value::as_object_mut) {
                for key in ["integrity", "shasum"] {
                    if dist.contains_key(key) {
                        dist.insert(key.to_owned(), "present".into());
                    }
                }
            }
        }
    }
    let is_known = sent.headers.get("authorization").is_some_and(|value| value.ends_with(TOKEN));
    json!({ "request": request, "authorised": is_known, "body": body })
}

/// Returns a recorded request in the same form.
fn recorded(request: &Value) -> Value {
    let mut request = request.clone();
    let attachments = request["body"].get_mut("_attachments").and_then(Value::as_object_mut);
    for (_, attachment) in attachments.into_iter().flatten() {
        let Some(files) = attachment["files"].as_object() else { continue };
        let mut names: Vec<String> = files.keys().cloned().collect();
        names.sort();
        attachment["files"] = names.into();
    }
    request
}

/// Returns how the end of an invocation differs from npm's.
fn differences(case: &Value, output: &Output, server: &Server) -> Vec<String> {
    let mut found = Vec::new();
    let stdout = String::from_utf8_lossy(&output.stdout).replace(&server.url, "<REG>/");
    if output.status.success() == case["failed"].as_bool().unwrap() {
        found.push(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr)));
    }
    if let Some(text) = case["text"].as_str()
        && lines(text) != lines(&stdout)
    {
        found.push(format!("npm:\n{text}\ndx:\n{stdout}"));
    }
    if let Some(json) = case.get("json")
        && serde_json::from_str::<Value>(&stdout).unwrap_or_default() != *json
    {
        found.push(format!("npm: {json}\ndx: {stdout}"));
    }
    if let Some(expected) = case.get("sent").and_then(Value::as_array) {
        let expected: Vec<Value> = expected.iter().map(recorded).collect();
        let own = Value::from(server.sent().iter().map(comparable).collect::<Vec<_>>());
        let own: Value =
            serde_json::from_str(&own.to_string().replace(&server.url, "<REG>/")).unwrap();
        if own != Value::from(expected.clone()) {
            found.push(format!("npm sent: {}\ndx sent: {own}", Value::from(expected)));
        }
    }
    found
}

#[test]
fn registries_are_asked_and_changed_as_with_npm() {
    let table: Value = serde_json::from_str(include_str!("registry.json")).unwrap();
    let mut different = Vec::new();
    let runs = table["runs"].as_array().unwrap();
    for case in runs {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("p");
        let project = &table["projects"][case["project"].as_u64().unwrap() as usize];
        for (path, text) in project.as_object().unwrap() {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text.as_str().unwrap()).unwrap();
        }
        let server = start(&table);
        let words = case["words"].as_array().unwrap();
        let words: Vec<&str> = words.iter().map(|word| word.as_str().unwrap()).collect();
        let output = run(&server, &words, &root, case["anonymous"] != true);
        crate::schemas::check(&words, &String::from_utf8_lossy(&output.stdout));
        for difference in differences(case, &output, &server) {
            different.push(format!("{}: {difference}", case["name"]));
        }
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.join("\n"));
    assert!(runs.len() > 60);
}

/// Returns a registry without packages, and a folder with a package.
fn fresh() -> (Server, tempfile::TempDir, std::path::PathBuf) {
    let server = Server::start(&json!({}), BTreeMap::new());
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap().join("p");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("package.json"), r#"{"name":"fresh","version":"1.0.0"}"#).unwrap();
    (server, folder, root)
}

#[test]
fn a_refusal_says_what_to_do() {
    for (status, header, body, code, word) in [
        (401, "www-authenticate: OTP", json!({}), "DX_OTP_REQUIRED", "--otp"),
        (
            401,
            "",
            json!({ "error": "You must provide a one-time pass." }),
            "DX_OTP_REQUIRED",
            "--otp",
        ),
        (401, "", json!({ "error": "expired" }), "DX_NOT_LOGGED_IN", "dx login"),
        (403, "", json!({ "error": "not yours" }), "DX_FORBIDDEN", "not yours"),
        (409, "", json!({}), "DX_REGISTRY_CONFLICT", "try again"),
        (422, "", json!({ "message": "bad" }), "DX_REGISTRY_REFUSED", "bad"),
    ] {
        let (server, _folder, root) = fresh();
        server.answer_once("PUT /fresh", status, header, body);
        let output = run(&server, &["publish"], &root, true);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{stderr}");
        assert!(stderr.contains(code) && stderr.contains(word), "{code}: {stderr}");
        assert_eq!(server.sent().len(), 1, "a refused publication is not sent again");
    }
}

/// The order of the names and the choice among several files of a name are those of npm 12.2.2.
#[test]
fn commands_of_a_folder_are_published_as_npm_lists_them() {
    let files = ["bin/x.js", "bin/a/x.js", "bin/b/x.js", "bin/B/y", "bin/z", "bin/.h", "bin/c/e/f"];
    for (place, expected) in [
        (
            "bin",
            r#"{"z":"bin/z","x.js":"bin/a/x.js","c":"bin/c","b":"bin/b","a":"bin/a","B":"bin/B","e":"bin/c/e","y":"bin/B/y","f":"bin/c/e/f"}"#,
        ),
        ("./bin/a/", r#"{"x.js":"bin/a/x.js"}"#),
    ] {
        let (server, _folder, root) = fresh();
        for file in files {
            std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            std::fs::write(root.join(file), "").unwrap();
        }
        let manifest =
            json!({ "name": "fresh", "version": "1.0.0", "directories": { "bin": place } });
        std::fs::write(root.join("package.json"), manifest.to_string()).unwrap();
        assert!(run(&server, &["publish"], &root, true).status.success());
        let sent = server.sent();
        let document = sent.iter().find(|sent| sent.request == "PUT /fresh").unwrap();
        assert_eq!(document.body["versions"]["1.0.0"]["bin"].to_string(), expected);
    }
}

#[test]
fn folders_and_packages_are_compared_in_every_spelling() {
    let (server, _folder, root) = fresh();
    for (folder, version) in [("a", "1.0.0"), ("b", "1.0.1")] {
        std::fs::create_dir(root.join(folder)).unwrap();
        let manifest = json!({ "name": "same", "version": version });
        std::fs::write(root.join(folder).join("package.json"), manifest.to_string()).unwrap();
    }
    let compared = |words: &[&str]| {
        let output = run(&server, words, &root, false);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let plain = compared(&["diff", "--diff=./a", "--diff=./b"]);
    assert!(plain.contains("index v1.0.0..v1.0.1"), "{plain}");
    assert_eq!(compared(&["diff", "--diff=file:a", "--diff=file:./b"]), plain);
    // The registry is asked for the package that an alias names.
    let output = run(&server, &["diff", "--diff=npm:one@1.0.0", "--diff=./b"], &root, false);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("/one:") && stderr.contains("DX_NOT_IN_REGISTRY"), "{stderr}");
}

#[test]
fn a_version_is_told_with_its_tag_or_without_one() {
    let (server, _folder, root) = fresh();
    for flag in ["--no-git-tag-version", "--no-save", "--save"] {
        let output = run(&server, &["version", "patch", "--json", flag], &root, false);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&told["name"], &told["tag"]), (&json!("fresh"), &Value::Null), "{flag}");
    }
    let git = |words: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=u", "-c", "user.email=u@mail.example"]).args(words);
        assert!(git.current_dir(&root).output().unwrap().status.success());
    };
    git(&["init", "-q"]);
    git(&["config", "user.name", "u"]);
    git(&["config", "user.email", "u@mail.example"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "first"]);
    let output = run(&server, &["version", "minor", "--json"], &root, false);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told, json!({ "name": "fresh", "version": "1.1.0", "tag": "v1.1.0" }));
}

#[test]
fn tags_are_words_that_stand_in_an_address() {
    let (server, _folder, root) = fresh();
    for tag in ["a b", "a/b", "\u{e9}", "1.x"] {
        for words in [&["dist-tag", "add", "fresh@1.0.0", tag][..], &["publish", "--tag", tag]] {
            let output = run(&server, words, &root, true);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(stderr.contains("DX_TAG_NEEDED"), "{words:?}: {stderr}");
        }
    }
    assert!(server.sent().is_empty());
}

#[test]
fn one_file_of_each_name_is_packed_where_the_whole_folder_has_commands() {
    let (server, _folder, root) = fresh();
    for file in ["a/x.js", "b/x.js", "c/d/y.js", "c/y.js"] {
        std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
        std::fs::write(root.join(file), "").unwrap();
    }
    let manifest = json!({ "name": "fresh", "version": "1.0.0", "files": [],
        "directories": { "bin": "." } });
    std::fs::write(root.join("package.json"), manifest.to_string()).unwrap();
    let output = run(&server, &["pack", "--dry-run", "--json"], &root, false);
    let packed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packed = packed.as_array().map_or(&packed["fresh"], |all| &all[0]);
    let files = packed["files"].as_array().unwrap().iter();
    let files: Vec<&str> = files.map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(files, ["a/x.js", "c/d/y.js", "package.json"]);
}

#[test]
fn one_time_passwords_are_sent() {
    let (server, _folder, root) = fresh();
    assert!(run(&server, &["publish", "--otp=123456"], &root, true).status.success());
    assert_eq!(server.sent()[0].headers["npm-otp"], "123456");
    assert_eq!(server.sent()[0].headers["npm-command"], "publish");
}

#[test]
fn a_login_by_the_web_is_kept_and_ended() {
    let (server, _folder, root) = fresh();
    let url = server.url.clone();
    // Without its signature the page would be none, so it is not hidden as secrets are.
    let page = format!("{url}login?user=alice&signature=0123abcd");
    let pages = json!({ "loginUrl": page, "doneUrl": format!("{url}-/done") });
    server.answer_once("POST /-/v1/login", 200, "", pages);
    server.answer_once("GET /-/done", 202, "retry-after: 0.2", json!({}));
    server.answer_once("GET /-/done", 200, "", json!({ "token": "fresh-token" }));
    let place = url.strip_prefix("http:").unwrap();
    // A token takes the place of these, as with npm.
    let replaced = ["username=u", "_password=cGFzc3dvcmQ=", "email=a@b", "always-auth=true"];
    let lines: String = replaced.iter().map(|line| format!("{place}:{line}\n")).collect();
    let output = run_with(&server, &["login"], &root, &lines);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stdout.contains("Logged in on"), "{stdout}{stderr}");
    assert!(stderr.contains(&format!("Login at:\n{page}\n")), "{stderr}");
    assert!(!server.sent()[0].headers.contains_key("authorization"));
    let npmrc = root.parent().unwrap().join("home/.npmrc");
    let text = std::fs::read_to_string(&npmrc).unwrap();
    assert!(text.contains(&format!("{place}:_authToken=fresh-token\n")), "{text}");
    assert_eq!(text.matches(&format!("{place}:")).count(), 1, "{text}");
    assert!(text.contains("min-release-age=0\n"), "{text}");

    // A user may keep it elsewhere.
    let home = npmrc.parent().unwrap();
    #[cfg(unix)]
    let kept = home.join("kept");
    #[cfg(unix)]
    {
        std::fs::rename(&npmrc, &kept).unwrap();
        std::os::unix::fs::symlink("kept", &npmrc).unwrap();
        let everybodys = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(&kept, everybodys).unwrap();
    }
    server.answer_once("DELETE /-/user/token/fresh-token", 200, "", json!({ "ok": true }));
    let output = Command::new(env!("CARGO_BIN_EXE_dx"))
        .arg("logout")
        .current_dir(&root)
        .env_clear()
        .env("HOME", home)
        .env("DX_STORE", home.join("store"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(server.sent().last().unwrap().request, "DELETE /-/user/token/fresh-token");
    assert!(!std::fs::read_to_string(&npmrc).unwrap().contains("_authToken"));
    #[cfg(unix)]
    {
        assert!(npmrc.is_symlink());
        let mode = std::fs::metadata(&kept).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
    }
}

#[test]
fn a_read_only_token_is_asked_for_as_one() {
    let server = Server::start(&json!({}), BTreeMap::new());
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("project");
    std::fs::create_dir(&root).unwrap();
    for flag in ["--read-only", "--readonly", "--packages-and-scopes-permission=read-only"] {
        let made = json!({ "token": "t", "key": "k", "created": "2026-01-01T00:00:00.000Z" });
        server.answer_once("POST /-/npm/v1/tokens", 200, "", made);
        let words = ["token", "create", "--password=secret", flag];
        let output = run(&server, &words, &root, true);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let sent = server.sent().pop().unwrap();
        assert_eq!(sent.body["packages_and_scopes_permission"], "read-only", "{flag}");
    }
}

#[test]
fn a_token_is_saved_as_it_is_or_not_at_all() {
    let (server, _folder, root) = fresh();
    let url = server.url.clone();
    for token in ["${HOME}", "a b", "a\nprefix=/x", "\"a\"", "a\\", "\u{1b}[2J", ""] {
        let pages = json!({ "loginUrl": format!("{url}login"), "doneUrl": format!("{url}-/done") });
        server.answer_once("POST /-/v1/login", 200, "", pages);
        server.answer_once("GET /-/done", 200, "", json!({ "token": token }));
        let output = run(&server, &["login"], &root, false);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("[DX_BAD_TOKEN]"), "{token:?}: {stderr}");
        let text = std::fs::read_to_string(root.parent().unwrap().join("home/.npmrc")).unwrap();
        assert!(!text.contains("_authToken"), "{token:?}: {text}");
    }
}

#[test]
fn a_one_time_password_goes_to_the_registry_alone() {
    let (server, _folder, root) = fresh();
    let other = Server::start(&json!({}), BTreeMap::new());
    let elsewhere = format!("{}-/done", other.url);
    let pages = json!({ "loginUrl": format!("{}login", server.url), "doneUrl": elsewhere });
    server.answer_once("POST /-/v1/login", 200, "", pages);
    other.answer_once("GET /-/done", 200, "", json!({ "token": "fresh-token" }));
    assert!(run(&server, &["login", "--otp=123456"], &root, true).status.success());
    assert!(server.sent()[0].headers.contains_key("npm-otp"));
    let place = format!("location: {}-/whoami", other.url);
    server.answer_once("GET /-/whoami", 302, &place, json!({}));
    other.answer_once("GET /-/whoami", 200, "", json!({ "username": "u" }));
    assert!(run(&server, &["whoami", "--otp=123456"], &root, true).status.success());
    let sent = other.sent();
    assert_eq!(sent.len(), 2);
    for sent in sent {
        assert!(!sent.headers.contains_key("npm-otp"), "{sent:?}");
        assert!(!sent.headers.contains_key("authorization"), "{sent:?}");
    }
}

#[test]
fn tarballs_are_the_same_each_time_and_secrets_are_named() {
    let (server, _folder, root) = fresh();
    std::fs::write(root.join("index.js"), "1\n").unwrap();
    std::fs::write(root.join(".env"), "PASSWORD=x\n").unwrap();
    let token = format!("module.exports = 'npm_{}'\n", "a".repeat(36));
    std::fs::write(root.join("config.js"), token).unwrap();
    std::fs::write(root.join(".env.example"), "PASSWORD=\n").unwrap();
    let pack = || {
        let output = run(&server, &["pack"], &root, true);
        assert!(output.status.success());
        let bytes = std::fs::read(root.join("fresh-1.0.0.tgz")).unwrap();
        std::fs::remove_file(root.join("fresh-1.0.0.tgz")).unwrap();
        (bytes, String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (first, stderr) = pack();
    assert!(stderr.contains(".env is in the package"), "{stderr}");
    assert!(stderr.contains("config.js is in the package"), "{stderr}");
    assert!(!stderr.contains(".env.example is"), "{stderr}");
    let newer = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    std::fs::File::options()
        .write(true)
        .open(root.join("index.js"))
        .unwrap()
        .set_modified(newer)
        .unwrap();
    assert_eq!(pack().0, first);
}

#[cfg(unix)]
#[test]
fn page_of_a_login_is_opened_by_the_users_program() {
    use std::os::unix::fs::PermissionsExt;

    let server = Server::start(&json!({}), BTreeMap::new());
    let folder = tempfile::tempdir().unwrap();
    let (program, opened) = (folder.path().join("browser"), folder.path().join("opened"));
    let script =
        format!("#!/bin/sh\necho \"$@\" > '{0}.new' && mv '{0}.new' '{0}'\n", opened.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let (home, project) = (folder.path().join("home"), folder.path().join("project"));
    std::fs::create_dir(&home).unwrap();
    std::fs::create_dir(&project).unwrap();
    let page = format!("{}login", server.url);
    let login = |of_project: &str, browser: &str| {
        let pages = json!({ "loginUrl": page, "doneUrl": format!("{}-/done", server.url) });
        server.answer_once("POST /-/v1/login", 200, "", pages);
        server.answer_once("GET /-/done", 200, "", json!({ "token": "new" }));
        std::fs::write(home.join(".npmrc"), format!("registry={}\n", server.url)).unwrap();
        std::fs::write(project.join(".npmrc"), of_project).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_dx"))
            .arg("login")
            .current_dir(&project)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("BROWSER", browser)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
        assert!(text.contains(&page), "{text}");
    };
    login("", &format!("{} --new-window", program.display()));
    for _ in 0..1000 {
        if opened.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(std::fs::read_to_string(&opened).unwrap().trim(), format!("--new-window {page}"));
    // A project names no program, and nobody sits in front of this test.
    std::fs::remove_file(&opened).unwrap();
    login(&format!("browser={}\n", program.display()), "");
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(!opened.exists());
}
