use super::*;
use dx_pkg_core::PackageId;
use dx_pkg_format::dxrp::Reason;

const LIMIT: Duration = Duration::from_secs(60);

fn key() -> ServerKey {
    let mut point = [9; 65];
    point[0] = 4;
    ServerKey { point }
}

fn beginning() -> Vec<u8> {
    let mut out = encode_message(Kind::Hello, &Hello::new(Capabilities::ALL).encode());
    out.extend(encode_message(Kind::Key, &key().encode()));
    out
}

fn missing() -> Vec<u8> {
    let missing = Missing { id: PackageId::from_bytes([1; 32]), reason: Reason::Unknown };
    encode_message(Kind::Missing, &missing.encode())
}

fn plan() -> Vec<u8> {
    let plan = Plan { computed_ms: 1, published_ms: Vec::new(), unpacked: 0, lock: Vec::new() };
    encode_message(Kind::Plan, &plan.encode())
}

fn end(packages: u32) -> Vec<u8> {
    encode_message(Kind::End, &End { packages, packuments: 0 }.encode())
}

/// Reads an answer to its end; returns the number of its parts before that.
fn read(bytes: &[u8]) -> Result<usize, AnswerError> {
    let mut answer = Answer::begin(bytes, LIMIT)?;
    let mut parts = 0;
    while !matches!(answer.next(&mut Vec::new(), |_, _, _| {})?, Part::End) {
        parts += 1;
    }
    Ok(parts)
}

#[test]
fn an_answer_is_read_to_its_end() {
    let bytes = [beginning(), plan(), missing(), missing(), end(2)].concat();
    assert_eq!(read(&bytes).unwrap(), 3);
    let answer = Answer::begin(&bytes[..], LIMIT).unwrap();
    assert_eq!((answer.key(), answer.capabilities()), (&key(), Capabilities::ALL));
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn messages_have_their_order_and_number() {
    let is_out_of_order = |parts: &[Vec<u8>]| {
        let bytes = [&[beginning()], parts].concat().concat();
        matches!(
            read(&bytes),
            Err(AnswerError::Stream(StreamError::Frame(FrameError::OutOfOrder { .. })))
        )
    };
    assert!(is_out_of_order(&[missing(), plan()]));
    assert!(is_out_of_order(&[plan(), plan()]));
    assert!(is_out_of_order(&[beginning()]));
    let counted = [beginning(), missing(), end(2)].concat();
    assert!(matches!(read(&counted), Err(AnswerError::Count { said: 2, came: 1 })));
}

#[test]
fn a_refusal_ends_the_answer_wherever_it_comes() {
    let refusal = Refusal { trouble: Trouble::TooMuch, message: "no \u{1b}[1m".to_owned() };
    let refusal = encode_message(Kind::Error, &refusal.encode());
    for before in [Vec::new(), beginning(), [beginning(), missing()].concat()] {
        match read(&[before, refusal.clone()].concat()) {
            Err(AnswerError::Refused { trouble: Trouble::TooMuch, message }) => {
                assert!(!message.contains('\u{1b}'), "{message:?}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_request_has_its_messages_in_order() {
    let bytes = encode_request(Some(b"plan"), None);
    let mut reader = MessageReader::new(&bytes[..]);
    let kinds = std::iter::from_fn(|| reader.read().unwrap().map(|message| message.kind));
    assert_eq!(kinds.collect::<Vec<_>>(), [Kind::Hello, Kind::PlanQuestion, Kind::End]);
}
