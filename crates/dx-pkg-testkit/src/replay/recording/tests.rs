use super::{ABBREVIATED, Asked, Recording};

fn document(path: &str, full: bool) -> Asked {
    Asked::Document { path: path.to_owned(), full }
}

#[test]
fn requests_are_told_apart() {
    for (path, accept, asked) in [
        ("/a", ABBREVIATED, document("a", false)),
        ("/a?write=true", "*/*", document("a", true)),
        ("/@s%2fa", ABBREVIATED, document("@s/a", false)),
        ("/@s/a/1.0.0", ABBREVIATED, document("@s/a/1.0.0", true)),
        ("/a/latest", "*/*", document("a/latest", true)),
        ("/@s/a/-/a-1.0.0.tgz", "*/*", Asked::Tarball { path: "@s/a/-/a-1.0.0.tgz".to_owned() }),
        ("/-/npm/v1/security/advisories/bulk", "*/*", Asked::Other),
        ("/../../etc/passwd", "*/*", Asked::Other),
        ("/a/%2e%2e/b", "*/*", document("a/%2e%2e/b", true)),
        ("/", "*/*", Asked::Other),
    ] {
        assert_eq!(Asked::new(path, accept), asked, "{path}");
    }
}

#[test]
fn what_is_kept_names_no_registry_and_is_answered_with_the_servers_address() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Recording::new(folder.path(), "http://127.0.0.1:1/");
    let asked = document("@s/a", true);
    let upstream = "https://upstream.example/";
    recording
        .keep(
            &asked,
            format!("{{\"tarball\":\"{upstream}@s/a/-/a-1.0.0.tgz\"}}").as_bytes(),
            upstream,
        )
        .unwrap();

    let kept = std::fs::read_to_string(folder.path().join("documents/@s/a.full.json")).unwrap();
    assert_eq!(kept, r#"{"tarball":"http://registry.example/@s/a/-/a-1.0.0.tgz"}"#);
    let held = recording.get(&asked, false).unwrap();
    assert_eq!(held.body, r#"{"tarball":"http://127.0.0.1:1/@s/a/-/a-1.0.0.tgz"}"#);
    assert_eq!(recording.get(&asked, true).unwrap().etag, held.etag);
    assert_ne!(recording.get(&asked, true).unwrap().body, held.body);
    assert!(recording.get(&document("@s/a", false), false).is_none());
}

#[test]
fn full_packument_answers_for_its_abbreviated_form_and_its_versions() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Recording::new(folder.path(), "http://127.0.0.1:1/");
    let full = serde_json::json!({
        "_id": "a",
        "name": "a",
        "dist-tags": { "latest": "1.0.0" },
        "versions": {
            "1.0.0": { "name": "a", "version": "1.0.0", "scripts": { "install": "x" }, "description": "long", "os": ["linux"] },
            "0.9.0": { "name": "a", "version": "0.9.0", "scripts": { "test": "x" } },
        },
        "time": { "modified": "2026-01-01T00:00:00.000Z" },
        "readme": "longer",
    });
    recording
        .keep(&document("a", false), full.to_string().as_bytes(), "https://upstream.example/")
        .unwrap();

    let read = |asked: &Asked| -> serde_json::Value {
        serde_json::from_slice(&recording.get(asked, false).unwrap().body).unwrap()
    };
    let short = serde_json::json!({
        "name": "a",
        "dist-tags": { "latest": "1.0.0" },
        "versions": {
            "1.0.0": { "name": "a", "version": "1.0.0", "os": ["linux"], "hasInstallScript": true },
            "0.9.0": { "name": "a", "version": "0.9.0" },
        },
        "modified": "2026-01-01T00:00:00.000Z",
    });
    assert_eq!(read(&document("a", false)), short);
    assert_eq!(read(&document("a", true)), full);
    assert_eq!(read(&document("a/0.9.0", true)), full["versions"]["0.9.0"]);
    assert_eq!(read(&document("a/latest", true)), full["versions"]["1.0.0"]);
    assert!(recording.get(&document("a/2.0.0", true), false).is_none());
}

#[test]
fn a_full_packument_that_does_not_say_when_it_was_changed_was_so_with_its_newest_version() {
    let folder = tempfile::tempdir().unwrap();
    let recording = Recording::new(folder.path(), "http://127.0.0.1:1/");
    let time = serde_json::json!({ "1.0.0": "2026-02-01T00:00:00.000Z", "1.1.0": "2026-01-01T00:00:00.000Z" });
    let full = serde_json::json!({ "_id": "a", "name": "a", "dist-tags": {}, "versions": {}, "time": time });
    recording
        .keep(&document("a", false), full.to_string().as_bytes(), "https://upstream.example/")
        .unwrap();
    let short = recording.get(&document("a", false), false).unwrap().body;
    let short: serde_json::Value = serde_json::from_slice(&short).unwrap();
    assert_eq!(short["modified"], "2026-02-01T00:00:00.000Z");
}
