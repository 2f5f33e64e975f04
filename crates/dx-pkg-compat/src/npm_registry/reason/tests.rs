use super::*;
use dx_pkg_fetch::header::HeaderMap;

fn given(status: u16, body: &str) -> Option<String> {
    let answer = ErrorAnswer { headers: HeaderMap::new(), body: body.as_bytes().to_vec().into() };
    reason(StatusCode::from_u16(status).unwrap(), &answer)
}

#[test]
fn the_reason_is_found_where_registries_put_it() {
    for (body, expected) in [
        (r#"{"error":"Blocked by policy: CVE-2026-0001"}"#, "Blocked by policy: CVE-2026-0001"),
        (
            r#"{"error":"forbidden","reason":"the package is held back"}"#,
            "forbidden: the package is held back",
        ),
        (r#"{"$id":"1","message":"needs another feed"}"#, "needs another feed"),
        (r#"{"errors":[{"status":403,"message":"quarantined"}]}"#, "quarantined"),
        (r#"{"error":{"code":"blocked","message":"malware"}}"#, "malware"),
        (r#"{"title":"Denied","detail":"licence GPL-3.0"}"#, "Denied: licence GPL-3.0"),
        (r#""plain text as JSON""#, "plain text as JSON"),
        (r#"{"policy":"no-malware"}"#, r#"{"policy":"no-malware"}"#),
        ("Requested item is quarantined\r\n", "Requested item is quarantined"),
        (
            "<html><head><TITLE lang=en>Blocked by the firewall</TITLE></head>",
            "Blocked by the firewall",
        ),
    ] {
        assert_eq!(given(403, body).as_deref(), Some(expected), "{body}");
    }
}

#[test]
fn what_tells_no_more_than_the_status_is_no_reason() {
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "Forbidden",
        r#"{"error":"forbidden."}"#,
        "403 Forbidden",
        "<html><title>403 Forbidden</title></html>",
        "<html>no title",
    ] {
        assert_eq!(given(403, body), None, "{body}");
    }
    assert_eq!(given(404, r#"{"error":"Not found"}"#), None);
}

#[test]
fn a_reason_is_one_line_without_control_characters_and_not_long() {
    let shown = given(403, "first\n\u{1b}[31msecond\u{7}\r\n third").unwrap();
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    assert!(given(403, &"long ".repeat(1000)).unwrap().chars().count() <= LONGEST + 1);
}

#[test]
fn an_encoded_answer_and_a_notice_are_read() {
    let mut headers = HeaderMap::new();
    headers.insert("content-encoding", "gzip".parse().unwrap());
    headers.insert("npm-notice", "ask the platform team".parse().unwrap());
    let body = crate::npm_registry::tests::gzip(br#"{"error":"held back"}"#);
    let answer = ErrorAnswer { headers, body: body.into() };
    let expected = "held back; ask the platform team";
    assert_eq!(reason(StatusCode::FORBIDDEN, &answer).as_deref(), Some(expected));
}
