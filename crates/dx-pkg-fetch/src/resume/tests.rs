use super::*;
use bytes::Bytes;

const TAG: (&str, &str) = ("etag", "\"a\"");

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

fn partial(pairs: &[(&'static str, &str)]) -> Option<Partial> {
    let mut body = Body::new(None);
    body.collect(Bytes::from_static(b"0123"), None);
    Partial::keep(
        Url::parse("http://registry.example/a?x=1").unwrap(),
        &headers(pairs),
        Some(10),
        body,
    )
}

#[test]
fn only_what_a_server_can_recognise_is_kept() {
    let modified = ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT");
    assert!(partial(&[TAG]).is_some());
    assert!(partial(&[modified, ("date", "Sun, 06 Nov 1994 08:50:37 GMT")]).is_some());
    assert!(partial(&[("etag", "W/\"a\"")]).is_none(), "a weak tag");
    assert!(
        partial(&[modified, ("date", "Sun, 06 Nov 1994 08:50:36 GMT")]).is_none(),
        "a weak date"
    );
    assert!(partial(&[modified]).is_none(), "no date to compare with");
    assert!(partial(&[TAG, ("accept-ranges", "none")]).is_none());
    assert!(partial(&[]).is_none());
    let url = Url::parse("http://registry.example/").unwrap();
    assert!(
        Partial::keep(url, &headers(&[TAG]), None, Body::new(None)).is_none(),
        "nothing arrived"
    );
}

#[test]
fn the_rest_is_asked_of_the_same_file_only() {
    let asked = |url: &str| {
        let mut asked = HeaderMap::new();
        partial(&[TAG]).unwrap().request_rest(&Url::parse(url).unwrap(), &mut asked);
        asked
    };
    assert_eq!(
        asked("http://registry.example/a?x=2"),
        headers(&[("range", "bytes=4-"), ("if-range", "\"a\"")])
    );
    for other in
        ["http://registry.example/b", "https://registry.example/a", "http://elsewhere.example/a"]
    {
        assert!(asked(other).is_empty(), "{other}");
    }
}

#[test]
fn the_rest_is_what_follows_of_the_same_bytes() {
    let continues =
        |pairs: &[(&'static str, &str)]| partial(&[TAG]).unwrap().continues(&headers(pairs));
    assert!(continues(&[("content-range", "bytes 4-9/10"), TAG]));
    assert!(continues(&[("content-range", "bytes 4-9/*")]));
    for wrong in [
        "bytes 3-9/10",
        "bytes 5-9/10",
        "bytes 4-9/11",
        "bytes 4-8/10",
        "bytes 4-10/11",
        "bytes 9-4/10",
    ] {
        assert!(!continues(&[("content-range", wrong), TAG]), "{wrong}");
    }
    for garbage in
        ["", "4-9/10", "bytes */10", "bytes 4-/10", "bytes x-9/10", "bytes 4-9", "lines 4-9/10"]
    {
        assert!(!continues(&[("content-range", garbage), TAG]), "{garbage}");
    }
    assert!(!continues(&[("content-range", "bytes 4-9/10"), ("etag", "\"b\"")]), "another tag");
    assert!(
        !continues(&[("content-range", "bytes 4-9/10"), TAG, ("content-encoding", "gzip")]),
        "another encoding"
    );
    assert!(!continues(&[TAG]), "no range");
}
