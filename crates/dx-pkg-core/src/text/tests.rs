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
