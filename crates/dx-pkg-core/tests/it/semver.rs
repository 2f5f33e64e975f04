//! Versions and ranges, compared with the results of npm's `semver` package;
//! `tests/oracle/semver.cjs` writes the record.

use std::cmp::Ordering;

use dx_pkg_core::{Range, Version};
use dx_pkg_testkit::require;

/// The number of compared results of a record, and those that differ.
#[derive(Default)]
struct Comparison {
    versions: usize,
    ranges: usize,
    satisfies: usize,
    intersects: usize,
    orders: usize,
    differences: Vec<String>,
}

/// The versions and ranges of a record's current round.
#[derive(Default)]
struct Round {
    versions: Vec<(String, Version)>,
    ranges: Vec<(String, Range)>,
}

impl Comparison {
    fn of(record: &str) -> Self {
        let mut comparison = Self::default();
        for round in record.split("\nend\n") {
            let mut known = Round::default();
            // Ranges are compared with each other, so all of a round are read before the first
            // result.
            for line in round.lines() {
                comparison.introduce(&mut known, line);
            }
            for line in round.lines() {
                comparison.answer(&known, line);
            }
        }
        comparison
    }

    fn introduce(&mut self, round: &mut Round, line: &str) {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields[..] {
            ["version", text, strict, loose] => {
                self.versions += 1;
                let printed = |version: Result<Version, _>| {
                    version.map_or("-".into(), |version| version.to_string())
                };
                self.expect(strict, &printed(Version::parse(text)), || {
                    format!("strict version {text:?}")
                });
                self.expect(loose, &printed(Version::parse_loose(text)), || {
                    format!("loose version {text:?}")
                });
                if loose != "-" {
                    round.versions.push((text.to_owned(), Version::parse_loose(text).expect(text)));
                }
            }
            ["range", text, normalised] => {
                self.ranges += 1;
                let parsed = Range::parse(text);
                let printed = parsed.as_ref().map_or("-".into(), |range| range.to_string());
                self.expect(normalised, &printed, || format!("range {text:?}"));
                if normalised != "-" {
                    round.ranges.push((text.to_owned(), parsed.unwrap_or_else(|_| Range::any())));
                }
            }
            _ => {}
        }
    }

    fn answer(&mut self, round: &Round, line: &str) {
        let fields: Vec<&str> = line.split('\t').collect();
        let range_of = |text| {
            &round
                .ranges
                .iter()
                .find(|(known, _)| known == text)
                .expect("a range introduced before")
                .1
        };
        match fields[..] {
            ["satisfies", text, plain, including] => {
                let range = range_of(text);
                self.satisfies += plain.len() + including.len();
                self.bits(
                    plain,
                    &round.versions,
                    |version| range.satisfies(version),
                    || format!("{text:?} allows"),
                );
                self.bits(
                    including,
                    &round.versions,
                    |version| range.satisfies_including_prerelease(version),
                    || format!("{text:?} allows, including prereleases,"),
                );
            }
            ["intersects", text, bits] => {
                let range = range_of(text);
                self.intersects += bits.len();
                self.bits(
                    bits,
                    &round.ranges,
                    |other| range.intersects(other),
                    || format!("{text:?} intersects"),
                );
            }
            ["order", text, signs] => {
                let (_, version) =
                    round.versions.iter().find(|(known, _)| known == text).expect("a version");
                self.orders += signs.len();
                for (sign, (other_text, other)) in signs.chars().zip(&round.versions) {
                    let expected = match sign {
                        '<' => Ordering::Less,
                        '>' => Ordering::Greater,
                        _ => Ordering::Equal,
                    };
                    self.expect(
                        &format!("{expected:?}"),
                        &format!("{:?}", version.cmp(other)),
                        || format!("order of {text:?} and {other_text:?}"),
                    );
                }
            }
            _ => {}
        }
    }

    fn bits<T>(
        &mut self,
        bits: &str,
        items: &[(String, T)],
        mut test: impl FnMut(&T) -> bool,
        what: impl Fn() -> String,
    ) {
        assert_eq!(bits.len(), items.len(), "{}", what());
        for (bit, (text, item)) in bits.chars().zip(items) {
            self.expect(
                if bit == '1' { "yes" } else { "no" },
                if test(item) { "yes" } else { "no" },
                || format!("{} {text:?}", what()),
            );
        }
    }

    fn expect(&mut self, expected: &str, actual: &str, what: impl Fn() -> String) {
        if expected != actual {
            self.differences.push(format!("{}: npm says {expected}, dx says {actual}", what()));
        }
    }

    fn summary(&self) -> String {
        format!(
            "{} versions, {} ranges, {} satisfies, {} intersects, {} orders; {} differences{}",
            self.versions,
            self.ranges,
            self.satisfies,
            self.intersects,
            self.orders,
            self.differences.len(),
            self.differences
                .iter()
                .take(40)
                .map(|difference| format!("\n  {difference}"))
                .collect::<String>(),
        )
    }
}

#[test]
fn agrees_with_npm_on_the_recorded_answers() {
    let comparison = Comparison::of(include_str!("../fixtures/semver.txt"));
    assert!(
        comparison.satisfies > 10_000 && comparison.intersects > 10_000,
        "{}",
        comparison.summary()
    );
    assert!(comparison.differences.is_empty(), "{}", comparison.summary());
}

#[test]
fn agrees_with_npm_on_generated_versions_and_ranges() {
    let Some(npm) = require::npm_11_folder() else { return };
    let semver = npm.join("node_modules/semver").display().to_string();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/semver.cjs");
    let record = require::output("node", [script, &semver, "random", "1", "3"]).unwrap();
    let comparison = Comparison::of(&record);
    assert!(
        comparison.satisfies >= 100_000 && comparison.intersects >= 20_000,
        "{}",
        comparison.summary()
    );
    assert!(comparison.differences.is_empty(), "{}", comparison.summary());
}

#[test]
#[ignore = "run by `cargo xtask compare semver`, which names a record in SEMVER_ORACLE"]
fn agrees_with_npm_on_a_large_record() {
    let path = std::env::var("SEMVER_ORACLE")
        .expect("SEMVER_ORACLE names a record of tests/oracle/semver.cjs");
    let comparison = Comparison::of(&std::fs::read_to_string(&path).expect(&path));
    assert!(
        comparison.satisfies >= 100_000 && comparison.intersects >= 20_000,
        "{}",
        comparison.summary()
    );
    assert!(comparison.differences.is_empty(), "{}", comparison.summary());
    std::fs::write(format!("{path}.summary"), comparison.summary())
        .expect("the summary beside the record");
}
