//! What `git ls-remote` of git 2.47 writes, in a golden file, and what is read from it.

use dx_pkg_core::Range;
use dx_pkg_git::{Commit, Refs};

const LISTED: &str = include_str!("../golden/ls-remote.txt");

const SECOND: &str = "7593460498a1e19877c40ba8a5f9bbe1268e5da0";
const THIRD: &str = "45348a58414446afde22271a0972df737c00810f";
/// The commit that the annotated tag `v1.0.0` is of.
const FIRST: &str = "78a52b4b724b056d0164d678a5d27f667060fa71";

#[test]
fn every_ref_of_a_listing_is_found_by_its_names() {
    let refs = Refs::parse(LISTED);
    assert_eq!(refs.head().map(Commit::as_str), Some(THIRD));
    for (name, expected) in [
        ("main", Some(THIRD)),
        ("refs/heads/main", Some(THIRD)),
        ("feature/x", Some(SECOND)),
        ("pull/7", Some(SECOND)),
        ("pull/7/merge", Some(THIRD)),
        ("v1.0.0", Some(FIRST)),
        ("refs/tags/v1.0.0", Some(FIRST)),
        ("1.1.0", Some(SECOND)),
        ("refs/notes/commits", Some(SECOND)),
        ("notes/commits", None),
        (SECOND, Some(SECOND)),
        // The tag's own object is no commit.
        ("fa1779320b35982d91e84600691decdc4a910aca", None),
    ] {
        assert_eq!(refs.named(name).map(Commit::as_str), expected, "{name}");
    }
}

#[test]
fn ranges_find_the_versions_among_the_tags_of_a_listing() {
    let refs = Refs::parse(LISTED);
    for (range, expected) in [
        ("1.0.x", Some(FIRST)),
        ("~1.1.0", Some(THIRD)),
        ("1.1.0", Some(SECOND)),
        (">=2.0.0-rc.0", Some(SECOND)),
        ("^9.0.0", None),
    ] {
        let found = refs.in_range(&Range::parse(range).unwrap());
        assert_eq!(found.map(Commit::as_str), expected, "{range}");
    }
}

#[test]
fn last_of_many_tags_of_one_version_counts() {
    let line = |n: u32| format!("{n:040x}\trefs/tags/{n}-v1.{}.0\n", n % 2);
    let refs = Refs::parse(&(0..50_000).map(line).collect::<String>());
    for (range, last) in [("1.0.0", 49_998), ("1.1.0", 49_999)] {
        let found = refs.in_range(&Range::parse(range).unwrap());
        assert_eq!(found.map(Commit::as_str), Some(&*format!("{last:040x}")), "{range}");
    }
}
