use std::collections::HashSet;

use super::*;

#[test]
fn an_entry_is_named_by_the_first_byte_and_all_digits() {
    let id = PackageId::from_bytes([0xab; 32]);
    let name = EntryName::of_package(id, ".dxp");
    assert_eq!(name.as_str(), format!("ab/{}.dxp", "ab".repeat(32)));
    assert_eq!(name.as_ref().parent(), Some(Path::new("ab")));
    assert_eq!(EntryName::of_package(id, "").as_str(), format!("ab/{}", "ab".repeat(32)));
    assert_eq!(EntryName::of_digest([0xab; 32], ".dxp").as_str(), name.as_str());
    let longest = EntryName::of_digest([0; 32], ".license");
    assert!(longest.as_str().ends_with("0.license"));
}

#[test]
fn a_digest_is_read_from_its_own_digits_only() {
    assert_eq!(digest_from_hex(&"ab".repeat(32)), Some([0xab; 32]));
    for text in ["", "ab", &"AB".repeat(32), &"ab".repeat(33), &"xy".repeat(32)] {
        assert_eq!(digest_from_hex(text), None, "{text}");
    }
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
