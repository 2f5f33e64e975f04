//! Redirects, and the credentials that each hop receives.

use crate::server::{Server, Step, fetcher, impatient, ok, response};
use dx_pkg_core::Coded;
use dx_pkg_fetch::config::AddressRule;
use dx_pkg_fetch::header::{AUTHORIZATION, HeaderName, HeaderValue};
use dx_pkg_fetch::{Credentials, Fetcher, Request};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

fn credentials_for(host: &'static str) -> Credentials {
    Arc::new(move |url: &Url| {
        (url.host_str() == Some(host)).then(|| HeaderValue::from_static("Bearer secret"))
    })
}

#[tokio::test]
async fn another_host_never_receives_credentials() {
    let storage = Server::start(|_, _| ok(b"tarball")).await;
    let target = storage.other_name("/signed?x=1").to_string();
    let registry =
        Server::start(move |_, _| response("302 Found", &[("Location", &target)], b"")).await;
    let request = Request::tarball(registry.url("/a.tgz"))
        .credentials(credentials_for("127.0.0.1"))
        .header(AUTHORIZATION, HeaderValue::from_static("Bearer by-mistake"));
    let response = fetcher().get(request).await.unwrap();
    assert_eq!(&response.body[..], b"tarball");
    assert_eq!(response.url.path(), "/signed");
    assert_eq!(registry.seen()[0].header("authorization"), Some("Bearer secret"));
    assert_eq!(storage.seen()[0].header("authorization"), None);
}

#[tokio::test]
async fn another_origin_never_receives_own_headers() {
    let otp = HeaderName::from_static("npm-otp");
    let storage = Server::start(|_, _| ok(b"end")).await;
    let target = storage.url("/end").to_string();
    let registry = Server::start(move |_, seen| match seen.path.as_str() {
        "/a" => response("302 Found", &[("Location", "/b")], b""),
        _ => response("302 Found", &[("Location", &target)], b""),
    })
    .await;
    let request = Request::metadata(registry.url("/a"))
        .own_header(otp, HeaderValue::from_static("123"))
        .own_header(AUTHORIZATION, HeaderValue::from_static("Bearer by-mistake"));
    fetcher().get(request).await.unwrap();
    for seen in registry.seen() {
        assert_eq!(seen.header("npm-otp"), Some("123"));
        assert_eq!(seen.header("authorization"), None);
    }
    assert_eq!(storage.seen()[0].header("npm-otp"), None);
}

#[tokio::test]
async fn each_hop_is_given_its_own_credentials() {
    let server = Server::start(|_, seen| match seen.path.as_str() {
        "/a" => response("307 Temporary Redirect", &[("Location", "b")], b""),
        _ => ok(b"end"),
    })
    .await;
    let credentials: Credentials = Arc::new(|url: &Url| HeaderValue::from_str(url.path()).ok());
    let request = Request::metadata(server.url("/a"))
        .credentials(credentials)
        .header(HeaderName::from_static("x-kept"), HeaderValue::from_static("1"));
    fetcher().get(request).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].header("authorization"), Some("/a"));
    assert_eq!(seen[1].header("authorization"), Some("/b"));
    assert_eq!(seen[1].header("x-kept"), Some("1"));
}

#[tokio::test]
async fn an_address_that_another_server_chose_gets_no_credentials() {
    let secret: Credentials = Arc::new(|_: &Url| Some(HeaderValue::from_static("Bearer secret")));
    let private = Server::start(|_, _| ok(b"private")).await;
    let target = private.url("/-/delete").to_string();
    let hostile =
        Server::start(move |_, _| response("302 Found", &[("Location", &target)], b"")).await;
    let request = Request::metadata(hostile.url("/a")).credentials(secret.clone());
    fetcher().get(request).await.unwrap();
    assert_eq!(private.seen()[0].header("authorization"), None);

    // There and back again: the hostile server leads to the address in the query.
    let leads_back = Server::start(|_, seen| {
        let (_, target) = seen.path.split_once('?').unwrap();
        response("302 Found", &[("Location", target)], b"")
    })
    .await;
    let between = leads_back.url("/b").to_string();
    let registry = Server::start(move |_, seen| {
        let host = seen.header("host").unwrap().to_owned();
        match seen.path.as_str() {
            "/a" => {
                let target = format!("{between}?http://{host}/-/delete");
                response("302 Found", &[("Location", &target)], b"")
            }
            _ => ok(b"end"),
        }
    })
    .await;
    let request = Request::metadata(registry.url("/a")).credentials(secret);
    fetcher().get(request).await.unwrap();
    let seen = registry.seen();
    assert_eq!(seen[0].header("authorization"), Some("Bearer secret"));
    assert_eq!((&*seen[1].path, seen[1].header("authorization")), ("/-/delete", None));
}

#[tokio::test]
async fn redirects_are_no_sign_of_life() {
    let server = Server::start(|number, _| {
        let target = format!("/{number}");
        let mut steps = vec![Step::Wait(Duration::from_millis(150))];
        steps.extend(response("302 Found", &[("Location", &target)], b""));
        steps
    })
    .await;
    let mut config = impatient();
    config.timeouts.idle = Duration::from_millis(400);
    config.retry.tries = 1;
    let error = Fetcher::new(config).get(Request::metadata(server.url("/a"))).await.unwrap_err();
    assert_eq!(error.code(), "DX_FETCH_TIMEOUT");
    assert!(server.seen().len() < 5, "{:?}", server.paths());
}

#[tokio::test]
async fn ten_redirects_are_followed_and_no_more() {
    let server = Server::start(|_, seen| {
        let left: u32 = seen.path[1..].parse().unwrap();
        if left == 0 {
            return ok(b"end");
        }
        response("302 Found", &[("Location", &format!("/{}", left - 1))], b"")
    })
    .await;
    fetcher().get(Request::metadata(server.url("/10"))).await.unwrap();
    let error = fetcher().get(Request::metadata(server.url("/11"))).await.unwrap_err();
    assert_eq!((error.code(), error.tries), ("DX_FETCH_REDIRECT", 1));
}

#[tokio::test]
async fn redirects_to_other_schemes_are_refused() {
    for target in ["file:///etc/passwd", "ftp://registry.example/", "http://", "data:text/plain,x"]
    {
        let server =
            Server::start(move |_, _| response("302 Found", &[("Location", target)], b"")).await;
        let error = fetcher().get(Request::metadata(server.url("/a"))).await.unwrap_err();
        assert_eq!(error.code(), "DX_FETCH_REDIRECT", "{target}");
    }
    let error = fetcher()
        .get(Request::metadata(Url::parse("file:///etc/passwd").unwrap()))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "DX_FETCH_SCHEME");
}

#[tokio::test]
async fn a_proxy_is_asked_in_the_hosts_place_where_one_is_chosen() {
    let proxy = Server::start(|_, _| ok(b"by proxy")).await;
    let mut address = proxy.url("/");
    address.set_username("me").unwrap();
    address.set_password(Some("pw")).unwrap();
    let mut config = impatient();
    config.proxy = Some(Arc::new(move |url| {
        (url.host_str() == Some("registry.example")).then(|| address.clone())
    }));
    let fetcher = Fetcher::new(config);
    let through = Url::parse("http://registry.example/a").unwrap();
    let response = fetcher.get(Request::metadata(through)).await.unwrap();
    assert_eq!(&response.body[..], b"by proxy");
    assert_eq!(proxy.paths(), ["http://registry.example/a"]);
    let authorization = proxy.seen()[0].header("proxy-authorization").map(str::to_owned);
    assert_eq!(authorization.as_deref(), Some("Basic bWU6cHc="));

    let server = Server::start(|_, _| ok(b"direct")).await;
    let response = fetcher.get(Request::metadata(server.other_name("/a"))).await.unwrap();
    assert_eq!(&response.body[..], b"direct");
}

#[tokio::test]
async fn a_socks_proxy_is_given_the_hosts_name() {
    let server = Server::start(|_, _| ok(b"by socks")).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Url::parse(&format!("socks5h://{}", listener.local_addr().unwrap())).unwrap();
    let inside = server.url("/").port().unwrap();
    let asked = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        // RFC 1928: version, methods; then version, connect, 0, kind 3 (a name), its length, the
        // name, the port.
        let mut greeting = [0; 3];
        client.read_exact(&mut greeting).await.unwrap();
        client.write_all(&[5, 0]).await.unwrap();
        let mut head = [0; 5];
        client.read_exact(&mut head).await.unwrap();
        let mut name = vec![0; usize::from(head[4]) + 2];
        client.read_exact(&mut name).await.unwrap();
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", inside)).await.unwrap();
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        name.truncate(usize::from(head[4]));
        (head[3], String::from_utf8(name).unwrap())
    });
    let mut config = impatient();
    config.proxy = Some(Arc::new(move |_| Some(proxy.clone())));
    let url = Url::parse("http://registry.example/a").unwrap();
    let response = Fetcher::new(config).get(Request::metadata(url)).await.unwrap();
    assert_eq!(&response.body[..], b"by socks");
    assert_eq!(asked.await.unwrap(), (3, "registry.example".to_owned()));
}

/// Admits everything but what is below `/inside`.
struct NotInside;

impl AddressRule for NotInside {
    fn admits_url(&self, url: &Url) -> bool {
        !url.path().starts_with("/inside")
    }

    fn admits_address(&self, _host: &str, _address: std::net::IpAddr) -> bool {
        true
    }
}

#[tokio::test]
async fn a_redirect_to_a_forbidden_address_is_not_followed() {
    let server = Server::start(|_, _| response("302 Found", &[("Location", "/inside")], b"")).await;
    let mut config = impatient();
    config.addresses = Some(Arc::new(NotInside));
    let request = Request::tarball(server.url("/a.tgz"));
    let error = Fetcher::new(config).get(request).await.unwrap_err();
    assert_eq!(error.code(), "DX_FETCH_FORBIDDEN");
    assert_eq!(server.seen().len(), 1);
}
