//! A TCP server on port 0 that plays a script per request and records its requests.

use dx_pkg_fetch::Fetcher;
use dx_pkg_fetch::config::FetchConfig;
use dx_pkg_fetch::config::RetryPolicy;
use url::Url;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The actions on a connection, in order.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Send these bytes.
    Send(Vec<u8>),
    /// Wait.
    Wait(Duration),
    /// Close the connection.
    Close,
}

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

type Script = dyn Fn(usize, &Seen) -> Vec<Step> + Send + Sync;

#[derive(Default)]
struct Log {
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    active: AtomicUsize,
    most_active: AtomicUsize,
}

/// A running server; it stops with the test's runtime.
#[derive(Clone)]
pub(crate) struct Server {
    port: u16,
    log: Arc<Log>,
}

impl Server {
    /// Starts a server; `script` is given the number of the request (from 0) and the request.
    pub(crate) async fn start(
        script: impl Fn(usize, &Seen) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Log::default());
        let script: Arc<Script> = Arc::new(script);
        let shared = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.connections.fetch_add(1, SeqCst);
                stream.set_nodelay(true).unwrap();
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&shared)));
            }
        });
        Self { port, log }
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://127.0.0.1:{}{path}", self.port)).unwrap()
    }

    /// The same server under another name.
    pub(crate) fn other_name(&self, path: &str) -> Url {
        Url::parse(&format!("http://localhost:{}{path}", self.port)).unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.log.seen.lock().unwrap().clone()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.path).collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(SeqCst)
    }

    pub(crate) fn most_active(&self) -> usize {
        self.log.most_active.load(SeqCst)
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Script>, log: Arc<Log>) {
    let mut buffer = Vec::new();
    while let Some(seen) = read_request(&mut stream, &mut buffer).await {
        let number = {
            let mut all = log.seen.lock().unwrap();
            all.push(seen.clone());
            all.len() - 1
        };
        let active = log.active.fetch_add(1, SeqCst) + 1;
        log.most_active.fetch_max(active, SeqCst);
        let mut open = true;
        for step in script(number, &seen) {
            match step {
                Step::Send(bytes) => open &= stream.write_all(&bytes).await.is_ok(),
                Step::Wait(duration) => tokio::time::sleep(duration).await,
                Step::Close => open = false,
            }
        }
        log.active.fetch_sub(1, SeqCst);
        if !open {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        buffer.extend_from_slice(&chunk[..read]);
    };
    let head = String::from_utf8(buffer.drain(..end + 4).collect()).unwrap();
    let mut lines = head.lines();
    let mut request_line = lines.next()?.split(' ').map(str::to_owned);
    let (method, path) = (request_line.next()?, request_line.next()?);
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut seen = Seen { method, path, headers, body: Vec::new() };
    let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    while buffer.len() < length {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        buffer.extend_from_slice(&chunk[..read]);
    }
    seen.body = buffer.drain(..length).collect();
    Some(seen)
}

/// A whole response.
pub(crate) fn response(status: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<Step> {
    vec![Step::Send(head(status, headers, body.len())), Step::Send(body.to_vec())]
}

/// A 200.
pub(crate) fn ok(body: &[u8]) -> Vec<Step> {
    response("200 OK", &[], body)
}

/// The head of a response that announces `length` bytes.
pub(crate) fn head(status: &str, headers: &[(&str, &str)], length: usize) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n");
    for (key, value) in headers {
        head.push_str(&format!("{key}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// A configuration whose retries take next to no time.
pub(crate) fn impatient() -> FetchConfig {
    FetchConfig {
        retry: RetryPolicy { first_delay: Duration::from_millis(2), ..RetryPolicy::default() },
        ..FetchConfig::default()
    }
}

pub(crate) fn fetcher() -> Fetcher {
    Fetcher::new(impatient())
}
