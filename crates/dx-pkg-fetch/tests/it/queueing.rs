//! Order, limits and cancellation, as a server sees them.

use crate::server::{Server, Step, fetcher, impatient, ok};
use dx_pkg_fetch::config::Concurrency;
use dx_pkg_fetch::{Class, Fetcher, Priority, Request, Statistics};

use std::time::Duration;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn slowly(body: &[u8]) -> Vec<Step> {
    after(MS(5), body)
}

fn limited(concurrency: Concurrency) -> Fetcher {
    Fetcher::new(dx_pkg_fetch::config::FetchConfig { concurrency, ..impatient() })
}

#[tokio::test]
async fn no_more_transfers_run_than_allowed() {
    let server = Server::start(|_, _| slowly(b"x")).await;
    let fetcher = limited(Concurrency::of(4));
    together(&fetcher, &server, 60).await;
    assert_eq!(server.most_active(), 4);
    assert!(server.connections() <= 4 + 1, "connections are not reused: {}", server.connections());
    assert_eq!(fetcher.statistics().completed, 60);
}

#[tokio::test]
async fn waiting_requests_are_sent_in_order_of_priority_and_length() {
    let server = Server::start(|_, _| slowly(b"x")).await;
    let fetcher = limited(Concurrency::of(1));
    let blocker = fetcher.get(Request::tarball(server.url("/first"))).await.unwrap();
    let jobs = [
        ("/low", Priority::Low, 9),
        ("/normal-1", Priority::Normal, 1),
        ("/normal-9", Priority::Normal, 9),
        ("/high", Priority::High, 1),
        ("/critical", Priority::Critical, 1),
    ];
    let mut tasks = Vec::new();
    for (path, priority, bytes) in jobs {
        let request = Request::tarball(server.url(path)).priority(priority).estimated_bytes(bytes);
        let fetcher = fetcher.clone();
        tasks.push(tokio::spawn(async move {
            fetcher.get(request).await.map(|response| response.status)
        }));
    }
    tokio::time::sleep(MS(20)).await;
    assert_eq!(server.paths(), ["/first"], "a held slot did not hold back the others");
    drop(blocker);
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(server.paths(), ["/first", "/critical", "/high", "/normal-9", "/normal-1", "/low"]);
}

#[tokio::test]
async fn metadata_does_not_wait_for_tarballs() {
    let server = Server::start(|_, seen| match seen.path.as_str() {
        "/tarball" => vec![Step::Wait(MS(60_000))],
        _ => ok(b"{}"),
    })
    .await;
    let fetcher = limited(Concurrency::of(1));
    let tarball = tokio::spawn({
        let (fetcher, url) = (fetcher.clone(), server.url("/tarball"));
        async move { fetcher.get(Request::tarball(url)).await.map(|response| response.status) }
    });
    while server.seen().is_empty() {
        tokio::time::sleep(MS(1)).await;
    }
    let answer =
        tokio::time::timeout(MS(5_000), fetcher.get(Request::metadata(server.url("/meta")))).await;
    assert_eq!(&answer.expect("metadata waited").unwrap().body[..], b"{}");
    tarball.abort();
}

#[tokio::test]
async fn a_cancelled_request_frees_its_slot_and_is_counted() {
    let server = Server::start(
        |number, _| if number == 0 { vec![Step::Wait(MS(60_000))] } else { ok(b"x") },
    )
    .await;
    let fetcher = limited(Concurrency::of(1));
    let stuck = tokio::spawn({
        let (fetcher, url) = (fetcher.clone(), server.url("/stuck"));
        async move { fetcher.get(Request::tarball(url)).await.map(|response| response.status) }
    });
    while server.seen().is_empty() {
        tokio::time::sleep(MS(1)).await;
    }
    stuck.abort();
    let next = fetcher.get(Request::tarball(server.url("/next")));
    tokio::time::timeout(MS(5_000), next).await.expect("the slot was lost").unwrap();
    let expected =
        Statistics { total: 2, completed: 1, cancelled: 1, bytes: 1, ..Statistics::default() };
    assert_eq!(fetcher.statistics(), expected);
}

#[tokio::test]
async fn twenty_slow_downloads_run_all_at_once() {
    let server = Server::start(|_, _| after(MS(200), b"x")).await;
    together(&limited(Concurrency::of(20)), &server, 20).await;
    assert_eq!(server.most_active(), 20);
}

/// Not a test: prints the times of twenty downloads of 200 ms, one after another and together.
#[tokio::test]
#[ignore = "measures"]
#[allow(clippy::print_stdout)]
async fn measure_twenty_slow_downloads() {
    let server = Server::start(|_, _| after(MS(200), b"x")).await;
    for limit in [1, 20] {
        let start = std::time::Instant::now();
        together(&limited(Concurrency::of(limit)), &server, 20).await;
        println!("20 downloads of 200 ms, {limit} at once: {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn waiting_is_counted_by_class_and_priority() {
    let server = Server::start(|_, _| ok(b"x")).await;
    let fetcher = limited(Concurrency::of(1));
    let blocker = fetcher.get(Request::tarball(server.url("/first"))).await.unwrap();
    let low = tokio::spawn({
        let request = Request::tarball(server.url("/low")).priority(Priority::Low);
        let fetcher = fetcher.clone();
        async move { fetcher.get(request).await.map(|response| response.status) }
    });
    tokio::time::sleep(MS(20)).await;
    drop(blocker);
    low.await.unwrap().unwrap();
    assert!(fetcher.waited(Class::Tarball, Priority::Low) > Duration::ZERO);
    for (class, priority) in
        [(Class::Tarball, Priority::Critical), (Class::Metadata, Priority::Low)]
    {
        assert_eq!(fetcher.waited(class, priority), Duration::ZERO, "{class:?} {priority:?}");
    }
}

fn after(wait: Duration, body: &[u8]) -> Vec<Step> {
    let mut steps = vec![Step::Wait(wait)];
    steps.extend(ok(body));
    steps
}

/// Fetches `count` tarballs as fast as `fetcher` allows.
async fn together(fetcher: &Fetcher, server: &Server, count: usize) {
    let get = |number: usize| {
        let (fetcher, url) = (fetcher.clone(), server.url(&format!("/{number}")));
        tokio::spawn(async move {
            fetcher.get(Request::tarball(url)).await.map(|response| response.status)
        })
    };
    let tasks: Vec<_> = (0..count).map(get).collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

#[test]
fn futures_can_be_moved_to_other_threads() {
    fn sendable<T: Send + 'static>(_: T) {}
    let fetcher = fetcher();
    let request = Request::metadata("http://registry.example/a".parse().unwrap());
    assert_eq!(
        format!("{request:?}"),
        format!(
            "Request {{ url: \"http://registry.example/a\", class: {:?}, priority: Normal, .. }}",
            Class::Metadata
        )
    );
    sendable(async move { fetcher.get(request).await });
}
