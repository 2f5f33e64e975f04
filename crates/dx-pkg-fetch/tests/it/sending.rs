//! Requests that change something: sent once, with their body, and nowhere else.

use crate::server::{Server, Step, fetcher, impatient, ok, response};
use dx_pkg_fetch::error::{FetchCause, Phase};
use dx_pkg_fetch::{Bytes, Fetcher, Method, Request};
use std::time::Duration;

#[tokio::test]
async fn method_and_body_arrive() {
    let server = Server::start(|_, _| ok(b"{}")).await;
    let body = Bytes::from_static(b"{\"a\":1}");
    let request = Request::sending(Method::PUT, server.url("/a"), Some(body.clone()));
    assert_eq!(&fetcher().get(request).await.unwrap().body[..], b"{}");
    let request = Request::sending(Method::DELETE, server.url("/b"), None);
    fetcher().get(request).await.unwrap();
    let seen = server.seen();
    assert_eq!((&*seen[0].method, &*seen[0].path, &seen[0].body[..]), ("PUT", "/a", &body[..]));
    assert_eq!((&*seen[1].method, &*seen[1].path, seen[1].body.len()), ("DELETE", "/b", 0));
}

#[tokio::test]
async fn nothing_is_sent_twice() {
    let server = Server::start(|_, _| response("503 Service Unavailable", &[], b"busy")).await;
    let request = Request::sending(Method::POST, server.url("/a"), Some(Bytes::new()));
    let error = fetcher().get(request).await.unwrap_err();
    assert_eq!((error.tries, server.seen().len()), (1, 1));
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let server =
        Server::start(|_, _| response("307 Temporary Redirect", &[("Location", "/b")], b"")).await;
    let request = Request::sending(Method::POST, server.url("/a"), Some(Bytes::new()));
    let error = fetcher().get(request).await.unwrap_err();
    assert!(matches!(error.cause, FetchCause::Status { .. }), "{error}");
    assert_eq!(server.paths(), ["/a"]);
}

#[tokio::test]
async fn a_server_that_says_nothing_to_a_small_body_is_not_waited_for() {
    let server = Server::start(|_, _| vec![Step::Wait(Duration::from_secs(30))]).await;
    let mut config = impatient();
    config.timeouts.idle = Duration::from_millis(200);
    let body = Bytes::from_static(b"{}");
    let request = Request::sending(Method::PUT, server.url("/a"), Some(body));
    let error = Fetcher::new(config).get(request).await.unwrap_err();
    assert!(matches!(error.cause, FetchCause::Timeout { phase: Phase::Idle, .. }), "{error}");
}
