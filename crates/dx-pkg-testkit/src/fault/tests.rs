use super::{Fault, FaultHandle, Rule, matches};
use std::sync::Arc;

#[test]
fn star_matches_any_run_of_characters() {
    for (pattern, path, expected) in [
        ("/a", "/a", true),
        ("/a", "/ab", false),
        ("*", "/anything/at/all", true),
        ("*.tgz", "/a/-/a-1.0.0.tgz", true),
        ("*.tgz", "/a", false),
        ("/a/*", "/a/-/a-1.0.0.tgz", true),
        ("/@s/*/-/*", "/@s/a/-/a-1.0.0.tgz", true),
        ("/*b", "/abcb", true),
    ] {
        assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
    }
}

#[test]
fn times_and_every_limit_the_requests_struck() {
    let handle = FaultHandle { rule: Arc::new(Rule::new("/a", Fault::Drop)) }.every(2).times(2);
    let struck: Vec<bool> = (0..8).map(|_| handle.rule.strikes("/a")).collect();
    assert_eq!(struck, [false, true, false, true, false, false, false, false]);
    assert_eq!(handle.hits(), 2);
}
