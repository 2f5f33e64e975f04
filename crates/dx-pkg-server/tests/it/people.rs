//! Users of a registry in a test, what they send, and an upstream that answers as it is told.

use crate::server::{Answer, Server, command, path_of, publish_body, tarball};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

/// Runs `dx-registry user …` on a server's folder and returns the last word that it prints.
pub(crate) fn user_command(server: &Server, arguments: &[&str], input: &str) -> String {
    let mut child = command(server.folder.path())
        .arg("user")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let text = String::from_utf8(done.stdout).unwrap();
    text.split_whitespace().last().unwrap_or_default().to_owned()
}

/// Adds a user and returns the token.
pub(crate) fn add_user(server: &Server, name: &str) -> String {
    user_command(server, &["add", name], "")
}

/// Sends JSON, or nothing, with a token, or without one where it is empty.
pub(crate) fn send(
    server: &Server,
    token: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Answer {
    send_with(server, token, method, path, body, &[])
}

/// Sends with further headers.
pub(crate) fn send_with(
    server: &Server,
    token: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
    more: &[(&str, &str)],
) -> Answer {
    let authorization = format!("Bearer {token}");
    let mut headers = vec![("content-type", "application/json")];
    if !token.is_empty() {
        headers.push(("authorization", &authorization));
    }
    headers.extend_from_slice(more);
    let body = body.map(Value::to_string).unwrap_or_default();
    server.send_as(method, path, &headers, body.as_bytes())
}

/// Publishes a version with a token and further headers.
pub(crate) fn publish(
    server: &Server,
    token: &str,
    name: &str,
    version: &str,
    more: &[(&str, &str)],
) -> u16 {
    let body = publish_body(name, version, "latest", &tarball(name, version), &json!({}));
    send_with(server, token, "PUT", &path_of(name), Some(&body), more).status
}

/// Returns the path and query of an address of the server.
pub(crate) fn path_in(server: &Server, address: &Value) -> String {
    let address = address.as_str().unwrap();
    format!("/{}", address.strip_prefix(&server.url()).unwrap_or_else(|| panic!("{address}")))
}

/// An upstream that gives fixed answers and remembers what it was asked.
pub(crate) struct Upstream {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    /// Starts one: the answer for a path is that of the longest prefix.
    pub(crate) fn start(answers: &[(&'static str, Value)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (answers, seen) = (answers.to_vec(), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answers, seen) = (answers.clone(), Arc::clone(&seen));
                std::thread::spawn(move || answer(stream, &answers, &seen));
            }
        });
        Self { url, asked }
    }

    /// Returns all requests, head and body.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(
    mut stream: std::net::TcpStream,
    answers: &[(&'static str, Value)],
    seen: &Mutex<Vec<String>>,
) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request);
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().ok())?
        });
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
        if read == 0 || body.is_some_and(|body| body >= length.unwrap_or(0)) {
            break;
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
    seen.lock().unwrap().push(text);
    let found = answers.iter().filter(|(prefix, _)| path.starts_with(prefix));
    let found = found.max_by_key(|(prefix, _)| prefix.len());
    let (status, body) = match found {
        Some((_, body)) => ("200 OK", body.to_string()),
        None => ("404 Not Found", "{}".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

/// Returns the code that an authenticator app shows now for a secret in base 32.
pub(crate) fn one_time_code(secret: &str) -> String {
    let (mut key, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in secret.bytes() {
        let value = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|known| *known == letter);
        held = (held & 0x1f_ffff) << 5 | u32::try_from(value.unwrap()).unwrap();
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            key.push((held >> bits & 0xff) as u8);
        }
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let step = (now.as_secs() / 30).to_be_bytes();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let digest = ring::hmac::sign(&key, &step);
    let digest = digest.as_ref();
    let at = usize::from(digest[digest.len() - 1] & 0x0f);
    let four = digest[at..at + 4].iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte));
    format!("{:06}", (four & 0x7fff_ffff) % 1_000_000)
}
