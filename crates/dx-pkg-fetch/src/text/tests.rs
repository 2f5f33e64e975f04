use super::*;

#[test]
fn escape_sequences_and_controls_are_removed() {
    assert_eq!(plain_text("a\u{1b}[31;1mred\u{1b}[0m\u{7}b", 100), "aredb");
    assert_eq!(plain_text("a\u{1b}]8;;http://x\u{7}link\u{1b}]0;title\u{1b}\\b", 100), "alink\\b");
    assert_eq!(plain_text("a\u{9b}31mb\u{202e}c\u{200b}", 100), "a31mbc");
    assert_eq!(plain_text("cut\u{1b}[", 100), "cut");
}

#[test]
fn lines_are_joined_and_cut() {
    assert_eq!(plain_text("  one\r\n\ttwo  ", 100), "one two");
    assert_eq!(plain_text("abcdef", 3), "abc…");
    assert_eq!(plain_text("abc", 3), "abc");
}

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
