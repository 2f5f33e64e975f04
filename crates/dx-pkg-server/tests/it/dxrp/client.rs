//! A client of the protocol, for tests.

use crate::server::{Answer, Server};
use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::dxrp::{
    Capabilities, Choice, End, Hello, Kind, Missing, PackHead, Reason, Refusal, ServerKey, Want,
    Wanted, encode_message,
};
use dx_pkg_registry::dxrp::MessageReader;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

pub(crate) const PATH: &str = "/-/dxrp/1/";

/// What a server has answered.
#[derive(Debug, Default)]
pub(crate) struct Answered {
    pub(crate) key: Vec<u8>,
    /// Heads with the contents, unpacked where they are whole, and the length of the message.
    pub(crate) packs: Vec<(PackHead, Vec<u8>, usize)>,
    pub(crate) missing: Vec<(PackageId, Reason)>,
    pub(crate) others: Vec<(Kind, Vec<u8>)>,
    pub(crate) error: Option<Refusal>,
    pub(crate) end: Option<End>,
}

/// Returns the bytes of a request with these messages between HELLO and END.
pub(crate) fn request(messages: &[(Kind, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = encode_message(Kind::Hello, &Hello::new(Capabilities::ALL).encode());
    for (kind, payload) in messages {
        bytes.extend(encode_message(*kind, payload));
    }
    bytes.extend(encode_message(Kind::End, &End::default().encode()));
    bytes
}

/// Returns a WANT of these packages.
pub(crate) fn want(named: &[Wanted], part: u16, parts: u16) -> (Kind, Vec<u8>) {
    let choice = Choice::Named(named.to_vec());
    (Kind::Want, Want { part, parts, choice, held: Vec::new() }.encode())
}

pub(crate) fn wanted(name: &str, version: &str, integrity: &str) -> Wanted {
    let integrity = Integrity::parse(integrity).unwrap();
    let id = PackageId::from_integrity(&integrity);
    Wanted { id, name: name.to_owned(), version: version.to_owned() }
}

/// Reads one answer.
pub(crate) fn read_answer(reader: &mut MessageReader<impl Read>) -> Answered {
    let mut answered = Answered::default();
    let first = reader.read().unwrap().expect("an answer");
    assert_eq!(first.kind, Kind::Hello);
    Hello::decode(&first.payload).unwrap();
    while let Some(message) = reader.read().unwrap() {
        let payload = message.payload;
        match message.kind {
            Kind::Key => answered.key = ServerKey::decode(&payload).unwrap().encode(),
            Kind::Pack => {
                let (head, contents) = PackHead::decode(&payload).unwrap();
                let contents = zstd::decode_all(contents).unwrap();
                answered.packs.push((head, contents, payload.len()));
            }
            Kind::Missing => {
                let Missing { id, reason } = Missing::decode(&payload).unwrap();
                answered.missing.push((id, reason));
            }
            Kind::Error => {
                answered.error = Some(Refusal::decode(&payload).unwrap());
                return answered;
            }
            Kind::End => {
                answered.end = Some(End::decode(&payload).unwrap());
                return answered;
            }
            kind => answered.others.push((kind, payload)),
        }
    }
    answered
}

/// Sends a request over HTTP.
pub(crate) fn post(server: &Server, token: &str, body: &[u8]) -> Answer {
    let authorization = format!("Bearer {token}");
    let mut headers = vec![("content-type", "application/vnd.dxrp")];
    if !token.is_empty() {
        headers.push(("authorization", &authorization));
    }
    let mut answer = server.send_as("POST", PATH, &headers, body);
    if answer.header("transfer-encoding") == "chunked" {
        answer.body = joined(&answer.body);
    }
    answer
}

/// Sends a request over HTTP and reads the answer.
pub(crate) fn ask(server: &Server, token: &str, messages: &[(Kind, Vec<u8>)]) -> Answered {
    let answer = post(server, token, &request(messages));
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/vnd.dxrp"));
    let mut reader = MessageReader::new(&answer.body[..]);
    let answered = read_answer(&mut reader);
    assert_eq!(reader.read().unwrap(), None, "nothing follows an answer");
    answered
}

/// Joins the chunks of a body.
fn joined(mut chunks: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = chunks.windows(2).position(|two| two == b"\r\n") {
        let length = std::str::from_utf8(&chunks[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        let from = end + 2;
        body.extend_from_slice(&chunks[from..(from + length).min(chunks.len())]);
        if length == 0 || from + length + 2 > chunks.len() {
            break;
        }
        chunks = &chunks[from + length + 2..];
    }
    body
}

/// Returns a counter of the server.
pub(crate) fn metric(server: &Server, name: &str) -> u64 {
    let text = String::from_utf8(server.get("/-/metrics").body).unwrap();
    let line = text.lines().find(|line| line.starts_with(&format!("dx_registry_{name} ")));
    line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

/// A connection after the upgrade.
pub(crate) struct Raw {
    pub(crate) stream: TcpStream,
    reader: MessageReader<BufReader<TcpStream>>,
}

impl Raw {
    pub(crate) fn open(server: &Server, token: &str) -> Self {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut head = format!(
            "GET {PATH} HTTP/1.1\r\nhost: {}\r\nconnection: Upgrade\r\nupgrade: dxrp/1\r\n",
            server.address
        );
        if !token.is_empty() {
            head.push_str(&format!("authorization: Bearer {token}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        let mut answer = Vec::new();
        let mut byte = [0];
        while !answer.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        let reader = MessageReader::new(BufReader::new(stream.try_clone().unwrap()));
        Self { stream, reader }
    }

    pub(crate) fn ask(&mut self, messages: &[(Kind, Vec<u8>)]) -> Answered {
        self.stream.write_all(&request(messages)).unwrap();
        self.answer()
    }

    pub(crate) fn answer(&mut self) -> Answered {
        read_answer(&mut self.reader)
    }

    /// Returns whether the server has closed the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        !matches!(self.reader.read(), Ok(Some(_)))
    }
}
