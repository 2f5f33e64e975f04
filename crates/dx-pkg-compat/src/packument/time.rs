//! The ISO 8601 times of packuments.

/// Parses a time such as `2015-02-23T19:26:31.011Z` into milliseconds since 1970; `None` for other
/// forms and before 1970.
pub(super) fn milliseconds(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        bytes.get(from..to)?.iter().try_fold(0, |value, digit| {
            digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0'))
        })
    };
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators.iter().any(|(at, separator)| bytes.get(*at) != Some(separator)) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour <= 24
        && minute <= 59
        && second <= 60;
    if !in_range {
        return None;
    }
    let (fraction, zone) = fraction_and_zone(bytes.get(19..)?)?;
    let minutes =
        (days_since_1970(year, month, day) * 24 + hour) * 60 + minute - zone_minutes(zone)?;
    u64::try_from((minutes * 60 + second) * 1000 + fraction).ok()
}

/// Splits `.011Z` into milliseconds and the zone.
fn fraction_and_zone(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = rest.strip_prefix(b".") else {
        return Some((0, rest));
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, zone) = rest.split_at_checked(digits)?;
    let padded = fraction.iter().copied().chain([b'0'; 3]).take(3);
    let milliseconds = padded.fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some((milliseconds, zone))
}

/// Returns the minutes that `Z`, `+02:00` or `-0530` is ahead of UTC.
fn zone_minutes(zone: &[u8]) -> Option<i64> {
    let digits: Vec<i64> = zone
        .iter()
        .skip(1)
        .filter(|byte| **byte != b':')
        .map(|byte| byte.is_ascii_digit().then(|| i64::from(byte - b'0')))
        .collect::<Option<_>>()?;
    match (zone.first()?, digits.as_slice()) {
        (b'Z', []) => Some(0),
        (sign @ (b'+' | b'-'), [a, b, c, d]) => {
            let minutes = (a * 10 + b) * 60 + c * 10 + d;
            Some(if *sign == b'+' { minutes } else { -minutes })
        }
        _ => None,
    }
}

/// Returns the days since 1970-01-01 in the Gregorian calendar; years begin in March, so that leap
/// days come last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let leap_days = year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    const BEFORE_1970: i64 = 719_468;
    year * 365 + leap_days + day_of_year - BEFORE_1970
}
