//! The contents of a trace.

use crate::server::{Server, Step, head, impatient, ok, response};
use dx_pkg_fetch::config::Concurrency;
use dx_pkg_fetch::config::FetchConfig;
use dx_pkg_fetch::trace::{Trace, Version};
use dx_pkg_fetch::{Class, Fetcher, Priority, Request, StatusCode};

use std::time::Duration;

fn traced() -> (Fetcher, Trace) {
    let trace = Trace::start();
    (Fetcher::new(FetchConfig { trace: Some(trace.clone()), ..impatient() }), trace)
}

#[tokio::test]
async fn a_request_is_told_from_the_queue_to_its_last_byte() {
    let server = Server::start(|_, _| ok(b"answer")).await;
    let (fetcher, trace) = traced();
    trace.because(Class::Metadata, "b", "a");
    trace.because(Class::Metadata, "b", "later");
    trace.because(Class::Tarball, "b", "other");
    let request =
        Request::metadata(server.url("/b?token=secret")).label("b").priority(Priority::High);
    fetcher.get(request).await.unwrap();
    let transfers = trace.transfers();
    let [told] = &transfers[..] else { panic!("{transfers:?}") };
    assert_eq!((told.class, told.priority, &*told.label), (Class::Metadata, Priority::High, "b"));
    assert_eq!((told.cause.as_deref(), told.bytes, told.tries), (Some("a"), 6, 1));
    assert_eq!((told.status, told.version), (Some(StatusCode::OK), Some(Version::HTTP_11)));
    assert!(told.url.ends_with("/b?…"), "a query may hold a secret: {}", told.url);
    let times =
        [Some(told.queued), told.sent, told.first_byte, Some(told.ended), Some(trace.now())];
    assert!(times.iter().all(Option::is_some) && times.is_sorted(), "{times:?}");
}

#[tokio::test]
async fn tries_failures_and_cancellations_are_told() {
    let server = Server::start(|_, seen| match seen.path.as_str() {
        "/missing" => response("404 Not Found", &[], b""),
        "/never" => vec![Step::Send(head("200 OK", &[], 5)), Step::Wait(Duration::from_secs(60))],
        _ => response("503 Service Unavailable", &[], b""),
    })
    .await;
    let (fetcher, trace) = traced();
    let get = |path: &str| fetcher.get(Request::tarball(server.url(path)).label(path));
    get("/missing").await.unwrap_err();
    get("/busy").await.unwrap_err();
    {
        let never = get("/never");
        tokio::pin!(never);
        while server.seen().len() < 5 {
            let _ = tokio::time::timeout(Duration::from_millis(1), &mut never).await;
        }
    }
    let told: Vec<_> = trace
        .transfers()
        .iter()
        .map(|told| (told.label.clone(), told.tries, told.status))
        .collect();
    assert_eq!(
        told,
        [("/missing".into(), 1, None), ("/busy".into(), 3, None), ("/never".into(), 1, None)]
    );
}

#[tokio::test]
async fn the_time_in_the_queue_and_the_wait_for_the_server_are_told_apart() {
    const WAIT: Duration = Duration::from_millis(30);
    let server = Server::start(|_, _| [vec![Step::Wait(WAIT)], ok(b"x")].concat()).await;
    let trace = Trace::start();
    let config =
        FetchConfig { trace: Some(trace.clone()), concurrency: Concurrency::of(1), ..impatient() };
    let fetcher = Fetcher::new(config);
    let get = |label: &str| fetcher.get(Request::metadata(server.url("/")).label(label));
    let first = async { drop(get("first").await.unwrap()) };
    let second = async { drop(get("second").await.unwrap()) };
    tokio::join!(first, second);
    let transfers = trace.transfers();
    let [first, second] = &transfers[..] else { panic!("{transfers:?}") };
    assert!(
        second.queued < first.first_byte.unwrap() && second.sent.unwrap() >= first.ended,
        "{transfers:?}"
    );
    assert!(second.first_byte.unwrap() - second.sent.unwrap() >= WAIT, "{transfers:?}");
}

#[test]
fn the_ends_of_stages_are_told_in_their_order() {
    let trace = Trace::start();
    trace.mark("resolved");
    trace.mark("linked");
    let marks = trace.marks();
    assert_eq!([marks[0].0, marks[1].0], ["resolved", "linked"]);
    assert!(marks[0].1 <= marks[1].1);
}
