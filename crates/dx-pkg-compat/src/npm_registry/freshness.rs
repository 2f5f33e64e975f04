//! How long an answer may be used without asking again (RFC 9111, for a private cache).

use dx_pkg_fetch::Response;
use dx_pkg_fetch::header::{AGE, CACHE_CONTROL};

/// What a registry that says nothing gets, in milliseconds: what npm's public registry says itself.
const DEFAULT_MS: u64 = 300_000;

/// The most that is believed, in milliseconds: a packument is never final.
const LONGEST_MS: u64 = 24 * 3_600_000;

/// The remaining lifetime of `response`, in milliseconds.
pub(super) fn fresh_for_ms(response: &Response) -> u64 {
    lifetime_ms(response.header(CACHE_CONTROL), response.header(AGE))
}

pub(super) fn lifetime_ms(cache_control: Option<&str>, age: Option<&str>) -> u64 {
    let Some(cache_control) = cache_control else {
        return DEFAULT_MS;
    };
    let mut max_age = None;
    for directive in cache_control.split(',') {
        let (key, value) = directive.split_once('=').unwrap_or((directive, ""));
        match key.trim().to_ascii_lowercase().as_str() {
            "no-cache" | "no-store" => return 0,
            "max-age" => max_age = value.trim().trim_matches('"').parse::<u64>().ok().or(Some(0)),
            _ => {}
        }
    }
    let Some(max_age) = max_age else {
        return DEFAULT_MS;
    };
    // Part of the lifetime may have passed in a cache on the way.
    let age = age.and_then(|age| age.trim().parse::<u64>().ok()).unwrap_or(0);
    max_age.saturating_sub(age).saturating_mul(1000).min(LONGEST_MS)
}
