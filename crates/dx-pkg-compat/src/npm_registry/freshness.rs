//! How long an answer may be used without asking again (RFC 9111, for a private cache), and how
//! long after that while asking (RFC 5861).

use dx_pkg_fetch::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName, PRAGMA};
use dx_pkg_registry::Lifetime;
use std::time::SystemTime;

/// What a registry that says nothing gets, in milliseconds: what npm's public registry says itself.
const DEFAULT_MS: u64 = 300_000;

/// The most that is believed, in milliseconds: a packument is never final.
const LONGEST_MS: u64 = 24 * 3_600_000;

/// The remaining lifetime of an answer that came just now.
pub(super) fn lifetime(headers: &HeaderMap) -> Lifetime {
    told_lifetime(headers).unwrap_or(Lifetime { fresh_for_ms: DEFAULT_MS, stale_for_ms: 0 })
}

/// The remaining lifetime that an answer tells, if it tells any. A 304 that does not leaves the
/// lifetime of the answer that it confirms (RFC 9111 §4.3.4).
pub(super) fn told_lifetime(headers: &HeaderMap) -> Option<Lifetime> {
    let (mut max_age, mut stale, mut strict, mut is_told) = (None, 0, false, false);
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    for directive in lines.flat_map(|line| line.split(',')) {
        let (key, value) = directive.split_once('=').unwrap_or((directive, ""));
        let seconds = || value.trim().trim_matches('"').parse::<u64>().unwrap_or(0);
        is_told |= !directive.trim().is_empty();
        match key.trim().to_ascii_lowercase().as_str() {
            "no-cache" | "no-store" => return Some(Lifetime::default()),
            "max-age" => max_age = Some(seconds()),
            "stale-while-revalidate" => stale = seconds(),
            "must-revalidate" => strict = true,
            _ => {}
        }
    }
    if !is_told && text(headers, PRAGMA).is_some_and(|pragma| pragma.contains("no-cache")) {
        return Some(Lifetime::default());
    }
    if max_age.is_none() {
        max_age = until_expiry(headers);
    }
    if max_age.is_none() && !is_told {
        return None;
    }
    // Part of the lifetime may have passed in a cache on the way, and of the time after it as well.
    let age = text(headers, AGE).and_then(|age| age.trim().parse::<u64>().ok()).unwrap_or(0);
    let (fresh_for_ms, over) = match max_age {
        None => (DEFAULT_MS, 0),
        Some(seconds) => (milliseconds(seconds.saturating_sub(age)), age.saturating_sub(seconds)),
    };
    let stale = if strict { 0 } else { stale.saturating_sub(over) };
    Some(Lifetime { fresh_for_ms, stale_for_ms: milliseconds(stale) })
}

/// The seconds from `Date` to `Expires`; none where that is no date, as in the common `Expires: 0`.
fn until_expiry(headers: &HeaderMap) -> Option<u64> {
    let date = |text: &str| httpdate::parse_http_date(text.trim()).ok();
    let Some(end) = date(text(headers, EXPIRES)?) else {
        return Some(0);
    };
    let start = text(headers, DATE).and_then(date).unwrap_or_else(SystemTime::now);
    Some(end.duration_since(start).map_or(0, |left| left.as_secs()))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn milliseconds(seconds: u64) -> u64 {
    seconds.saturating_mul(1000).min(LONGEST_MS)
}

#[cfg(test)]
mod tests;
