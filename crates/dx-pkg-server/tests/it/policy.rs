//! What is not passed on from an upstream.

use crate::people::send;
use crate::server::{SHORT, Server};
use dx_pkg_testkit::Registry;
use serde_json::json;

#[test]
fn young_denied_and_timeless_versions_are_refused_with_their_reason() {
    let upstream = Registry::start();
    let old = "2020-01-01T00:00:00.000Z";
    upstream.package("front", "1.0.0").published_at(old).publish();
    upstream.package("front", "1.1.0").published_at("2999-01-01T00:00:00.000Z").publish();
    upstream.package("evil", "1.0.0").published_at(old).publish();
    let settings = [
        ("DX_REGISTRY_POLICY__MINIMUM_AGE", "1d"),
        ("DX_REGISTRY_POLICY__DENY", "[{ names = \"evil\", reason = \"malware\" }]"),
    ];
    let server = Server::with(upstream.url(), &settings);
    for accept in ["application/json", SHORT] {
        let found = server.get_with("/front", &[("accept", accept)]).json();
        let versions: Vec<&String> = found["versions"].as_object().unwrap().keys().collect();
        assert_eq!(versions, ["1.0.0"]);
        assert_eq!(found["dist-tags"]["latest"], "1.0.0");
        let restrictions = &found["policyRestrictions"];
        assert!(restrictions["versions"].get("1.1.0").is_some(), "{restrictions}");
        assert!(restrictions["message"].as_str().unwrap().contains("younger than 1 days"));
    }
    assert_eq!(server.get("/front/-/front-1.0.0.tgz").status, 200);
    let tags = server.get("/-/package/front/dist-tags").json();
    assert_eq!(tags["latest"], "1.0.0");
    for (path, reason) in [
        ("/front/-/front-1.1.0.tgz", "younger"),
        ("/front/1.1.0", "younger"),
        ("/-/package/front/contents/1.1.0", "younger"),
        ("/evil", "malware"),
        ("/evil/1.0.0", "malware"),
        ("/evil/-/evil-1.0.0.tgz", "malware"),
    ] {
        let answer = server.get(path);
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.json()["error"].as_str().unwrap().contains(reason), "{path}");
    }
    let lock = json!({ "lockfileVersion": 3, "packages": {
        "": { "name": "project" },
        "node_modules/front": { "version": "1.1.0" },
        "node_modules/a/node_modules/evil": { "version": "1.0.0" },
        "node_modules/alias": { "name": "front", "version": "1.0.0" },
        "node_modules/linked": { "link": true, "resolved": "packages/linked" },
    } });
    let told = send(&server, "", "POST", "/-/policy/lockfile", Some(&lock)).json();
    assert_eq!(told["checked"], 3);
    let refused: Vec<&str> = told["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refused| refused["name"].as_str().unwrap())
        .collect();
    assert_eq!(refused, ["evil", "front"]);
    assert_eq!(send(&server, "", "POST", "/-/policy/lockfile", Some(&json!({}))).status, 400);
    let pnpm = "lockfileVersion: '9.0'\npackages:\n  front@1.1.0:\n    resolution: {integrity: x}\n  \
                d@file:d.tgz:\n    resolution: {tarball: file:d.tgz}\n";
    let yarn = "# yarn lockfile v1\n\nfront@^1.1.0:\n  version \"1.1.0\"\n\nd@file:d.tgz:\n  \
                version \"1.0.0\"\n";
    let bun = r#"{ "workspaces": {}, "packages": { "front": ["front@1.1.0", "", {}, "x"],
                "d": ["d@file:d.tgz", {}], }, }"#;
    for foreign in [pnpm, yarn, bun] {
        let told = server.send("POST", "/-/policy/lockfile", &[], foreign.as_bytes()).json();
        assert_eq!((&told["checked"], &told["refused"][0]["name"]), (&json!(1), &json!("front")));
        assert_eq!(told["elsewhere"].as_array().unwrap().len(), 1, "{told}");
    }
    assert_eq!(server.publish("mine", "1.0.0").status, 201, "own packages are not judged");
    assert_eq!(server.versions("mine"), ["1.0.0"]);
}

#[test]
fn dry_run_passes_everything_on_and_tells() {
    let upstream = Registry::start();
    upstream.package("front", "1.0.0").published_at("2999-01-01T00:00:00.000Z").publish();
    let settings =
        [("DX_REGISTRY_POLICY__MINIMUM_AGE", "1d"), ("DX_REGISTRY_POLICY__DRY_RUN", "true")];
    let server = Server::with(upstream.url(), &settings);
    let answer = server.get("/front");
    assert!(answer.header("npm-notice").contains("would refuse"), "{answer:?}");
    assert!(answer.json()["versions"].get("1.0.0").is_some());
    assert_eq!(server.get("/front/-/front-1.0.0.tgz").status, 200);
}

#[test]
fn manifest_confusion_of_an_upstreams_package_is_told() {
    let upstream = Registry::start();
    let hidden = json!({ "evil": "^1" });
    upstream.package("front", "1.0.0").registry_field("dependencies", hidden).publish();
    upstream.package("fine", "1.0.0").dep("a", "^1").script("postinstall", "node x").publish();
    let server = Server::start(upstream.url());
    let contents = server.get("/-/package/front/contents/1.0.0").json();
    let told = contents["confusion"][0].as_str().unwrap();
    assert!(told.starts_with("dependencies is") && told.contains("evil"), "{told}");
    let page = String::from_utf8(server.get("/-/ui/package/front/v/1.0.0").body).unwrap();
    assert!(page.contains("class=\"warning\""), "{page}");
    let contents = server.get("/-/package/fine/contents/1.0.0").json();
    assert_eq!(contents["confusion"], json!([]));
    assert_eq!(contents["install_scripts"], json!({ "postinstall": "node x" }));
}
