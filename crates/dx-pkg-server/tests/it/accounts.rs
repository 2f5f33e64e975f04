//! Users, tokens and logins.

use crate::people::{add_user, path_in, publish, send, send_with, user_command};
use crate::server::{Server, command};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

fn form(fields: &[(&str, &str)]) -> Vec<u8> {
    fields.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&").into()
}

#[test]
fn tokens_are_limited_listed_and_revoked() {
    let server = Server::start("none");
    let own = server.token.clone();
    let create = |body| send(&server, &own, "POST", "/-/npm/v1/tokens", Some(&body));
    let created = create(json!({ "name": "reads", "password": "x", "readonly": true }));
    assert_eq!(created.status, 201);
    let (token, key) = (created.json()["token"].clone(), created.json()["key"].clone());
    let (token, key) = (token.as_str().unwrap(), key.as_str().unwrap());
    assert_eq!(publish(&server, token, "left", "1.0.0", &[]), 403);
    assert_eq!(publish(&server, "", "left", "1.0.0", &[]), 401);
    assert_eq!(create(json!({})).status, 201);
    assert_eq!(send(&server, token, "POST", "/-/npm/v1/tokens", Some(&json!({}))).status, 403);
    let listed = send(&server, &own, "GET", "/-/npm/v1/tokens", None).json();
    assert_eq!(listed["total"], 3);
    assert!(!listed.to_string().contains(token), "{listed}");
    for wrong in [
        json!({ "cidr_whitelist": ["here"] }),
        json!({ "expires": 0 }),
        json!({ "packages_and_scopes_permission": "everything" }),
        json!({ "packages": ["a"], "packages_all": true }),
    ] {
        assert_eq!(create(wrong.clone()).status, 400, "{wrong}");
    }
    let path = format!("/-/npm/v1/tokens/token/{key}");
    assert_eq!(send(&server, &own, "DELETE", &path, None).status, 200);
    assert_eq!(send(&server, token, "GET", "/-/whoami", None).status, 401);
    let far = create(json!({ "cidr_whitelist": ["10.0.0.0/8"] })).json();
    let far = send(&server, far["token"].as_str().unwrap(), "GET", "/-/whoami", None);
    assert_eq!((far.status, far.header("www-authenticate")), (401, "ipaddress"));
    let scoped = create(json!({ "scopes": ["@acme"] })).json();
    let scoped = scoped["token"].as_str().unwrap();
    assert_eq!(publish(&server, scoped, "@acme/left", "1.0.0", &[]), 201);
    assert_eq!(publish(&server, scoped, "left", "1.0.0", &[]), 403);
}

#[test]
fn login_in_the_browser_gives_a_token_once() {
    let server = Server::start("none");
    user_command(&server, &["add", "dave", "--password-stdin"], "correct horse\n");
    let begun = send(&server, "", "POST", "/-/v1/login", Some(&json!({}))).json();
    let (page, done) = (path_in(&server, &begun["loginUrl"]), path_in(&server, &begun["doneUrl"]));
    let waits = server.send_as("GET", &done, &[], b"");
    assert_eq!((waits.status, waits.header("retry-after")), (202, "1"));
    let shown = server.send_as("GET", &page, &[], b"");
    let policy = shown.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("script"), "{policy}");
    let html = String::from_utf8(shown.body.clone()).unwrap();
    assert!(html.contains("<form") && !html.contains("<script"), "{html}");
    let wrong = form(&[("name", "dave"), ("password", "guess")]);
    assert_eq!(server.send_as("POST", &page, &[], &wrong).status, 401);
    assert_eq!(server.send_as("GET", &done, &[], b"").status, 202);
    let right = form(&[("name", "dave"), ("password", "correct+horse")]);
    assert_eq!(
        server.send_as("POST", &page.replace("from=127", "from=9"), &[], &right).status,
        400
    );
    assert_eq!(server.send_as("POST", &page, &[], &right).status, 200);
    let token = server.send_as("GET", &done, &[], b"").json()["token"].clone();
    let token = token.as_str().unwrap();
    assert_eq!(server.send_as("GET", &done, &[], b"").status, 410, "given once");
    assert_eq!(server.send_as("POST", &page, &[], &right).status, 409, "answered once");
    assert_eq!(server.send_as("GET", &done, &[], b"").status, 410);
    let whoami = send(&server, token, "GET", "/-/whoami", None).json();
    assert_eq!(whoami["username"], "dave");
    let logout = send(&server, token, "DELETE", &format!("/-/user/token/{token}"), None);
    assert_eq!(logout.status, 200);
    assert_eq!(send(&server, token, "GET", "/-/whoami", None).status, 401);
}

#[test]
fn login_by_name_and_password_and_no_registration_by_clients() {
    let server = Server::start("none");
    user_command(&server, &["add", "dave", "--password-stdin"], "correct horse\n");
    let put = |name: &str, password: &str, revision: &str| {
        let body = json!({ "name": name, "password": password, "type": "user", "roles": [] });
        let path = format!("/-/user/org.couchdb.user:{name}{revision}");
        send(&server, "", "PUT", &path, Some(&body))
    };
    assert_eq!(put("dave", "correct horse", "").status, 201);
    assert_eq!(put("dave", "correct horse", "/-rev/1-x").status, 201);
    assert_eq!(put("dave", "another horse", "").status, 401);
    assert_eq!(put("eve", "a new password", "").status, 401);
    let other = json!({ "name": "dave", "password": "correct horse" });
    let path = "/-/user/org.couchdb.user:alice";
    assert_eq!(send(&server, "", "PUT", path, Some(&other)).status, 400);
    let open = Server::with("none", &[("DX_REGISTRY_ACCOUNTS__REGISTRATION", "true")]);
    let body = json!({ "name": "eve", "password": "a new password" });
    let registered = send(&open, "", "PUT", "/-/user/org.couchdb.user:eve", Some(&body));
    assert_eq!(registered.status, 201);
    let body = json!({ "name": "eve", "password": "stolen name" });
    assert_eq!(send(&open, "", "PUT", "/-/user/org.couchdb.user:eve", Some(&body)).status, 401);
}

#[test]
fn first_start_makes_the_only_administrator_with_a_random_password() {
    let mut passwords = Vec::new();
    for _ in 0..2 {
        let folder = tempfile::tempdir().unwrap();
        let start = || {
            let mut child = command(folder.path())
                .args(["serve", "--listen", "127.0.0.1:0", "--upstream", "none"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let told = lines.by_ref().take(8).map(Result::unwrap);
            let told = told.take_while(|line| !line.contains("user add")).count();
            assert!(told > 0);
            (child, lines)
        };
        let (mut child, mut lines) = start();
        let told = |line: &String| line.contains("password");
        let line = lines.find_map(|line| line.ok().filter(told)).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let password = line.split_whitespace().find(|word| word.len() == 32);
        passwords.push(password.unwrap_or_else(|| panic!("{line}")).to_owned());
    }
    assert_ne!(passwords[0], passwords[1]);
    let server = Server::start("none");
    for password in ["", "admin", "password", "changeme"] {
        let body = json!({ "name": "admin", "password": password });
        let got = send(&server, "", "PUT", "/-/user/org.couchdb.user:admin", Some(&body));
        assert!((400..500).contains(&got.status), "{password}");
    }
}

#[test]
fn second_factor_is_asked_for_and_given() {
    let server = Server::start("none");
    let own = server.token.clone();
    let profile = |body| send(&server, &own, "POST", "/-/npm/v1/user", Some(&body)).json();
    let begun = profile(json!({ "tfa": { "password": "x", "mode": "auth-and-writes" } }));
    assert!(begun["tfa"].as_str().unwrap().starts_with("otpauth://totp/"), "{begun}");
    assert_eq!(publish(&server, &own, "left", "1.0.0", &[]), 201, "not confirmed yet");
    let wrong = send(&server, &own, "POST", "/-/npm/v1/user", Some(&json!({ "tfa": ["000"] })));
    assert_eq!(wrong.status, 400);
    let secret = begun["tfa"].as_str().unwrap().split("secret=").nth(1).unwrap();
    let code = crate::people::one_time_code(secret.split('&').next().unwrap());
    let codes = profile(json!({ "tfa": [code] }));
    let recovery = codes["tfa"][0].as_str().unwrap();
    let asked = send_with(
        &server,
        &own,
        "PUT",
        "/-/package/left/dist-tags/next",
        Some(&json!("1.0.0")),
        &[("npm-auth-type", "web")],
    );
    assert_eq!((asked.status, asked.header("www-authenticate")), (401, "OTP"));
    assert_eq!(publish(&server, &own, "left", "1.1.0", &[("npm-otp", "000000")]), 401);
    assert_eq!(publish(&server, &own, "left", "1.1.0", &[("npm-otp", &code)]), 201);
    assert_eq!(publish(&server, &own, "left", "1.2.0", &[("npm-otp", recovery)]), 201);
    assert_eq!(publish(&server, &own, "left", "1.3.0", &[("npm-otp", recovery)]), 401);
    let mut document = server.get("/left?write=true").json();
    document["versions"]["1.0.0"]["deprecated"] = json!("old");
    let deprecate = |code: &str| {
        let code = [("npm-otp", code)];
        send_with(&server, &own, "PUT", "/left", Some(&document), &code).status
    };
    let another = codes["tfa"][1].as_str().unwrap();
    assert_eq!((deprecate(another), deprecate(another)), (201, 401));
    let page = path_in(&server, &asked.json()["authUrl"]);
    let done = path_in(&server, &asked.json()["doneUrl"]);
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(server.send_as(method, &done, &[], b"\"1.0.0\"").status, 202, "{method}");
    }
    assert_eq!(server.send_as("POST", &page, &[], &form(&[("code", &code)])).status, 200);
    let given = server.send_as("GET", &done, &[], b"").json()["token"].clone();
    let given = given.as_str().unwrap();
    assert_eq!(publish(&server, &own, "left", "1.3.0", &[("npm-otp", given)]), 201);
    let bob = add_user(&server, "bob");
    assert_eq!(publish(&server, &bob, "left", "1.4.0", &[("npm-otp", given)]), 403);
    assert_eq!(send(&server, &own, "GET", "/left", None).status, 200, "reading asks nothing");
}

/// Sets up a second factor for a user, with the token; returns the secret.
fn enable_second_factor(server: &Server, token: &str, mode: &str) -> String {
    let profile = |body| send(server, token, "POST", "/-/npm/v1/user", Some(&body)).json();
    let begun = profile(json!({ "tfa": { "password": "correct horse", "mode": mode } }));
    let address = begun["tfa"].as_str().unwrap();
    let secret = address.split("secret=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let confirmed = profile(json!({ "tfa": [crate::people::one_time_code(&secret)] }));
    assert_eq!(confirmed["tfa"].as_array().unwrap().len(), 5, "{confirmed}");
    secret
}

#[test]
fn confirmation_in_the_browser_is_no_login() {
    let server = Server::start("none");
    let own = server.token.clone();
    let secret = enable_second_factor(&server, &own, "auth-and-writes");
    let code = crate::people::one_time_code(&secret);
    assert_eq!(publish(&server, &own, "left", "1.0.0", &[("npm-otp", &code)]), 201);
    let tag = "/-/package/left/dist-tags/next";
    let web = [("npm-auth-type", "web")];
    let asked = send_with(&server, &own, "PUT", tag, Some(&json!("1.0.0")), &web).json();
    let page = path_in(&server, &asked["authUrl"]);
    let done = path_in(&server, &asked["doneUrl"]).replace("for=confirm", "for=login");
    assert_eq!(server.send_as("POST", &page, &[], &form(&[("code", &code)])).status, 200);
    let given = server.send_as("GET", &done, &[], b"").json()["token"].clone();
    let given = given.as_str().unwrap();
    assert_eq!(send(&server, given, "GET", "/-/whoami", None).status, 401, "{given}");
    let tagged = [("npm-otp", given)];
    assert_eq!(send_with(&server, &own, "PUT", tag, Some(&json!("1.0.0")), &tagged).status, 201);
    let listed = send(&server, &own, "GET", "/-/npm/v1/tokens", None).json();
    assert_eq!(listed["total"], 1, "{listed}");
}

#[test]
fn password_of_a_user_with_a_second_factor_is_a_login_only_with_a_code() {
    let server = Server::start("none");
    user_command(&server, &["add", "dave", "--password-stdin"], "correct horse\n");
    let token = user_command(&server, &["token", "dave"], "");
    let basic = STANDARD.encode("dave:correct horse");
    let basic = format!("Basic {basic}");
    let with = |more: &[(&str, &str)]| {
        let more = [&[("authorization", basic.as_str())], more].concat();
        publish(&server, "", "left", &format!("1.0.{}", more.len()), &more)
    };
    assert_eq!(with(&[]), 201, "there is no second factor yet");
    assert_eq!(publish(&server, &token, "left", "1.1.0", &[]), 201);
    let secret = enable_second_factor(&server, &token, "auth-only");
    assert_eq!(publish(&server, &token, "left", "1.1.1", &[]), 201, "a token is a login already");
    let body = json!({ "access": "restricted" });
    let access = send(&server, &token, "POST", "/-/package/left/access", Some(&body));
    assert_eq!(access.status, 200);
    let code = crate::people::one_time_code(&secret);
    assert_eq!(with(&[("npm-otp", "000000")]), 401);
    assert_eq!(with(&[("x-one", "1"), ("x-two", "2")]), 401);
    for (path, without) in [("/-/whoami", 401), ("/-/npm/v1/tokens", 401), ("/left", 404)] {
        let ask = |more: &[(&str, &str)]| {
            let more = [&[("authorization", basic.as_str())], more].concat();
            server.send_as("GET", path, &more, b"")
        };
        let refused = ask(&[]);
        assert_eq!(refused.status, without, "{path}");
        assert!(without == 404 || refused.header("www-authenticate") == "OTP", "{refused:?}");
        assert_eq!(ask(&[("npm-otp", &code)]).status, 200, "{path}");
    }
    assert_eq!(with(&[("npm-otp", &code), ("x-one", "1"), ("x-two", "2")]), 201);
}

#[test]
fn no_limited_token_makes_another_token() {
    let server = Server::start("none");
    let own = server.token.clone();
    let create = |token: &str, body| send(&server, token, "POST", "/-/npm/v1/tokens", Some(&body));
    for limit in [
        json!({ "expires": 1 }),
        json!({ "cidr_whitelist": ["127.0.0.0/8"] }),
        json!({ "orgs": ["acme"] }),
        json!({ "orgs_permission": "read-only" }),
        json!({ "orgs_permission": "no-access" }),
        json!({ "packages": ["left"] }),
        json!({ "scopes": ["@acme"] }),
        json!({ "packages_and_scopes_permission": "read-write-stage-only" }),
        json!({ "readonly": true }),
    ] {
        let limited = create(&own, limit.clone()).json()["token"].clone();
        let limited = limited.as_str().unwrap();
        assert_eq!(send(&server, limited, "GET", "/-/whoami", None).status, 200, "{limit}");
        assert_eq!(create(limited, json!({})).status, 403, "{limit}");
        let mail = json!({ "email": "eve@host.example" });
        let changed = send(&server, limited, "POST", "/-/npm/v1/user", Some(&mail));
        assert_eq!(changed.status, 403, "{limit}");
    }
    assert_eq!(create(&own, json!({ "bypass_2fa": true })).status, 201);
}

#[test]
fn lists_of_packages_ask_for_no_code_and_record_no_refusal() {
    let server = Server::start("none");
    let own = server.token.clone();
    assert_eq!(publish(&server, &own, "left", "1.0.0", &[]), 201);
    enable_second_factor(&server, &own, "auth-and-writes");
    let packages = send(&server, &own, "GET", "/-/user/alice/package", None).json();
    assert_eq!(packages, json!({ "left": "write" }));
    let bob = crate::people::add_user(&server, "bob");
    let packages = send(&server, &bob, "GET", "/-/user/alice/package", None).json();
    assert_eq!(packages, json!({ "left": "read" }));
    let log = std::fs::read_to_string(server.storage().join("audit.log")).unwrap();
    assert!(!log.contains("refused"), "{log}");
}
