//! Retry delays: exponential back-off with jitter, and the server's `Retry-After`.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

#[cfg(test)]
mod tests;

/// The number of tries, and the delays between them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// The number of tries, the first included (`fetch-retries` + 1).
    pub tries: u32,
    /// The delay before the second try (`fetch-retry-mintimeout`).
    pub first_delay: Duration,
    /// The factor by which each further delay grows (`fetch-retry-factor`).
    pub factor: f64,
    /// The longest delay of the back-off (`fetch-retry-maxtimeout`).
    pub longest_delay: Duration,
    /// The longest delay that a server may ask for.
    pub longest_retry_after: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            tries: 3,
            first_delay: Duration::from_millis(100),
            factor: 2.0,
            longest_delay: Duration::from_secs(60),
            longest_retry_after: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// Returns the delay after the `failed`th try (from 1): the back-off within a quarter either
    /// way, or the server's `Retry-After` if that is longer.
    #[must_use]
    pub fn delay(&self, failed: u32, retry_after: Option<Duration>) -> Duration {
        const GROWTHS: u32 = 64;
        let (factor, longest) = (self.factor.max(1.0), self.longest_delay.as_secs_f64());
        let grow = |delay: f64, _| (delay * factor).min(longest);
        let base = (1..failed.min(GROWTHS)).fold(self.first_delay.as_secs_f64().min(longest), grow);
        let own = Duration::from_secs_f64(base * (0.75 + 0.5 * random_fraction()));
        own.max(retry_after.unwrap_or_default().min(self.longest_retry_after))
    }
}

/// Parses `Retry-After` (RFC 9110 §10.2.3), seconds or a date, into a delay from `now`.
pub(crate) fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Returns a number in 0..1, random enough to keep clients out of step.
fn random_fraction() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1u64 << 53) as f64
}
