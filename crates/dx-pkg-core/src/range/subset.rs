//! Whether a range is part of another one, as npm's `semver.subset` decides: by bounds, each
//! alternative within one alternative of the other.

use super::comparator::{Comparator, Operator};
use super::{Range, alternatives};
use crate::Version;

impl Range {
    /// Returns whether every version in this range is in `other`, by npm's rules, which compare
    /// bounds only: two alternatives that meet are not taken for one.
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self == other
            || alternatives(&self.0.comparators)
                .all(|part| alternatives(&other.0.comparators).any(|whole| is_within(part, whole)))
    }
}

/// Returns whether the alternative `part` is within `whole`.
fn is_within(part: &[Comparator], whole: &[Comparator]) -> bool {
    if let Some(only) = part.iter().find(|one| one.operator == Operator::Equal) {
        let version = &only.bound;
        return whole.iter().all(|one| one.accepts(version))
            && (!version.is_prerelease()
                || whole.iter().any(|one| one.names_prerelease_of(version)));
    }
    let (lower, upper) = (bound(part, true), bound(part, false));
    whole.iter().all(|one| match one.operator {
        Operator::Any => true,
        // Only one that is a single version itself is within it.
        Operator::Equal => false,
        Operator::Greater | Operator::GreaterOrEqual => {
            let least = Version::new(0, 0, 0);
            let (bound, includes) = lower.unwrap_or((&least, true));
            *bound > one.bound
                || *bound == one.bound && (!includes || one.operator == Operator::GreaterOrEqual)
        }
        Operator::Less | Operator::LessOrEqual => upper.is_some_and(|(bound, includes)| {
            *bound < one.bound
                || *bound == one.bound && (!includes || one.operator == Operator::LessOrEqual)
        }),
    })
}

/// Returns the narrowest lower or upper bound, and whether it is included.
fn bound(part: &[Comparator], is_lower: bool) -> Option<(&Version, bool)> {
    let mut narrowest: Option<(&Version, bool)> = None;
    for one in part {
        let includes = match one.operator {
            Operator::Greater if is_lower => false,
            Operator::GreaterOrEqual if is_lower => true,
            Operator::Less if !is_lower => false,
            Operator::LessOrEqual if !is_lower => true,
            _ => continue,
        };
        let is_narrower = narrowest.is_none_or(|(known, _)| match one.bound.cmp(known) {
            std::cmp::Ordering::Equal => !includes,
            order => (order == std::cmp::Ordering::Greater) == is_lower,
        });
        if is_narrower {
            narrowest = Some((&one.bound, includes));
        }
    }
    narrowest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subsets_are_those_of_npm() {
        let is_subset = |part: &str, whole: &str| {
            Range::parse(part).unwrap().is_subset_of(&Range::parse(whole).unwrap())
        };
        // Answered by semver.subset of npm 12.2.2.
        for (part, whole) in [
            ("^1.2.0", "^1"),
            ("1.x", "^1"),
            ("^1", "1.x"),
            ("1.2.3", "^1"),
            ("~1.2", ">=1 <2"),
            ("^1 || ^2", ">=1"),
            ("^1", "*"),
            (">1.2.0", ">=1.2.0"),
            ("<=1.2.0", "<2"),
            ("*", "*"),
            ("^1.2", "^1 || ^3"),
        ] {
            assert!(is_subset(part, whole), "{part} in {whole}");
        }
        for (part, whole) in [
            ("^1", "^1.2.0"),
            (">=1", "<2"),
            ("<2", ">=1"),
            ("*", "^1"),
            (">=1.2.0", ">1.2.0"),
            ("^1 || ^2", "^1"),
            ("^1", "1.2.3"),
            (">=1", "^1 || ^2"),
        ] {
            assert!(!is_subset(part, whole), "{part} in {whole}");
        }
    }
}
