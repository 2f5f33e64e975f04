use super::*;

fn answer(etag: Option<&'static str>, last_modified: Option<&'static str>) -> Answer<&'static str> {
    Answer {
        etag,
        last_modified,
        fetched_ms: 1,
        fresh_until_ms: u64::MAX,
        stale_until_ms: 3,
        credential: 4,
    }
}

fn whole(answer: &Answer<&str>) -> Vec<u8> {
    [&*encode(answer), b"DXM bytes"].concat()
}

#[test]
fn validators_and_times_come_back() {
    for (etag, modified) in
        [(None, None), (Some("\"x\""), None), (None, Some("Mon")), (Some(""), Some("ü"))]
    {
        let bytes = whole(&answer(etag, modified));
        let (found, length) = decode(&bytes).unwrap();
        assert_eq!(found, answer(etag, modified));
        assert_eq!(&bytes[length..], b"DXM bytes");
    }
}

#[test]
fn any_altered_byte_or_truncation_of_the_header_is_refused() {
    let bytes = whole(&answer(Some("\"etag\""), Some("Mon, 01 Jan 2024 00:00:00 GMT")));
    let (_, length) = decode(&bytes).unwrap();
    for at in 0..length {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        assert!(decode(&altered).is_none(), "byte {at}");
        assert!(decode(&bytes[..at]).is_none(), "cut at {at}");
    }
}

#[test]
fn a_header_of_version_3_is_read_as_it_was_written() {
    let golden: &[u8] = include_bytes!("../../../tests/golden/dxh-v3.dxh");
    let expected = answer(Some("\"etag\""), Some("Mon, 01 Jan 2024 00:00:00 GMT"));
    assert_eq!(decode(golden).unwrap(), (expected, golden.len()));
    assert_eq!(encode(&expected), golden);
}
