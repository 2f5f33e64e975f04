//! DXRP: what is encoded is decoded, and nothing else is.

use dx_pkg_core::{Integrity, PackageId};
use dx_pkg_format::archive::{ArchivedFile, Marks, PackageHead};
use dx_pkg_format::dxp::FileMode;
use dx_pkg_format::dxrp::{
    Capabilities, Choice, End, Filter, FrameError, FrameHead, HEAD, Held, Hello, Kind,
    MOST_PAYLOAD, MetaAnswer, MetaOutcome, MetaQuestion, Missing, PackHead, Plan, PlanChange,
    PlanQuestion, PlanRules, Reason, Refusal, ServerKey, Trouble, Want, Wanted, encode_frame,
    encode_message,
};
use proptest::prelude::*;

fn id(number: u8) -> PackageId {
    PackageId::from_bytes([number; 32])
}

fn head_of(bytes: &[u8]) -> FrameHead {
    FrameHead::decode(bytes.first_chunk().unwrap()).unwrap()
}

fn pack(from: Option<PackageId>, sizes: &[u64]) -> PackHead {
    let integrity = Integrity::sha512_of(b"tarball");
    let file = |(number, size): (usize, &u64)| ArchivedFile {
        path: format!("lib/{number}.js"),
        mode: FileMode::PLAIN,
        size: *size,
    };
    let package = PackageHead {
        id: PackageId::from_integrity(&integrity),
        marks: Marks::default(),
        integrity,
        files: sizes.iter().enumerate().map(file).collect(),
    };
    PackHead { from, root: [7; 32], signature: [9; 64], package }
}

#[test]
fn a_long_message_is_several_frames() {
    let payload: Vec<u8> = (0..MOST_PAYLOAD * 2 + 5).map(|number| number as u8).collect();
    let bytes = encode_message(Kind::Pack, &payload);
    let (mut rest, mut found, mut frames) = (&bytes[..], Vec::new(), 0);
    while !rest.is_empty() {
        let head = head_of(rest);
        let (payload, after) = rest[HEAD..].split_at(head.length);
        head.check(payload).unwrap();
        found.extend_from_slice(payload);
        frames += 1;
        assert_eq!((head.kind, head.more), (Kind::Pack, frames < 3));
        rest = after;
    }
    assert_eq!((frames, found == payload), (3, true));
    assert_eq!(encode_message(Kind::End, b"").len(), HEAD);
}

#[test]
fn a_frame_that_was_changed_is_refused() {
    let mut bytes = Vec::new();
    encode_frame(Kind::Meta, b"payload", true, &mut bytes);
    for position in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[position] ^= 1 << bit;
            let head = FrameHead::decode(changed.first_chunk().unwrap());
            let is_sound = head.is_ok_and(|head| {
                changed[HEAD..].get(..head.length).is_some_and(|it| head.check(it).is_ok())
            });
            assert!(!is_sound, "bit {bit} of byte {position}");
        }
    }
}

#[test]
fn heads_have_limits() {
    let head = |kind: u8, marks: u8, length: u32| {
        let mut head = [0; HEAD];
        (head[0], head[1]) = (kind, marks);
        head[4..8].copy_from_slice(&length.to_le_bytes());
        FrameHead::decode(&head)
    };
    assert_eq!(head(0x55, 0, 0), Err(FrameError::Kind { kind: 0x55 }));
    let too_long = FrameError::TooLong { message: "END", most: MOST_PAYLOAD as u64 };
    assert_eq!(head(0x1f, 0, MOST_PAYLOAD as u32 + 1), Err(too_long));
    let malformed = FrameError::Malformed { message: "END" };
    assert_eq!(head(0x1f, 2, 0), Err(malformed.clone()));
    assert_eq!(head(0x1f, 1, 0), Err(malformed), "an empty frame brings a message no further");
}

#[test]
fn versions_are_negotiated() {
    let hello = Hello::new(Capabilities { plan: true, delta: true, ..Capabilities::default() });
    assert_eq!(Hello::decode(&hello.encode()), Ok(hello));
    let later = Hello { lowest: 1, highest: 9, ..hello };
    assert_eq!(Hello::decode(&[&later.encode()[..], b"more"].concat()), Ok(later));
    let other = Hello { lowest: 2, highest: 3, ..hello };
    let refused = FrameError::Version { lowest: 2, highest: 3, supported: 1 };
    assert_eq!(Hello::decode(&other.encode()), Err(refused));
}

#[test]
fn packages_have_limits() {
    let whole = pack(None, &[1, 2]);
    let bytes = [whole.encode().unwrap(), b"contents".to_vec()].concat();
    assert_eq!(PackHead::decode(&bytes), Ok((whole, &b"contents"[..])));
    let large = pack(Some(id(1)), &[1 << 26, 1]).encode().unwrap();
    assert!(matches!(PackHead::decode(&large), Err(FrameError::TooLong { .. })));
}

#[test]
fn a_part_is_one_of_its_parts() {
    let of = |part, parts| Want { part, parts, choice: Choice::Named(vec![]), held: vec![] };
    for (part, parts, is_sound) in [(0, 1, true), (63, 64, true), (1, 1, false), (0, 65, false)] {
        assert_eq!(Want::decode(&of(part, parts).encode()).is_ok(), is_sound, "{part} of {parts}");
    }
}

/// A message: its name, its bytes, and what decodes it and encodes it again.
type Case = (&'static str, Vec<u8>, Rewrite);
type Rewrite = fn(&[u8]) -> Option<Vec<u8>>;

fn messages() -> Vec<Case> {
    let wanted = Wanted { id: id(1), name: "@a/b".into(), version: "1.2.3".into() };
    let held = Held { wanted: id(1), id: id(2), version: "1.2.2".into() };
    let want = |choice| Want { part: 1, parts: 4, choice, held: vec![held.clone()] }.encode();
    let rules = PlanRules {
        strict_peer_deps: true,
        placing: 2,
        release_age_ms: 86_400_000,
        release_age_exclude: vec!["a".into(), "@b/*".into()],
        before_ms: 5,
        default_tag: "latest".into(),
        node: "20.1.0".into(),
        os: "linux".into(),
        cpu: "x64".into(),
        libc: "glibc".into(),
        ..PlanRules::default()
    };
    let (overrides, importers) = ("{}".into(), b"DXL".to_vec());
    let question = PlanQuestion { rules, overrides, importers, change: None };
    let change = PlanChange {
        unpacked: 9,
        lock: b"DXL".to_vec(),
        update: vec!["a".into()],
        explicit: vec!["b".into(), "@c/d".into()],
        explicit_in: vec!["w".into()],
    };
    let changed = PlanQuestion { change: Some(change), ..question.clone() };
    let rewrite_question: Rewrite = |it| PlanQuestion::decode(it).ok().map(|it| it.encode());
    let plan = Plan { computed_ms: 1, published_ms: vec![0, 2], unpacked: 9, lock: vec![1, 2] };
    let modified = MetaOutcome::Modified {
        etag: "\"1\"".into(),
        fresh_for_ms: 120_000,
        full: true,
        unpacked: 7,
        packument: vec![1],
    };
    let meta = |outcome| MetaAnswer { name: "a".into(), outcome }.encode();
    let asked = MetaQuestion { name: "a".into(), etag: "\"1\"".into() };
    let refusal = Refusal { trouble: Trouble::UnknownPlan, message: "not here".into() };
    let mut point = [3; 65];
    point[0] = 4;
    vec![
        ("hello", Hello::new(Capabilities::ALL).encode(), |it| {
            Hello::decode(it).ok().map(|it| it.encode())
        }),
        ("key", ServerKey { point }.encode(), |it| {
            ServerKey::decode(it).ok().map(|it| it.encode())
        }),
        ("want-named", want(Choice::Named(vec![wanted])), rewrite_want),
        ("want-plan", want(Choice::OfPlan { lock: [3; 32], bits: vec![5] }), rewrite_want),
        ("want-filter", want(Choice::AllBut(Filter::new(&[id(1), id(2)], 0.01, 5))), rewrite_want),
        ("plan-question", question.encode(), rewrite_question),
        ("plan-change", changed.encode(), rewrite_question),
        ("plan", plan.encode(), |it| Plan::decode(it).ok().map(|it| it.encode())),
        ("pack", pack(None, &[5]).encode().unwrap(), rewrite_pack),
        ("delta", pack(Some(id(3)), &[5]).encode().unwrap(), rewrite_pack),
        ("missing", Missing { id: id(1), reason: Reason::TooLarge }.encode(), |it| {
            Missing::decode(it).ok().map(|it| it.encode())
        }),
        ("meta-question", MetaQuestion::encode(&[asked], true), |it| {
            MetaQuestion::decode(it).ok().map(|(it, full)| MetaQuestion::encode(&it, full))
        }),
        ("meta", meta(modified), rewrite_meta),
        ("meta-same", meta(MetaOutcome::NotModified), rewrite_meta),
        ("error", refusal.encode(), |it| Refusal::decode(it).ok().map(|it| it.encode())),
        ("end", End { packages: 3, packuments: 4 }.encode(), |it| {
            End::decode(it).ok().map(|it| it.encode())
        }),
    ]
}

fn rewrite_want(bytes: &[u8]) -> Option<Vec<u8>> {
    Want::decode(bytes).ok().map(|it| it.encode())
}

fn rewrite_pack(bytes: &[u8]) -> Option<Vec<u8>> {
    let (head, contents) = PackHead::decode(bytes).ok()?;
    Some([head.encode().ok()?, contents.to_vec()].concat())
}

fn rewrite_meta(bytes: &[u8]) -> Option<Vec<u8>> {
    MetaAnswer::decode(bytes).ok().map(|it| it.encode())
}

#[test]
fn messages_are_those_of_version_1() {
    // How small the head of a package becomes is the compressor's affair.
    let apart = ["pack", "delta", "plan-change"];
    let all = messages().into_iter().filter(|(name, ..)| !apart.contains(name));
    let bytes: Vec<u8> = all.flat_map(|(_, bytes, _)| bytes).collect();
    assert_eq!(super::golden::golden("dxrp-v1.messages", &bytes), bytes);
    for (name, head) in
        [("dxrp-v1.pack", pack(None, &[5])), ("dxrp-v1.delta", pack(Some(id(3)), &[5]))]
    {
        let bytes = super::golden::golden(name, &head.encode().unwrap());
        assert_eq!(PackHead::decode(&bytes), Ok((head, &b""[..])), "{name}");
    }
}

#[test]
fn messages_are_decoded_whole_or_refused() {
    for (name, bytes, rewrite) in messages() {
        assert_eq!(rewrite(&bytes).as_ref(), Some(&bytes), "{name}");
        // The contents of a package end where the message ends.
        let is_open = matches!(name, "pack" | "delta");
        for length in 0..bytes.len() {
            assert_eq!(rewrite(&bytes[..length]), None, "{name} cut at {length}");
        }
        let longer = [&bytes[..], b"x"].concat();
        assert_eq!(rewrite(&longer).is_some(), is_open || name == "hello", "{name} with more");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for (name, _, rewrite) in messages() {
            if let Some(again) = rewrite(&bytes) {
                prop_assert_eq!(rewrite(&again), Some(again), "{}", name);
            }
        }
    }

    #[test]
    fn changed_messages_are_refused_or_read(at in 0_usize..400, byte in any::<u8>()) {
        for (name, mut bytes, rewrite) in messages() {
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Some(again) = rewrite(&bytes) {
                prop_assert_eq!(rewrite(&again), Some(again), "{}", name);
            }
        }
    }
}
