//! Owners, restricted packages, organisations and teams, staged versions, trusted publishers.

use crate::issuer::{Issuer, now};
use crate::people::{add_user, publish, send};
use crate::server::{Server, publish_body, tarball, tarball_of};
use serde_json::json;

#[test]
fn owners_change_in_the_forms_of_npm_and_pnpm() {
    let server = Server::start("none");
    let (alice, bob) = (server.token.clone(), add_user(&server, "bob"));
    add_user(&server, "carol");
    assert_eq!(publish(&server, &alice, "tool", "1.0.0", &[]), 201);
    assert_eq!(publish(&server, &bob, "tool", "1.0.1", &[]), 403);
    let npm = |token: &str, owners| {
        let revision = server.get("/tool?write=true").json()["_rev"].as_str().unwrap().to_owned();
        let body = json!({ "_id": "tool", "_rev": revision, "maintainers": owners });
        send(&server, token, "PUT", &format!("/tool/-rev/{revision}"), Some(&body)).status
    };
    assert_eq!(npm(&bob, json!([{ "name": "bob" }])), 403);
    assert_eq!(npm(&alice, json!([])), 400);
    assert_eq!(npm(&alice, json!([{ "name": "alice" }, { "name": "nobody" }])), 404);
    assert_eq!(npm(&alice, json!([{ "name": "alice" }, { "name": "bob", "email": "" }])), 201);
    assert_eq!(publish(&server, &bob, "tool", "1.0.1", &[]), 201);
    let path = "/-/package/tool/owners";
    let add =
        |user: &str| send(&server, &alice, "PUT", path, Some(&json!({ "user": user }))).status;
    assert_eq!((add("carol"), add("nobody")), (200, 404));
    let remove =
        |user: &str| send(&server, &alice, "DELETE", &format!("{path}/{user}"), None).status;
    assert_eq!((remove("bob"), remove("carol"), remove("nobody")), (200, 200, 404));
    assert_eq!(remove("alice"), 400, "the last one stays");
    let names = server.get("/tool").json()["maintainers"].clone();
    assert_eq!(names[0]["name"], "alice");
    assert_eq!(names.as_array().unwrap().len(), 1);
    assert_eq!(publish(&server, &bob, "tool", "1.0.2", &[]), 403);
}

#[test]
fn restricted_package_answers_its_readers_only_by_any_path() {
    let server = Server::start("none");
    let (alice, bob) = (server.token.clone(), add_user(&server, "bob"));
    assert_eq!(publish(&server, &alice, "@acme/secret", "1.0.0", &[]), 201);
    let paths = [
        "/@acme%2fsecret",
        "/@acme/secret",
        "/@acme%2fsecret?write=true",
        "/@acme%2fsecret/1.0.0",
        "/@acme%2fsecret/latest",
        "/@acme/secret/-/secret-1.0.0.tgz",
        "/@acme/secret/-/@acme/secret-1.0.0.tgz",
        "/-/package/@acme%2fsecret/dist-tags",
        "/-/package/@acme%2fsecret/visibility",
        "/-/package/@acme%2fsecret/owners",
        "/-/package/@acme%2fsecret/collaborators",
        "/-/package/@acme%2fsecret/contents/1.0.0",
        "/-/npm/v1/attestations/@acme%2fsecret@1.0.0",
        "/-/ui/package/@acme%2fsecret",
        "/-/ui/package/@acme%2fsecret/v/1.0.0",
    ];
    let all = |token: &str| paths.map(|path| send(&server, token, "GET", path, None).status);
    let before = all(&bob);
    assert!(before.iter().filter(|status| **status == 200).count() > 10, "{before:?}");
    let access = "/-/package/@acme%2fsecret/access";
    let set = |token: &str, access_word: &str| {
        send(&server, token, "POST", access, Some(&json!({ "access": access_word }))).status
    };
    assert_eq!((set(&bob, "restricted"), set(&alice, "secret")), (403, 400));
    assert_eq!(set(&alice, "restricted"), 200);
    let readable = all(&alice).iter().filter(|status| **status == 200).count();
    assert_eq!(readable, paths.len() - 1, "all but the attestations, of which there are none");
    let tarball = send(&server, &alice, "GET", paths[5], None);
    assert!(tarball.header("cache-control").starts_with("private"), "{tarball:?}");
    for token in ["", &bob] {
        for (path, status) in paths.iter().zip(all(token)) {
            assert!(matches!(status, 401 | 404), "{path}: {status}");
        }
        let found = send(&server, token, "GET", "/-/v1/search?text=secret", None).json();
        assert_eq!(found["total"], 0);
        let home = send(&server, token, "GET", "/-/ui", None);
        assert!(!String::from_utf8(home.body).unwrap().contains("secret"));
    }
    assert_eq!(publish(&server, &bob, "@acme/secret", "2.0.0", &[]), 404);
}

#[test]
fn organisations_have_members_and_teams_with_packages() {
    let server = Server::start("none");
    let alice = server.token.clone();
    let (bob, carol) = (add_user(&server, "bob"), add_user(&server, "carol"));
    let ask = |token: &str, method: &str, path: &str, body: serde_json::Value| {
        let answer = send(&server, token, method, path, Some(&body).filter(|body| !body.is_null()));
        (answer.status, answer.json())
    };
    assert_eq!(publish(&server, &alice, "@acme/a", "1.0.0", &[]), 201);
    let refused = ask(&bob, "PUT", "/-/org/acme/user", json!({ "user": "bob" })).0;
    assert_eq!(refused, 404, "somebody else publishes in the scope");
    let set = ask(&alice, "PUT", "/-/org/acme/user", json!({ "user": "bob", "role": "developer" }));
    let told = json!({ "org": { "name": "acme", "size": 2 }, "user": "bob", "role": "developer" });
    assert_eq!(set, (200, told));
    let members = ask(&alice, "GET", "/-/org/acme/user", json!(null)).1;
    assert_eq!(members, json!({ "alice": "owner", "bob": "developer" }));
    assert_eq!(ask(&carol, "GET", "/-/org/acme/user", json!(null)).0, 404);
    assert_eq!(publish(&server, &carol, "@acme/b", "1.0.0", &[]), 403);
    assert_eq!(publish(&server, &bob, "@acme/b", "1.0.0", &[]), 201);
    assert_eq!(publish(&server, &bob, "@acme/a", "1.0.1", &[]), 403);
    let team = "/-/team/acme/devs";
    assert_eq!(ask(&bob, "PUT", "/-/org/acme/team", json!({ "name": "devs" })).0, 403);
    assert_eq!(ask(&alice, "PUT", "/-/org/acme/team", json!({ "name": "devs" })).0, 201);
    assert_eq!(ask(&alice, "PUT", "/-/org/acme/team", json!({ "name": "devs" })).0, 409);
    assert_eq!(ask(&alice, "PUT", &format!("{team}/user"), json!({ "user": "carol" })).0, 201);
    let users = ask(&alice, "GET", &format!("{team}/user?format=cli"), json!(null)).1;
    assert_eq!(users, json!(["carol"]));
    let teams = ask(&alice, "GET", "/-/org/acme/team?format=cli", json!(null)).1;
    assert_eq!(teams, json!(["acme:devs"]));
    // pnpm asks without `format`, and reads objects.
    let users = ask(&alice, "GET", &format!("{team}/user"), json!(null)).1;
    assert_eq!(users, json!([{ "name": "carol" }]));
    let teams = ask(&alice, "GET", "/-/org/acme/team", json!(null)).1;
    assert_eq!(teams, json!([{ "name": "devs", "description": "" }]));
    let bearer = format!("Bearer {alice}");
    let headers = [("authorization", bearer.as_str()), ("user-agent", "pnpm/12.0.0 npm/? node/?")];
    let path = "/-/package/@acme%2fa/collaborators?format=cli";
    let list = server.send_as("GET", path, &headers, b"").json();
    assert_eq!(list, json!([{ "user": "alice", "permissions": "read-write" }]));
    let list = server.send_as("GET", &format!("{path}&user=bob"), &headers, b"").json();
    assert_eq!(list, json!([]));
    let grant = json!({ "package": "@acme/a", "permissions": "read-write" });
    assert_eq!(ask(&bob, "PUT", &format!("{team}/package"), grant.clone()).0, 403);
    assert_eq!(ask(&alice, "PUT", &format!("{team}/package"), grant).0, 201);
    let packages = ask(&alice, "GET", &format!("{team}/package"), json!(null)).1;
    assert_eq!(packages, json!({ "@acme/a": "write" }));
    assert_eq!(publish(&server, &carol, "@acme/a", "1.0.1", &[]), 201);
    let of_org = ask(&alice, "GET", "/-/org/acme/package", json!(null)).1;
    assert_eq!(of_org, json!({ "@acme/a": "write", "@acme/b": "write" }));
    let of_user = ask(&bob, "GET", "/-/user/bob/package", json!(null)).1;
    assert_eq!(of_user, json!({ "@acme/b": "write" }));
    let taken = json!({ "package": "@acme/a" });
    assert_eq!(ask(&alice, "DELETE", &format!("{team}/package"), taken).0, 200);
    assert_eq!(publish(&server, &carol, "@acme/a", "1.0.2", &[]), 403);
    assert_eq!(ask(&alice, "DELETE", "/-/org/acme/user", json!({ "user": "alice" })).0, 400);
    assert_eq!(ask(&alice, "DELETE", "/-/org/acme/user", json!({ "user": "bob" })).0, 200);
    assert_eq!(ask(&alice, "DELETE", team, json!(null)).0, 200);
}

#[test]
fn staged_version_is_published_by_who_may_publish() {
    let server = Server::start("none");
    let (alice, bob) = (server.token.clone(), add_user(&server, "bob"));
    assert_eq!(publish(&server, &alice, "tool", "1.0.0", &[]), 201);
    let limits = json!({ "packages": ["tool"],
        "packages_and_scopes_permission": "read-write-stage-only" });
    let token = send(&server, &alice, "POST", "/-/npm/v1/tokens", Some(&limits)).json();
    let token = token["token"].as_str().unwrap();
    assert_eq!(publish(&server, token, "tool", "2.0.0", &[]), 403);
    let bytes = tarball("tool", "2.0.0");
    let body = publish_body("tool", "2.0.0", "latest", &bytes, &json!({}));
    let stage = |token: &str| send(&server, token, "POST", "/-/stage/package/tool", Some(&body));
    assert_eq!(stage(&bob).status, 403);
    let ids = [stage(token), stage(token)].map(|answer| answer.json()["stageId"].clone());
    let [id, other] = ids.each_ref().map(|id| id.as_str().unwrap());
    let list = |token: &str| send(&server, token, "GET", "/-/stage?package=tool", None).json();
    assert_eq!((list(&alice)["total"].clone(), list(&bob)["total"].clone()), (json!(2), json!(0)));
    assert_eq!(list(&alice)["items"][0]["packageName"], "tool");
    assert_eq!(server.versions("tool"), ["1.0.0"]);
    let at = |token: &str, method: &str, rest: &str| {
        send(&server, token, method, &format!("/-/stage/{id}{rest}"), None)
    };
    assert_eq!(at(&alice, "GET", "/tarball").body, bytes);
    assert_eq!((at(&bob, "GET", "").status, at(token, "POST", "/approve").status), (404, 403));
    assert_eq!(at(&alice, "POST", "/approve").status, 201);
    assert_eq!(server.versions("tool"), ["1.0.0", "2.0.0"]);
    assert_eq!(at(&alice, "GET", "").status, 404);
    let again = send(&server, &alice, "POST", &format!("/-/stage/{other}/approve"), None);
    assert_eq!(again.status, 409, "the version is there");
    let reject = send(&server, &alice, "DELETE", &format!("/-/stage/{other}"), None);
    assert_eq!((reject.status, list(&alice)["total"].clone()), (200, json!(0)));
}

#[test]
fn identity_token_of_a_trusted_publisher_is_exchanged_for_one_to_publish_with() {
    let issuer = Issuer::start();
    let server = issuer.server();
    let alice = server.token.clone();
    assert_eq!(publish(&server, &alice, "tool", "1.0.0", &[]), 201);
    assert_eq!(publish(&server, &alice, "other", "1.0.0", &[]), 201);
    let trust = json!([{ "type": "ci", "claims": { "job": "release" },
        "permissions": ["createPackage"] }]);
    let made = send(&server, &alice, "POST", "/-/package/tool/trust", Some(&trust));
    assert_eq!(made.status, 201);
    let unknown = json!([{ "type": "nobody", "claims": { "job": "release" } }]);
    let refused = send(&server, &alice, "POST", "/-/package/tool/trust", Some(&unknown));
    assert_eq!(refused.status, 400);
    let exchange = |package: &str, token: &str| {
        let path = format!("/-/npm/v1/oidc/token/exchange/package/{package}");
        send(&server, token, "POST", &path, None)
    };
    for changes in [
        json!({ "job": "other" }),
        json!({ "aud": "npm:elsewhere" }),
        json!({ "exp": now() - 1000 }),
        json!({ "iss": "https://other.test/" }),
    ] {
        assert_eq!(exchange("tool", &issuer.token(&changes)).status, 401, "{changes}");
    }
    let good = issuer.token(&json!({}));
    assert_eq!(exchange("other", &good).status, 401, "that package trusts nobody");
    let token = exchange("tool", &good).json()["token"].clone();
    let token = token.as_str().unwrap();
    assert_eq!(publish(&server, token, "tool", "1.1.0", &[]), 201);
    assert_eq!(publish(&server, token, "other", "1.1.0", &[]), 403);
    let owners = json!({ "user": "alice" });
    assert_eq!(send(&server, token, "PUT", "/-/package/tool/owners", Some(&owners)).status, 403);
    assert_eq!(send(&server, token, "POST", "/-/npm/v1/tokens", Some(&json!({}))).status, 403);
    let listed = send(&server, &alice, "GET", "/-/package/tool/trust", None).json();
    let path = format!("/-/package/tool/trust/{}", listed[0]["id"].as_str().unwrap());
    assert_eq!(send(&server, &alice, "DELETE", &path, None).status, 200);
    assert_eq!(exchange("tool", &good).status, 401);
}

#[test]
fn a_version_does_not_get_the_provenance_of_another_tarball() {
    let server = Server::start("none");
    let of = |text: &str| {
        let manifest = json!({ "name": "tool", "version": "1.0.0", "description": text });
        let fields = json!({ "description": text });
        publish_body("tool", "1.0.0", "latest", &tarball_of(&manifest), &fields)
    };
    let mut body = of("staged");
    let bundle = json!({ "dsseEnvelope": { "payload": "" } }).to_string();
    body["_attachments"]["tool-1.0.0.sigstore"] = json!({
        "content_type": "application/vnd.dev.sigstore.bundle+json;version=0.2",
        "data": bundle, "length": bundle.len() });
    let staged = send(&server, &server.token, "POST", "/-/stage/package/tool", Some(&body));
    let id = staged.json()["stageId"].as_str().unwrap().to_owned();
    assert_eq!(server.put("/tool", &of("published")).status, 201);
    assert_eq!(server.get("/-/npm/v1/attestations/tool@1.0.0").status, 404);
    let approved = send(&server, &server.token, "POST", &format!("/-/stage/{id}/approve"), None);
    assert_eq!(approved.status, 409, "the version is there");
    assert_eq!(server.get("/-/npm/v1/attestations/tool@1.0.0").status, 404);
}
