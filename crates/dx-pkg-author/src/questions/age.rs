//! How long ago something was, in words.

use std::time::{SystemTime, UNIX_EPOCH};

use dx_pkg_compat::npmrc::milliseconds_of;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
const MONTH: i64 = 30 * DAY;
const YEAR: i64 = 365 * DAY;

/// Returns how long ago the time of a packument was, in npm's words.
pub(super) fn ago(time: &str) -> Option<String> {
    let then = i64::try_from(milliseconds_of(time)?).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_millis();
    Some(words(i64::try_from(now).ok()?, then))
}

fn words(now: i64, then: i64) -> String {
    let seconds = |then: i64| ((now - then).abs() + 500) / 1000;
    let (then, delta) = match seconds(then) {
        // Days begin at midnight.
        delta if delta > DAY && delta < WEEK => {
            let midnight = then - then.rem_euclid(DAY * 1000);
            (midnight, seconds(midnight))
        }
        delta => (then, delta),
    };
    let is_past = now >= then;
    let relative = |text: String| {
        if is_past { format!("{text} ago") } else { format!("{text} from now") }
    };
    let count = |unit: i64, name: &str| relative(format!("{} {name}", delta / unit));
    match delta {
        ..30 => "just now".to_owned(),
        30..MINUTE => count(1, "seconds"),
        _ if delta < 2 * MINUTE => relative("a minute".to_owned()),
        _ if delta < HOUR => count(MINUTE, "minutes"),
        _ if delta / HOUR == 1 => relative("an hour".to_owned()),
        _ if delta < DAY => count(HOUR, "hours"),
        _ if delta < 2 * DAY => (if is_past { "yesterday" } else { "tomorrow" }).to_owned(),
        _ if delta < WEEK => count(DAY, "days"),
        _ if delta / WEEK == 1 => relative("a week".to_owned()),
        _ if delta < MONTH => count(WEEK, "weeks"),
        _ if delta / MONTH == 1 => relative("a month".to_owned()),
        _ if delta < YEAR => count(MONTH, "months"),
        _ if delta / YEAR == 1 => relative("a year".to_owned()),
        _ => relative("over a year".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_npms_words() {
        let now = 1_800_000_000_000;
        for (seconds, expected) in [
            (0, "just now"),
            (45, "45 seconds ago"),
            (90, "a minute ago"),
            (20 * MINUTE, "20 minutes ago"),
            (HOUR, "an hour ago"),
            (5 * HOUR, "5 hours ago"),
            (WEEK, "a week ago"),
            (15 * DAY, "2 weeks ago"),
            (40 * DAY, "a month ago"),
            (100 * DAY, "3 months ago"),
            (YEAR, "a year ago"),
            (3 * YEAR, "over a year ago"),
            (-2 * HOUR, "2 hours from now"),
        ] {
            assert_eq!(words(now, now - seconds * 1000), expected, "{seconds}");
        }
    }
}
