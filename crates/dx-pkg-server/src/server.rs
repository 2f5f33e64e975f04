//! Listening: connections, their limits, and the way of a request to its route.

mod connections;
mod origin;
mod tls;

pub(crate) use tls::Tls;

use crate::api;
use crate::failure::Failure;
use crate::http::{Call, Connection, Routes, segments};
use crate::log::Level;
use crate::state::AppState;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::response::IntoResponse;
use connections::Connections;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use serde_json::json;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The pause after a connection could not be accepted, for want of open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A server that listens.
pub(crate) struct Server {
    state: Arc<AppState>,
    routes: Arc<Routes>,
    listener: TcpListener,
    connections: Connections,
    /// What HTTPS needs; `None` for a server that speaks HTTP.
    tls: Option<Arc<Tls>>,
}

impl Server {
    /// Opens the port that the configuration names.
    ///
    /// # Errors
    /// A text for whoever starts the server.
    pub(crate) async fn listen(state: Arc<AppState>) -> Result<Self, String> {
        let tls = match (&state.config.tls_cert, &state.config.tls_key) {
            (Some(certificate), Some(key)) => Some(Arc::new(Tls::open(certificate, key)?)),
            _ => None,
        };
        let address = state.config.listen;
        let listener = TcpListener::bind(address).await.map_err(|error| {
            let hint = match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    ": another program has it; try --listen 127.0.0.1:0"
                }
                _ => "",
            };
            format!("cannot listen on {address}: {error}{hint}")
        })?;
        let limits = &state.config.limits;
        let connections = Connections::new(limits.connections, limits.connections_per_client);
        let routes = Arc::new(api::routes(&state));
        Ok(Self { routes, state, listener, connections, tls })
    }

    /// Returns what HTTPS needs, whose certificate can be read again.
    pub(crate) fn tls(&self) -> Option<Arc<Tls>> {
        self.tls.clone()
    }

    /// Returns the address that it listens on.
    pub(crate) fn address(&self) -> Result<SocketAddr, String> {
        self.listener.local_addr().map_err(|error| error.to_string())
    }

    /// Serves until `stop` is done; then lets requests end, within the limit.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) {
        let (stopping, stopped) = watch::channel(false);
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    let Some(place) = self.connections.admit(peer.ip()) else {
                        continue;
                    };
                    let (state, routes) = (Arc::clone(&self.state), Arc::clone(&self.routes));
                    let (tls, stopped) = (self.tls.clone(), stopped.clone());
                    tokio::spawn(async move {
                        // Answers are written whole, so waiting for more only costs time.
                        let _ = stream.set_nodelay(true);
                        let client = (state, routes, peer.ip());
                        let connection = Connection::new(place, stopped);
                        match tls {
                            None => serve_connection(client, stream, connection).await,
                            Some(tls) => {
                                let time = client.0.config.limits.head_time.0;
                                if let Some(stream) = tls.accept(stream, time).await {
                                    serve_connection(client, stream, connection).await;
                                }
                            }
                        }
                    });
                }
                Err(error) => {
                    let fields = json!({ "error": error.to_string() });
                    self.state.log.error("cannot accept a connection", &fields);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(self.listener);
        drop(stopped);
        let _ = stopping.send(true);
        // Each connection holds a receiver until it has ended.
        let _ =
            tokio::time::timeout(self.state.config.limits.shutdown_time.0, stopping.closed()).await;
    }
}

/// Serves a client's connection until it ends.
async fn serve_connection(
    (state, routes, peer): (Arc<AppState>, Arc<Routes>, IpAddr),
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    own: Connection,
) {
    let limits = state.config.limits.clone();
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time.0)
        .max_buf_size(limits.head.length().max(8192));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head.0).unwrap_or(u32::MAX))
        .max_concurrent_streams(256)
        .keep_alive_interval(Some(Duration::from_secs(60)));
    let mut stopped = own.stopped.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (state, routes) = (Arc::clone(&state), Arc::clone(&routes));
        request.extensions_mut().insert(own.clone());
        async move { Ok::<_, Infallible>(answer(state, &routes, request, peer).await) }
    });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // A connection's fault is its client's: it is gone.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Answers a request, and logs it.
async fn answer(
    state: Arc<AppState>,
    routes: &Routes,
    request: Request<Incoming>,
    peer: IpAddr,
) -> Response<Body> {
    let start = Instant::now();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let result = route(Arc::clone(&state), routes, request, peer).await;
    let (status, detail) = match &result {
        Ok(response) => (response.status(), None),
        Err(failure) => (failure.status, failure.detail.clone()),
    };
    state.metrics.answered(status, start.elapsed());
    let level = if status.is_server_error() { Level::Error } else { Level::Request };
    if state.log.writes(level) {
        let fields = json!({
            "method": method.as_str(), "path": uri.path(), "status": status.as_u16(),
            "client": peer.to_string(), "ms": start.elapsed().as_millis() as u64,
            "detail": detail,
        });
        state.log.line(level, "request", &fields);
    }
    result.unwrap_or_else(IntoResponse::into_response)
}

async fn route(
    state: Arc<AppState>,
    routes: &Routes,
    request: Request<Incoming>,
    peer: IpAddr,
) -> Result<Response<Body>, Failure> {
    let (parts, body) = request.into_parts();
    let seen = origin::seen_by_client(&state.config, &parts, peer)?;
    let path = origin::without_prefix(&state.config, parts.uri.path());
    let segments = segments(path)?;
    let call = Call::new(state, parts, Body::new(body), segments, seen);
    routes.answer(call).await
}
