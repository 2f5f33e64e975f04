//! Clients that send what no client should.

use super::client::{PATH, Raw, ask, post, read_answer, request, want};
use crate::server::Server;
use dx_pkg_core::PackageId;
use dx_pkg_format::dxrp::{
    Capabilities, Hello, Kind, Reason, Trouble, Wanted, encode_frame, encode_message,
};
use dx_pkg_registry::dxrp::MessageReader;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::slice::from_ref;
use std::time::{Duration, Instant};

fn hello() -> Vec<u8> {
    encode_message(Kind::Hello, &Hello::new(Capabilities::ALL).encode())
}

/// Returns the memory of the server's process in KiB.
fn memory(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process_id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_request_in_disorder_is_refused_with_the_reason() {
    let server = Server::start("none");
    let empty = want(&[], 0, 1);
    let whole = request(from_ref(&empty));
    let mut flipped = whole.clone();
    flipped[20] ^= 1;
    let mut long = hello();
    encode_frame(Kind::Want, &[0; 64], false, &mut long);
    let at = long.len() - 64 - 12;
    long[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut grows = Vec::new();
    for _ in 0..4 {
        encode_frame(Kind::Hello, &[0; 400], true, &mut grows);
    }
    let mut mixed = hello();
    encode_frame(Kind::Want, b"a", true, &mut mixed);
    encode_frame(Kind::MetaQuestion, b"b", false, &mut mixed);
    let twice = request(&[empty.clone(), empty.clone()]);
    let servers_own = request(&[(Kind::Pack, vec![0; 8])]);
    let no_part = request(&[(Kind::Want, vec![1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])]);
    let cases: [(&str, &[u8]); 12] = [
        ("nothing", b""),
        ("no frames", b"GET / HTTP/1.1\r\n\r\n"),
        ("truncated", &whole[..whole.len() - 1]),
        ("without END", &hello()),
        ("without HELLO", &whole[hello().len()..]),
        ("another checksum", &flipped),
        ("a length that lies", &long),
        ("a message that grows", &grows),
        ("a message that goes on as another", &mixed),
        ("two WANT", &twice),
        ("a server's message", &servers_own),
        ("a part that is none", &no_part),
    ];
    for (what, bytes) in cases {
        let answer = post(&server, "", bytes);
        let answered = read_answer(&mut MessageReader::new(&answer.body[..]));
        let error = answered.error.unwrap_or_else(|| panic!("{what} is accepted"));
        assert_eq!(error.trouble, Trouble::Malformed, "{what}: {error:?}");
        assert!(!error.message.is_empty());
        if matches!(what, "nothing" | "truncated" | "without END") {
            continue;
        }
        let mut raw = Raw::open(&server, "");
        raw.stream.write_all(bytes).unwrap();
        assert_eq!(raw.answer().error.unwrap().trouble, Trouble::Malformed, "{what}");
        assert!(raw.is_closed(), "{what}");
    }
    assert!(ask(&server, "", &[empty]).error.is_none());
}

#[test]
fn requests_without_end_are_cut_off_within_bounded_memory() {
    let server = Server::start("none");
    ask(&server, "", &[]);
    let before = memory(&server);
    let endless = |at: usize| {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        let raw = at.is_multiple_of(2);
        if raw {
            stream = Raw::open(&server, "").stream;
        } else {
            let head = format!(
                "POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/vnd.dxrp\r\n\
                 transfer-encoding: chunked\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
        }
        stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut frame = Vec::new();
        encode_frame(Kind::Want, &[1; 1 << 20], true, &mut frame);
        let mut bytes = hello();
        let mut sent = 0_u64;
        loop {
            bytes.extend_from_slice(&frame);
            let written = if raw {
                stream.write_all(&bytes)
            } else {
                let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat();
                stream.write_all(&chunk)
            };
            sent += bytes.len() as u64;
            bytes.clear();
            if written.is_err() || sent > 1 << 30 {
                break;
            }
        }
        sent
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..24).map(|at| scope.spawn(move || endless(at))).collect();
        for stream in all {
            let sent = stream.join().unwrap();
            assert!(sent < 64 << 20, "{sent} bytes were taken");
        }
    });
    let grown = memory(&server).saturating_sub(before) >> 10;
    assert!(grown < 400, "{grown} MiB");
    assert!(ask(&server, "", &[]).error.is_none());
}

#[test]
fn a_client_that_says_nothing_is_let_go() {
    let server = Server::with("none", &[("DX_REGISTRY_DXRP__IDLE", "1s")]);
    let mut raw = Raw::open(&server, "");
    assert!(raw.ask(&[]).error.is_none());
    let begin = Instant::now();
    assert!(raw.is_closed());
    assert!(begin.elapsed() < Duration::from_secs(20));
    let mut slow = Raw::open(&server, "");
    slow.stream.write_all(&hello()[..10]).unwrap();
    assert_eq!(slow.answer().error.unwrap().trouble, Trouble::Malformed);
    assert!(slow.is_closed());
}

#[test]
fn thousands_of_wrong_ids_are_answered_one_by_one() {
    let server = Server::start("none");
    let named: Vec<Wanted> = (0..5000_u32)
        .map(|number| {
            let mut id = [1; 32];
            id[..4].copy_from_slice(&number.to_le_bytes());
            let name = format!("name{}", number % 50);
            Wanted { id: PackageId::from_bytes(id), name, version: "1.0.0".to_owned() }
        })
        .collect();
    let mut answered = 0;
    for part in 0..64 {
        let part = ask(&server, "", &[want(&named, part, 64)]);
        assert!(part.missing.iter().all(|(_, reason)| *reason == Reason::Unknown));
        answered += part.missing.len();
        assert_eq!(part.end.unwrap().packages as usize, part.missing.len());
    }
    assert_eq!(answered, 5000);
}

#[test]
fn a_client_that_takes_nothing_does_not_hold_up_the_others() {
    let server = Server::start("none");
    let mut raw = Raw::open(&server, "");
    // Many requests, and nobody reads the answers.
    raw.stream.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let one = request(&[want(&[], 0, 1)]);
    for _ in 0..200_000 {
        if raw.stream.write_all(&one).is_err() {
            break;
        }
    }
    assert!(ask(&server, "", &[]).error.is_none());
    assert!(memory(&server) < 600 << 10);
    let mut byte = [0];
    raw.stream.read_exact(&mut byte).unwrap();
}

#[test]
fn a_server_that_is_asked_to_end_lets_go_of_clients_that_ask_nothing() {
    let server = Server::start("none");
    let mut raw = Raw::open(&server, "");
    assert!(raw.ask(&[]).error.is_none());
    let begin = Instant::now();
    let process = server.process_id().to_string();
    let asked = std::process::Command::new("kill").args(["-TERM", &process]).status().unwrap();
    assert!(asked.success());
    assert!(raw.is_closed());
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
}

#[test]
fn a_client_that_closes_its_half_gets_its_answer() {
    let server = Server::start("none");
    let mut raw = Raw::open(&server, "");
    raw.stream.write_all(&request(&[want(&[], 0, 1)])).unwrap();
    raw.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(raw.answer().end.is_some());
    assert!(raw.is_closed());
    let mut cut = Raw::open(&server, "");
    cut.stream.write_all(&hello()).unwrap();
    cut.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(cut.is_closed(), "half a request is none");
}

#[test]
fn hundreds_of_streams_that_nobody_reads_take_little_memory() {
    let upstream = dx_pkg_testkit::Registry::start();
    let noise = (0..2_000_000_u32).flat_map(|at| at.wrapping_mul(at).to_le_bytes());
    upstream.package("large", "1.0.0").file("noise", noise.collect::<Vec<u8>>()).publish();
    let integrity = upstream.integrity("large", "1.0.0");
    let large = super::client::wanted("large", "1.0.0", &integrity);
    let server = Server::start(upstream.url());
    let one = ask(&server, "", &[want(from_ref(&large), 0, 1)]);
    assert!(one.packs[0].2 > 1 << 20, "it hardly fits the buffers of a connection");
    let before = memory(&server);
    let asked = request(&[want(from_ref(&large), 0, 1)]);
    let streams: Vec<Raw> = (0..400)
        .map(|_| {
            let mut raw = Raw::open(&server, "");
            raw.stream.write_all(&asked).unwrap();
            raw
        })
        .collect();
    assert_eq!(ask(&server, "", &[want(from_ref(&large), 0, 1)]).packs.len(), 1);
    let grown = memory(&server).saturating_sub(before) >> 10;
    assert!(grown < 150, "{grown} MiB for {} streams", streams.len());
}
