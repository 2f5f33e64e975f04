//! TLS against a server with a certificate of a private authority.

use crate::secure::{self, Authority, Clients, SecureServer};
use crate::server::impatient;
use dx_pkg_core::Coded;
use dx_pkg_fetch::config::FetchConfig;
use dx_pkg_fetch::header::HeaderValue;
use dx_pkg_fetch::tls::TlsSettings;
use dx_pkg_fetch::{Credentials, FetchError, Fetcher, Request};
use url::Url;

use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SECURE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecure";
const DOWNGRADE: &[u8] =
    b"HTTP/1.1 302 Found\r\nLocation: http://localhost/a\r\nContent-Length: 0\r\n\r\n";

async fn get(url: &str, tls: TlsSettings) -> Result<Vec<u8>, FetchError> {
    let fetcher = Fetcher::new(FetchConfig { tls, ..impatient() });
    let response = fetcher.get(Request::metadata(Url::parse(url).unwrap())).await?;
    Ok(response.body.to_vec())
}

#[tokio::test]
async fn a_private_authority_is_refused_until_it_is_named() {
    let (port, authority) = secure::start(SECURE).await;
    let url = format!("https://localhost:{port}/a");
    let error = get(&url, TlsSettings::default()).await.unwrap_err();
    assert_eq!((error.code(), error.tries), ("DX_FETCH_TLS", 1), "{error}");
    assert!(error.hint().unwrap().contains("cafile"));
    let named = TlsSettings { ca: vec![authority], ..TlsSettings::default() };
    assert_eq!(get(&url, named).await.unwrap(), b"secure");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let (port, authority) = secure::start(SECURE).await;
    let named = TlsSettings { ca: vec![authority], ..TlsSettings::default() };
    let error = get(&format!("https://127.0.0.1:{port}/a"), named).await.unwrap_err();
    assert_eq!(error.code(), "DX_FETCH_TLS", "{error}");
}

#[tokio::test]
async fn anything_goes_without_strict_ssl() {
    let (port, _) = secure::start(SECURE).await;
    let lax = TlsSettings { verify: false, ..TlsSettings::default() };
    assert_eq!(get(&format!("https://127.0.0.1:{port}/a"), lax).await.unwrap(), b"secure");
}

#[tokio::test]
async fn a_redirect_out_of_the_secure_connection_is_refused() {
    let (port, authority) = secure::start(DOWNGRADE).await;
    let named = TlsSettings { ca: vec![authority], ..TlsSettings::default() };
    let error = get(&format!("https://localhost:{port}/a"), named).await.unwrap_err();
    assert_eq!(error.code(), "DX_FETCH_REDIRECT", "{error}");
}

#[tokio::test]
async fn a_server_without_tls_is_a_failed_secure_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let error =
        get(&format!("https://localhost:{port}/a"), TlsSettings::default()).await.unwrap_err();
    assert_eq!(error.code(), "DX_FETCH_TLS", "{error}");
}

#[tokio::test]
async fn a_secure_host_is_reached_through_a_tunnel_that_sees_no_credentials() {
    let (port, authority) = secure::start(SECURE).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://me:pw@{}", listener.local_addr().unwrap());
    let tunnel = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 4096];
        let length = client.read(&mut head).await.unwrap();
        head.truncate(length);
        client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        String::from_utf8(head).unwrap().to_ascii_lowercase()
    });
    let proxy = Url::parse(&proxy).unwrap();
    let fetcher = Fetcher::new(FetchConfig {
        proxy: Some(Arc::new(move |_| Some(proxy.clone()))),
        tls: TlsSettings { ca: vec![authority], ..TlsSettings::default() },
        ..impatient()
    });
    let url = Url::parse(&format!("https://localhost:{port}/a")).unwrap();
    let credentials: Credentials = Arc::new(|_| Some(HeaderValue::from_static("Bearer secret")));
    let request = Request::metadata(url).credentials(credentials);
    assert_eq!(&fetcher.get(request).await.unwrap().body[..], b"secure");
    drop(fetcher);
    let head = tunnel.await.unwrap();
    assert!(head.starts_with(&format!("connect localhost:{port} http/1.1")), "{head}");
    assert!(head.contains("proxy-authorization: basic "), "{head}");
    assert!(!head.contains("\r\nauthorization:") && !head.contains("secret"), "{head}");
}

#[tokio::test]
async fn a_later_connection_takes_up_the_session_of_an_earlier_one() {
    let authority = Authority::new();
    // Each answer ends its connection.
    let server = SecureServer::start(&authority, Clients::Anybody, SECURE).await;
    let tls = TlsSettings { ca: vec![authority.pem()], ..TlsSettings::default() };
    let fetcher = Fetcher::new(FetchConfig { tls, ..impatient() });
    let url = Url::parse(&format!("https://localhost:{}/a", server.port)).unwrap();
    for _ in 0..3 {
        fetcher.get(Request::metadata(url.clone())).await.unwrap();
    }
    assert_eq!(server.resumed(), [false, true, true]);
}
