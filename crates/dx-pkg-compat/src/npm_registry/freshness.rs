//! How long an answer may be used without asking again (RFC 9111, for a private cache), and how
//! long after that while asking (RFC 5861).

use dx_pkg_fetch::Response;
use dx_pkg_fetch::header::{AGE, CACHE_CONTROL};
use dx_pkg_registry::Lifetime;

/// What a registry that says nothing gets, in milliseconds: what npm's public registry says itself.
const DEFAULT_MS: u64 = 300_000;

/// The most that is believed, in milliseconds: a packument is never final.
const LONGEST_MS: u64 = 24 * 3_600_000;

/// The remaining lifetime of `response`.
pub(super) fn lifetime_of(response: &Response) -> Lifetime {
    lifetime(response.header(CACHE_CONTROL), response.header(AGE))
}

pub(super) fn lifetime(cache_control: Option<&str>, age: Option<&str>) -> Lifetime {
    let (mut max_age, mut stale, mut strict) = (None, 0, false);
    for directive in cache_control.unwrap_or_default().split(',') {
        let (key, value) = directive.split_once('=').unwrap_or((directive, ""));
        let seconds = || value.trim().trim_matches('"').parse::<u64>().unwrap_or(0);
        match key.trim().to_ascii_lowercase().as_str() {
            "no-cache" | "no-store" => return Lifetime::default(),
            "max-age" => max_age = Some(seconds()),
            "stale-while-revalidate" => stale = seconds(),
            "must-revalidate" => strict = true,
            _ => {}
        }
    }
    // Part of the lifetime may have passed in a cache on the way, and of the time after it as well.
    let age = age.and_then(|age| age.trim().parse::<u64>().ok()).unwrap_or(0);
    let (fresh_for_ms, over) = match max_age {
        None => (DEFAULT_MS, 0),
        Some(seconds) => (milliseconds(seconds.saturating_sub(age)), age.saturating_sub(seconds)),
    };
    let stale = if strict { 0 } else { stale.saturating_sub(over) };
    Lifetime { fresh_for_ms, stale_for_ms: milliseconds(stale) }
}

fn milliseconds(seconds: u64) -> u64 {
    seconds.saturating_mul(1000).min(LONGEST_MS)
}

#[cfg(test)]
mod tests;
