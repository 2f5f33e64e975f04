use super::*;

const MS: fn(u64) -> Duration = Duration::from_millis;

#[test]
fn delays_double_within_a_quarter_of_jitter() {
    let policy = RetryPolicy::default();
    for (failed, nominal) in [(1, 100), (2, 200), (3, 400)] {
        let delays: Vec<Duration> = (0..200).map(|_| policy.delay(failed, None)).collect();
        assert!(
            delays
                .iter()
                .all(|delay| *delay >= MS(nominal * 3 / 4) && *delay <= MS(nominal * 5 / 4))
        );
        assert!(delays.iter().any(|delay| *delay != delays[0]), "no jitter");
    }
}

#[test]
fn delay_never_exceeds_the_longest_by_more_than_the_jitter() {
    let policy = RetryPolicy { longest_delay: MS(500), ..RetryPolicy::default() };
    assert!(policy.delay(u32::MAX, None) <= MS(625));
}

#[test]
fn retry_after_is_obeyed_up_to_the_cap() {
    let policy = RetryPolicy::default();
    assert_eq!(policy.delay(1, Some(MS(7_000))), MS(7_000));
    assert_eq!(policy.delay(1, Some(Duration::from_secs(86_400))), policy.longest_retry_after);
}

#[test]
fn retry_after_is_read_as_seconds_and_as_a_date() {
    let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
    assert_eq!(parse_retry_after(" 12 ", now), Some(Duration::from_secs(12)));
    assert_eq!(
        parse_retry_after("Sun, 06 Nov 1994 08:50:07 GMT", now),
        Some(Duration::from_secs(30))
    );
    assert_eq!(parse_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO));
    assert_eq!(parse_retry_after("soon", now), None);
    assert_eq!(parse_retry_after("-1", now), None);
}
