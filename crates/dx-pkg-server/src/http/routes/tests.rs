use super::*;

fn parts(pattern: &'static str, path: &str) -> Option<(String, Vec<(&'static str, String)>)> {
    let pattern: Vec<&str> = pattern.split('/').filter(|segment| !segment.is_empty()).collect();
    let segments = crate::http::path::segments(path).ok()?;
    match fit(&pattern, &segments) {
        Match::Fits(parts) => {
            Some((parts.name.map(|name| name.to_string()).unwrap_or_default(), parts.values))
        }
        Match::BadName(rule) => Some((format!("bad: {rule}"), Vec::new())),
        Match::No => None,
    }
}

#[test]
fn a_scoped_name_is_the_same_in_one_segment_and_in_two() {
    for path in ["/@s%2fn", "/@s%2Fn", "/@s/n", "/%40s%2fn", "/%40s/n"] {
        assert_eq!(parts("/{name}", path), Some(("@s/n".to_owned(), vec![])), "{path}");
        let version = parts("/{name}/{version}", &format!("{path}/1.0.0"));
        assert_eq!(version, Some(("@s/n".to_owned(), vec![("version", "1.0.0".to_owned())])));
        let file = parts("/{name}/-/{file}", &format!("{path}/-/n-1.0.0.tgz"));
        assert_eq!(file, Some(("@s/n".to_owned(), vec![("file", "n-1.0.0.tgz".to_owned())])));
    }
    assert_eq!(parts("/{name}/{version}", "/@s/n").map(|found| found.0.starts_with("bad")), None);
}

#[test]
fn names_that_break_a_rule_are_told_from_paths_that_fit_nothing() {
    assert_eq!(parts("/{name}", "/-"), None);
    assert_eq!(parts("/{name}", "/a/b"), None);
    for path in ["/.hidden", "/_users", "/a;b", "/@s", "/a%25b", "/a b"] {
        assert!(parts("/{name}", path).is_some_and(|found| found.0.starts_with("bad")), "{path}");
    }
}

#[test]
fn paths_that_lead_elsewhere_are_refused() {
    for path in [
        "//a",
        "/a//b",
        "/a/../b",
        "/a/%2e%2e/b",
        "/%2e%2e%2f%2e%2e%2fetc",
        "/%2F%2F..%2F",
        "/a/",
        "/a%00",
        "/a\\b",
        "/a%5c..%5cb",
        "/@s%2f..",
        "/@s%2f%2e%2e%2fb",
        "/@%2fn",
        "/a%",
        "/a%g1",
        "/%ff",
        "/a/-/..%2f..%2fb.tgz",
        "/-/package/..%2f/dist-tags",
        "/a%0d%0ab",
        "/@s%2f",
    ] {
        assert!(crate::http::path::segments(path).is_err(), "{path}");
    }
    assert_eq!(crate::http::path::segments("/-/ui/").unwrap(), ["-", "ui"]);
    assert_eq!(crate::http::path::segments("/").unwrap(), Vec::<String>::new());
}
