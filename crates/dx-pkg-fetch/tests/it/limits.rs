//! Every limit on a body at its boundary, and bodies that come too slowly.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::server::{Server, Step, head, impatient, ok};
use dx_pkg_core::Coded;
use dx_pkg_fetch::stream::{Beginning, OpenStream, Piece};
use dx_pkg_fetch::{Fetcher, Request};
use tokio::sync::mpsc;

/// A server whose body has no length, in pieces of 64 KiB.
async fn endless(bytes: usize) -> Server {
    Server::start(move |_, _| {
        let mut steps = vec![Step::Send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec())];
        let body = vec![7; bytes];
        steps.extend(body.chunks(64 << 10).map(|piece| Step::Send(piece.to_vec())));
        steps.push(Step::Close);
        steps
    })
    .await
}

/// A callback that streams everything, what it was called with, and the bytes that came.
fn stream() -> (OpenStream, Arc<Mutex<Vec<Beginning>>>, tokio::task::JoinHandle<usize>) {
    let (sender, mut pieces) = mpsc::channel(1);
    let received = tokio::spawn(async move {
        let mut length = 0;
        while let Some(Piece::Bytes(bytes)) = pieces.recv().await {
            length += bytes.len();
        }
        length
    });
    let (seen, sender) = (Arc::new(Mutex::new(Vec::new())), Mutex::new(Some(sender)));
    let log = seen.clone();
    let open = move |beginning| {
        log.lock().unwrap().push(beginning);
        sender.lock().unwrap().take()
    };
    (Arc::new(open), seen, received)
}

#[tokio::test]
async fn each_kind_of_body_has_a_limit_of_its_own() {
    let mut config = impatient();
    config.limits.metadata = 3000;
    config.limits.collected = 2000;
    config.limits.tarball = 4000;
    let fetcher = Fetcher::new(config);
    for length in [2000, 2001, 3000, 3001, 4000, 4001] {
        let announced = Server::start(move |_, _| ok(&vec![0; length])).await;
        let unannounced = endless(length).await;
        for server in [&announced, &unannounced] {
            let code = |result: Result<dx_pkg_fetch::Response, _>| match result {
                Ok(_) => "",
                Err(error) => Coded::code(&error),
            };
            let too_large = |limit| if length > limit { "DX_FETCH_TOO_LARGE" } else { "" };
            let (metadata, tarball) =
                (Request::metadata(server.url("/a")), Request::tarball(server.url("/a")));
            assert_eq!(code(fetcher.get(metadata).await), too_large(3000), "{length}");
            assert_eq!(code(fetcher.get(tarball).await), too_large(2000), "{length}");
        }
        let (open, ..) = stream();
        let streamed = fetcher.get(Request::tarball(announced.url("/a")).stream(open)).await;
        assert_eq!(streamed.is_ok(), length <= 4000, "{length}");
    }
}

#[tokio::test]
async fn a_body_without_a_length_is_streamed_once_it_is_large() {
    let fetcher = Fetcher::new(impatient());
    for (bytes, is_streamed) in [((1 << 20) - 1, false), (3 << 20, true)] {
        let server = endless(bytes).await;
        let (open, seen, received) = stream();
        let request = Request::tarball(server.url("/a")).stream(open);
        let response = fetcher.get(request).await.unwrap();
        assert_eq!((response.is_streamed, response.length), (is_streamed, bytes as u64));
        let beginning = Beginning { length: None, is_encoded: false };
        assert_eq!(*seen.lock().unwrap(), vec![beginning; usize::from(is_streamed)]);
        if is_streamed {
            assert_eq!(received.await.unwrap(), bytes);
        } else {
            assert_eq!(response.body.len(), bytes);
        }
    }
}

#[tokio::test]
async fn a_stream_that_does_not_end_is_refused_at_the_limit() {
    let mut config = impatient();
    config.limits.tarball = 2 << 20;
    let server = endless((2 << 20) + 1).await;
    let (open, _, received) = stream();
    let request = Request::tarball(server.url("/a")).stream(open);
    let error = Fetcher::new(config).get(request).await.unwrap_err();
    assert_eq!((error.code(), error.tries), ("DX_FETCH_TOO_LARGE", 1));
    assert!(received.await.unwrap() <= 2 << 20);
}

#[tokio::test]
async fn bodies_beyond_the_budget_wait_for_each_other_and_all_arrive() {
    let mut config = impatient();
    config.limits.collected_together = 1 << 20;
    let fetcher = Fetcher::new(config);
    let server = endless(4 << 20).await;
    let transfers: Vec<_> = (0..6)
        .map(|_| {
            let (fetcher, url) = (fetcher.clone(), server.url("/a"));
            tokio::spawn(async move { fetcher.get(Request::tarball(url)).await.unwrap().length })
        })
        .collect();
    for transfer in transfers {
        assert_eq!(transfer.await.unwrap(), 4 << 20);
    }
}

#[tokio::test]
async fn a_body_that_comes_a_byte_at_a_time_does_not_come() {
    let server = Server::start(|_, _| {
        let mut steps = vec![Step::Send(head("200 OK", &[], 100_000))];
        for _ in 0..2000 {
            steps.extend([Step::Send(b"x".to_vec()), Step::Wait(Duration::from_millis(10))]);
        }
        steps
    })
    .await;
    let mut config = impatient();
    config.retry.tries = 1;
    config.timeouts.idle = Duration::from_millis(200);
    let error = Fetcher::new(config).get(Request::metadata(server.url("/a"))).await.unwrap_err();
    assert_eq!(error.code(), "DX_FETCH_TIMEOUT");
}
