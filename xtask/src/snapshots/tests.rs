use super::{accept, parse};

fn accepted(source: &str, line: usize, snapshot: &str) -> String {
    accept(source, &[(line, snapshot.to_owned())].into()).unwrap()
}

#[test]
fn literals_of_every_form_are_replaced() {
    for literal in ["\"\"", "\"a \\\" b\"", "r\"a\"", "r#\"\n  a \"b\"\n\"#"] {
        let source = format!("fn f() {{\n    assert_snapshot!(a(), @{literal});\n}}\n");
        assert_eq!(
            accepted(&source, 2, "new"),
            "fn f() {\n    assert_snapshot!(a(), @\"new\");\n}\n"
        );
    }
}

#[test]
fn several_lines_are_indented_and_quotes_kept() {
    assert_eq!(
        accepted("    s!(a(), @\"\");\n", 1, "one\n\n  \"two\"#"),
        "    s!(a(), @r##\"\n    one\n\n      \"two\"#\n    \"##);\n"
    );
    assert_eq!(accepted("s!(a(), @\"\");\n", 1, "a \"b\""), "s!(a(), @r#\"a \"b\"\"#);\n");
}

#[test]
fn assertions_are_found_by_their_lines_and_the_last_text_wins() {
    let pending = "{\"line\":2,\"new\":{\"snapshot\":\"old\"}}\n\
        {\"line\":1,\"new\":{\"snapshot\":\"x\\ny\"}}\n\
        {\"line\":2,\"new\":{\"snapshot\":\"new\"}}\n{\"line\":3,\"new\":null}\n";
    let source = "s!(a, @\"\");\ns!(\n  b, @\"\");\ns!(c, @\"c\");\n";
    assert_eq!(
        accept(source, &parse(pending).unwrap()).unwrap(),
        "s!(a, @r\"\nx\ny\n\");\ns!(\n  b, @\"new\");\ns!(c, @\"c\");\n"
    );
}

#[test]
fn line_without_a_snapshot_is_an_error() {
    assert_eq!(accept("a\n", &[(1, String::new())].into()).unwrap_err(), "1: no inline snapshot");
}
