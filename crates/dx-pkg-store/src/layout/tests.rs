use std::collections::HashSet;

use super::*;

#[test]
fn a_sharded_name_is_its_first_byte_and_itself() {
    let id = PackageId::from_bytes([0xab; 32]);
    let sharded = Sharded::new(id, ".dxp");
    assert_eq!(sharded.as_str(), format!("ab/{}.dxp", "ab".repeat(32)));
    assert_eq!(sharded.shard(), "ab");
    assert_eq!(Sharded::new(id, "").as_str(), format!("ab/{}", "ab".repeat(32)));
}

#[test]
fn names_that_differ_only_in_case_differ_when_case_is_ignored() {
    let names =
        ["JSONStream", "jsonstream", "jsonStream", "j!s", "J!s", "!js", "@a/b", "@a+b", "a%2f"];
    let escaped: HashSet<_> = names.iter().map(|name| escaped(name).to_lowercase()).collect();
    assert_eq!(escaped.len(), names.len());
}

#[test]
fn an_escaped_name_is_one_segment_and_not_too_long() {
    for name in
        ["@scope/name", "a\\b", "a\0b", "a:b", "ü", "../..", &"X".repeat(214), &"x".repeat(214)]
    {
        let escaped = escaped(name);
        assert!(escaped.len() <= 120, "{escaped}");
        assert!(!escaped.contains(['/', '\\', ':', '\0']), "{escaped}");
        assert!(escaped.is_ascii());
    }
    assert_eq!(escaped("@scope/name"), "@scope+name");
}

#[test]
fn long_names_with_the_same_beginning_differ() {
    assert_ne!(
        escaped(&format!("{}a", "x".repeat(200))),
        escaped(&format!("{}b", "x".repeat(200)))
    );
}
