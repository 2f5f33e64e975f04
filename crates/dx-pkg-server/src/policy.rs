//! What the registry refuses to pass on from upstreams: versions that are too young, names and
//! versions on a deny list, versions with known vulnerabilities.
//!
//! The same judgement holds for packuments and tarballs. Where a time is missing that a rule needs,
//! the version is refused. Refusals speak in the client: in `policyRestrictions` of the packument,
//! in the `error` of a 403, or, on a dry run, in a notice only.

mod packument;
mod rules;
mod settings;

pub(crate) use packument::{Package, Restricted};
pub(crate) use rules::{Advisory, Judged, Refusal};
pub(crate) use settings::{Named, Settings};

use crate::lru::Lru;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time for which a judgement is used again: versions grow older, exemptions end.
const REMEMBERED: Duration = Duration::from_secs(30);
/// The memory for judgements, in bytes.
const MEMORY: usize = 16 << 20;

/// The policy of a registry.
pub(crate) struct Policy {
    settings: Settings,
    /// By name: the packument that was judged, when, and the result.
    judged: Lru<String, (String, Instant, Arc<Restricted>)>,
}

impl Policy {
    /// Creates the policy of a configuration.
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, judged: Lru::new(MEMORY) }
    }

    /// Whether there is nothing that it could refuse.
    pub(crate) fn is_empty(&self) -> bool {
        let Settings { minimum_age, deny, advisories, .. } = &self.settings;
        minimum_age.is_none() && deny.is_empty() && advisories.is_none()
    }

    /// Whether it judges by known vulnerabilities, for which the caller asks the upstream.
    pub(crate) fn asks_for_advisories(&self) -> bool {
        self.settings.advisories.is_some()
    }

    /// Returns the judgement of a packument a moment ago.
    pub(crate) fn remembered(&self, name: &str, packument: &str) -> Option<Arc<Restricted>> {
        let (known, since, restricted) = self.judged.get(&name.to_owned())?;
        (known == packument && since.elapsed() < REMEMBERED).then_some(restricted)
    }

    /// Remembers the judgement of a packument.
    pub(crate) fn remember(&self, name: &str, packument: &str, restricted: &Arc<Restricted>) {
        let bytes = 256 + restricted.refused.len() * 400;
        let entry = (packument.to_owned(), Instant::now(), Arc::clone(restricted));
        self.judged.put(name.to_owned(), entry, bytes);
    }

    /// Returns the settings.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }
}

#[cfg(test)]
mod tests;
