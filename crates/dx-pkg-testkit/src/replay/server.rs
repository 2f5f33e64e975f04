//! The server: one thread that accepts, waits as the network would, and answers.

use super::counts::{Counters, Counts, add};
use super::network::{Line, Network, Paced};
use super::recording::{ABBREVIATED, Asked, Held, Recording};
use super::tls;
use super::upstream::Upstream;
use super::wire::Counted;
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderName};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// The connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

/// The options of a server.
#[derive(Clone, Debug, Default)]
pub struct ReplayOptions {
    /// The folder of the recording.
    pub folder: PathBuf,
    /// The port of 127.0.0.1; 0 for a free one.
    pub port: u16,
    /// The network at first.
    pub network: Network,
    /// Whether to speak TLS.
    pub tls: bool,
    /// The registry to ask for what was not recorded, and to record; without one, nothing outside
    /// is reached.
    pub upstream: Option<String>,
}

/// A recorded registry, answering until it is dropped.
#[derive(Debug)]
pub struct Replay {
    url: String,
    authority: Option<String>,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    recording: Recording,
    line: Arc<Line>,
    counters: Arc<Counters>,
    upstream: Option<Upstream>,
}

impl Replay {
    /// Starts a server on a thread of its own.
    pub fn start(options: &ReplayOptions) -> io::Result<Replay> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(listen(options.port))?;
        let tls = if options.tls { Some(tls::acceptor().map_err(io::Error::other)?) } else { None };
        let (acceptor, authority) = tls.unzip();
        let scheme = if options.tls { "https" } else { "http" };
        let url = format!("{scheme}://{}/", listener.local_addr()?);
        let upstream =
            options.upstream.as_deref().map(Upstream::new).transpose().map_err(io::Error::other)?;
        let shared = Arc::new(Shared {
            recording: Recording::new(&options.folder, &url),
            line: Arc::new(Line::new(options.network)),
            counters: Arc::default(),
            upstream,
        });
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, acceptor, serving) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Replay { url, authority, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// The server's URL, with a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate of the server's authority in PEM form, where it speaks TLS.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Returns the traffic so far.
    pub fn counts(&self) -> Counts {
        self.shared.counters.now()
    }

    /// Changes the network for what is asked from now on.
    pub fn set_network(&self, network: Network) {
        self.shared.line.change(network);
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was printed when it happened.
            let _ = thread.join();
        }
    }
}

async fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    socket.listen(BACKLOG)
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of descriptors: those in use are given back before long.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        add(&shared.counters.connections, 1);
        tokio::spawn(converse(stream, acceptor.clone(), Arc::clone(&shared)));
    }
}

/// Answers on one connection until the client ends it.
async fn converse(stream: TcpStream, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    // Without it, the ends of answers wait for acknowledgements.
    let _ = stream.set_nodelay(true);
    let stream = Counted::new(stream, Arc::clone(&shared.counters));
    match acceptor {
        None => {
            shared.line.round_trips(1).await;
            serve(stream, shared).await;
        }
        Some(acceptor) => {
            shared.line.round_trips(2).await;
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, shared).await;
            }
        }
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, shared: Arc<Shared>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(&shared, &request).await) }
    });
    // A client that goes away is no error of the server's.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(shared: &Shared, request: &Request<Incoming>) -> Response<Paced> {
    let headers = request.headers();
    let asked = Asked::new(request.uri().path(), text(headers, &hyper::header::ACCEPT));
    add(
        match asked {
            Asked::Document { .. } => &shared.counters.metadata_requests,
            Asked::Tarball { .. } => &shared.counters.tarball_requests,
            Asked::Other => &shared.counters.other_requests,
        },
        1,
    );
    shared.line.round_trips(1).await;
    if asked == Asked::Other || !matches!(*request.method(), Method::GET | Method::HEAD) {
        return response(
            shared,
            StatusCode::OK,
            &[("content-type", "application/json")],
            Bytes::from_static(b"{}"),
        );
    }
    let packed = text(headers, &hyper::header::ACCEPT_ENCODING).contains("gzip");
    let held = match find(shared, &asked, packed).await {
        Ok(Some(held)) => held,
        Ok(None) => return refusal(shared, StatusCode::NOT_FOUND, "not recorded"),
        Err(reason) => return refusal(shared, StatusCode::BAD_GATEWAY, &reason),
    };
    let Asked::Document { full, .. } = asked else {
        let headers = [
            ("content-type", "application/octet-stream"),
            ("cache-control", "public, immutable, max-age=31557600"),
            ("etag", &held.etag),
        ];
        return response(shared, StatusCode::OK, &headers, held.body);
    };
    let unchanged = text(headers, &hyper::header::IF_NONE_MATCH).contains(&held.etag);
    let mut sent = vec![
        ("content-type", if full { "application/json" } else { ABBREVIATED }),
        ("cache-control", "public, max-age=300"),
        ("vary", "accept-encoding, accept"),
        ("etag", &held.etag),
    ];
    if unchanged {
        return response(shared, StatusCode::NOT_MODIFIED, &sent, Bytes::new());
    }
    if packed {
        sent.push(("content-encoding", "gzip"));
    }
    response(shared, StatusCode::OK, &sent, held.body)
}

/// The recorded answer; one that is missing is recorded now where there is a registry to ask.
async fn find(shared: &Shared, asked: &Asked, packed: bool) -> Result<Option<Held>, String> {
    let held = shared.recording.get(asked, packed);
    let (None, Some(upstream)) = (&held, &shared.upstream) else {
        return Ok(held);
    };
    let (path, accept) = match asked {
        Asked::Document { path, full: false } => (path, ABBREVIATED),
        Asked::Document { path, .. } => (path, "application/json"),
        Asked::Tarball { path } => (path, "*/*"),
        Asked::Other => return Ok(None),
    };
    let turn = upstream.turn(path);
    let _turn = turn.lock().await;
    if let Some(held) = shared.recording.get(asked, packed) {
        return Ok(Some(held));
    }
    let Some(body) = upstream.get(path, accept).await? else {
        return Ok(None);
    };
    shared
        .recording
        .keep(asked, &body, upstream.url())
        .map_err(|error| format!("{path}: {error}"))?;
    Ok(shared.recording.get(asked, packed))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn refusal(shared: &Shared, status: StatusCode, reason: &str) -> Response<Paced> {
    let body = serde_json::json!({ "error": reason }).to_string();
    response(shared, status, &[("content-type", "application/json")], body.into())
}

fn response(
    shared: &Shared,
    status: StatusCode,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Response<Paced> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response
        .body(Paced::new(body, Arc::clone(&shared.line)))
        .expect("headers of the server's own making")
}
