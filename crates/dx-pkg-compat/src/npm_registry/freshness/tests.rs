use super::*;

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn seconds(lifetime: Lifetime) -> (u64, u64) {
    (lifetime.fresh_for_ms / 1000, lifetime.stale_for_ms / 1000)
}

fn of(cache_control: &str, age: Option<&str>) -> (u64, u64) {
    let mut lines = vec![("cache-control", cache_control)];
    lines.extend(age.map(|age| ("age", age)));
    seconds(lifetime(&headers(&lines)))
}

#[test]
fn what_the_registry_says_is_obeyed() {
    for (cache_control, expected) in [
        ("public, max-age=77", (77, 0)),
        ("MAX-AGE=\"5\" , Stale-While-Revalidate=60", (5, 60)),
        ("stale-while-revalidate=60", (300, 60)),
        ("max-age=0, stale-while-revalidate=600", (0, 600)),
        ("max-age=5, stale-while-revalidate=60, must-revalidate", (5, 0)),
        ("max-age=5, stale-while-revalidate=60, no-cache", (0, 0)),
        ("no-store", (0, 0)),
        ("max-age=soon, stale-while-revalidate=later", (0, 0)),
        ("public", (300, 0)),
        ("max-age=99999999, stale-while-revalidate=99999999", (86_400, 86_400)),
    ] {
        assert_eq!(of(cache_control, None), expected, "{cache_control}");
    }
    assert_eq!(seconds(lifetime(&headers(&[]))), (300, 0));
}

#[test]
fn the_age_in_a_cache_on_the_way_counts_against_both_times() {
    let cache_control = "max-age=100, stale-while-revalidate=50";
    for (age, expected) in
        [("0", (100, 50)), ("30", (70, 50)), ("100", (0, 50)), ("120", (0, 30)), ("900", (0, 0))]
    {
        assert_eq!(of(cache_control, Some(age)), expected, "{age}");
    }
}

#[test]
fn every_line_of_cache_control_counts() {
    let lines = headers(&[("cache-control", "public"), ("cache-control", "max-age=7")]);
    assert_eq!(seconds(lifetime(&lines)), (7, 0));
    let lines = headers(&[("cache-control", "max-age=7"), ("cache-control", "no-cache")]);
    assert_eq!(seconds(lifetime(&lines)), (0, 0));
}

#[test]
fn expires_counts_where_there_is_no_max_age() {
    let date = ("date", "Mon, 27 Jul 2026 10:00:00 GMT");
    let later = ("expires", "Mon, 27 Jul 2026 10:01:40 GMT");
    for (lines, expected) in [
        (vec![date, later], (100, 0)),
        (vec![date, later, ("age", "40")], (60, 0)),
        (vec![date, later, ("cache-control", "public")], (100, 0)),
        (vec![date, later, ("cache-control", "max-age=9")], (9, 0)),
        (vec![date, ("expires", "Mon, 27 Jul 2026 09:00:00 GMT")], (0, 0)),
        (vec![("expires", "0")], (0, 0)),
        (vec![("expires", "-1")], (0, 0)),
        (vec![("pragma", "no-cache")], (0, 0)),
        (vec![("pragma", "no-cache"), ("cache-control", "max-age=9")], (9, 0)),
    ] {
        assert_eq!(seconds(lifetime(&headers(&lines))), expected, "{lines:?}");
    }
}

#[test]
fn an_answer_that_tells_no_lifetime_is_known_as_such() {
    for lines in [vec![], vec![("age", "5")], vec![("cache-control", " ")], vec![("pragma", "x")]] {
        assert_eq!(told_lifetime(&headers(&lines)), None, "{lines:?}");
    }
    assert!(told_lifetime(&headers(&[("cache-control", "public")])).is_some());
}
