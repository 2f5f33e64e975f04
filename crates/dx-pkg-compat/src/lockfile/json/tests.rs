use super::*;

fn pretty(text: &str) -> String {
    let mut value = Value::parse(text);
    value.sort();
    let mut out = String::new();
    value.write(&mut out, Format::default(), 0);
    out
}

#[test]
fn members_come_in_npms_order() {
    // As json-stringify-nice orders them: array indices, then the preferred keys, then all others;
    // objects last.
    let text = r#"{"z":1,"b":{},"a":[{"version":1,"name":2,"aa":3}],"dependencies":{},"Z":0,"10":0,"9":{},"name":0,"01":0}"#;
    assert_eq!(
        canonical(text),
        r#"{"9":{},"10":0,"name":0,"01":0,"a":[{"name":2,"version":1,"aa":3}],"z":1,"Z":0,"dependencies":{},"b":{}}"#
    );
}

#[test]
fn text_is_escaped_as_json_stringify_does() {
    let quoted = |text| {
        let mut out = String::new();
        quote(&mut out, text);
        out
    };
    let escaped = "\"\\b\\f\\n\\r\\t\\\"\\\\/<>é\u{2028}\\u0001\u{7f}\"";
    assert_eq!(quoted("\u{8}\u{c}\n\r\t\"\\/<>é\u{2028}\u{1}\u{7f}"), escaped);
    assert_eq!(quoted("<é>\u{2028}\u{7f}/"), "\"<é>\u{2028}\u{7f}/\"");
}

#[test]
fn numbers_are_printed_as_javascript_prints_them() {
    let printed: Vec<String> =
        ["1.0", "1e3", "1e21", "1.5e-7", "-0.0", "0.1", "123456789012", "1e-6", "2.5E+22"]
            .iter()
            .map(|text| canonical(text))
            .collect();
    assert_eq!(
        printed,
        ["1", "1000", "1e+21", "1.5e-7", "0", "0.1", "123456789012", "0.000001", "2.5e+22"]
    );
}

#[test]
fn empty_values_stay_on_one_line() {
    assert_eq!(
        pretty(r#"{"a":{},"b":[],"c":[1]}"#),
        "{\n  \"b\": [],\n  \"c\": [\n    1\n  ],\n  \"a\": {}\n}"
    );
}

#[test]
fn last_of_equal_keys_counts() {
    let object = Object::parse(r#"{"b":1,"a":1,"b":2}"#).unwrap();
    assert_eq!(object.get("b").unwrap().get(), "2");
    assert_eq!(object.0.len(), 2);
    assert!(object.get("c").is_none());
}

#[test]
fn layout_is_taken_from_the_first_line_break() {
    let of = |text| {
        let format = Format::of(text);
        (format.indent, format.newline)
    };
    assert_eq!(of("{\n\t\"a\": 1\n}"), ("\t", "\n"));
    assert_eq!(of("\u{feff}{\r\n    \"a\": 1\r\n}"), ("    ", "\r\n"));
    assert_eq!(of("{\"a\":1}"), ("  ", "\n"));
    assert_eq!(of("{\n\"a\":1}"), ("  ", "\n"));
    assert_eq!(of("{}\r\n"), ("  ", "\n"));
    assert_eq!(of("{\n            \"a\":1}"), ("          ", "\n"));
}
