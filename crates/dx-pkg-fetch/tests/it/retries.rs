//! Failures that are retried, the number of tries, and failures that are not.

use crate::server::{Server, Step, fetcher, head, impatient, ok, response};
use dx_pkg_core::Coded;
use dx_pkg_fetch::config::{Concurrency, Timeouts};
use dx_pkg_fetch::error::{FetchCause, Phase};
use dx_pkg_fetch::{FetchError, Fetcher, Request, Statistics};
use url::Url;

use std::sync::Arc;
use std::time::{Duration, Instant};

const MS: fn(u64) -> Duration = Duration::from_millis;

async fn fails(fetcher: &Fetcher, url: Url) -> FetchError {
    fetcher.get(Request::tarball(url)).await.expect_err("the request succeeded")
}

#[tokio::test]
async fn dropped_connections_are_tried_again() {
    let server =
        Server::start(|number, _| if number < 2 { vec![Step::Close] } else { ok(b"third") }).await;
    let fetcher = fetcher();
    let response = fetcher.get(Request::tarball(server.url("/a"))).await.unwrap();
    assert_eq!(&response.body[..], b"third");
    let expected =
        Statistics { total: 1, completed: 1, retried: 2, bytes: 5, ..Statistics::default() };
    assert_eq!(fetcher.statistics(), expected);
}

#[tokio::test]
async fn a_server_that_fails_every_time_is_tried_three_times() {
    let server =
        Server::start(|_, _| response("503 Service Unavailable", &[], b"busy \x1b[31mnow")).await;
    let fetcher = fetcher();
    let error = fails(&fetcher, server.url("/a?secret=1")).await;
    assert_eq!(server.seen().len(), 3);
    assert_eq!(
        (error.code(), error.tries, error.status().unwrap().as_u16()),
        ("DX_FETCH_STATUS", 3, 503)
    );
    let shown = error.to_string();
    assert!(
        shown.contains("in 3 tries: the server answered 503 Service Unavailable: busy now"),
        "{shown}"
    );
    assert!(shown.contains("/a?…") && !shown.contains("secret"), "{shown}");
    let expected = Statistics { total: 1, failed: 1, retried: 2, ..Statistics::default() };
    assert_eq!(fetcher.statistics(), expected);
}

#[tokio::test]
async fn refusals_are_not_tried_again() {
    for status in
        ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "410 Gone"]
    {
        let server = Server::start(move |_, _| response(status, &[], b"no")).await;
        let error = fails(&fetcher(), server.url("/a")).await;
        assert_eq!(server.seen().len(), 1, "{status}");
        assert_eq!(error.status().unwrap().as_str(), &status[..3]);
        assert!(error.hint().is_some());
    }
}

#[tokio::test]
async fn of_an_error_page_the_title_is_shown() {
    let page = b"<html>\r\n<head><title>400 No certificate was sent</title></head>\r\n<body>much more</body></html>";
    let server = Server::start(|_, _| response("400 Bad Request", &[], page)).await;
    let shown = fails(&fetcher(), server.url("/a")).await.to_string();
    assert!(
        shown.ends_with("the server answered 400 Bad Request: 400 No certificate was sent"),
        "{shown}"
    );
    let server = Server::start(|_, _| response("400 Bad Request", &[], b"<p>no title</p>")).await;
    let shown = fails(&fetcher(), server.url("/a")).await.to_string();
    assert!(shown.ends_with("the server answered 400 Bad Request"), "{shown}");
}

#[tokio::test]
async fn the_number_of_tries_is_a_setting() {
    let server = Server::start(|_, _| response("500 Internal Server Error", &[], b"")).await;
    let mut config = impatient();
    config.retry.tries = 5;
    fails(&Fetcher::new(config), server.url("/a")).await;
    assert_eq!(server.seen().len(), 5);
}

#[tokio::test]
async fn retry_after_is_waited_for_and_holds_back_others() {
    let server = Server::start(|number, _| match number {
        0 => response("429 Too Many Requests", &[("Retry-After", "1")], b""),
        _ => ok(b"fine"),
    })
    .await;
    let fetcher = fetcher();
    let start = Instant::now();
    let first = tokio::spawn({
        let (fetcher, url) = (fetcher.clone(), server.url("/first"));
        async move { fetcher.get(Request::metadata(url)).await }
    });
    while fetcher.statistics().retried == 0 {
        tokio::time::sleep(MS(1)).await;
    }
    fetcher.get(Request::metadata(server.url("/second"))).await.unwrap();
    assert!(start.elapsed() >= MS(1000), "the second request did not wait for the host");
    first.await.unwrap().unwrap();
    assert!(start.elapsed() >= MS(1000) && start.elapsed() < MS(5000));
}

#[tokio::test]
async fn a_host_that_asks_for_a_pause_does_not_hold_up_another() {
    let busy =
        Server::start(|_, _| response("429 Too Many Requests", &[("Retry-After", "3600")], b""))
            .await;
    let other = Server::start(|_, _| ok(b"fine")).await;
    let mut config = impatient();
    config.concurrency = Concurrency::of(1);
    let fetcher = Fetcher::new(config);
    let ask = |path: &str| {
        let (fetcher, url) = (fetcher.clone(), busy.url(path));
        tokio::spawn(async move {
            fetcher.get(Request::metadata(url)).await.map(|response| response.status)
        })
    };
    let first = ask("/first");
    while fetcher.statistics().retried == 0 {
        tokio::time::sleep(MS(1)).await;
    }
    let second = ask("/second");
    tokio::time::sleep(MS(20)).await;
    let answer =
        tokio::time::timeout(MS(20_000), fetcher.get(Request::metadata(other.url("/a")))).await;
    assert_eq!(&answer.expect("the pause held up another host").unwrap().body[..], b"fine");
    assert_eq!(busy.paths(), ["/first"], "the pause was not kept");
    first.abort();
    second.abort();
}

#[tokio::test]
async fn retry_after_is_capped() {
    let server = Server::start(|number, _| match number {
        0 => response("429 Too Many Requests", &[("Retry-After", "86400")], b""),
        _ => ok(b"fine"),
    })
    .await;
    let mut config = impatient();
    config.retry.longest_retry_after = MS(20);
    Fetcher::new(config).get(Request::metadata(server.url("/a"))).await.unwrap();
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_stalled_answer_is_given_up_and_tried_again() {
    let server = Server::start(|number, _| match number {
        0 => vec![
            Step::Send(head("200 OK", &[], 10)),
            Step::Send(b"01234".to_vec()),
            Step::Wait(MS(60_000)),
        ],
        _ => ok(b"0123456789"),
    })
    .await;
    let mut config = impatient();
    config.timeouts.idle = MS(100);
    let response = Fetcher::new(config).get(Request::tarball(server.url("/a"))).await.unwrap();
    assert_eq!(&response.body[..], b"0123456789");
}

#[tokio::test]
async fn timeouts_say_which() {
    let stalls = |_, _: &_| vec![Step::Wait(MS(60_000))];
    let trickles = |_, _: &_| {
        let mut steps = vec![Step::Send(head("200 OK", &[], 1_024_000))];
        steps.extend((0..1000).flat_map(|_| [Step::Send(vec![0; 1024]), Step::Wait(MS(10))]));
        steps
    };
    for (server, expected) in
        [(Server::start(stalls).await, Phase::Idle), (Server::start(trickles).await, Phase::Total)]
    {
        let mut config = impatient();
        config.retry.tries = 1;
        config.timeouts = Timeouts { idle: MS(150), total: MS(400), ..Timeouts::default() };
        let error = fails(&Fetcher::new(config), server.url("/a")).await;
        assert_eq!(error.code(), "DX_FETCH_TIMEOUT");
        assert!(
            matches!(error.cause, FetchCause::Timeout { phase, .. } if phase == expected),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_host_are_told_apart() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = fails(&fetcher(), Url::parse(&format!("http://127.0.0.1:{port}/a")).unwrap()).await;
    assert_eq!((error.code(), error.tries), ("DX_FETCH_CONNECT", 3), "{error}");
    let error = fails(&fetcher(), Url::parse("http://registry.invalid/a").unwrap()).await;
    assert_eq!(error.code(), "DX_FETCH_DNS", "{error}");
    assert!(error.to_string().contains("registry.invalid"));
}

#[tokio::test]
async fn offline_asks_nobody() {
    let server = Server::start(|_, _| ok(b"x")).await;
    let mut config = impatient();
    config.offline = true;
    let error = fails(&Fetcher::new(config), server.url("/a")).await;
    assert_eq!(error.code(), "DX_FETCH_OFFLINE");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_proxy_of_an_unknown_kind_is_refused_and_not_gone_past() {
    let server = Server::start(|_, _| ok(b"direct")).await;
    let mut config = impatient();
    config.proxy = Some(Arc::new(|_| Url::parse("gopher://user:hunter2@proxy.example").ok()));
    let error = fails(&Fetcher::new(config), server.url("/a")).await;
    assert_eq!(error.code(), "DX_FETCH_CONFIG");
    assert!(
        !error.to_string().contains("hunter2") && error.to_string().contains("proxy"),
        "{error}"
    );
    assert_eq!(server.connections(), 0);
}
