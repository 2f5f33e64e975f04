//! The endpoints that change a registry, tried with a package that is published for this and
//! unpublished at the end.

use super::{Answer, Registry};
use axum::http::header::CONTENT_TYPE;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dx_pkg_core::Integrity;
use dx_pkg_fetch::{Method, Request};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

/// The size of a tar archive's blocks, in bytes.
const BLOCK: usize = 512;
const VERSION: &str = "1.0.0";

impl Registry {
    /// Publishes a package, changes it in every way, and unpublishes it.
    pub(super) async fn changes(&mut self, name: &str) {
        let path = name.replace('/', "%2f");
        let Ok(tarball) = tarball(name) else {
            return;
        };
        let document = publication(name, &tarball);
        let token = self.authorization.take();
        let answer = self.change(Method::PUT, &path, Some(&document)).await;
        self.status("a publish without a token is refused", &answer, &[401, 403]);
        self.authorization = token;
        let answer = self.change(Method::PUT, &path, Some(&document)).await;
        self.status("publish", &answer, &[200, 201]);
        let found = self.get(&path, &[]).await.json();
        let integrity = found["versions"][VERSION]["dist"]["integrity"].as_str();
        let own = Integrity::sha512_of(&tarball).to_string();
        let is_there = integrity == Some(own.as_str());
        self.note("what was published is there", is_there, format!("its integrity: {integrity:?}"));
        let answer = self.change(Method::PUT, &path, Some(&document)).await;
        self.status("a second publish of a version is refused", &answer, &[403, 409]);
        self.tags(&path).await;
        self.deprecation(&path).await;
        self.end(&path).await;
    }

    async fn change(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let Ok(url) = self.base.join(path) else {
            return Answer::none("the address cannot be made");
        };
        let body = body.map(|body| body.to_string().into_bytes().into());
        self.send(Request::sending(method, url, body), &[(CONTENT_TYPE, "application/json")]).await
    }

    async fn tags(&mut self, path: &str) {
        let (tags, tag) = (format!("-/package/{path}/dist-tags"), "check");
        let one = format!("{tags}/{tag}");
        let answer = self.change(Method::PUT, &one, Some(&json!(VERSION))).await;
        self.status("dist-tag add", &answer, &[200, 201, 204]);
        let is_there = self.get(&tags, &[]).await.json()[tag] == VERSION;
        self.note("the tag is there", is_there, "it is not");
        let answer = self.change(Method::DELETE, &one, None).await;
        self.status("dist-tag rm", &answer, &[200, 201, 204]);
        let is_gone = self.get(&tags, &[]).await.json().get(tag).is_none();
        self.note("the tag is gone", is_gone, "it is still there");
    }

    async fn deprecation(&mut self, path: &str) {
        let document = format!("{path}?write=true");
        for (what, text) in [("deprecate", "tried by dx-registry check"), ("undeprecate", "")] {
            let mut found = self.get(&document, &[]).await.json();
            found["versions"][VERSION]["deprecated"] = json!(text);
            let answer = self.change(Method::PUT, path, Some(&found)).await;
            self.status(what, &answer, &[200, 201]);
            let found = self.get(path, &[]).await.json();
            let said = found["versions"][VERSION]["deprecated"].as_str().unwrap_or_default();
            let shows = match text {
                "" => "an undone deprecation is gone",
                _ => "the deprecation is there",
            };
            self.note(shows, said == text, format!("it is {said:?}"));
        }
    }

    async fn end(&mut self, path: &str) {
        let found = self.get(&format!("{path}?write=true"), &[]).await.json();
        let revision = found["_rev"].as_str().unwrap_or_default().to_owned();
        self.note("_rev with ?write=true", !revision.is_empty(), "there is none");
        let stale = format!("{path}/-rev/0-no-such-revision");
        let answer = self.change(Method::DELETE, &stale, None).await;
        self.status("unpublish with a stale _rev is refused", &answer, &[400, 404, 409]);
        let answer = self.change(Method::DELETE, &format!("{path}/-rev/{revision}"), None).await;
        self.status("unpublish", &answer, &[200, 201, 204]);
        let answer = self.get(path, &[]).await;
        self.status("404 for what was unpublished", &answer, &[404]);
    }
}

/// Returns the tarball of a package with nothing but its `package.json`.
fn tarball(name: &str) -> std::io::Result<Vec<u8>> {
    let manifest = json!({ "name": name, "version": VERSION }).to_string();
    let mut header = [0; BLOCK];
    let mut put = |at: usize, text: &str| {
        header[at..at + text.len()].copy_from_slice(text.as_bytes());
    };
    put(0, "package/package.json");
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &format!("{:011o}\0", manifest.len()));
    put(136, "00000000000\0");
    // The checksum counts itself as spaces.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut out = GzEncoder::new(Vec::new(), Compression::new(6));
    out.write_all(&header)?;
    out.write_all(manifest.as_bytes())?;
    out.write_all(&vec![0; manifest.len().next_multiple_of(BLOCK) - manifest.len() + 2 * BLOCK])?;
    out.finish()
}

/// Returns the document that npm would send.
fn publication(name: &str, tarball: &[u8]) -> Value {
    let integrity = Integrity::sha512_of(tarball).to_string();
    let bare = name.rsplit('/').next().unwrap_or(name);
    let file = format!("{bare}-{VERSION}.tgz");
    json!({
        "_id": name, "name": name, "description": "", "dist-tags": { "latest": VERSION },
        "versions": { VERSION: {
            "_id": format!("{name}@{VERSION}"), "name": name, "version": VERSION,
            "dist": { "integrity": integrity, "tarball": format!("http://localhost/{name}/-/{file}") },
        } },
        "access": null,
        "_attachments": { file: {
            "content_type": "application/octet-stream",
            "data": STANDARD.encode(tarball), "length": tarball.len(),
        } },
    })
}
