use super::{to_json, value_of};

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn pairs_become_an_object_and_positions_an_array() {
    assert_eq!(
        to_json(&pairs(&[("node", ">=18"), ("npm", ">=\"9\"")])).unwrap(),
        r#"{"node":">=18","npm":">=\"9\""}"#
    );
    let unordered = pairs(&[("node", ">=1"), ("iojs", "*")]);
    assert_eq!(to_json(&unordered).unwrap(), r#"{"iojs":"*","node":">=1"}"#);
    assert_eq!(to_json(&pairs(&[("0", "node >= 0.8.0")])).unwrap(), r#"["node >= 0.8.0"]"#);
    assert_eq!(to_json(&[]), None);
}

#[test]
fn a_value_is_found_by_its_key() {
    assert_eq!(value_of(r#"{"npm":"^9","node":"\u003e=18"}"#, "node").unwrap(), ">=18");
    assert_eq!(value_of(r#"{"npm":"node"}"#, "node"), None);
    assert_eq!(value_of(r#"["node >= 1"]"#, "node"), None);
    assert_eq!(value_of("{", "node"), None);
}
