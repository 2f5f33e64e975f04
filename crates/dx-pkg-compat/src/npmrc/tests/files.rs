//! The file format. Expected values are those of npm's own parser for the same text.

use super::*;
use crate::npmrc::expand::{Expanded, expand};

fn read(text: &str) -> Vec<(String, String)> {
    let describe = |value: RawValue| match value {
        RawValue::Null => "null!".to_owned(),
        RawValue::Bool(value) => format!("{value}!"),
        RawValue::Text(text) => text,
        RawValue::List(list) => format!("[{}]", list.join("|")),
    };
    ini::parse(text).into_iter().map(|(key, value)| (key, describe(value))).collect()
}

fn one(text: &str) -> String {
    let settings = read(text);
    assert_eq!(settings.len(), 1, "{text}: {settings:?}");
    settings[0].1.clone()
}

#[test]
fn comments_and_blank_lines_are_skipped() {
    assert_eq!(read("; a=1\n  # b=2\n\n \t\r\nc = 3\r"), [("c".to_owned(), "3".to_owned())]);
    assert_eq!(one("a=1 ; rest"), "1");
    assert_eq!(one("a=1#rest"), "1");
    assert_eq!(one(r"a=1\;2\#3\\4\5"), r"1;2#3\4\5");
    assert_eq!(one(r"a=x\"), r"x\");
}

#[test]
fn values_are_words_or_text() {
    assert_eq!(
        [one("a"), one("a=true"), one("a=false"), one("a=null"), one("a=")],
        ["true!", "true!", "false!", "null!", ""]
    );
    assert_eq!(one("a=b=c"), "b=c");
    assert_eq!(read("=x"), []);
}

#[test]
fn quotes_protect() {
    assert_eq!(one(r#"a="x ; y\n""#), "x ; y\n");
    assert_eq!(one("a='x ; y'"), "x ; y");
    assert_eq!(one(r#"a='"x"'"#), "x");
    assert_eq!(one("a='true'"), "true!");
    assert_eq!(one(r#"a="bad \q""#), r#""bad \q""#);
    assert_eq!(one("a='"), "");
    assert_eq!(one("a=\""), "\"");
    assert_eq!(read("\"a b\"=1"), [("a b".to_owned(), "1".to_owned())]);
}

#[test]
fn brackets_collect_lists() {
    assert_eq!(one("a[]=1\na[]=2"), "[1|2]");
    assert_eq!(one("a=0\na[]=1"), "[0|1]");
    assert_eq!(one("a[]=0\na=1"), "[0|1]");
    assert_eq!(one("a=0\na=1"), "1");
    assert_eq!(read("[]=1"), [("[]".to_owned(), "1".to_owned())]);
}

#[test]
fn sections_hold_no_settings() {
    assert_eq!(one("a=1\n[section] \na=2\nb=3\n[other]\nc=4"), "1");
    assert_eq!(read("[x=1\n[y]z=2").len(), 2);
}

#[test]
fn byte_order_mark_is_skipped() {
    assert_eq!(read("\u{feff}a=1"), [("a".to_owned(), "1".to_owned())]);
}

#[test]
fn references_follow_npms_rules() {
    let lookup = |name: &str| (name == "A").then(|| "val".to_owned());
    let text = |text: &str| expand(text, &lookup).text;
    assert_eq!(text("x${A}y${A}"), "xvalyval");
    assert_eq!(text(r"\${A}"), "${A}");
    assert_eq!(text(r"\\${A}"), r"\val");
    assert_eq!(text(r"\\\${A}"), r"\${A}");
    assert_eq!(text("${NO}"), "${NO}");
    assert_eq!(text("${NO?}${A?}"), "val");
    assert_eq!(text("${NO:-x}"), "${NO:-x}");
    assert_eq!(text("${}${${A}}$A${A"), "${}${val}$A${A");
    let expanded = expand("${A}${NO}${NO2?}", &lookup);
    assert_eq!(
        expanded,
        Expanded {
            text: "val${NO}".to_owned(),
            used: ["A", "NO", "NO2"].map(str::to_owned).to_vec(),
            unset: vec!["NO".to_owned()],
        }
    );
}

#[test]
fn expansion_is_not_repeated() {
    let config =
        Layers { user: "tag=${A}", env: &[("A", "${B}"), ("B", "no")], ..Layers::default() }
            .config();
    assert_eq!(config.tag().unwrap(), "${B}");
}
