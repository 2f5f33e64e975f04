use super::*;

#[test]
fn urls_are_shown_without_secrets() {
    let url = Url::parse("https://me:pw@registry.example/a%2fb?X-Signature=1#frag").unwrap();
    assert_eq!(redact_url(&url), "https://registry.example/a%2fb?…");
}

#[test]
fn secrets_inside_text_are_removed() {
    assert_eq!(
        redact_text("proxy http://u:p@proxy.example:80/ refused"),
        "proxy http://proxy.example:80/ refused"
    );
    assert_eq!(redact_text("see //a@b and //c@d"), "see //b and //d");
    assert_eq!(redact_text("mail me@example"), "mail me@example");
}
