use super::*;
use crate::npm_registry::tests::gzip;
use std::io::Write;

/// `{"name":"a"}`, compressed by the reference implementation of Brotli.
const BROTLI: &[u8] = &[139, 5, 128, 123, 34, 110, 97, 109, 101, 34, 58, 34, 97, 34, 125, 3];

fn of(labels: &[&str]) -> Vec<Coding> {
    let mut headers = HeaderMap::new();
    for label in labels {
        headers.append(CONTENT_ENCODING, label.parse().unwrap());
    }
    codings(&headers)
}

fn undone(body: &[u8], labels: &[&str]) -> Vec<u8> {
    undo(body, &of(labels), LARGEST)
        .unwrap()
        .map_or_else(|| body.to_vec(), |undone| undone.to_vec())
}

fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn encodings_are_undone_from_the_last_to_the_first() {
    assert_eq!(of(&["gzip, BR", " X-Deflate "]), [Coding::Deflate, Coding::Brotli, Coding::Gzip]);
    assert_eq!(of(&["utf-8"]), []);
    assert_eq!(of(&["identity", "", "aws-chunked, binary"]), []);
    assert_eq!(of(&["aws-chunked, gzip"]), [Coding::Gzip]);
    assert_eq!(of(&["gzip,gzip,gzip,gzip,gzip,gzip"]).len(), MOST_CODINGS);
}

#[test]
fn every_encoding_that_npm_knows_is_undone() {
    let body = br#"{"name":"a"}"#;
    for (encoded, label) in [
        (gzip(body), "gzip"),
        (gzip(body), "x-gzip"),
        (zlib(body), "deflate"),
        (deflate(body), "deflate"),
        (BROTLI.to_vec(), "br"),
        (gzip(&gzip(body)), "gzip, gzip"),
        (zlib(&gzip(body)), "gzip, deflate"),
        ([gzip(&body[..5]), gzip(&body[5..])].concat(), "gzip"),
        (body.to_vec(), "utf-8"),
    ] {
        assert_eq!(undone(&encoded, &[label]), body, "{label}");
    }
}

#[test]
fn a_body_without_the_encoding_of_its_label_stays_as_it_is() {
    let body = br#"{"name":"a","versions":{}}"#;
    for label in ["gzip", "deflate", "br", "gzip, gzip"] {
        assert_eq!(undone(body, &[label]), body, "{label}");
    }
    assert_eq!(undone(&gzip(body), &["gzip, gzip"]), body);
    assert_eq!(undone(b"", &["gzip, deflate"]), b"");
}

#[test]
fn damaged_data_is_an_error() {
    let whole = gzip(&[7; 5000]);
    for length in [3, 12, whole.len() - 1] {
        assert!(undo(&whole[..length], &[Coding::Gzip], LARGEST).is_err(), "{length}");
    }
    let whole = zlib(&[7; 5000]);
    assert!(undo(&whole[..whole.len() - 1], &[Coding::Deflate], LARGEST).is_err());
}

#[test]
fn more_than_the_limit_is_refused_in_every_encoding() {
    let body = vec![b' '; 300_000];
    for (encoded, coding) in [
        (gzip(&body), Coding::Gzip),
        ([gzip(&body[..5]), gzip(&body[5..])].concat(), Coding::Gzip),
        (zlib(&body), Coding::Deflate),
        (deflate(&body), Coding::Deflate),
    ] {
        assert_eq!(undo(&encoded, &[coding], 300_000).unwrap().unwrap().len(), 300_000);
        assert_eq!(undo(&encoded, &[coding], 299_999).unwrap_err(), TOO_LARGE);
    }
    let brotli = |limit| undo(BROTLI, &[Coding::Brotli], limit);
    assert_eq!(brotli(12).unwrap().unwrap().len(), 12);
    assert_eq!(brotli(11).unwrap_err(), TOO_LARGE);
    let twice = gzip(&gzip(&body));
    let inner = gzip(&body).len();
    let undo_twice = |limit| undo(&twice, &[Coding::Gzip, Coding::Gzip], limit);
    assert!(undo_twice(300_000 + inner).is_ok());
    assert_eq!(undo_twice(300_000 + inner - 1).unwrap_err(), TOO_LARGE, "both are in memory");
}
