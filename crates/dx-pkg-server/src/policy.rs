//! What the registry refuses to pass on from upstreams: versions that are too young, names and
//! versions on a deny list, versions with known vulnerabilities.
//!
//! The same judgement holds for packuments and tarballs. Where a time is missing that a rule needs,
//! the version is refused. Refusals speak in the client: in `policyRestrictions` of the packument, in
//! the `error` of a 403, or, on a dry run, in a notice only.

mod packument;
mod rules;
mod settings;

pub(crate) use packument::Restricted;
pub(crate) use rules::{Advisory, Judged, Refusal};
pub(crate) use settings::Settings;

use std::sync::Arc;

/// The policy of a registry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    settings: Arc<Settings>,
}

impl Policy {
    /// Creates the policy of a configuration.
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings) }
    }

    /// Whether there is nothing that it could refuse.
    pub(crate) fn is_empty(&self) -> bool {
        let Settings { minimum_age, deny, advisories, .. } = &*self.settings;
        minimum_age.is_none() && deny.is_empty() && advisories.is_none()
    }

    /// Whether it judges by known vulnerabilities, for which the caller asks the upstream.
    pub(crate) fn asks_for_advisories(&self) -> bool {
        self.settings.advisories.is_some()
    }

    /// Returns the settings.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }
}

#[cfg(test)]
mod tests;
