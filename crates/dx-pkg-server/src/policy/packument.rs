//! Packuments without what the policy refuses.

use super::{Advisory, Judged, Policy, Refusal};
use dx_pkg_core::Version;
use serde_json::{Map, Value, json};

/// What became of a packument.
#[derive(Debug, Default)]
pub(crate) struct Restricted {
    /// The refused versions, each with its first reason.
    pub(crate) refused: Vec<(String, Refusal)>,
    /// The moment at which the first of them would be passed on, in milliseconds since 1970: until
    /// then the result stays the same.
    pub(crate) until: Option<u64>,
}

impl Restricted {
    /// Returns the text for a `npm-notice`, of a dry run; `None` where nothing is refused.
    pub(crate) fn notice(&self) -> Option<String> {
        let (_, first) = self.refused.first()?;
        let more = self.refused.len() - 1;
        let rest = if more == 0 { String::new() } else { format!(" (and {more} more versions)") };
        Some(format!("this registry's policy would refuse: {}{rest}", first.message))
    }
}

impl Policy {
    /// Moves the refused versions of a full packument to its `policyRestrictions`, where npm finds
    /// why. `latest` becomes the highest version below it that is passed on, if there is one. On a
    /// dry run the packument stays as it is.
    pub(crate) fn restrict(
        &self,
        packument: &mut Map<String, Value>,
        advisories: &[Advisory],
        now: u64,
    ) -> Restricted {
        let mut restricted = Restricted::default();
        if self.is_empty() {
            return restricted;
        }
        let name = packument.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        for version in packument.get("versions").and_then(Value::as_object).into_iter().flatten() {
            let published = published(packument, version.0);
            let judged = Judged { name: &name, version: version.0, published, advisories };
            for refusal in self.judge(&judged, now).into_iter().take(1) {
                let until = refusal.until.filter(|until| *until > now);
                restricted.until = [restricted.until, until].into_iter().flatten().min();
                restricted.refused.push((version.0.clone(), refusal));
            }
        }
        if !self.settings().dry_run && !restricted.refused.is_empty() {
            restrict(packument, &restricted.refused);
        }
        restricted
    }
}

/// Returns when a version was published, in milliseconds since 1970.
fn published(packument: &Map<String, Value>, version: &str) -> Option<u64> {
    let text = packument.get("time")?.get(version)?.as_str()?;
    let time = crate::time::parse_timestamp(text)?;
    let since = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok()
}

fn restrict(packument: &mut Map<String, Value>, refused: &[(String, Refusal)]) {
    let Some(Value::Object(versions)) = packument.get_mut("versions") else {
        return;
    };
    let mut hidden = Map::new();
    for (version, _) in refused {
        if let Some(manifest) = versions.shift_remove(version) {
            hidden.insert(version.clone(), manifest);
        }
    }
    let latest = packument.get("dist-tags").and_then(|tags| tags.get("latest"));
    let latest = latest.and_then(Value::as_str).unwrap_or_default().to_owned();
    if hidden.contains_key(&latest)
        && let Some(instead) = highest_below(packument.get("versions"), &latest)
        && let Some(Value::Object(tags)) = packument.get_mut("dist-tags")
    {
        tags.insert("latest".to_owned(), Value::String(instead));
    }
    // The reasons of the newest versions are what somebody is most likely to have asked for.
    let reasons: Vec<&str> =
        refused.iter().rev().take(5).map(|(_, refusal)| refusal.message.as_str()).collect();
    let mut message = reasons.join("\n");
    if refused.len() > reasons.len() {
        message.push_str(&format!("\n… and {} older versions", refused.len() - reasons.len()));
    }
    let restrictions = json!({ "message": message, "versions": hidden });
    packument.insert("policyRestrictions".to_owned(), restrictions);
}

/// Returns the highest version below `limit` that is no prerelease.
fn highest_below(versions: Option<&Value>, limit: &str) -> Option<String> {
    let limit = Version::parse_loose(limit).ok()?;
    let versions = versions?.as_object()?;
    let parsed = versions.keys().filter_map(|text| Version::parse_loose(text).ok().zip(Some(text)));
    let below = parsed.filter(|(version, _)| version.prerelease().is_empty() && *version < limit);
    below.max_by(|a, b| a.0.cmp(&b.0)).map(|(_, text)| text.clone())
}
