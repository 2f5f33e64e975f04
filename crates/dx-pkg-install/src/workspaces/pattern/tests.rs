use super::{Patterns, expand};

/// What npm's minimatch 10.2.5 matches: the names, then a pattern and its matches in each line.
const MINIMATCH: &str = include_str!("minimatch.tsv");

fn patterns(texts: &[&str]) -> Patterns {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    Patterns::parse(&texts).unwrap()
}

fn matching<'n>(texts: &[&str], names: &[&'n str]) -> Vec<&'n str> {
    let patterns = patterns(texts);
    names.iter().copied().filter(|name| patterns.matches(name)).collect()
}

#[test]
fn segments_match_as_with_npm() {
    let mut lines = MINIMATCH.lines().map(|line| line.split_once('\t').unwrap());
    let (_, names) = lines.next().unwrap();
    for (pattern, expected) in lines {
        let expected: Vec<&str> = expected.split_whitespace().collect();
        // An exclamation mark at the beginning would exclude.
        let patterns = patterns(&[&format!("p/{pattern}")]);
        let found: Vec<&str> =
            names.split(' ').filter(|name| patterns.matches(&format!("p/{name}"))).collect();
        assert_eq!(found, expected, "{pattern}");
    }
}

#[test]
fn braces_stand_for_several_patterns() {
    for (pattern, expected) in [
        ("{a,b}/*", vec!["a/*", "b/*"]),
        ("{a,b}{c,d}", vec!["ac", "ad", "bc", "bd"]),
        ("x{,y}", vec!["x", "xy"]),
        ("{a/{b,c},d}", vec!["a/b", "a/c", "d"]),
        ("{1..3}", vec!["1", "2", "3"]),
        ("{08..10}", vec!["08", "09", "10"]),
        ("{3..1}", vec!["3", "2", "1"]),
        ("{a..e..2}", vec!["a", "c", "e"]),
        ("{a", vec!["{a"]),
        ("{a}", vec!["{a}"]),
        ("{a,{b}}", vec!["a", "{b}"]),
        ("{a,{b,c}", vec!["{a,b", "{a,c"]),
        ("}{a,b}", vec!["}a", "}b"]),
    ] {
        assert_eq!(expand(pattern).unwrap(), expected, "{pattern}");
    }
}

#[test]
fn too_many_braces_are_an_error() {
    let many = "{a,b}".repeat(20);
    for pattern in [many.as_str(), "{1..99999999}", "{1..1000}{1..1000}"] {
        assert_eq!(Patterns::parse(&[pattern.to_owned()]).unwrap_err(), pattern);
    }
    assert!(expand("{1..5000}").is_some());
}

#[test]
fn stars_match_across_folders() {
    let names = ["a", "a/b", "a/b/c", "a/.h", "a/.h/c", "a/node_modules/c", ".h", "b/c"];
    assert_eq!(matching(&["a/**"], &names), ["a", "a/b", "a/b/c"]);
    assert_eq!(matching(&["**/c"], &names), ["a/b/c", "b/c"]);
    assert_eq!(matching(&["a/.h/*"], &names), ["a/.h/c"]);
    assert_eq!(matching(&["**/**/c"], &names), ["a/b/c", "b/c"]);
    assert_eq!(matching(&["./a/", "/b//c"], &names), ["a", "b/c"]);
    assert_eq!(matching(&["a/b**"], &names), ["a/b"]);
    assert_eq!(matching(&[".", ""], &names), [""; 0]);
}

#[test]
fn exclusions_count_wherever_they_stand() {
    let names = ["p/a", "p/b", "p/.c", "p/b/x"];
    for order in [["p/*", "!p/b"], ["!p/b", "p/*"], ["p/*", "!./p/b/"], ["p/*", "!!!p/@(b)"]] {
        assert_eq!(matching(&order, &names), ["p/a"], "{order:?}");
    }
    assert_eq!(matching(&["p/**", "!p/b/**"], &names), ["p/a"]);
    assert_eq!(matching(&["p/**", "!**/{x,a}"], &names), ["p/b"]);
    assert_eq!(matching(&["p/.c", "!p/*"], &names), [""; 0], "wildcards exclude hidden ones too");
    assert_eq!(matching(&["p/{a,b}", "!!p/b/x"], &names), ["p/a", "p/b", "p/b/x"]);
}

#[test]
fn a_pattern_brings_back_what_was_excluded_before_it() {
    let names = ["p/a", "p/b/a", "p/b/c"];
    assert_eq!(matching(&["p/**", "!p/b/**", "p/b/a"], &names), names);
    assert_eq!(matching(&["p/**", "p/b/a", "!p/b/**"], &names), ["p/a"]);
}

#[test]
fn no_pattern_takes_long() {
    let name = format!("p/{}", "a".repeat(200));
    for pattern in ["p/*a*a*a*a*a*a*a*a*a*a*b", "p/+(a|aa|+(a))b", "p/*(*(*(*(a))))b"] {
        assert!(!patterns(&[pattern]).matches(&name), "{pattern}");
    }
}

#[test]
fn many_double_stars_take_no_more_than_quadratic_time() {
    let stars = format!("{}b", "**/a/".repeat(40));
    let patterns = Patterns::parse(&[stars]).unwrap();
    assert!(!patterns.matches(&"a/".repeat(400)));
    assert!(patterns.matches(&format!("{}b", "a/".repeat(400))));
    assert!(!patterns.matches(&format!("{}b", "a/".repeat(39))));
}

#[test]
fn a_name_that_double_stars_skip_may_be_matched_by_a_segment() {
    let patterns = Patterns::parse(&["**/@(a|.h)/**/b".to_owned()]).unwrap();
    assert!(patterns.matches("a/.h/b") && patterns.matches("a/b"));
    assert!(!patterns.matches("a/.x/b"));
}
