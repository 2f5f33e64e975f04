use super::*;
use dx_pkg_testkit::require;

/// The order of every ASCII character by `Intl.Collator('en')`, as node prints it.
const NODE_ORDER: &str = "\t\n\u{b}\u{c}\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789\
    aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyYzZ";

/// Compares against lines that `fixtures/collation.mjs` wrote; returns how many there were.
fn check(lines: &str) -> usize {
    let mut checked = 0;
    for line in lines.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [a, b, expected] = fields[..] else { panic!("three fields in {line}") };
        let (a, b) = (
            serde_json::from_str::<String>(a).unwrap(),
            serde_json::from_str::<String>(b).unwrap(),
        );
        let expected = expected.parse::<i8>().unwrap().cmp(&0);
        assert_eq!(locale_compare(&a, &b), expected, "{line}");
        assert_eq!(locale_compare(&b, &a), expected.reverse(), "{line} reversed");
        checked += 1;
    }
    checked
}

#[test]
fn agrees_with_node_on_recorded_pairs() {
    assert_eq!(check(include_str!("../../fixtures/collation.tsv")), 600);
}

#[test]
#[cfg_attr(miri, ignore = "Miri starts no programs")]
fn agrees_with_node_on_many_pairs() {
    if !require::node() {
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/collation.mjs");
    let pairs = require::output("node", [script, "100000", "42"]).unwrap();
    assert!(check(&pairs) >= 100_000);
}

#[test]
fn every_ascii_character_has_nodes_place() {
    let characters: Vec<String> = NODE_ORDER.chars().map(String::from).collect();
    for (i, a) in characters.iter().enumerate() {
        for (j, b) in characters.iter().enumerate() {
            assert_eq!(locale_compare(a, b), i.cmp(&j), "{a:?} {b:?}");
        }
    }
    for control in (0..9_u8).chain(14..32).chain([127]) {
        assert_eq!(locale_compare(&char::from(control).to_string(), ""), Ordering::Equal);
    }
}

#[test]
fn case_decides_only_when_nothing_else_does() {
    assert_eq!(locale_compare("Ab", "aB"), Ordering::Greater);
    assert_eq!(locale_compare("A", "aa"), Ordering::Less);
    assert_eq!(locale_compare("node_modules/React", "node_modules/react"), Ordering::Greater);
    assert_eq!(
        locale_compare("node_modules/React", "node_modules/react/node_modules/x"),
        Ordering::Less
    );
}

#[test]
fn accents_come_after_the_base_letter_and_before_the_next() {
    // As Intl.Collator('en') orders them.
    for pair in ["e", "E", "é", "É", "e2", "é3", "f", "z", "α"].windows(2) {
        assert_eq!(locale_compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
    }
    assert_eq!(locale_compare("packages/cafe\u{301}", "packages/café"), Ordering::Equal);
}
