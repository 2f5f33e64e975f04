//! Properties of versions and ranges that hold for every input.

use std::cmp::Ordering;

use dx_pkg_core::{PackageName, Range, Spec, Version};
use proptest::prelude::*;

fn release() -> impl Strategy<Value = String> {
    (0_u64..4, 0_u64..4, 0_u64..4)
        .prop_map(|(major, minor, patch)| format!("{major}.{minor}.{patch}"))
}

fn version() -> impl Strategy<Value = Version> {
    let identifier = prop_oneof!["0|[1-9][0-9]{0,20}", "[0-9]{0,2}[a-zA-Z-][0-9a-zA-Z-]{0,3}"];
    let prerelease = prop::collection::vec(identifier, 0..3);
    (release(), prerelease).prop_map(|(release, prerelease)| {
        let hyphen = if prerelease.is_empty() { "" } else { "-" };
        Version::parse(&format!("{release}{hyphen}{}", prerelease.join("."))).unwrap()
    })
}

fn range() -> impl Strategy<Value = Range> {
    let operator = prop::sample::select(vec!["", "^", "~", ">", ">=", "<", "<=", "="]);
    let bound = prop_oneof![
        4 => version().prop_map(|version| version.to_string()),
        2 => release(),
        1 => (0_u64..4).prop_map(|major| major.to_string()),
        1 => (0_u64..4, 0_u64..4).prop_map(|(major, minor)| format!("{major}.{minor}.x")),
    ];
    let comparator = (operator, bound).prop_map(|(operator, bound)| format!("{operator}{bound}"));
    let alternative = prop::collection::vec(comparator, 1..3).prop_map(|all| all.join(" "));
    prop::collection::vec(alternative, 1..3)
        .prop_map(|any| Range::parse(&any.join(" || ")).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_printed_version_reads_as_itself(version in version()) {
        let printed = version.to_string();
        prop_assert_eq!(&Version::parse(&printed).unwrap(), &version);
        prop_assert_eq!(&Version::parse_loose(&printed).unwrap(), &version);
        prop_assert_eq!(Version::parse(&format!("v{printed}+build.1")).unwrap().to_string(), printed);
    }

    #[test]
    fn order_is_total(one in version(), two in version(), three in version()) {
        prop_assert_eq!(one.cmp(&two), two.cmp(&one).reverse());
        prop_assert_eq!(one.cmp(&two) == Ordering::Equal, one == two);
        let mut sorted = [&one, &two, &three];
        sorted.sort();
        prop_assert!(sorted[0] <= sorted[1] && sorted[1] <= sorted[2] && sorted[0] <= sorted[2]);
    }

    #[test]
    fn prereleases_come_before_their_release(version in version()) {
        let release = Version::new(version.major(), version.minor(), version.patch());
        prop_assert_eq!(version < release, version.is_prerelease());
        let numbers = |version: &Version| (version.major(), version.minor(), version.patch());
        prop_assert_eq!(numbers(&version), numbers(&release));
    }

    #[test]
    fn bounds_are_those_of_the_order(version in version(), bound in version()) {
        let including = |operator| {
            Range::parse(&format!("{operator}{bound}")).unwrap().satisfies_including_prerelease(&version)
        };
        prop_assert_eq!(including(">"), version > bound);
        prop_assert_eq!(including(">="), version >= bound);
        prop_assert_eq!(including("<"), version < bound);
        prop_assert_eq!(including("<="), version <= bound);
        prop_assert_eq!(including("="), version == bound);
    }

    #[test]
    fn a_release_satisfies_both_ways_alike(range in range(), release in release()) {
        let release = Version::parse(&release).unwrap();
        prop_assert_eq!(range.satisfies(&release), range.satisfies_including_prerelease(&release));
    }

    #[test]
    fn a_prerelease_satisfies_only_a_range_that_names_one(range in range(), version in version()) {
        if version.is_prerelease() && range.satisfies(&version) {
            let release = format!("{}.{}.{}-", version.major(), version.minor(), version.patch());
            prop_assert!(range.to_string().contains(&release), "{} {}", range, version);
        }
    }

    #[test]
    fn the_printed_range_allows_the_same(range in range(), version in version()) {
        let printed = Range::parse(&range.to_string()).unwrap();
        prop_assert_eq!(printed.to_string(), range.to_string());
        prop_assert_eq!(printed.satisfies(&version), range.satisfies(&version));
    }

    #[test]
    fn ranges_with_a_release_in_common_intersect(
        one in range(),
        two in range(),
        release in release(),
    ) {
        let release = Version::parse(&release).unwrap();
        if one.satisfies(&release) && two.satisfies(&release) {
            prop_assert!(one.intersects(&two), "{} in {} and {}", release, one, two);
        }
    }

    #[test]
    fn intersecting_is_symmetric(one in range(), two in range()) {
        // npm's rules are not symmetric for `*` and an exact prerelease.
        prop_assume!(!one.is_any() && !two.is_any());
        prop_assert_eq!(one.intersects(&two), two.intersects(&one), "{} and {}", one, two);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in r"[0-9a-z.xX*^~<>=|+ @/:#%\\-]{0,40}|\PC{0,40}") {
        if let Ok(range) = Range::parse(&text) {
            range.satisfies_including_prerelease(&Version::new(1, 2, 3));
            prop_assert!(Range::parse(&range.to_string()).is_ok());
        }
        if let Ok(version) = Version::parse(&text) {
            prop_assert_eq!(Version::parse_loose(&text).unwrap(), version);
        }
        let _ = Spec::parse(&text);
        let _ = Spec::parse_argument(&text);
    }

    #[test]
    fn an_accepted_name_is_safe_as_a_path(name in r"[@a-zA-Z0-9._~!'()* /\\:-]{0,12}|\PC{0,12}") {
        if let Ok(parsed) = PackageName::parse(&name) {
            let segments: Vec<&str> = parsed.as_str().split('/').collect();
            prop_assert!(segments.len() <= 2);
            prop_assert_eq!(parsed.scope().is_some(), segments.len() == 2);
            let is_named = |segment: &&str| !segment.is_empty() && !segment.starts_with('.');
            prop_assert!(segments.iter().all(is_named));
            prop_assert!(!name.contains(['\\', ':', '\0', ' ', '%']));
        }
    }
}
