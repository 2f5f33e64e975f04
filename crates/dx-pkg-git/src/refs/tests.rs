use super::*;

fn refs(lines: &[(char, &str)]) -> Refs {
    let line = |(digit, name): &(char, &str)| format!("{}\t{name}\n", digit.to_string().repeat(40));
    Refs::parse(&lines.iter().map(line).collect::<String>())
}

fn digit(commit: Option<&Commit>) -> Option<char> {
    commit.and_then(|commit| commit.as_str().chars().next())
}

#[test]
fn names_of_refs_are_shortened_as_in_npm() {
    let refs = refs(&[
        ('1', "HEAD"),
        ('1', "refs/heads/main"),
        ('2', "refs/heads/feature/x"),
        ('3', "refs/pull/7/head"),
        ('4', "refs/pull/7/merge"),
        ('5', "refs/tags/v1.0.0"),
        ('6', "refs/tags/v1.0.0^{}"),
    ]);
    for (name, expected) in [
        ("main", Some('1')),
        ("feature/x", Some('2')),
        ("refs/heads/feature/x", Some('2')),
        ("pull/7", Some('3')),
        ("pull/7/merge", Some('4')),
        // The commit, not the tag's own object.
        ("v1.0.0", Some('6')),
        ("x", None),
    ] {
        assert_eq!(digit(refs.named(name)), expected, "{name}");
    }
    assert_eq!(digit(refs.named(&"2".repeat(40))), Some('2'));
}

#[test]
fn a_branch_that_is_named_as_another_ref_does_not_hide_it() {
    let refs = refs(&[
        ('1', "HEAD"),
        ('2', "refs/heads/HEAD"),
        ('1', "refs/heads/main"),
        ('3', "refs/heads/refs/heads/main"),
        ('4', "refs/heads/refs/tags/v1.0.0"),
        ('5', "refs/tags/v1.0.0"),
    ]);
    assert_eq!(digit(refs.head()), Some('1'));
    assert_eq!(digit(refs.named("HEAD")), Some('1'));
    assert_eq!(digit(refs.named("main")), Some('1'));
    assert_eq!(digit(refs.named("refs/heads/main")), Some('1'));
    assert_eq!(digit(refs.named("refs/heads/refs/heads/main")), Some('3'));
    assert_eq!(digit(refs.named("refs/tags/v1.0.0")), Some('5'));
    assert_eq!(digit(refs.in_range(&Range::parse("*").unwrap())), Some('5'));
}

#[test]
fn ranges_choose_among_version_tags() {
    let tags = refs(&[
        ('1', "HEAD"),
        ('2', "refs/tags/v1.0.0"),
        ('3', "refs/tags/1.2.0"),
        ('4', "refs/tags/release-v2.0.0"),
        ('5', "refs/tags/v3.0.0-rc.1"),
        ('6', "refs/tags/pkg@1.3.0"),
        ('7', "refs/tags/v9"),
    ]);
    for (range, expected) in [
        ("^1.0.0", Some('6')),
        ("~1.0", Some('2')),
        ("*", Some('4')),
        (">=3.0.0-rc.0", Some('5')),
        ("^9", None),
    ] {
        let range = Range::parse(range).unwrap();
        assert_eq!(digit(tags.in_range(&range)), expected, "{range:?}");
    }
}

#[test]
fn version_of_the_default_branch_is_preferred() {
    let tags = refs(&[('1', "HEAD"), ('1', "refs/tags/v1.1.0"), ('2', "refs/tags/v1.2.0")]);
    assert_eq!(digit(tags.in_range(&Range::parse("^1").unwrap())), Some('1'));
    assert_eq!(digit(tags.in_range(&Range::parse("^1.2").unwrap())), Some('2'));
}

#[test]
fn what_is_no_ref_is_left_out() {
    let refs = Refs::parse("warning: redirecting\n0123\trefs/heads/x\n-u\trefs/heads/y\n\n");
    assert!(refs.named("x").is_none() && refs.named("y").is_none() && refs.head().is_none());
}
