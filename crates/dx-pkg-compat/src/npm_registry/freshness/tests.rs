use super::*;

fn of(cache_control: &str, age: Option<&str>) -> (u64, u64) {
    let Lifetime { fresh_for_ms, stale_for_ms } = lifetime(Some(cache_control), age);
    (fresh_for_ms / 1000, stale_for_ms / 1000)
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
    assert_eq!(lifetime(None, None), Lifetime { fresh_for_ms: 300_000, stale_for_ms: 0 });
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
