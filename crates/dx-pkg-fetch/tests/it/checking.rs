//! Bodies are checked while they arrive, however they arrive.

use crate::server::{Server, Step, fetcher, head, ok};
use dx_pkg_core::{Integrity, IntegrityMismatch};
use dx_pkg_fetch::{Bytes, Request, Response, Verdict};
use std::time::Duration;

const BODY: &[u8] = b"what was published, byte for byte";

async fn get(server: &Server, integrity: &Integrity) -> Response {
    let request = Request::tarball(server.url("/a")).integrity(integrity.clone());
    fetcher().get(request).await.unwrap()
}

/// The body, and whether it is right.
fn checked(response: Response) -> (Bytes, Result<(), IntegrityMismatch>) {
    let Response { body, verdict, .. } = response;
    let checked = verdict.of(&body);
    (body, checked)
}

fn right() -> Integrity {
    Integrity::sha512_of(BODY)
}

#[tokio::test]
async fn a_body_in_many_pieces_is_checked_as_one() {
    let pieces = |_, _: &_| {
        let mut steps = vec![Step::Send(head("200 OK", &[], BODY.len()))];
        for piece in BODY.chunks(7) {
            steps.extend([Step::Wait(Duration::from_millis(2)), Step::Send(piece.to_vec())]);
        }
        steps
    };
    let server = Server::start(pieces).await;
    let (body, right_or_not) = checked(get(&server, &right()).await);
    assert_eq!((&body[..], right_or_not), (BODY, Ok(())));
    let mismatch = checked(get(&server, &Integrity::sha512_of(b"other")).await).1.unwrap_err();
    assert_eq!(mismatch.actual, *right().strongest());
}

#[tokio::test]
async fn a_body_that_is_gone_on_with_is_checked_from_its_beginning() {
    let half = BODY.len() / 2;
    let server = Server::start(move |number, _| {
        let range = format!("bytes {half}-{}/{}", BODY.len() - 1, BODY.len());
        match number {
            0 => vec![
                Step::Send(head("200 OK", &[("ETag", "\"x\"")], BODY.len())),
                Step::Send(BODY[..half].to_vec()),
                Step::Close,
            ],
            _ => {
                let headers = [("ETag", "\"x\""), ("Content-Range", range.as_str())];
                vec![
                    Step::Send(head("206 Partial Content", &headers, BODY.len() - half)),
                    Step::Send(BODY[half..].to_vec()),
                ]
            }
        }
    })
    .await;
    let (body, right_or_not) = checked(get(&server, &right()).await);
    assert_eq!((&body[..], right_or_not, server.seen().len()), (BODY, Ok(()), 2));
}

#[tokio::test]
async fn a_body_that_is_asked_for_anew_is_checked_anew() {
    let server = Server::start(|number, _| match number {
        0 => vec![
            Step::Send(head("200 OK", &[], BODY.len())),
            Step::Send(b"broken".to_vec()),
            Step::Close,
        ],
        _ => ok(BODY),
    })
    .await;
    assert_eq!(checked(get(&server, &right()).await).1, Ok(()));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn an_empty_body_is_checked_too() {
    let server = Server::start(|_, _| ok(b"")).await;
    assert!(checked(get(&server, &right()).await).1.is_err());
    assert_eq!(checked(get(&server, &Integrity::sha512_of(b"")).await).1, Ok(()));
}

#[tokio::test]
async fn a_large_body_is_known_when_it_is_there_and_a_small_one_when_it_is_looked_at() {
    let large = vec![7; (1 << 20) + 1];
    let integrity = Integrity::sha512_of(&large);
    let server = Server::start(move |_, _| ok(&large)).await;
    let response = get(&server, &integrity).await;
    assert!(matches!(&response.verdict, Verdict::Known(Ok(()))), "{:?}", response.verdict);
    let server = Server::start(|_, _| ok(BODY)).await;
    let response = get(&server, &right()).await;
    assert!(matches!(&response.verdict, Verdict::Open(_)), "{:?}", response.verdict);
}
