use super::*;

fn record(
    etag: Option<&'static str>,
    last_modified: Option<&'static str>,
) -> MetadataRecord<'static> {
    MetadataRecord {
        packument: b"DXM bytes",
        form: Form::Abbreviated,
        etag,
        last_modified,
        fetched_ms: 1,
        fresh_until_ms: u64::MAX,
        stale_until_ms: 3,
        credential: 4,
    }
}

fn encode(record: &MetadataRecord<'_>) -> Vec<u8> {
    [&*record.header(), record.packument].concat()
}

#[test]
fn validators_and_times_come_back() {
    for (etag, modified) in
        [(None, None), (Some("\"x\""), None), (None, Some("Mon")), (Some(""), Some("ü"))]
    {
        let bytes = encode(&record(etag, modified));
        let header = decode(&bytes).unwrap();
        assert_eq!((header.etag, header.last_modified), (etag, modified));
        assert_eq!(
            (header.fetched_ms, header.fresh_until_ms, header.stale_until_ms, header.credential),
            (1, u64::MAX, 3, 4)
        );
        assert_eq!(&bytes[header.length..], b"DXM bytes");
    }
}

#[test]
fn any_altered_byte_or_truncation_of_the_header_is_refused() {
    let bytes = encode(&record(Some("\"etag\""), Some("Mon, 01 Jan 2024 00:00:00 GMT")));
    let length = decode(&bytes).unwrap().length;
    for at in 0..length {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        assert!(decode(&altered).is_none(), "byte {at}");
        assert!(decode(&bytes[..at]).is_none(), "cut at {at}");
    }
}

#[test]
fn a_header_of_version_3_is_read_and_written_the_same() {
    let golden: &[u8] = include_bytes!("../../../tests/golden/dxh-v3.dxh");
    let (etag, last_modified) = ("\"etag\"", "Mon, 01 Jan 2024 00:00:00 GMT");
    let header = decode(golden).unwrap();
    assert_eq!((header.etag, header.last_modified), (Some(etag), Some(last_modified)));
    assert_eq!(
        (header.fetched_ms, header.fresh_until_ms, header.stale_until_ms, header.length),
        (1, u64::MAX, 3, golden.len())
    );
    assert_eq!(record(Some(etag), Some(last_modified)).header(), golden);
}
