//! The pages, and what they make of hostile packages.

use crate::people::send;
use crate::server::{Server, path_of, publish_body, tarball_of};
use serde_json::json;

const HOSTILE: &str = "# Hi <script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n\
    [click](javascript:alert(1))";

#[test]
fn a_browser_is_led_from_the_address_of_the_registry_to_the_pages() {
    let server = Server::start("none");
    let answer = server.get_with("/", &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")]);
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, &*format!("{}-/ui/", server.url()))
    );
    assert_eq!(server.get("/").json()["name"], "dx-registry");
}

#[test]
fn pages_work_without_scripts_and_let_none_in() {
    let server = Server::start("none");
    for (version, script) in [("1.0.0", "node a"), ("1.1.0", "</code><script>alert(2)</script>")] {
        let manifest = json!({ "name": "tool", "version": version,
            "description": "<script>alert(3)</script>", "scripts": { "postinstall": script } });
        let fields = json!({ "readme": HOSTILE, "description": manifest["description"],
            "scripts": manifest["scripts"] });
        let body = publish_body("tool", version, "latest", &tarball_of(&manifest), &fields);
        assert_eq!(server.put(&path_of("tool"), &body).status, 201);
    }
    for path in [
        "/-/ui",
        "/-/ui/",
        "/-/ui/search?text=tool",
        "/-/ui/search?text=%3Cscript%3Ealert(4)%3C/script%3E",
        "/-/ui/package/tool",
        "/-/ui/package/tool/v/1.1.0",
        "/-/ui/package/tool/diff/1.0.0/1.1.0",
        "/-/ui/package/tool/diff/1.0.0/1.1.0?file=package.json",
    ] {
        let answer = send(&server, "", "GET", path, None);
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let html = String::from_utf8(answer.body).unwrap().to_lowercase();
        for part in ["<script", "<img src=x", "javascript:", " style="] {
            assert!(!html.contains(part), "{path}: {part}: {html}");
        }
    }
    let package = send(&server, "", "GET", "/-/ui/package/tool", None);
    assert!(String::from_utf8(package.body).unwrap().contains("<h1>Hi </h1>"));
    let home = String::from_utf8(send(&server, "", "GET", "/-/ui/", None).body).unwrap();
    assert!(home.contains("<tr><td>Tarballs of published versions<td>2<td>"), "{home}");
    let difference = send(&server, "", "GET", "/-/package/tool/diff/1.0.0/1.1.0", None).json();
    assert_eq!(difference["changed"], json!(["index.js", "package.json"]));
    assert!(difference["install_scripts"].get("postinstall").is_some());
    for path in ["/-/ui/package/none", "/-/ui/package/tool/v/9.0.0", "/-/ui/nothing"] {
        assert_eq!(send(&server, "", "GET", path, None).status, 404, "{path}");
    }
}

#[test]
fn manifest_that_is_not_the_tarballs_is_refused() {
    let server = Server::start("none");
    let packed = json!({ "name": "tool", "version": "1.0.0", "dependencies": { "a": "1" } });
    let tarball = tarball_of(&packed);
    for fields in [
        json!({}),
        json!({ "dependencies": { "a": "2" } }),
        json!({ "dependencies": { "a": "1" }, "scripts": { "install": "evil" } }),
        json!({ "dependencies": { "a": "1" }, "bin": { "npm": "index.js" } }),
        json!({ "dependencies": { "a": "1" }, "os": ["linux"] }),
        json!({ "dependencies": { "a": "1" }, "peerDependencies": { "b": "1" } }),
    ] {
        let body = publish_body("tool", "1.0.0", "latest", &tarball, &fields);
        let answer = server.put("/tool", &body);
        assert_eq!(answer.status, 400, "{fields}");
        assert!(answer.json()["error"].as_str().unwrap().contains("package.json"), "{fields}");
    }
    let body =
        publish_body("tool", "1.0.0", "latest", &tarball, &json!({ "dependencies": { "a": "1" } }));
    assert_eq!(server.put("/tool", &body).status, 201);
}
