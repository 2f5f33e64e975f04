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
fn output_keeps_its_lines_and_indents() {
    let output = "one\r\n  two\n\n\tthree 👩\u{200d}💻\n\n\n";
    assert_eq!(output_text(output, false), "one\n  two\n\n\tthree 👩\u{200d}💻");
    assert_eq!(output_text(" 10%\r 50%\r100%\r\ndone\r", true), "100%\ndone");
    assert_eq!(output_text("", true), "");
}

#[test]
fn output_keeps_colours_and_nothing_else_that_terminals_obey() {
    let output = "\u{1b}[2J\u{1b}[31;1mred\u{1b}[0m\u{1b}]0;title\u{7}\u{8}\n\u{1b}[1Aup\u{202e}";
    assert_eq!(output_text(output, true), "\u{1b}[31;1mred\u{1b}[0m\nup\u{1b}[0m");
    assert_eq!(output_text(output, false), "red\nup");
    assert_eq!(output_text("cut\u{1b}[", true), "cut");
}

#[test]
fn characters_that_hide_or_mislead_are_removed() {
    let hidden = [
        '\u{61c}',
        '\u{200b}',
        '\u{200e}',
        '\u{2028}',
        '\u{2029}',
        '\u{202e}',
        '\u{2066}',
        '\u{2069}',
        '\u{180e}',
        '\u{3164}',
        '\u{feff}',
        '\u{fff9}',
        '\u{e0001}',
        '\u{e0041}',
        '\u{e007f}',
        '\u{e0100}',
        '\u{7f}',
        '\u{85}',
        '\u{9b}',
    ];
    for c in hidden {
        assert_eq!(plain_text(&format!("a{c}b"), 100), "ab", "{c:?}");
        assert_eq!(output_text(&format!("a{c}b"), true), "ab", "{c:?}");
    }
    assert_eq!(plain_text("❤\u{fe0f} naïve 日本", 100), "❤\u{fe0f} naïve 日本");
}
