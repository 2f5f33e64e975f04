//! DELTA and META.

use super::client::{Answered, Raw, ask, metric, post, read_answer};
use crate::people::{add_user, publish, send};
use crate::server::Server;
use dx_pkg_core::{PackageId, PackageName};
use dx_pkg_format::dxrp::{
    Capabilities, Choice, End, Held, Hello, Kind, MetaAnswer, MetaOutcome, MetaQuestion, PackHead,
    Want, Wanted, encode_message,
};
use dx_pkg_format::packument::Packument;
use dx_pkg_registry::dxrp::MessageReader;
use dx_pkg_testkit::Registry;
use serde_json::json;
use std::io::Read as _;
use std::time::{Duration, Instant};

/// Returns text that hardly repeats itself.
fn text(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed;
    let next = move |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b' ' + (state >> 25) as u8 % 90
    };
    (0..length).map(next).collect()
}

fn wanted(upstream: &Registry, name: &str, version: &str) -> Wanted {
    let id = PackageId::from_sha512_text(&upstream.integrity(name, version)).unwrap();
    Wanted { id, name: name.to_owned(), version: version.to_owned() }
}

fn want(named: &[&Wanted], held: &[(&Wanted, &Wanted)]) -> (Kind, Vec<u8>) {
    let choice = Choice::Named(named.iter().map(|wanted| (*wanted).clone()).collect());
    let held = held.iter().map(|(wanted, held)| Held {
        wanted: wanted.id,
        id: held.id,
        version: held.version.clone(),
    });
    (Kind::Want, Want { part: 0, parts: 1, choice, held: held.collect() }.encode())
}

/// Returns the difference of an answer: its head and its length.
fn delta(answered: &Answered) -> Option<(PackHead, Vec<u8>, usize)> {
    let (_, payload) = answered.others.iter().find(|(kind, _)| *kind == Kind::Delta)?;
    let (head, contents) = PackHead::decode(payload).unwrap();
    Some((head, contents.to_vec(), payload.len()))
}

fn apply(old: &[u8], delta: &[u8]) -> Vec<u8> {
    let mut decoder = zstd::stream::read::Decoder::with_ref_prefix(delta, old).unwrap();
    let mut new = Vec::new();
    decoder.read_to_end(&mut new).unwrap();
    new
}

#[test]
fn a_small_change_is_sent_as_the_difference_from_what_the_client_holds() {
    let upstream = Registry::start();
    let mut large = text(1, 3_000_000);
    upstream.package("tool", "1.0.0").file("large.js", large.clone()).publish();
    large.splice(1_000_000..1_000_010, text(2, 300));
    large.extend(text(3, 500));
    upstream.package("tool", "1.1.0").file("large.js", large).file("new.js", "1").publish();
    upstream.package("tool", "2.0.0").file("large.js", text(9, 3_000_000)).publish();
    let of = |version| wanted(&upstream, "tool", version);
    let (one, next, other) = (of("1.0.0"), of("1.1.0"), of("2.0.0"));
    let server = Server::start(upstream.url());
    let whole = ask(&server, "", &[want(&[&one, &next], &[])]);
    let pack = |id: PackageId| whole.packs.iter().find(|(head, ..)| head.package.id == id).unwrap();
    let ((_, old, _), (new_head, new, length)) = (pack(one.id), pack(next.id));
    for server in [&server, &server.beside(upstream.url())] {
        for _ in 0..2 {
            let answered = ask(server, "", &[want(&[&next], &[(&next, &one)])]);
            assert_eq!((answered.packs.len(), answered.end.unwrap().packages), (0, 1));
            let (head, contents, delta_length) = delta(&answered).unwrap();
            assert_eq!(head.from, Some(one.id));
            assert_eq!(PackHead { from: None, ..head }, *new_head);
            assert!(delta_length * 100 < *length, "{delta_length} of {length} bytes");
            assert!(apply(old, &contents) == *new);
        }
    }
    let mut raw = Raw::open(&server, "");
    let whole_again = raw.ask(&[want(&[&other], &[(&other, &next)])]);
    assert_eq!(whole_again.packs.len(), 1, "a difference that saves little is none");
    let unknown = Wanted { id: PackageId::from_bytes([3; 32]), ..one.clone() };
    assert_eq!(raw.ask(&[want(&[&next], &[(&next, &unknown)])]).packs.len(), 1);
    assert_eq!(raw.ask(&[want(&[&next], &[(&next, &next)])]).packs.len(), 1);
    // A client that cannot take differences gets none.
    let hello = Hello::new(Capabilities { pack: true, ..Capabilities::default() });
    let (kind, payload) = want(&[&next], &[(&next, &one)]);
    let bytes = [
        encode_message(Kind::Hello, &hello.encode()),
        encode_message(kind, &payload),
        encode_message(Kind::End, &End::default().encode()),
    ];
    let answer = post(&server, "", &bytes.concat());
    let mut reader = MessageReader::new(&answer.body[..]);
    assert_eq!(read_answer(&mut reader).packs.len(), 1);
}

#[test]
fn a_difference_is_made_smaller_in_the_background() {
    let upstream = Registry::start();
    // A text of words, and another one with every tenth word replaced.
    let words = |other: usize| -> String {
        let word = |at: usize| format!("{:x} ", at.wrapping_mul(2_654_435_761) % 9_973);
        (0..200_000).map(|at| word(if at % 10 == 0 { at + other } else { at })).collect()
    };
    for (version, other) in [("1.0.0", 0), ("1.1.0", 3)] {
        upstream.package("tool", version).file("text.js", words(other)).publish();
    }
    let of = |version| wanted(&upstream, "tool", version);
    let (one, next) = (of("1.0.0"), of("1.1.0"));
    let server = Server::start(upstream.url());
    let whole = ask(&server, "", &[want(&[&one, &next], &[])]);
    let contents =
        |id: PackageId| &whole.packs.iter().find(|(head, ..)| head.package.id == id).unwrap().1;
    let asked = |server: &Server| {
        let answered = ask(server, "", &[want(&[&next], &[(&next, &one)])]);
        let (_, difference, length) = delta(&answered).expect("a difference");
        assert!(apply(contents(one.id), &difference) == *contents(next.id));
        length
    };
    let quick = asked(&server);
    let begin = Instant::now();
    while metric(&server, "dxrp_deltas_improved_total") == 0 {
        assert!(begin.elapsed() < Duration::from_secs(120), "it is not made smaller");
        std::thread::sleep(Duration::from_millis(50));
    }
    let best = asked(&server);
    assert!(best < quick, "{best} and {quick} bytes");
    let other = server.beside(upstream.url());
    assert_eq!(asked(&other), best, "it is kept");
    assert_eq!(metric(&other, "dxrp_deltas_made_total"), 0);
    assert_eq!(metric(&server, "dxrp_deltas_made_total"), 1);
}

#[test]
fn many_packuments_come_in_one_answer_as_they_are_over_http() {
    let upstream = Registry::start();
    upstream.package("a", "1.0.0").dep("b", "^1").publish();
    upstream.package("@s/b", "1.2.0").publish();
    let server = Server::start(upstream.url());
    let (alice, bob) = (server.token.clone(), add_user(&server, "bob"));
    assert_eq!(publish(&server, &alice, "@acme/secret", "1.0.0", &[]), 201);
    let body = json!({ "access": "restricted" });
    let access = "/-/package/@acme%2fsecret/access";
    assert_eq!(send(&server, &alice, "POST", access, Some(&body)).status, 200);
    let ask = |token: &str, names: &[(&str, &str)], full| {
        let question = |(name, etag): &(&str, &str)| MetaQuestion {
            name: (*name).to_owned(),
            etag: (*etag).to_owned(),
        };
        let questions: Vec<MetaQuestion> = names.iter().map(question).collect();
        let messages = [(Kind::MetaQuestion, MetaQuestion::encode(&questions, full))];
        let answered = ask(&server, token, &messages);
        assert_eq!(answered.end.unwrap().packuments as usize, names.len());
        let decode = |(_, payload): &(Kind, Vec<u8>)| MetaAnswer::decode(payload).unwrap();
        let answers: Vec<MetaAnswer> = answered.others.iter().map(decode).collect();
        move |name: &str| answers.iter().find(|one| one.name == name).unwrap().outcome.clone()
    };
    let names = [("a", ""), ("@s/b", ""), ("missing", ""), ("../x", ""), ("@acme/secret", "")];
    for full in [false, true] {
        let answer = ask(&bob, &names, full);
        for name in ["a", "@s/b"] {
            let MetaOutcome::Modified { etag, packument, unpacked, .. } = answer(name) else {
                panic!("{name} is not sent");
            };
            let packument = zstd::bulk::decompress(&packument, unpacked as usize).unwrap();
            let accept = if full { "application/json" } else { crate::server::SHORT };
            let path = crate::server::path_of(name);
            let json = server.get_with(&path, &[("accept", accept)]).body;
            let parsed = PackageName::parse(name).unwrap();
            assert_eq!(packument, dx_pkg_compat::packument::encode(&json, &parsed).unwrap());
            Packument::decode(std::sync::Arc::new(packument)).unwrap();
            let again = ask("", &[(name, &etag)], full);
            assert_eq!(again(name), MetaOutcome::NotModified);
        }
        assert_eq!(answer("missing"), MetaOutcome::NotFound);
        assert_eq!(answer("../x"), MetaOutcome::NotFound);
        assert_eq!(answer("@acme/secret"), MetaOutcome::NotFound, "as one that is not there");
    }
    let own = ask(&alice, &names, false);
    assert!(matches!(own("@acme/secret"), MetaOutcome::Modified { .. }));
}
