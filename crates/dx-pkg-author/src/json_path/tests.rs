use super::*;
use serde_json::json;

#[test]
fn brackets_hold_one_key_and_dots_separate_keys() {
    let key = |text: &str| Step::Key(text.to_owned());
    assert_eq!(steps("a.b"), [key("a"), key("b")]);
    assert_eq!(steps("foo.bar[1.0.0].a.b"), ["foo", "bar", "1.0.0", "a", "b"].map(key));
    assert_eq!(steps("exports[.].require"), ["exports", ".", "require"].map(key));
    assert_eq!(steps("a[b][c]"), ["a", "b", "c"].map(key));
    assert_eq!(steps("a[].b"), [key("a"), Step::Append, key("b")]);
    assert_eq!(steps("a[]"), [key("a"), Step::Append]);
    assert_eq!(steps("a[0][]"), [key("a"), key("0"), Step::Append]);
}

#[test]
fn new_items_go_to_the_end_of_a_list() {
    let mut data = json!({ "keywords": ["a"] });
    set(&mut data, "keywords[]", json!("b"), false).unwrap();
    set(&mut data, "contributors[].name", json!("x"), false).unwrap();
    set(&mut data, "contributors[2].name", json!("z"), false).unwrap();
    let contributors = json!([{ "name": "x" }, null, { "name": "z" }]);
    assert_eq!(data, json!({ "keywords": ["a", "b"], "contributors": contributors }));
}

#[test]
fn what_is_in_the_way_is_replaced_by_force_only() {
    let mut data = json!({ "name": "x", "list": ["a"] });
    assert!(set(&mut data, "name.b", json!(1), false).is_err());
    assert!(set(&mut data, "list.b", json!(1), false).is_err());
    assert!(set(&mut data, "name[]", json!(1), false).is_err());
    assert!(set(&mut data, "__proto__.b", json!(1), true).is_err());
    set(&mut data, "name.b", json!(1), true).unwrap();
    set(&mut data, "list.b", json!(1), true).unwrap();
    assert_eq!(data, json!({ "name": { "b": 1 }, "list": { "0": "a", "b": 1 } }));
}

/// As npm 12.2.2 has it.
#[test]
fn texts_have_a_length_and_characters() {
    let data = json!({ "name": "hé\u{1f600}", "list": ["a", "bcd"], "n": 3 });
    let one = |path: &str| get(&data, path).unwrap();
    let found = |path: &str, value: Value| vec![(path.to_owned(), Some(value))];
    assert_eq!(one("name.length"), found("name.length", json!(4)));
    assert_eq!(one("name[0]"), found("name[0]", json!("h")));
    assert_eq!(one("list[1].length"), found("list[1].length", json!(3)));
    let lengths = one("list.length").into_iter().map(|(_, value)| value.unwrap());
    assert_eq!(lengths.collect::<Vec<_>>(), [json!(1), json!(3)]);
    for path in ["n.length", "name.toString", "name.length.x", "name[9]"] {
        assert_eq!(one(path), [], "{path}");
    }
}
