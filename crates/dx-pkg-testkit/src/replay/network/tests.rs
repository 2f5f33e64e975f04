use super::{BURST, Line, Network};
use std::time::Duration;
use tokio::time::Instant;

#[test]
fn all_who_send_share_the_bandwidth_in_their_order() {
    let line = Line::new(Network { round_trip: Duration::ZERO, bits_per_second: Some(8_000_000) });
    let now = Instant::now();
    // A megabyte a second: each thousand bytes take a millisecond, and the burst goes ahead at
    // once.
    assert_eq!(line.reserve(2_000, now), None);
    assert_eq!(line.reserve(3_000, now), Some(now + Duration::from_millis(5) - BURST));
    assert_eq!(line.reserve(1_000, now), Some(now + Duration::from_millis(6) - BURST));
}

#[test]
fn a_line_that_was_idle_saves_nothing_up() {
    let line = Line::new(Network { round_trip: Duration::ZERO, bits_per_second: Some(8_000_000) });
    let later = Instant::now() + Duration::from_secs(10);
    assert_eq!(line.reserve(10_000, later), Some(later + Duration::from_millis(10) - BURST));
}

#[test]
fn without_a_limit_nothing_waits() {
    let line = Line::new(Network::default());
    assert_eq!(line.reserve(usize::MAX, Instant::now()), None);
}
