//! Frames and messages, as `docs/format/dxrp.md` has them.

use std::io::{self, ErrorKind, Read};

use twox_hash::XxHash3_64;

/// The most bytes of one frame's payload.
const MOST_PAYLOAD: usize = 1 << 20;

/// A package that a client names.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) id: [u8; 32],
    pub(super) name: String,
    pub(super) version: String,
}

/// A request.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) asks_plan: bool,
    pub(super) part: u16,
    pub(super) parts: u16,
    pub(super) wanted: Vec<Wanted>,
}

/// One frame.
pub(super) fn frame(kind: u8, payload: &[u8], more: bool) -> Vec<u8> {
    let mut head = [0; 16];
    head[0] = kind;
    head[1] = u8::from(more);
    head[4..8].copy_from_slice(&u32::try_from(payload.len()).unwrap().to_le_bytes());
    let seed = u64::from_le_bytes(head[..8].try_into().unwrap());
    let checksum = XxHash3_64::oneshot_with_seed(seed, payload);
    head[8..].copy_from_slice(&checksum.to_le_bytes());
    [&head, payload].concat()
}

/// The frames of one message.
pub(super) fn frames(kind: u8, payload: &[u8]) -> Vec<u8> {
    if payload.is_empty() {
        return frame(kind, payload, false);
    }
    let count = payload.len().div_ceil(MOST_PAYLOAD);
    let parts = payload.chunks(MOST_PAYLOAD).enumerate();
    parts.flat_map(|(at, part)| frame(kind, part, at + 1 < count)).collect()
}

pub(super) fn hello() -> Vec<u8> {
    [&b"DXRP"[..], &[1, 0, 1, 0], &2_u32.to_le_bytes(), &[0; 4]].concat()
}

pub(super) fn error(trouble: u8, text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_le_bytes();
    [&[trouble][..], &length, text.as_bytes()].concat()
}

/// Reads a request up to its END; `None` where the stream ends before it.
pub(super) fn read_request(from: &mut impl Read) -> io::Result<Option<Request>> {
    let mut request = Request { parts: 1, ..Request::default() };
    let mut message = Vec::new();
    loop {
        let mut head = [0; 16];
        match from.read_exact(&mut head) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        let length = u32::from_le_bytes(head[4..8].try_into().unwrap()) as usize;
        assert!(length <= MOST_PAYLOAD, "a client's frame of {length} bytes");
        let mut payload = vec![0; length];
        from.read_exact(&mut payload)?;
        let seed = u64::from_le_bytes(head[..8].try_into().unwrap());
        let checksum = u64::from_le_bytes(head[8..].try_into().unwrap());
        assert_eq!(XxHash3_64::oneshot_with_seed(seed, &payload), checksum, "a client's checksum");
        message.extend_from_slice(&payload);
        if head[1] == 1 {
            continue;
        }
        match head[0] {
            0x01 => assert_eq!(message[..4], *b"DXRP"),
            0x02 => request.asks_plan = true,
            0x03 => read_want(&message, &mut request),
            0x1f => return Ok(Some(request)),
            kind => panic!("a client sent a message of kind {kind}"),
        }
        message.clear();
    }
}

fn read_want(message: &[u8], request: &mut Request) {
    let mut at = 0;
    let mut take = |length: usize| {
        at += length;
        &message[at - length..at]
    };
    request.part = u16::from_le_bytes(take(2).try_into().unwrap());
    request.parts = u16::from_le_bytes(take(2).try_into().unwrap());
    if take(1) != [0] {
        return;
    }
    let length = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap()) as usize;
    for _ in 0..length(take(4)) {
        let id = take(32).try_into().unwrap();
        let name_length = length(take(4));
        let name = String::from_utf8(take(name_length).to_vec()).unwrap();
        let version_length = length(take(4));
        let version = String::from_utf8(take(version_length).to_vec()).unwrap();
        request.wanted.push(Wanted { id, name, version });
    }
}
