//! Any bytes as a stream of DXRP's frames, and as a message of each kind: refused, or encoded again
//! to what decodes to the same. For a package, the bytes are tried as its head before compression,
//! too.

use dx_pkg_core::PackageId;
use dx_pkg_format::dxrp::{
    Choice, End, FrameHead, HEAD, Hello, Kind, MetaAnswer, MetaQuestion, Missing, PackHead, Plan,
    PlanQuestion, Refusal, ServerKey, Want, encode_message,
};
use dx_pkg_registry::dxrp::MessageReader;

/// Frames: their heads, their order, and whatever message they make.
pub(crate) fn run(data: &[u8]) {
    stream(data);
    if let Some(head) = data.first_chunk::<HEAD>()
        && let Ok(head) = FrameHead::decode(head)
    {
        let _ = head.check(&data[HEAD..]);
    }
}

/// A message of one kind, by itself and past the checksums of its frames, which chance does not
/// meet.
pub(crate) fn message(kind: Kind, payload: &[u8]) {
    if payload.len() as u64 <= kind.most() {
        let frames = encode_message(kind, payload);
        let mut reader = MessageReader::new(&frames[..]);
        let message = reader.read().expect("it was encoded").expect("there is one");
        assert_eq!((message.kind, &message.payload[..]), (kind, payload));
        assert_eq!(reader.received(), frames.len() as u64);
        stream(&frames[..frames.len() - 1]);
    }
    decode(kind, payload);
}

/// Reads all messages of a stream.
fn stream(bytes: &[u8]) {
    let mut reader = MessageReader::new(bytes);
    while let Ok(Some(message)) = reader.read() {
        assert!(message.payload.len() as u64 <= message.kind.most());
        decode(message.kind, &message.payload);
    }
    assert!(reader.received() <= bytes.len() as u64);
}

fn decode(kind: Kind, payload: &[u8]) {
    match kind {
        Kind::Hello => {
            if let Ok(hello) = Hello::decode(payload) {
                assert_eq!(Hello::decode(&hello.encode()), Ok(hello));
            }
        }
        Kind::PlanQuestion => same(payload, PlanQuestion::decode, PlanQuestion::encode),
        Kind::Want => {
            same(payload, Want::decode, Want::encode);
            if let Ok(Want { choice: Choice::AllBut(filter), .. }) = Want::decode(payload) {
                let _ = filter.contains(PackageId::from_bytes([7; 32]));
            }
        }
        Kind::MetaQuestion => {
            let encode = |(questions, full): &(Vec<MetaQuestion>, bool)| {
                MetaQuestion::encode(questions, *full)
            };
            same(payload, MetaQuestion::decode, encode);
        }
        Kind::Key => same(payload, ServerKey::decode, ServerKey::encode),
        Kind::Plan => same(payload, Plan::decode, Plan::encode),
        Kind::Pack | Kind::Delta => {
            pack(payload);
            pack(&with_head(kind == Kind::Delta, payload));
        }
        Kind::Missing => same(payload, Missing::decode, Missing::encode),
        Kind::Meta => same(payload, MetaAnswer::decode, MetaAnswer::encode),
        Kind::Error => same(payload, Refusal::decode, Refusal::encode),
        Kind::End => same(payload, End::decode, End::encode),
    }
}

/// Returns a message whose head is these bytes, compressed: by chance nothing decompresses.
fn with_head(is_delta: bool, head: &[u8]) -> Vec<u8> {
    let compressed = zstd::bulk::compress(head, 1).expect("memory is compressed");
    let mut message = vec![u8::from(is_delta)];
    message.resize(1 + if is_delta { 32 } else { 0 } + 96, 5);
    for length in [head.len(), compressed.len()] {
        message.extend_from_slice(&(length as u32).to_le_bytes());
    }
    message.extend_from_slice(&compressed);
    message.extend_from_slice(b"contents");
    message
}

fn pack(payload: &[u8]) {
    if let Ok((head, contents)) = PackHead::decode(payload) {
        let encoded = head.encode().expect("it was decoded");
        let again = [&encoded[..], contents].concat();
        let (decoded, rest) = PackHead::decode(&again).expect("it was encoded");
        assert_eq!(rest, contents);
        assert_eq!((decoded.root, decoded.from), (head.root, head.from));
        assert_eq!(decoded.package.files, head.package.files);
        assert_eq!(decoded.statement().signed(), head.statement().signed());
    }
}

/// Checks that what decodes is encoded to bytes that decode to the same.
fn same<T, E: std::fmt::Debug>(
    payload: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, E>,
    encode: impl Fn(&T) -> Vec<u8>,
) {
    if let Ok(value) = decode(payload) {
        let encoded = encode(&value);
        assert_eq!(encoded.len(), payload.len());
        let again = decode(&encoded).expect("it was encoded");
        assert_eq!(encode(&again), encoded);
    }
}
