//! A `dx-registry` process of a test, and requests to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_dx-registry");
pub(crate) const SHORT: &str = "application/vnd.npm.install-v1+json";

/// A running registry with a user.
pub(crate) struct Server {
    pub(crate) folder: Arc<TempDir>,
    process: Mutex<Child>,
    pub(crate) address: String,
    pub(crate) token: String,
}

/// An answer; header names are in lower case.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub(crate) fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Returns a command with an environment that is this test's alone.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", folder).env("XDG_DATA_HOME", folder.join("data"));
    command.stdin(Stdio::null());
    command
}

impl Server {
    /// Starts a registry with this upstream; `none` for one without.
    pub(crate) fn start(upstream: &str) -> Self {
        Self::with(upstream, &[])
    }

    /// Starts a registry with settings from the environment.
    pub(crate) fn with(upstream: &str, settings: &[(&str, &str)]) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let added = command(folder.path()).args(["user", "add", "alice"]).output().unwrap();
        assert!(added.status.success(), "{added:?}");
        let token = String::from_utf8(added.stdout).unwrap();
        let token = token.split_whitespace().max_by_key(|word| word.len()).unwrap().to_owned();
        Self::on(folder, token, upstream, settings)
    }

    /// Starts another process on the same folder.
    pub(crate) fn beside(&self, upstream: &str) -> Self {
        self.beside_with(upstream, &[])
    }

    /// Starts another process on the same folder, with settings from the environment.
    pub(crate) fn beside_with(&self, upstream: &str, settings: &[(&str, &str)]) -> Self {
        Self::on(Arc::clone(&self.folder), self.token.clone(), upstream, settings)
    }

    fn on(folder: Arc<TempDir>, token: String, upstream: &str, settings: &[(&str, &str)]) -> Self {
        let mut process = command(folder.path())
            .args(["serve", "--listen", "127.0.0.1:0", "--upstream", upstream])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap_or_else(|| panic!("{line:?}"));
        let address = address.trim().trim_end_matches('/').to_owned();
        Self { folder, process: Mutex::new(process), address, token }
    }

    /// Starts another process on the same folder, with the address that this one had for clients.
    pub(crate) fn beside_at(&self, upstream: &str) -> Self {
        let url = self.url();
        let public = [("DX_REGISTRY_PUBLIC_URL", url.as_str())];
        Self::on(Arc::clone(&self.folder), self.token.clone(), upstream, &public)
    }

    /// Returns the number of the process.
    pub(crate) fn process_id(&self) -> u32 {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).id()
    }

    /// Returns the folder of the storage.
    pub(crate) fn storage(&self) -> PathBuf {
        self.folder.path().join("data/dx/registry")
    }

    /// Starts a registry on a folder that has packages, without a user.
    pub(crate) fn over(folder: TempDir, upstream: &str) -> Self {
        Self::on(Arc::new(folder), String::new(), upstream, &[])
    }

    /// Kills the process at once, whatever it does.
    pub(crate) fn kill(&self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = process.kill();
        let _ = process.wait();
    }

    /// Publishes a version to a registry that may be killed meanwhile.
    pub(crate) fn try_publish(&self, name: &str, version: &str) -> Option<u16> {
        TcpStream::connect(&self.address).ok()?;
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            self.publish(name, version).status
        }))
        .ok()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, b"")
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Answer {
        self.send("PUT", path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// Sends a request with the user's token, the path as it stands.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let token = format!("Bearer {}", self.token);
        let mut all = vec![("authorization", token.as_str())];
        all.retain(|_| !self.token.is_empty());
        all.extend_from_slice(headers);
        self.send_as(method, path, &all, body)
    }

    /// Sends a request with exactly these headers, besides those of HTTP itself.
    pub(crate) fn send_as(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", self.address);
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()));
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let _ = stream.write_all(head.as_bytes());
        // The server may refuse before it has read everything.
        let _ = stream.write_all(body);
        let mut received = Vec::new();
        let _ = stream.read_to_end(&mut received);
        parse(&received)
    }

    /// Publishes a version as npm does.
    pub(crate) fn publish(&self, name: &str, version: &str) -> Answer {
        let body = publish_body(name, version, "latest", &tarball(name, version), &json!({}));
        self.put(&path_of(name), &body)
    }

    pub(crate) fn versions(&self, name: &str) -> Vec<String> {
        let packument = self.get(&path_of(name)).json();
        let versions = packument["versions"].as_object();
        versions.map(|versions| versions.keys().cloned().collect()).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn parse(received: &[u8]) -> Answer {
    let end = received.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        return Answer { status: 0, headers: Vec::new(), body: received.to_vec() };
    };
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or(0);
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    };
    let headers = lines.filter_map(header).collect();
    Answer { status, headers, body: received[end + 4..].to_vec() }
}

/// Returns a package's path as npm escapes it.
pub(crate) fn path_of(name: &str) -> String {
    format!("/{}", name.replace('/', "%2f"))
}

/// Returns the tarball of a package with this `package.json`.
pub(crate) fn tarball_of(manifest: &Value) -> Vec<u8> {
    let file = |path: &str, data: String| dx_pkg_testkit::Entry {
        path: format!("package/{path}"),
        mode: 0o644,
        kind: dx_pkg_testkit::EntryKind::File,
        data: data.into_bytes(),
    };
    let id = format!("// {}@{}\n", manifest["name"], manifest["version"]);
    dx_pkg_testkit::tgz(&[file("package.json", manifest.to_string()), file("index.js", id)])
}

pub(crate) fn tarball(name: &str, version: &str) -> Vec<u8> {
    tarball_of(&json!({ "name": name, "version": version }))
}

/// Returns the body of a publish; `fields` are of the manifest.
pub(crate) fn publish_body(
    name: &str,
    version: &str,
    tag: &str,
    tarball: &[u8],
    fields: &Value,
) -> Value {
    let mut manifest = json!({ "name": name, "version": version, "dist": {
        "integrity": dx_pkg_testkit::integrity_sha512(tarball),
        "shasum": dx_pkg_testkit::shasum(tarball),
        "tarball": format!("http://elsewhere.example/{name}/-/{name}-{version}.tgz"),
    } });
    let fields =
        fields.as_object().unwrap().iter().map(|(key, value)| (key.clone(), value.clone()));
    manifest.as_object_mut().unwrap().extend(fields);
    json!({
        "_id": name, "name": name, "access": null, "dist-tags": { tag: version },
        "versions": { version: manifest },
        "_attachments": { format!("{name}-{version}.tgz"): {
            "content_type": "application/octet-stream",
            "data": STANDARD.encode(tarball), "length": tarball.len() } },
    })
}
