//! Connections that leave HTTP for another protocol, within TLS, and bodies that begin elsewhere.

use crate::secure;
use dx_pkg_fetch::config::{FetchConfig, Timeouts};
use dx_pkg_fetch::header::HeaderValue;
use dx_pkg_fetch::stream::upgrade::Upgrade;
use dx_pkg_fetch::tls::TlsSettings;
use dx_pkg_fetch::{Fetcher, Request};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

fn fetcher(ca: Vec<String>) -> Fetcher {
    let tls = TlsSettings { ca, ..TlsSettings::default() };
    let timeouts = Timeouts { connect: Duration::from_secs(5), ..Timeouts::default() };
    Fetcher::new(FetchConfig { tls, timeouts, ..FetchConfig::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_within_tls_speaks_another_protocol() {
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: dxrp/1\r\n\r\nearly";
    let (port, ca) = secure::start(answer).await;
    let url: Url = format!("https://localhost:{port}/-/dxrp/1/").parse().unwrap();
    let other = fetcher(Vec::new());
    let fetcher = fetcher(vec![ca]);
    let asked = move || {
        assert!(fetcher.can_upgrade(&url));
        let upgraded = fetcher.upgrade(&url, "dxrp/1", None, Arc::new(|| true)).unwrap();
        let Upgrade::Switched(mut connection) = upgraded else { panic!("not switched") };
        let mut read = [0; 5];
        connection.read_exact(&mut read).unwrap();
        assert_eq!(&read, b"early");
        // An authority that is not trusted.
        assert!(other.upgrade(&url, "dxrp/1", None, Arc::new(|| true)).is_err());
    };
    tokio::task::spawn_blocking(asked).await.unwrap();
}

/// A server that answers one request with `answer`; returns its address and what it was asked.
fn server(answer: &'static [u8]) -> (Url, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/a", listener.local_addr().unwrap()).parse().unwrap();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        stream.write_all(answer).unwrap();
        String::from_utf8(head).unwrap().to_lowercase()
    });
    (url, serving)
}

#[tokio::test]
async fn the_rest_of_a_body_is_requested_whose_beginning_the_caller_has() {
    let rest = b"HTTP/1.1 206 Partial Content\r\netag: \"t\"\r\ncontent-range: bytes 4-7/8\r\n\
        content-length: 4\r\n\r\nrest";
    let whole = b"HTTP/1.1 200 OK\r\netag: \"u\"\r\ncontent-length: 8\r\n\r\nall anew";
    for (answer, body, before) in [(&rest[..], &b"rest"[..], 4), (whole, b"all anew", 0)] {
        let (url, serving) = server(answer);
        let request = Request::tarball(url).after(4, HeaderValue::from_static("\"t\""));
        let response = fetcher(Vec::new()).get(request).await.unwrap();
        assert_eq!(&response.body[..], body);
        assert_eq!(response.length - response.body.len() as u64, before);
        let head = serving.join().unwrap();
        assert!(head.contains("range: bytes=4-\r\n"), "{head}");
        assert!(head.contains("if-range: \"t\"\r\n"), "{head}");
    }
}
