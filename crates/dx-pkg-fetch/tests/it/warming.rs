//! Connections opened before there is a request for them.

use crate::secure::{Authority, Clients, SecureServer};
use crate::server::{Server, fetcher, impatient, ok};
use dx_pkg_fetch::tls::TlsSettings;
use dx_pkg_fetch::{Fetcher, Request};
use url::Url;

use std::time::Duration;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecure";

async fn until(so: impl Fn() -> bool) {
    while !so() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_warm_connection_serves_the_next_request_and_asks_nothing_itself() {
    let server = Server::start(|_, _| ok(b"x")).await;
    let fetcher = fetcher();
    fetcher.warm(&server.url("/")).await;
    until(|| server.connections() == 1).await;
    assert!(server.seen().is_empty());
    fetcher.get(Request::metadata(server.url("/a"))).await.unwrap();
    assert_eq!((server.connections(), server.paths()), (1, vec!["/a".to_owned()]));
}

#[tokio::test]
async fn as_many_connections_are_warm_as_were_asked_for() {
    let server = Server::start(|_, _| ok(b"x")).await;
    let fetcher = fetcher();
    let root = server.url("/");
    tokio::join!(fetcher.warm(&root), fetcher.warm(&root), fetcher.warm(&root));
    until(|| server.connections() == 3).await;
    fetcher.get(Request::metadata(server.url("/a"))).await.unwrap();
    assert_eq!((server.connections(), server.paths()), (3, vec!["/a".to_owned()]));
}

#[tokio::test]
async fn a_secure_connection_is_warmed_with_its_handshake() {
    let authority = Authority::new();
    let server = SecureServer::start(&authority, Clients::Anybody, ANSWER).await;
    let mut config = impatient();
    config.tls = TlsSettings { ca: vec![authority.pem()], ..TlsSettings::default() };
    let fetcher = Fetcher::new(config);
    let url = Url::parse(&format!("https://localhost:{}/a", server.port)).unwrap();
    fetcher.warm(&url).await;
    until(|| server.shown().len() == 1).await;
    assert_eq!(&fetcher.get(Request::metadata(url)).await.unwrap().body[..], b"secure");
    assert_eq!(server.shown().len(), 1, "the warm connection was not used");
}

#[tokio::test]
async fn nothing_is_opened_offline_and_failures_are_the_requests_to_tell() {
    let server = Server::start(|_, _| ok(b"x")).await;
    let mut config = impatient();
    config.offline = true;
    Fetcher::new(config).warm(&server.url("/")).await;
    assert_eq!(server.connections(), 0);
    fetcher().warm(&Url::parse("http://127.0.0.1:1/").unwrap()).await;
}
