//! Lines of any text as ranges and as versions: what is read is written so that it reads the same,
//! and what two ranges allow, their common part allows.

use dx_pkg_core::{Identifier, Range, Version};

/// More lines than this say nothing more, and pairs of them take long.
const MOST: usize = 12;

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = || text.lines().take(MOST);
    let ranges: Vec<Range> = lines().filter_map(|line| Range::parse(line).ok()).collect();
    let versions: Vec<Version> =
        lines().filter_map(|line| Version::parse_loose(line).ok()).collect();
    for line in lines() {
        if let Ok(version) = Version::parse(line) {
            assert_eq!(Version::parse_loose(line).as_ref(), Ok(&version), "{line:?}");
        }
    }
    for version in &versions {
        let written = version.to_string();
        assert_eq!(Version::parse_loose(&written).as_ref(), Ok(version), "{written:?}");
        // npm keeps a number that is too large as it was written, and only loose mode reads zeros
        // before a number.
        if !has_leading_zero(version) {
            assert_eq!(Version::parse(&written).as_ref(), Ok(version), "{written:?}");
        }
        // A version is the range of itself.
        let range = Range::parse(&written).expect("a version is a range");
        assert!(range.satisfies(version), "{written:?}");
    }
    for range in &ranges {
        let again = Range::parse(&range.to_string()).expect("a range is written as one");
        for version in &versions {
            let fits = range.satisfies(version);
            assert_eq!(again.satisfies(version), fits, "{range} {version}");
            assert!(!fits || range.satisfies_including_prerelease(version), "{range} {version}");
            assert!(
                range.exact().is_none_or(|exact| !fits
                    || exact.to_string() == version.to_string()
                    || exact == version),
                "{range} {version}"
            );
        }
        for other in &ranges {
            let meet = range.intersects(other);
            // npm denies that an exact prerelease meets a range, depending on the order, and that
            // anything meets what is below a prerelease of 0.0.0.
            let is_denied = |range| names_exact_prerelease(range) || is_below_zero(range);
            let is_denied = is_denied(range) || is_denied(other);
            assert!(is_denied || other.intersects(range) == meet, "{range} {other}");
            let both = versions
                .iter()
                .find(|version| range.satisfies(version) && other.satisfies(version));
            assert!(
                meet || is_denied || both.is_none(),
                "{range} and {other} allow {}",
                both.expect("some")
            );
        }
    }
}

/// Returns whether a range has an exact prerelease among its comparators.
fn names_exact_prerelease(range: &Range) -> bool {
    let written = range.to_string();
    let mut words = written.split([' ', '|']);
    words.any(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('-'))
}

/// Returns whether a range has a comparator below 0.0.0 or a prerelease of it.
fn is_below_zero(range: &Range) -> bool {
    range.to_string().split([' ', '|']).any(|word| word.starts_with("<0.0.0"))
}

/// Returns whether a part of a prerelease is digits of which the first is a zero that counts for
/// nothing.
fn has_leading_zero(version: &Version) -> bool {
    version.prerelease().iter().any(|part| match part {
        Identifier::Numeric(_) => false,
        Identifier::Text(text) => {
            text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
        }
    })
}
