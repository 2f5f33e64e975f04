//! The least age of versions: npm's `before` and `min-release-age`, pnpm's `minimum-release-age`.

use std::path::Path;
use std::time::Duration;

use url::Url;

use super::combined::separated;
use super::entry::Entries;
use super::trust::AGES;
use super::value::{RawValue, Setting};
use super::{Config, ConfigError, Source};

/// The versions that are too new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseCutoff {
    /// Those published after this time, in milliseconds since 1970 UTC.
    Before(u64),
    /// Those published less than this long ago; zero allows every version.
    MinimumAge(Duration),
}

/// A date and time, in milliseconds since 1970 UTC.
pub(super) struct Date(u64);

impl Setting for Date {
    const ALLOWED: &'static str = "a date such as 2026-01-31 or 2026-01-31T12:00:00Z";

    fn read(value: &RawValue, _: Option<&Path>) -> Option<Date> {
        value.text().and_then(|text| milliseconds_of(&text)).map(Date)
    }
}

const MINUTE: f64 = 60.0;
const DAY: f64 = 24.0 * 60.0 * MINUTE;

/// The seconds in the unit of each of [`AGES`]; the first wins within one layer.
const UNITS: [Option<f64>; 3] = [None, Some(DAY), Some(MINUTE)];

impl Config {
    /// Returns the configured cutoffs, each of which a version must meet: of the three settings
    /// the one in the strongest layer, within a layer the first in this order: `before`,
    /// `min-release-age` (days), `minimum-release-age` (minutes). Where that is of a user's file, a
    /// project's file may add another. Empty where none is set.
    ///
    /// # Errors
    /// A value that is no date or number.
    pub fn release_cutoffs(&self) -> Result<Vec<ReleaseCutoff>, ConfigError> {
        let (source, own) = strongest(&self.inner.entries)?;
        let by_user = matches!(source, Some(Source::Global(_) | Source::User(_)));
        let also = if by_user { strongest(&self.inner.also_demanded)?.1 } else { None };
        Ok(own.into_iter().chain(also).collect())
    }

    /// Returns whether a registry's versions must have the usual age, where no setting names one:
    /// those of the built-in registry, and of the listed ones. What a company publishes on its own
    /// registry is needed at once.
    ///
    /// # Errors
    /// None today; a list of texts is read from any value.
    pub fn usual_age_applies(&self, registry: &Url) -> Result<bool, ConfigError> {
        let built_in = self.inner.default_registry.as_ref();
        if built_in.is_some_and(|built_in| built_in.host_str() == registry.host_str()) {
            return Ok(true);
        }
        let listed = separated(self.read("min-release-age-registries", Vec::new)?);
        let address = registry.as_str().trim_end_matches('/');
        Ok(listed.iter().any(|entry| entry.trim_end_matches('/') == address))
    }

    /// Returns the names and patterns of packages that the cutoff does not apply to.
    ///
    /// # Errors
    /// None today; a list of texts is read from any value.
    pub fn release_age_exclude(&self) -> Result<Vec<String>, ConfigError> {
        let mut names: Vec<String> = self.read("min-release-age-exclude", Vec::new)?;
        names.extend(self.read("minimum-release-age-exclude", Vec::<String>::new)?);
        Ok(separated(names))
    }
}

/// Returns the cutoff of the strongest layer, and that layer.
fn strongest(entries: &Entries) -> Result<(Option<&Source>, Option<ReleaseCutoff>), ConfigError> {
    let set = AGES.iter().zip(UNITS).rev().filter_map(|(key, unit)| {
        let entry = entries.get(*key)?;
        Some((key, unit, entry))
    });
    // Of equal layers `max_by_key` takes the last, hence the reversed order.
    let Some((key, unit, entry)) = set.max_by_key(|(_, _, entry)| &entry.source) else {
        return Ok((None, None));
    };
    let source = Some(&entry.source);
    if entry.value == RawValue::Null {
        return Ok((source, None));
    }
    match unit {
        None => {
            let date = Date::read(&entry.value, None);
            let invalid = || entry.invalid(key, Date::ALLOWED);
            let before = |Date(time)| (source, Some(ReleaseCutoff::Before(time)));
            date.map(before).ok_or_else(invalid)
        }
        Some(unit) => {
            let count = f64::read(&entry.value, None);
            let age = count.and_then(|count| Duration::try_from_secs_f64(count * unit).ok());
            let invalid = || entry.invalid(key, f64::ALLOWED);
            age.map(|age| (source, Some(ReleaseCutoff::MinimumAge(age)))).ok_or_else(invalid)
        }
    }
}

/// Parses an ISO 8601 date, with or without a time, into milliseconds since 1970; UTC where no zone
/// is given.
#[must_use]
pub fn milliseconds_of(text: &str) -> Option<u64> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, time),
        None => (text, "00:00Z"),
    };
    let mut parts = date.splitn(3, '-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    let day = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=last).contains(&day) {
        return None;
    }
    let total = days(year, month, day) * 86_400_000 + time_of_day(time)?;
    u64::try_from(total).ok()
}

fn time_of_day(text: &str) -> Option<i64> {
    let at = text.find(['Z', '+', '-']).unwrap_or(text.len());
    let (clock, zone) = text.split_at(at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let hour = digits(parts.next()?, 2)?;
    let minute = digits(parts.next()?, 2)?;
    let second = parts.next().map_or(Some(0), |part| digits(part, 2))?;
    let in_range = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    let only_digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !in_range || !only_digits {
        return None;
    }
    let thousandths = format!("{fraction:0<3}")[..3].parse::<i64>().ok()?;
    let clock = ((hour * 60 + minute) * 60 + second) * 1000 + thousandths;
    Some(clock - zone_offset(zone)?)
}

fn zone_offset(zone: &str) -> Option<i64> {
    let sign = match zone.chars().next() {
        None | Some('Z') => return (zone.len() <= 1).then_some(0),
        Some('+') => 1,
        Some(_) => -1,
    };
    let (hours, minutes) = zone[1..].split_once(':')?;
    let minutes = digits(hours, 2)? * 60 + digits(minutes, 2)?;
    Some(sign * minutes * 60_000)
}

/// Returns the days from 1970-01-01 to a date of the Gregorian calendar, counted in eras of 400
/// years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn digits(text: &str, length: usize) -> Option<i64> {
    let all = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok())?
}
