use super::*;
use crate::Fetcher;
use crate::config::Timeouts;
use crate::header::HeaderValue;
use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// A server that answers one connection with `answer` after it has read a head; returns its address
/// and what it read.
fn server(answer: &'static [u8]) -> (Url, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/-/dxrp/1/", listener.local_addr().unwrap()).parse().unwrap();
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        stream.write_all(answer).unwrap();
        String::from_utf8(head).unwrap()
    });
    (url, serving)
}

fn fetcher(idle: Duration) -> Fetcher {
    let timeouts = Timeouts { idle, ..Timeouts::default() };
    Fetcher::new(FetchConfig { timeouts, ..FetchConfig::default() })
}

#[test]
fn a_switched_connection_begins_with_what_follows_the_head() {
    let (url, serving) =
        server(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: dxrp/1\r\n\r\nearly");
    let credentials: Credentials = Arc::new(|_| Some(HeaderValue::from_static("Bearer t")));
    let fetcher = fetcher(Duration::from_secs(5));
    let upgraded = fetcher.upgrade(&url, "dxrp/1", Some(&credentials), Arc::new(|| true));
    let Ok(Upgrade::Switched(mut connection)) = upgraded else { panic!("not switched") };
    let mut read = String::new();
    connection.read_to_string(&mut read).unwrap();
    let head = serving.join().unwrap();
    assert_eq!(read, "early");
    assert!(head.starts_with("GET /-/dxrp/1/ HTTP/1.1\r\nHost: 127.0.0.1:"), "{head}");
    assert!(
        head.contains("\r\nUpgrade: dxrp/1\r\n") && head.contains("\r\nAuthorization: Bearer t")
    );
    let statistics = fetcher.statistics();
    assert_eq!((statistics.total, statistics.completed), (1, 1));
    assert!(statistics.bytes >= 5);
}

#[test]
fn another_answer_is_told() {
    let (url, _serving) = server(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    let upgraded = fetcher(Duration::from_secs(5)).upgrade(&url, "x", None, Arc::new(|| true));
    assert!(matches!(upgraded, Ok(Upgrade::Stayed(StatusCode::NOT_FOUND))));
    let (url, _serving) = server(b"SSH-2.0-server\r\n\r\n");
    let upgraded = fetcher(Duration::from_secs(5)).upgrade(&url, "x", None, Arc::new(|| true));
    assert!(upgraded.is_err());
}

#[test]
fn a_connection_on_which_nothing_arrives_ends() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let began = Instant::now();
    let idle = Duration::from_millis(300);
    assert!(fetcher(idle).upgrade(&url, "x", None, Arc::new(|| true)).is_err());
    assert!(began.elapsed() >= idle && began.elapsed() < Duration::from_secs(5));
    let unwanted = fetcher(Duration::from_secs(60)).upgrade(&url, "x", None, Arc::new(|| false));
    assert!(unwanted.is_err() && began.elapsed() < Duration::from_secs(5));
}
