//! Lines of any text as the headers of an answer: how long it may be used, and when to ask again.

#[allow(dead_code, reason = "one of two functions is asked")]
#[path = "../../crates/dx-pkg-compat/src/npm_registry/freshness.rs"]
mod freshness;
#[allow(dead_code, reason = "delays are not slept here")]
#[path = "../../crates/dx-pkg-fetch/src/retry.rs"]
mod retry;

use dx_pkg_fetch::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest time that is believed, in milliseconds: a day.
const DAY: u64 = 24 * 3_600_000;

pub(crate) fn run(data: &[u8]) {
    let now: SystemTime = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(32) {
        let text = String::from_utf8_lossy(line);
        if let Some(delay) = retry::parse_retry_after(&text, now) {
            assert!(text.trim().parse::<u64>().is_err() || delay.subsec_nanos() == 0);
            let policy = retry::RetryPolicy::default();
            assert!(policy.delay(1, Some(delay)) <= Duration::from_secs(75), "{text:?}");
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    let lifetime = freshness::lifetime(&headers);
    assert!(lifetime.fresh_for_ms <= DAY && lifetime.stale_for_ms <= DAY, "{lifetime:?}");
}
