//! The recorded registry, over real sockets.

use crate::client::get;
use dx_pkg_testkit::Registry;
use dx_pkg_testkit::replay::{Replay, ReplayOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

const ABBREVIATED: (&str, &str) = ("accept", "application/vnd.npm.install-v1+json");

fn replay(folder: &Path) -> Replay {
    Replay::start(&ReplayOptions { folder: folder.to_owned(), ..ReplayOptions::default() }).unwrap()
}

/// A registry with a scoped package, and a folder in which all of it was recorded.
fn recorded() -> (Registry, tempfile::TempDir) {
    let registry = Registry::start();
    registry.package("@s/a", "1.0.0").publish();
    let folder = tempfile::tempdir().unwrap();
    let upstream = Some(registry.url().to_owned());
    let options =
        ReplayOptions { folder: folder.path().to_owned(), upstream, ..ReplayOptions::default() };
    let recorder = Replay::start(&options).unwrap();
    for _ in 0..2 {
        assert_eq!(get(recorder.url(), "/@s%2fa", &[ABBREVIATED]).unwrap().status, 200);
        assert_eq!(get(recorder.url(), "/@s%2fa", &[]).unwrap().status, 200);
        assert_eq!(get(recorder.url(), "/@s/a/-/a-1.0.0.tgz", &[]).unwrap().status, 200);
        assert_eq!(get(recorder.url(), "/none", &[]).unwrap().status, 404);
    }
    (registry, folder)
}

#[test]
fn each_answer_is_recorded_once_and_replayed_without_the_registry() {
    let (registry, folder) = recorded();
    let asked: Vec<String> = registry.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(asked, ["/@s%2fa", "/@s%2fa", "/@s/a/-/a-1.0.0.tgz", "/none", "/none"]);
    let tarball = get(registry.url(), "/@s/a/-/a-1.0.0.tgz", &[]).unwrap().body;
    registry.stop();

    let server = replay(folder.path());
    let document = get(server.url(), "/@s/a", &[ABBREVIATED]).unwrap().json();
    assert_eq!(
        document["versions"]["1.0.0"]["dist"]["tarball"],
        format!("{}@s/a/-/a-1.0.0.tgz", server.url())
    );
    assert_eq!(get(server.url(), "/@s/a/-/a-1.0.0.tgz", &[]).unwrap().body, tarball);
    assert_eq!(get(server.url(), "/none", &[]).unwrap().status, 404);
}

#[test]
fn unchanged_documents_are_answered_without_a_body() {
    let (_registry, folder) = recorded();
    let server = replay(folder.path());
    let first = get(server.url(), "/@s/a", &[ABBREVIATED]).unwrap();
    let etag = first.header("etag").unwrap().to_owned();
    let again = get(server.url(), "/@s/a", &[ABBREVIATED, ("if-none-match", &etag)]).unwrap();
    assert_eq!((again.status, again.body.len()), (304, 0));
    let full = get(server.url(), "/@s/a", &[("if-none-match", &etag)]).unwrap();
    assert_eq!(full.status, 200);
}

#[test]
fn what_goes_over_the_wire_is_counted() {
    let (_registry, folder) = recorded();
    let server = replay(folder.path());
    get(server.url(), "/@s/a", &[]).unwrap();
    let before = server.counts();
    let tarball = get(server.url(), "/@s/a/-/a-1.0.0.tgz", &[]).unwrap();
    get(server.url(), "/-/npm/v1/security/audits/quick", &[]).unwrap();
    let counts = server.counts().since(&before);
    assert_eq!(
        (counts.metadata_requests, counts.tarball_requests, counts.other_requests),
        (0, 1, 1)
    );
    assert_eq!((counts.connections, counts.requests()), (2, 2));
    assert!(counts.bytes_sent > tarball.body.len() as u64);
    assert!(counts.bytes_received > 0);
}

#[test]
fn http_2_is_spoken_to_who_begins_with_it() {
    let (_registry, folder) = recorded();
    let server = replay(folder.path());
    let address = server.url().trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    // The preface and an empty SETTINGS frame (RFC 9113, sections 3.4 and 6.5).
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).unwrap();
    assert_eq!(frame[3], 4, "SETTINGS come first");
}

#[test]
fn tls_comes_with_an_authority_of_its_own() {
    let (_registry, folder) = recorded();
    let options =
        ReplayOptions { folder: folder.path().to_owned(), tls: true, ..ReplayOptions::default() };
    let server = Replay::start(&options).unwrap();
    assert!(server.url().starts_with("https://127.0.0.1:"));
    assert!(server.authority().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(replay(folder.path()).authority().is_none());
}

/// Returns what Node's clients for HTTP/2 and HTTP/1.1 get for a tarball over TLS.
const OVER_TLS: &str = r#"
const [url, ca] = [process.argv[1], require('fs').readFileSync(process.argv[2])];
const path = '/@s/a/-/a-1.0.0.tgz';
const session = require('http2').connect(url, { ca });
const stream = session.request({ ':path': path });
let [status, length] = [0, 0];
stream.on('response', headers => { status = headers[':status']; });
stream.on('data', part => { length += part.length; });
stream.on('end', () => {
  console.log(session.socket.alpnProtocol, status, length);
  session.close();
  require('https').get(url + path.slice(1), { ca }, answer => {
    let length = 0;
    answer.on('data', part => { length += part.length; });
    answer.on('end', () => console.log(answer.httpVersion, answer.statusCode, length));
  });
});
"#;

#[test]
fn both_versions_of_http_are_spoken_over_tls_and_the_certificate_holds() {
    let (_registry, folder) = recorded();
    let options =
        ReplayOptions { folder: folder.path().to_owned(), tls: true, ..ReplayOptions::default() };
    let server = Replay::start(&options).unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, server.authority().unwrap()).unwrap();
    let length =
        std::fs::metadata(folder.path().join("tarballs/@s/a/-/a-1.0.0.tgz")).unwrap().len();
    let node = std::process::Command::new("node")
        .args(["-e", OVER_TLS, server.url()])
        .arg(&authority)
        .output()
        .unwrap();
    let expected = format!("h2 200 {length}\n1.1 200 {length}\n");
    assert_eq!(
        String::from_utf8_lossy(&node.stdout),
        expected,
        "{}",
        String::from_utf8_lossy(&node.stderr)
    );
}

#[test]
fn hundreds_of_connections_are_answered_at_once() {
    let (_registry, folder) = recorded();
    let server = replay(folder.path());
    let address = server.url().trim_start_matches("http://").trim_end_matches('/');
    let mut streams: Vec<TcpStream> =
        (0..300).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in &mut streams {
        stream.write_all(b"GET /@s/a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    }
    for stream in &mut streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
    assert_eq!(server.counts().connections, 300);
}
