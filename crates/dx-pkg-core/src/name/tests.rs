use super::*;

#[test]
fn scope_and_bare_name_are_distinguished() {
    let scoped = PackageName::parse("@scope/name").unwrap();
    assert_eq!((scoped.scope(), scoped.bare()), (Some("@scope"), "name"));
    let bare = PackageName::parse("name").unwrap();
    assert_eq!((bare.scope(), bare.bare()), (None, "name"));
}

#[test]
fn names_that_traverse_or_shadow_are_refused() {
    for name in [
        "",
        ".",
        "..",
        "../a",
        "/a",
        "a/b",
        "a/../b",
        "@a/..",
        "@a/../b",
        "@../..",
        "a\\b",
        "@a\\b/c",
        "a\0",
        ".bin",
        ".dx",
        "@a/.bin",
        "node_modules",
        "NODE_MODULES",
        "@a/node_modules",
        "favicon.ico",
        "-rf",
        "_a",
        "a:b",
        "C:",
        "a%2f..",
        "a b",
        " a",
        "é",
        "@a",
        "@/a",
        "@a/",
    ] {
        assert!(PackageName::parse(name).is_err(), "{name:?}");
    }
}

#[test]
fn names_are_at_most_214_bytes() {
    assert!(PackageName::parse(&"a".repeat(214)).is_ok());
    assert!(PackageName::parse(&"a".repeat(215)).is_err());
}

#[test]
fn names_older_than_todays_rules_can_be_installed() {
    for name in ["JSONStream", "http", "wasi", "left!pad", "@scope/it's"] {
        assert!(PackageName::parse(name).is_ok(), "{name}");
    }
}

#[test]
fn a_map_of_names_is_looked_up_by_text() {
    let names = std::collections::BTreeMap::from([(PackageName::parse("a").unwrap(), 1)]);
    assert_eq!(names.get("a"), Some(&1));
}

#[test]
fn errors_name_the_text_and_the_rule() {
    let error = PackageName::parse("..").unwrap_err();
    assert_eq!(error.to_string(), "\"..\" is not a package name: it begins with a dot");
    assert_eq!((error.name(), error.code()), ("..", "DX_INVALID_NAME"));
}
