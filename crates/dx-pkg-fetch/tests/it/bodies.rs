//! Whole bodies, broken ones and ones that are too large.

use crate::server::{Server, Step, fetcher, head, impatient, ok, response};
use dx_pkg_core::Coded;
use dx_pkg_fetch::error::FetchCause;
use dx_pkg_fetch::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use dx_pkg_fetch::{Fetcher, Request};

#[tokio::test]
async fn a_large_body_in_many_pieces_arrives_whole() {
    let body: Vec<u8> = (0..3_000_000u32).map(|i| (i * 7 % 251) as u8).collect();
    let sent = body.clone();
    let server = Server::start(move |_, _| {
        let mut steps = vec![Step::Send(head("200 OK", &[], sent.len()))];
        steps.extend(sent.chunks(70_001).map(|piece| Step::Send(piece.to_vec())));
        steps
    })
    .await;
    let response = fetcher().get(Request::tarball(server.url("/a"))).await.unwrap();
    assert!(response.body == body);
}

#[tokio::test]
async fn a_chunked_body_arrives_whole() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let server = Server::start(|_, _| vec![Step::Send(chunked.to_vec())]).await;
    let response = fetcher().get(Request::tarball(server.url("/a"))).await.unwrap();
    assert_eq!(&response.body[..], b"hello world");
}

#[tokio::test]
async fn a_truncated_body_is_tried_again() {
    let cut = |number: usize| match number {
        0 => vec![Step::Send(head("200 OK", &[], 10)), Step::Send(b"012".to_vec()), Step::Close],
        1 => vec![
            Step::Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01".to_vec()),
            Step::Close,
        ],
        _ => ok(b"0123456789"),
    };
    let server = Server::start(move |number, _| cut(number)).await;
    let response = fetcher().get(Request::tarball(server.url("/a"))).await.unwrap();
    assert_eq!(&response.body[..], b"0123456789");
    assert_eq!(server.seen().len(), 3);

    let server = Server::start(move |_, _| cut(0)).await;
    let error = fetcher().get(Request::tarball(server.url("/a"))).await.unwrap_err();
    assert_eq!(error.code(), "DX_FETCH_TRUNCATED");
    assert!(
        matches!(error.cause, FetchCause::Truncated { received: 3, expected: Some(10), .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn bodies_over_the_limit_are_refused_announced_or_not() {
    let announced = Server::start(|_, _| ok(&[0; 2000])).await;
    let unannounced = Server::start(|_, _| {
        let mut bytes = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        bytes.extend([0; 2000]);
        vec![Step::Send(bytes), Step::Close]
    })
    .await;
    let mut config = impatient();
    config.limits.metadata = 1000;
    let fetcher = Fetcher::new(config);
    for server in [announced, unannounced] {
        let error = fetcher.get(Request::metadata(server.url("/a"))).await.unwrap_err();
        assert_eq!((error.code(), error.tries), ("DX_FETCH_TOO_LARGE", 1));
        assert_eq!(fetcher.get(Request::tarball(server.url("/a"))).await.unwrap().body.len(), 2000);
    }
}

#[tokio::test]
async fn not_modified_answers_only_a_conditional_request() {
    let server = Server::start(|_, _| {
        vec![Step::Send(b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n".to_vec())]
    })
    .await;
    let fetcher = fetcher();
    let conditional = Request::metadata(server.url("/a"))
        .header(IF_NONE_MATCH, HeaderValue::from_static("\"x\""));
    let response = fetcher.get(conditional).await.unwrap();
    assert_eq!(response.status.as_u16(), 304);
    assert_eq!(response.header(ETAG), Some("\"x\""));
    assert!(response.body.is_empty());
    let error = fetcher.get(Request::metadata(server.url("/a"))).await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 304);
    let statistics = fetcher.statistics();
    assert_eq!((statistics.completed, statistics.not_modified, statistics.failed), (1, 1, 1));
}

#[tokio::test]
async fn metadata_asks_for_gzip_and_leaves_it_on_and_tarballs_do_not() {
    let server = Server::start(|_, _| {
        response("200 OK", &[("Content-Encoding", "gzip")], b"\x1f\x8bzipped")
    })
    .await;
    let fetcher = fetcher();
    let response = fetcher.get(Request::metadata(server.url("/a"))).await.unwrap();
    assert_eq!(&response.body[..], b"\x1f\x8bzipped");
    fetcher.get(Request::tarball(server.url("/b"))).await.unwrap();
    let encodings: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| seen.header("accept-encoding").unwrap().to_owned())
        .collect();
    assert_eq!(encodings, ["gzip", "identity"]);
}

#[tokio::test]
async fn the_user_agent_is_the_configured_one() {
    let server = Server::start(|_, _| ok(b"")).await;
    let mut config = impatient();
    config.user_agent = "dx/1.2.3 node/? linux x64\r\nEvil: 1".to_owned();
    Fetcher::new(config).get(Request::metadata(server.url("/a"))).await.unwrap();
    assert_eq!(server.seen()[0].header("user-agent"), Some("dx/1.2.3 node/? linux x64Evil: 1"));
}
