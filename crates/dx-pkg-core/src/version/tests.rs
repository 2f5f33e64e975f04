use super::*;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

#[test]
fn parts_of_a_version_are_distinguished() {
    let version = version("1.20.300-alpha.7.b-c+build.1-2");
    assert_eq!((version.major(), version.minor(), version.patch()), (1, 20, 300));
    let alpha = Identifier::Text("alpha".into());
    assert_eq!(
        version.prerelease(),
        [alpha, Identifier::Numeric(7), Identifier::Text("b-c".into())]
    );
    assert!(version.is_prerelease());
    assert_eq!(version.to_string(), "1.20.300-alpha.7.b-c");
}

#[test]
fn releases_have_no_prerelease() {
    let version = version("1.2.3+build-1");
    assert_eq!(version.prerelease(), []);
    assert!(!version.is_prerelease());
    assert_eq!(version, Version::new(1, 2, 3));
}

#[test]
fn build_metadata_takes_no_part_in_equality_or_order() {
    assert_eq!(version("1.2.3+a"), version("1.2.3+b"));
    assert_eq!(version("1.2.3-x+a").cmp(&version("1.2.3-x")), Ordering::Equal);
}

#[test]
fn order_is_that_of_the_specification() {
    let ascending = [
        "0.0.0-0",
        "0.0.0",
        "1.0.0-0",
        "1.0.0-1",
        "1.0.0-10",
        "1.0.0-9007199254740991",
        "1.0.0-90071992547409910",
        "1.0.0--",
        "1.0.0-Alpha",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-alpha-1",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.1.0",
        "1.10.0",
        "2.0.0",
    ];
    for (index, lower) in ascending.iter().enumerate() {
        for higher in &ascending[index + 1..] {
            assert!(version(lower) < version(higher), "{lower} < {higher}");
        }
    }
}

#[test]
fn large_numeric_identifiers_are_compared_exactly() {
    assert!(version("1.0.0-20240101123456789") > version("1.0.0-20240101123456788"));
    assert!(version("1.0.0-20240101123456788.2") < version("1.0.0-20240101123456789.1"));
    assert_eq!(version("1.0.0-20240101123456789").to_string(), "1.0.0-20240101123456789");
}

#[test]
fn strict_reading_allows_space_around_and_one_v() {
    for text in [" 1.2.3\n", "v1.2.3", "\u{feff}1.2.3\u{a0}", "\tv1.2.3+a"] {
        assert_eq!(version(text), Version::new(1, 2, 3), "{text:?}");
    }
    for text in [
        "=1.2.3",
        "vv1.2.3",
        "v 1.2.3",
        "01.2.3",
        "1.2.3-01",
        "1.2.3beta",
        "1.2",
        "1.2.3.4",
        "\u{85}1.2.3",
        "",
    ] {
        assert!(Version::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn loose_reading_repairs_what_npm_repairs() {
    for (text, canonical) in [
        ("=1.2.3", "1.2.3"),
        ("v = v1.2.3", "1.2.3"),
        ("01.02.03", "1.2.3"),
        ("1.2.3beta", "1.2.3-beta"),
        ("1.2.3-01", "1.2.3-1"),
        ("1.2.3-", "1.2.3--"),
        ("1.2.34.5", "1.2.3-4.5"),
    ] {
        assert_eq!(Version::parse_loose(text).unwrap().to_string(), canonical, "{text:?}");
    }
    // A number that is too large stays text, zeros included, which only loose mode reads again.
    let large = "1.2.3-099999999999999999";
    assert_eq!(Version::parse_loose(large).unwrap().to_string(), large);
    assert!(Version::parse(large).is_err());
    for text in ["1.2.3.4", "1.2", "1.2.x", "1.2.3-a..b", "1.2.3 beta", "latest"] {
        assert!(Version::parse_loose(text).is_err(), "{text:?}");
    }
}

#[test]
fn numbers_end_at_the_largest_safe_integer() {
    assert_eq!(version("9007199254740991.0.0").major(), MAX_NUMBER);
    for text in ["9007199254740992.0.0", "0.9007199254740992.0", "0.0.99999999999999999999999"] {
        assert!(matches!(Version::parse(text), Err(VersionError::NumberTooLarge { .. })), "{text}");
    }
}

#[test]
fn texts_end_at_256_characters() {
    let longest = format!("1.2.3-{}", "a".repeat(250));
    assert_eq!(version(&longest).to_string(), longest);
    let error = Version::parse(&format!("{longest}a")).unwrap_err();
    assert_eq!(error, VersionError::TooLong { length: 257 });
    assert_eq!(error.code(), "DX_INVALID_VERSION");
}

#[test]
fn cloning_shares_the_prerelease() {
    let original = version("1.2.3-alpha.1");
    let clone = original.clone();
    assert!(std::ptr::eq(original.prerelease(), clone.prerelease()));
}

#[test]
fn errors_name_the_text() {
    assert_eq!(
        Version::parse("one").unwrap_err().to_string(),
        "cannot read \"one\" as a version: expected MAJOR.MINOR.PATCH, such as 1.2.3 or 1.2.3-beta.1"
    );
}
