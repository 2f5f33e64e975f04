//! Repositories over smart HTTP: git's own `http-backend` behind a server in this process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

/// How a server answers.
#[derive(Clone, Default)]
pub(crate) struct Behaviour {
    /// `user:password` in base64, without which it answers 401.
    pub(crate) authorization: Option<&'static str>,
    /// Requests that are refused with this status first.
    pub(crate) refusals: (usize, u16),
    /// The server that every request is sent on to.
    pub(crate) redirect: Option<String>,
}

struct State {
    folder: PathBuf,
    behaviour: Mutex<Behaviour>,
    /// The request lines, each with whether it came with credentials.
    requests: Mutex<Vec<(String, bool)>>,
}

/// A server for the repositories of a folder, on a port of 127.0.0.1.
pub(crate) struct HttpServer {
    state: Arc<State>,
    port: u16,
}

impl HttpServer {
    pub(crate) fn start(folder: &Path, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            folder: folder.to_owned(),
            behaviour: Mutex::new(behaviour),
            requests: Mutex::default(),
        });
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                thread::spawn(move || answer(&state, stream));
            }
        });
        Self { state, port }
    }

    /// Returns the address of a repository, as it is required.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("git+http://127.0.0.1:{}/{path}", self.port)
    }

    /// Returns the address of the server.
    pub(crate) fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Answers nothing any more but errors.
    pub(crate) fn refuse(&self, times: usize, status: u16) {
        self.state.behaviour.lock().unwrap().refusals = (times, status);
        self.state.requests.lock().unwrap().clear();
    }

    /// Returns the lines of all requests, each with whether it came with credentials.
    pub(crate) fn requests(&self) -> Vec<(String, bool)> {
        self.state.requests.lock().unwrap().clone()
    }
}

/// A request as it arrived.
struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut request = Self { method, path, headers, body: Vec::new() };
        let length = request.header("content-length").and_then(|length| length.parse().ok());
        reader.take(length.unwrap_or(0)).read_to_end(&mut request.body).ok()?;
        Some(request)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Answers one request, and closes the connection.
fn answer(state: &State, mut stream: TcpStream) {
    let Some(request) = Request::read(&stream) else { return };
    let authorization = request.header("authorization").map(str::to_owned);
    let line = format!("{} {}", request.method, request.path);
    state.requests.lock().unwrap().push((line, authorization.is_some()));
    let behaviour = {
        let mut behaviour = state.behaviour.lock().unwrap();
        let now = behaviour.clone();
        behaviour.refusals.0 = behaviour.refusals.0.saturating_sub(1);
        now
    };
    let wanted = behaviour.authorization.map(|wanted| format!("Basic {wanted}"));
    let answer = match &behaviour {
        Behaviour { refusals: (1.., status), .. } => plain(*status, ""),
        Behaviour { redirect: Some(base), .. } => {
            plain(302, &format!("Location: {base}{}\r\n", request.path))
        }
        _ if wanted.is_some() && wanted != authorization => {
            plain(401, "WWW-Authenticate: Basic realm=\"repositories\"\r\n")
        }
        _ => backend(&state.folder, &request),
    };
    // The client may have gone.
    let _ = stream.write_all(&answer);
}

fn plain(status: u16, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n")
        .into_bytes()
}

/// Runs git's program for a request; what it writes is the answer, but for its first line.
fn backend(folder: &Path, request: &Request) -> Vec<u8> {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let mut process = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", request.header("content-type").unwrap_or_default())
        .env("HTTP_CONTENT_ENCODING", request.header("content-encoding").unwrap_or_default())
        .env("GIT_PROTOCOL", request.header("git-protocol").unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(&request.body).unwrap();
    let output = process.wait_with_output().unwrap().stdout;
    let head = String::from_utf8_lossy(&output[..output.len().min(64)]).into_owned();
    let status = head.strip_prefix("Status: ").and_then(|rest| rest.get(..3)).unwrap_or("200");
    let mut answer = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n").into_bytes();
    answer.extend_from_slice(&output);
    answer
}
