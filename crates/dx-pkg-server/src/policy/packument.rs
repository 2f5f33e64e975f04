//! Packages of upstreams without what the policy refuses.

use super::{Advisory, Judged, Policy, Refusal};
use crate::packument::View;
use dx_pkg_core::Version;
use serde_json::{Map, Value, json};
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// The reasons that a packument names; the rest are counted.
const NAMED: usize = 5;

/// A package of an upstream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Package<'a> {
    pub(crate) name: &'a str,
    pub(crate) tags: &'a BTreeMap<String, String>,
    /// The times, as the packument has them.
    pub(crate) times: &'a BTreeMap<String, String>,
}

/// What clients may see of a package.
#[derive(Debug, Clone, Default)]
pub(crate) struct Restricted {
    pub(crate) view: Arc<View>,
    /// What tells the view from others; 0 for all of the package.
    pub(crate) view_id: u64,
    /// The refused versions, the newest first, each with its first reason.
    pub(crate) refused: Vec<(String, Refusal)>,
}

impl Restricted {
    /// Returns the reason for which a version, or what a tag stands for, is refused.
    pub(crate) fn refusal(&self, version: &str) -> Option<&Refusal> {
        self.refused.iter().find(|(refused, _)| refused == version).map(|(_, refusal)| refusal)
    }

    /// Returns the text for an `npm-notice` of a dry run; `None` where nothing is refused.
    pub(crate) fn notice(&self) -> Option<String> {
        let (_, first) = self.refused.first()?;
        let more = self.refused.len() - 1;
        let rest = if more == 0 { String::new() } else { format!(" (and {more} more versions)") };
        Some(format!("this registry's policy would refuse: {}{rest}", first.message))
    }
}

impl Package<'_> {
    /// Returns when a version was published, in milliseconds since 1970.
    pub(crate) fn published(&self, version: &str) -> Option<u64> {
        let time = crate::time::parse_timestamp(self.times.get(version)?)?;
        u64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
    }
}

impl Policy {
    /// Judges all versions of a package. The refused ones are hidden, and named in npm's
    /// `policyRestrictions`; `latest` becomes the highest version below it that is passed on, if
    /// there is one. On a dry run nothing is hidden.
    pub(crate) fn restrict<'v>(
        &self,
        package: &Package<'_>,
        versions: impl Iterator<Item = &'v str>,
        advisories: &[Advisory],
        now: u64,
    ) -> Restricted {
        let mut versions: Vec<(Option<Version>, &str)> =
            versions.map(|text| (Version::parse_loose(text).ok(), text)).collect();
        versions.sort_unstable_by(|a, b| b.cmp(a));
        let mut restricted = Restricted::default();
        for (_, version) in &versions {
            let published = package.published(version);
            let judged = Judged { name: package.name, version, published, advisories };
            if let Some(refusal) = self.judge(&judged, now).into_iter().next() {
                restricted.refused.push(((*version).to_owned(), refusal));
            }
        }
        if self.settings().dry_run || restricted.refused.is_empty() {
            return restricted;
        }
        let hidden: HashSet<String> =
            restricted.refused.iter().map(|(version, _)| version.clone()).collect();
        let mut tags = package.tags.clone();
        if let Some(latest) = tags.get("latest").filter(|latest| hidden.contains(*latest)) {
            let limit = Version::parse_loose(latest).ok();
            let instead = versions.iter().find(|(version, text)| {
                let is_full = version.as_ref().is_some_and(|own| own.prerelease().is_empty());
                is_full && *version < limit && !hidden.contains(*text)
            });
            if let Some((_, instead)) = instead {
                tags.insert("latest".to_owned(), (*instead).to_owned());
            }
        }
        let mut hasher = DefaultHasher::new();
        for (version, refusal) in &restricted.refused {
            (version, &refusal.message).hash(&mut hasher);
        }
        restricted.view_id = hasher.finish().max(1);
        let restrictions = Some(restrictions(package.name, &restricted.refused));
        restricted.view = Arc::new(View { hidden, tags: Some(tags), restrictions });
        restricted
    }
}

fn restrictions(name: &str, refused: &[(String, Refusal)]) -> Value {
    let reasons: Vec<&str> =
        refused.iter().take(NAMED).map(|(_, refusal)| refusal.message.as_str()).collect();
    let mut message = reasons.join("\n");
    if refused.len() > reasons.len() {
        message.push_str(&format!("\n… and {} older versions", refused.len() - reasons.len()));
    }
    let manifest = |version: &String| json!({ "name": name, "version": version });
    let versions: Map<String, Value> =
        refused.iter().map(|(version, _)| (version.clone(), manifest(version))).collect();
    json!({ "message": message, "versions": versions })
}
