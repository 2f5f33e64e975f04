//! Bodies that break off and are resumed.

use crate::server::{Seen, Server, Step, fetcher, head, impatient, ok, response};
use dx_pkg_core::Coded;
use dx_pkg_fetch::config::Timeouts;
use dx_pkg_fetch::{Fetcher, Request, Statistics, StatusCode};

use std::time::Duration;

const WHOLE: &[u8] = b"0123456789";
const TAG: (&str, &str) = ("ETag", "\"one\"");

/// The whole answer, broken off after `length` bytes.
fn broken(length: usize) -> Vec<Step> {
    vec![
        Step::Send(head("200 OK", &[TAG], WHOLE.len())),
        Step::Send(WHOLE[..length].to_vec()),
        Step::Close,
    ]
}

/// The answer of a server that supports ranges.
fn rest(seen: &Seen) -> Vec<Step> {
    let start: usize =
        seen.header("range").unwrap()["bytes=".len()..].trim_end_matches('-').parse().unwrap();
    let range = format!("bytes {start}-{}/{}", WHOLE.len() - 1, WHOLE.len());
    response("206 Partial Content", &[TAG, ("Content-Range", &range)], &WHOLE[start..])
}

fn ranges(server: &Server) -> Vec<Option<String>> {
    server.seen().iter().map(|seen| seen.header("range").map(str::to_owned)).collect()
}

fn asked(range: &str) -> Option<String> {
    Some(range.to_owned())
}

#[tokio::test]
async fn what_broke_off_is_gone_on_with() {
    let server = Server::start(|number, seen| match number {
        0 => broken(4),
        _ => rest(seen),
    })
    .await;
    let fetcher = fetcher();
    let response = fetcher.get(Request::tarball(server.url("/a"))).await.unwrap();
    assert_eq!((&response.body[..], response.status), (WHOLE, StatusCode::OK));
    assert_eq!(ranges(&server), [None, asked("bytes=4-")]);
    assert_eq!(server.seen()[1].header("if-range"), Some("\"one\""));
    let expected = Statistics {
        total: 1,
        completed: 1,
        retried: 1,
        resumed: 1,
        bytes: 10,
        ..Statistics::default()
    };
    assert_eq!(fetcher.statistics(), expected);
}

#[tokio::test]
async fn what_breaks_off_again_is_gone_on_with_from_there() {
    let server = Server::start(|number, seen| match number {
        0 => broken(4),
        1 => {
            let mut steps = rest(seen);
            steps[1] = Step::Send(WHOLE[4..7].to_vec());
            steps.push(Step::Close);
            steps
        }
        _ => rest(seen),
    })
    .await;
    let fetcher = fetcher();
    let response = fetcher.get(Request::tarball(server.url("/a"))).await.unwrap();
    assert_eq!(&response.body[..], WHOLE);
    assert_eq!(ranges(&server), [None, asked("bytes=4-"), asked("bytes=7-")]);
    assert_eq!((fetcher.statistics().resumed, fetcher.statistics().bytes), (2, 10));
}

#[tokio::test]
async fn a_try_in_between_that_fails_otherwise_loses_nothing() {
    let server = Server::start(|number, seen| match number {
        0 => broken(4),
        1 => response("503 Service Unavailable", &[], b""),
        _ => rest(seen),
    })
    .await;
    let response = fetcher().get(Request::tarball(server.url("/a"))).await.unwrap();
    assert_eq!(&response.body[..], WHOLE);
    assert_eq!(ranges(&server), [None, asked("bytes=4-"), asked("bytes=4-")]);
}

#[tokio::test]
async fn a_stall_in_the_middle_is_gone_on_with() {
    let server = Server::start(|number, seen| match number {
        0 => {
            let mut steps = broken(4);
            steps[2] = Step::Wait(Duration::from_secs(60));
            steps
        }
        _ => rest(seen),
    })
    .await;
    let mut config = impatient();
    config.timeouts = Timeouts { idle: Duration::from_millis(100), ..Timeouts::default() };
    let response = Fetcher::new(config).get(Request::tarball(server.url("/a"))).await.unwrap();
    assert_eq!(&response.body[..], WHOLE);
    assert_eq!(ranges(&server), [None, asked("bytes=4-")]);
}

#[tokio::test]
async fn a_server_that_starts_anew_is_taken_at_its_word() {
    // The same file from a server that knows no ranges, and another file than the one that broke
    // off.
    for (tag, body) in [("\"one\"", WHOLE), ("\"two\"", b"quite another")] {
        let server = Server::start(move |number, _| match number {
            0 => broken(4),
            _ => response("200 OK", &[("ETag", tag)], body),
        })
        .await;
        let fetcher = fetcher();
        let response = fetcher.get(Request::tarball(server.url("/a"))).await.unwrap();
        assert_eq!(&response.body[..], body);
        assert_eq!((fetcher.statistics().retried, fetcher.statistics().resumed), (1, 0));
    }
}

#[tokio::test]
async fn a_part_that_does_not_fit_is_thrown_away_with_the_beginning() {
    let wrong: [(&str, &[(&str, &str)]); 4] = [
        ("206 Partial Content", &[TAG, ("Content-Range", "bytes 5-9/10")]),
        ("206 Partial Content", &[("ETag", "\"two\""), ("Content-Range", "bytes 4-9/10")]),
        ("206 Partial Content", &[TAG]),
        ("416 Range Not Satisfiable", &[("Content-Range", "bytes */3")]),
    ];
    for (status, headers) in wrong {
        let headers: Vec<(&str, &str)> = headers.to_vec();
        let server = Server::start(move |number, _| match number {
            0 => broken(4),
            1 => response(status, &headers, b"456789"),
            _ => ok(WHOLE),
        })
        .await;
        let fetcher = fetcher();
        let response = fetcher.get(Request::tarball(server.url("/a"))).await.unwrap();
        assert_eq!(&response.body[..], WHOLE, "{status}");
        assert_eq!(ranges(&server), [None, asked("bytes=4-"), None], "{status}");
        assert_eq!(fetcher.statistics().resumed, 0);
    }
}

#[tokio::test]
async fn a_part_that_nobody_asked_for_is_no_answer() {
    let headers = [TAG, ("Content-Range", "bytes 0-9/20")];
    let server = Server::start(move |_, _| response("206 Partial Content", &headers, WHOLE)).await;
    let error = fetcher().get(Request::tarball(server.url("/a"))).await.unwrap_err();
    assert_eq!(error.code(), "DX_FETCH_TRUNCATED", "{error}");
}

#[tokio::test]
async fn without_a_strong_validator_everything_is_asked_for_again() {
    let server = Server::start(|number, _| match number {
        0 => vec![
            Step::Send(head("200 OK", &[("ETag", "W/\"one\"")], 10)),
            Step::Send(b"0123".to_vec()),
            Step::Close,
        ],
        _ => ok(WHOLE),
    })
    .await;
    let response = fetcher().get(Request::tarball(server.url("/a"))).await.unwrap();
    assert_eq!(&response.body[..], WHOLE);
    assert_eq!(ranges(&server), [None, None]);
}

#[tokio::test]
async fn a_rest_that_makes_the_whole_too_large_is_refused() {
    let server = Server::start(|number, _| match number {
        0 => broken(4),
        _ => response("206 Partial Content", &[TAG, ("Content-Range", "bytes 4-99/*")], &[0; 96]),
    })
    .await;
    let mut config = impatient();
    config.limits.tarball = 50;
    let error = Fetcher::new(config).get(Request::tarball(server.url("/a"))).await.unwrap_err();
    assert_eq!(error.code(), "DX_FETCH_TOO_LARGE");
}
