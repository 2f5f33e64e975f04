//! The chains of this machine: what the project's lockfile, earlier installs and the shipped table
//! know.
//!
//! Only packages of the default registry are learnt and predicted: no other registry learns of
//! their names.

use std::collections::HashSet;

use dx_pkg_compat::npmrc::Config;
use dx_pkg_core::PackageName;
use dx_pkg_format::chain::Chain;
use dx_pkg_lock::Lock;
use dx_pkg_store::Store;

use super::{CERTAIN, Prediction, Seed, learn, observations, predict, state_of};
use crate::clock::now_ms;

/// The table shipped with dx, made by `cargo xtask train-prefetch`.
const SHIPPED: &[u8] = include_bytes!("prefetch.dxc");

/// The least likelihood at which a packument is requested ahead. On projects the table was not
/// trained on it finds as much as half of it would, with a third of the requests in vain.
const LEAST: u32 = CERTAIN / 4 * 3;

/// The chains that predict for one registry.
#[derive(Debug, Clone, Copy)]
pub struct History<'h> {
    config: &'h Config,
    store: &'h Store,
}

impl<'h> History<'h> {
    /// Returns the history of the registry that `config` names, kept in `store`.
    pub fn new(config: &'h Config, store: &'h Store) -> Self {
        History { config, store }
    }

    /// Returns names of packages that resolving the `open` requirements will probably need, the
    /// nearest first. `locked` is the project's lockfile; its packages need no packument.
    pub fn likely(self, open: &[(String, String)], locked: Option<&Lock>) -> Vec<String> {
        let own = locked.and_then(|lock| learn(None, &self.observations(lock), now_ms()).ok());
        let learnt = self.store.chain(&self.config.registry_key(self.config.registry()));
        let bytes = [own.as_deref(), learnt.as_deref(), Some(SHIPPED)];
        // A damaged chain predicts nothing.
        let chains: Vec<Chain<'_>> =
            bytes.into_iter().flatten().filter_map(|bytes| Chain::decode(bytes).ok()).collect();
        let seeds: Vec<Seed> =
            open.iter().filter_map(|(name, spec)| Seed::of(name, spec)).collect();
        let locked: HashSet<(&str, u32)> =
            locked.into_iter().flat_map(|lock| &lock.packages).filter_map(state_of).collect();
        let is_open = |prediction: &Prediction<'_>| {
            self.is_default(prediction.name)
                && !locked.contains(&(prediction.name, prediction.major))
        };
        let predictions = predict(&chains, &seeds, LEAST);
        predictions
            .into_iter()
            .filter(is_open)
            .map(|prediction| prediction.name.to_owned())
            .collect()
    }

    /// Learns a resolution.
    pub fn learn(self, lock: &Lock) {
        let registry = &self.config.registry_key(self.config.registry());
        let before = self.store.chain(registry);
        let before = before.as_deref().and_then(|bytes| Chain::decode(bytes).ok());
        // A chain that cannot be stored costs time, nothing else.
        if let Ok(bytes) = learn(before, &self.observations(lock), now_ms()) {
            let _ = self.store.put_chain(registry, &bytes);
        }
    }

    fn observations(self, lock: &Lock) -> Vec<super::Observation<'_>> {
        observations(lock, |name| self.is_default(name))
    }

    /// Returns whether a package comes from the default registry rather than from that of a scope.
    fn is_default(self, name: &str) -> bool {
        !name.starts_with('@')
            || PackageName::parse(name)
                .is_ok_and(|name| self.config.registry_for(&name) == self.config.registry())
    }
}

/// Returns the day the shipped table was trained, as a number: 20261125.
pub fn table_date() -> u64 {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    Chain::decode(SHIPPED).map_or(0, |chain| date_of(chain.trained_ms() / DAY))
}

/// Converts days since 1970 to a date as a number, counting from 1 March of the year 0 in cycles of
/// 400 years.
fn date_of(day: u64) -> u64 {
    let day = day + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (year, day) = (400 * era + year, day - (153 * month + 2) / 5 + 1);
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (year * 100 + month) * 100 + day
}

#[cfg(test)]
mod tests;
