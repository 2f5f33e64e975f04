//! The judgement of one version.

use super::Policy;
use crate::config::policy::{Policy as Settings, Rule, Severity};
use crate::pattern::matches;
use dx_pkg_core::{Range, Version};
use serde::Serialize;
use std::time::Duration;

/// A reason to refuse a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Refusal {
    pub(crate) rule: Rule,
    /// What clients are told: `left@1.0.0 …`.
    pub(crate) message: String,
    /// The moment from which on the version is no longer refused for this, in milliseconds since
    /// 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<u64>,
}

/// A known vulnerability.
#[derive(Debug, Clone)]
pub(crate) struct Advisory {
    pub(crate) title: String,
    pub(crate) url: String,
    pub(crate) severity: Severity,
    pub(crate) versions: Range,
}

/// A version to be judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    /// When it was published, in milliseconds since 1970; `None` where nobody says so.
    pub(crate) published: Option<u64>,
    /// The vulnerabilities that are known of the package.
    pub(crate) advisories: &'a [Advisory],
}

impl Advisory {
    /// Reads an entry of a registry's answer about vulnerabilities.
    pub(crate) fn read(entry: &serde_json::Value) -> Self {
        let text =
            |key: &str| entry.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        Self {
            title: text("title").to_owned(),
            url: text("url").to_owned(),
            severity: Severity::of(text("severity")),
            // A range that cannot be read could be any.
            versions: Range::parse(text("vulnerable_versions")).unwrap_or_else(|_| Range::any()),
        }
    }
}

impl Policy {
    /// Returns the reasons to refuse a version at this time; none where it may be passed on.
    pub(crate) fn judge(&self, judged: &Judged<'_>, now: u64) -> Vec<Refusal> {
        let settings = self.settings();
        let rules = [
            (Rule::Age, too_young(settings, judged, now)),
            (Rule::Deny, denied(settings, judged, now)),
            (Rule::Advisories, vulnerable(settings, judged)),
        ];
        let found = rules.into_iter().filter_map(|(rule, refusal)| {
            refusal.map(|(message, until)| Refusal { rule, message, until })
        });
        found.filter(|refusal| !settings.exempts(refusal.rule, judged, now)).collect()
    }

    /// Returns the reason to refuse every version of a name, or `None`.
    pub(crate) fn denies_name(&self, name: &str, now: u64) -> Option<String> {
        let settings = self.settings();
        let entry = settings.deny.iter().find(|entry| entry.holds_for_all(name, now))?;
        let exempt = settings.exempt.iter().any(|exempt| {
            matches(&exempt.names, name)
                && exempt.until.is_none_or(|until| now < until)
                && (exempt.rules.is_empty() || exempt.rules.contains(&Rule::Deny))
        });
        (!exempt).then(|| message_of_denial(name, entry.reason.as_deref()))
    }
}

impl Settings {
    fn exempts(&self, rule: Rule, judged: &Judged<'_>, now: u64) -> bool {
        self.exempt.iter().any(|entry| {
            (entry.rules.is_empty() || entry.rules.contains(&rule))
                && entry.holds(judged.name, judged.version, now)
        })
    }
}

fn too_young(settings: &Settings, judged: &Judged<'_>, now: u64) -> Option<(String, Option<u64>)> {
    let age = settings.minimum_age?.0;
    let Judged { name, version, .. } = judged;
    let Some(published) = judged.published else {
        return Some((format!("nobody says when {name}@{version} was published"), None));
    };
    let milliseconds = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
    let until = published.saturating_add(milliseconds);
    if until <= now {
        return None;
    }
    let text = format!(
        "{name}@{version} is younger than {}: it is passed on from {} on",
        span(age),
        crate::accounts::iso(until)
    );
    Some((text, Some(until)))
}

fn denied(settings: &Settings, judged: &Judged<'_>, now: u64) -> Option<(String, Option<u64>)> {
    let Judged { name, version, .. } = judged;
    let entry = settings.deny.iter().find(|entry| entry.holds(name, version, now))?;
    let text = message_of_denial(&format!("{name}@{version}"), entry.reason.as_deref());
    Some((text, entry.until))
}

fn message_of_denial(what: &str, reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("{what} is on this registry's deny list: {reason}"),
        None => format!("{what} is on this registry's deny list"),
    }
}

fn vulnerable(settings: &Settings, judged: &Judged<'_>) -> Option<(String, Option<u64>)> {
    let from = settings.advisories?;
    let version = Version::parse_loose(judged.version).ok();
    let worst = judged
        .advisories
        .iter()
        .filter(|advisory| advisory.severity >= from)
        .filter(|advisory| {
            version
                .as_ref()
                .is_none_or(|version| advisory.versions.satisfies_including_prerelease(version))
        })
        .max_by_key(|advisory| advisory.severity)?;
    let Judged { name, version, .. } = judged;
    let Advisory { title, url, .. } = worst;
    Some((format!("{name}@{version} has a known vulnerability: {title} ({url})"), None))
}

/// Writes a span in its largest whole unit.
fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let unit = units.iter().find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size));
    match unit {
        Some((size, name)) => format!("{} {name}", seconds / size),
        None => format!("{seconds} seconds"),
    }
}
