//! A registry that takes publications, tags and owners, and records what it was sent.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

/// The token that may change something.
pub(super) const TOKEN: &str = "token-of-keeper";

/// A request that would change something, or that had a scripted answer.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) request: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Value,
}

#[derive(Default)]
struct State {
    packuments: BTreeMap<String, Value>,
    tarballs: BTreeMap<String, Vec<u8>>,
    sent: Vec<Sent>,
    /// Answers by method and path, before all else: each is given once.
    scripted: Vec<(String, u16, String, Value)>,
}

/// The registry, until the test ends.
pub(super) struct Server {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    /// Starts a registry with these packuments and tarballs.
    pub(super) fn start(packuments: &Value, tarballs: BTreeMap<String, Vec<u8>>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let text = packuments.to_string().replace("<REG>/", &url);
        let packuments = serde_json::from_str(&text).unwrap();
        let state = Arc::new(Mutex::new(State { packuments, tarballs, ..State::default() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || converse(&stream, &shared));
            }
        });
        Server { url, state }
    }

    /// Gives an answer to the next request of this method and path; the header is one line.
    pub(super) fn answer_once(&self, request: &str, status: u16, header: &str, body: Value) {
        let scripted = (request.to_owned(), status, header.to_owned(), body);
        self.state.lock().unwrap().scripted.push(scripted);
    }

    /// Returns what it was sent.
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.state.lock().unwrap().sent.clone()
    }
}

fn converse(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut words = line.split_whitespace();
        let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            match line.trim_end().split_once(':') {
                Some((key, value)) => {
                    headers.insert(key.to_ascii_lowercase(), value.trim().to_owned());
                }
                None => break,
            }
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let (status, header, body) =
            answer(&mut state.lock().unwrap(), &method, &target, headers, body);
        let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
        let head = format!("HTTP/1.1 {status} X\r\n{header}content-length: {}\r\n\r\n", body.len());
        if writer.write_all(head.as_bytes()).and_then(|()| writer.write_all(&body)).is_err() {
            return;
        }
    }
}

fn answer(
    state: &mut State,
    method: &str,
    target: &str,
    headers: BTreeMap<String, String>,
    body: Value,
) -> (u16, String, Vec<u8>) {
    let path = target.split('?').next().unwrap().trim_start_matches('/');
    let path = path.replace("%2f", "/").replace("%2F", "/").replace("%3A", ":");
    let json = |status: u16, value: Value| (status, String::new(), value.to_string().into_bytes());
    let is_reading = method == "GET";
    let is_known = headers.get("authorization").is_some_and(|value| value.ends_with(TOKEN));
    let request = format!("{method} /{path}");
    let scripted = state.scripted.iter().position(|(wanted, ..)| *wanted == request);
    if !is_reading || scripted.is_some() {
        state.sent.push(Sent { request: request.clone(), headers, body: body.clone() });
    }
    if let Some(place) = scripted {
        let (_, status, header, body) = state.scripted.remove(place);
        return (status, header, body.to_string().into_bytes());
    }
    if !is_reading && !is_known {
        return json(401, json!({ "error": "unauthorized" }));
    }
    if path == "-/whoami" {
        return match is_known {
            true => json(200, json!({ "username": "keeper" })),
            false => json(401, json!({ "error": "unauthorized" })),
        };
    }
    if let Some(tarball) = state.tarballs.get(&path).filter(|_| is_reading) {
        return (200, String::new(), tarball.clone());
    }
    if let Some(user) = path.strip_prefix("-/user/org.couchdb.user:") {
        return match user {
            "nobody" => json(404, json!({ "error": "not found" })),
            user => json(200, json!({ "name": user, "email": format!("{user}@example.test") })),
        };
    }
    if let Some((name, tag)) =
        path.strip_prefix("-/package/").and_then(|rest| rest.split_once("/dist-tags"))
    {
        let Some(packument) = state.packuments.get_mut(name) else {
            return json(404, json!({ "error": "not found" }));
        };
        let tags = packument["dist-tags"].as_object_mut().unwrap();
        let tag = tag.trim_start_matches('/').to_owned();
        match method {
            "GET" => return json(200, tags.clone().into()),
            "DELETE" => _ = tags.remove(&tag),
            _ => _ = tags.insert(tag, body),
        }
        return json(201, json!({ "ok": true }));
    }
    let name = path.split("/-rev/").next().unwrap().to_owned();
    if is_reading {
        return match state.packuments.get(&name) {
            Some(packument) => json(200, packument.clone()),
            None => json(404, json!({ "error": "Not found" })),
        };
    }
    let is_known = |version: &String| {
        let packument = state.packuments.get(&name);
        packument.is_some_and(|known| known["versions"].get(version).is_some())
    };
    let versions = body.get("versions").and_then(Value::as_object);
    if body
        .get("_attachments")
        .is_some_and(|all| all.as_object().is_some_and(|all| !all.is_empty()))
        && versions.is_some_and(|versions| versions.keys().any(is_known))
    {
        return json(409, json!({ "error": "cannot publish over an existing version" }));
    }
    if name.contains("/-/") {
        state.tarballs.remove(&name);
    } else if method == "DELETE" {
        state.packuments.remove(&name);
    } else {
        let known = state.packuments.entry(name).or_insert_with(|| json!({}));
        for (key, value) in body.as_object().unwrap_or(&Map::new()) {
            known[key] = value.clone();
        }
    }
    json(201, json!({ "ok": true }))
}
