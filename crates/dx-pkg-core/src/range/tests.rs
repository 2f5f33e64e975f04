use super::*;

fn range(text: &str) -> Range {
    Range::parse(text).unwrap()
}

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn assert_printed(cases: &[(&str, &str)]) {
    for (text, printed) in cases {
        assert_eq!(range(text).to_string(), *printed, "{text:?}");
    }
}

#[test]
fn carets_keep_the_first_number_that_is_not_zero() {
    assert_printed(&[
        ("^1.2.3", ">=1.2.3 <2.0.0-0"),
        ("^0.2.3", ">=0.2.3 <0.3.0-0"),
        ("^0.0.3", ">=0.0.3 <0.0.4-0"),
        ("^0.0.0", "<0.0.1-0"),
        ("^1.2", ">=1.2.0 <2.0.0-0"),
        ("^0.1", ">=0.1.0 <0.2.0-0"),
        ("^0", "<1.0.0-0"),
        ("^1.2.3-beta.2", ">=1.2.3-beta.2 <2.0.0-0"),
        ("^*", "*"),
    ]);
}

#[test]
fn tildes_keep_the_minor_number() {
    assert_printed(&[
        ("~1.2.3", ">=1.2.3 <1.3.0-0"),
        ("~1.2", ">=1.2.0 <1.3.0-0"),
        ("~1", ">=1.0.0 <2.0.0-0"),
        ("~> 1.2.3", ">=1.2.3 <1.3.0-0"),
        ("~1.2.3-beta", ">=1.2.3-beta <1.3.0-0"),
    ]);
}

#[test]
fn wildcards_stand_for_any_number() {
    assert_printed(&[
        ("", "*"),
        ("*", "*"),
        ("x", "*"),
        ("1", ">=1.0.0 <2.0.0-0"),
        ("1.2.X", ">=1.2.0 <1.3.0-0"),
        (">1", ">=2.0.0"),
        (">1.2", ">=1.3.0"),
        ("<=1.2", "<1.3.0-0"),
        ("<1.x", "<1.0.0-0"),
        (">=1", ">=1.0.0"),
        (">x", "<0.0.0-0"),
    ]);
}

#[test]
fn hyphens_join_two_bounds() {
    assert_printed(&[
        ("1.2.3 - 2.3.4", ">=1.2.3 <=2.3.4"),
        ("1.2 - 2.3", ">=1.2.0 <2.4.0-0"),
        ("1.2.3 - 2", ">=1.2.3 <3.0.0-0"),
        ("x - 2", "<3.0.0-0"),
        ("1.2.3-a - 2.3.4-b", ">=1.2.3-a <=2.3.4-b"),
    ]);
}

#[test]
fn alternatives_are_simplified() {
    assert_printed(&[
        ("1.2.3||2.x", "1.2.3||>=2.0.0 <3.0.0-0"),
        ("1.2.3 || *", "*"),
        ("1.2.3 ||", "*"),
        ("<0 || 1.2.3", "1.2.3"),
        ("<0 || >x", "<0.0.0-0"),
        ("1.2.3 1.2.3 *", "1.2.3"),
    ]);
}

#[test]
fn space_is_free() {
    assert_printed(&[("  >=  1.2.3\t<\n2  ", ">=1.2.3 <2.0.0-0"), ("^ 1.2.3", ">=1.2.3 <2.0.0-0")]);
    assert_eq!(range("  >=  1.2.3\t<\n2  ").text(), ">= 1.2.3 < 2");
}

#[test]
fn unreadable_parts_are_dropped_unless_nothing_is_left() {
    assert_printed(&[
        (">=1.2.3 foo <2", ">=1.2.3 <2.0.0-0"),
        ("foo || 1.2.3", "1.2.3"),
        ("> = 1.2.3", "1.2.3"),
    ]);
    for text in ["foo", "latest", "1.2.3.4", "1.x.3", ">", "foo || bar"] {
        assert!(matches!(Range::parse(text), Err(RangeError::Malformed { .. })), "{text:?}");
    }
}

#[test]
fn large_numbers_make_a_range_unreadable() {
    for text in [
        ">=9007199254740992",
        "^9007199254740991.0.0",
        "1.2.3 || >99999999999999999999999",
        "1.0.9007199254740992",
    ] {
        assert!(matches!(Range::parse(text), Err(RangeError::VersionTooLarge { .. })), "{text:?}");
    }
}

#[test]
fn a_prerelease_needs_a_comparator_that_names_one_of_its_release() {
    assert!(!range("*").satisfies(&version("1.2.3-beta")));
    assert!(!range(">=1.0.0").satisfies(&version("1.2.3-beta")));
    assert!(range("^1.2.3-alpha").satisfies(&version("1.2.3-beta")));
    assert!(!range("^1.2.3-alpha").satisfies(&version("1.2.4-beta")));
    assert!(range("^1.2.3-alpha").satisfies(&version("1.2.4")));
    assert!(!range("1.2.3-alpha || >=1.0.0").satisfies(&version("1.2.3-beta")));
    assert!(!range("<2.0.0").satisfies(&version("2.0.0-rc")));
}

#[test]
fn including_prereleases_moves_the_bounds() {
    assert!(range("*").satisfies_including_prerelease(&version("1.2.3-beta")));
    assert!(range("1.x").satisfies_including_prerelease(&version("1.0.0-beta")));
    assert!(!range("1.x").satisfies_including_prerelease(&version("2.0.0-beta")));
    assert!(!range("^1.0.0").satisfies_including_prerelease(&version("1.0.0-beta")));
    assert!(range("1.0.0 - 1.2.0").satisfies_including_prerelease(&version("1.0.0-beta")));
    assert!(
        !range("0.0.0 - 0.0.9007199254740991").satisfies_including_prerelease(&version("0.0.1"))
    );
}

#[test]
fn disjoint_ranges_do_not_intersect() {
    assert!(range("^1.2.0").intersects(&range(">=1.5.0 <3")));
    assert!(range("1.2.3").intersects(&range("~1.2")));
    assert!(!range("^1").intersects(&range("^2")));
    assert!(!range("1.2.3").intersects(&range(">1.2.3")));
    assert!(!range(">=1.2.3 <1.2.3").intersects(&range("*")));
    assert!(range("<1 || >3").intersects(&range("4")));
    // As npm has it, though 0.0.0-alpha satisfies both.
    assert!(!range("<0.0.0-beta").intersects(&range("<0.0.0-beta")));
}

#[test]
fn kinds_of_range_are_distinguished() {
    assert!(
        range("").is_any()
            && range("x || 1").is_any()
            && range(">=0.0.0").is_any()
            && Range::any().is_any()
    );
    assert!(!range(">=0.0.1").is_any());
    assert_eq!(range("=1.2.3").exact(), Some(&version("1.2.3")));
    assert_eq!(range("1.2.3 || 1.2.4").exact(), None);
    assert_eq!(range(">=1.2.3").exact(), None);
}

#[test]
fn equality_is_that_of_the_texts() {
    assert_eq!(range(" ^1  || 2"), range("^1 || 2"));
    assert_ne!(range("^1"), range("1.x"));
}

#[test]
fn errors_name_the_text() {
    let error = Range::parse("two").unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read \"two\" as a version range: expected something like ^1.2.3, 1.x or >=1.2.0 <2"
    );
    assert_eq!(error.code(), "DX_INVALID_RANGE");
}

#[test]
fn ranges_of_many_parts_are_read() {
    // A search for repeated parts that is quadratic takes minutes.
    let text: String = (0..200_000).map(|number| format!(">=0.{number}.0 ")).collect();
    assert!(range(&text).satisfies(&version("1.0.0")));
    assert_eq!(range(">=1.0.0 <2 >=1.0 >=1.0.0").to_string(), ">=1.0.0 <2.0.0-0");
}
