//! What an install will probably ask for, and what it teaches: the chains of this machine, with names out of settings,
//! manifests and lockfiles.
//!
//! Only packages of the project's own registry are learnt, and only such are predicted: no other registry hears of them.

use std::collections::HashSet;

use dx_pkg_core::PackageName;
use dx_pkg_fetch::speculation::{self, CERTAIN, Prediction, Seed, observations, state_of};
use dx_pkg_format::chain::Chain;
use dx_pkg_lock::Lock;

use crate::session::{Session, now_ms};

/// What was learnt before dx was built, by `cargo xtask train-prefetch`.
const SHIPPED: &[u8] = include_bytes!("prefetch.dxc");

/// How likely a package must be to be asked for: of projects the table was not trained on, it then finds as much as at half
/// of that, with a third of what is in vain.
const LEAST: u32 = CERTAIN / 4 * 3;

/// Names of packages whose packuments an install will probably need that has these requirements to settle, the nearest
/// first. `locked` is the project's lockfile, which settles the rest.
pub fn likely(session: &Session, open: &[(String, String)], locked: Option<&Lock>) -> Vec<String> {
    let own = locked.and_then(|lock| {
        speculation::learn(None, &observations(lock, |name| is_own(session, name)), now_ms()).ok()
    });
    let learnt = session.store.chain(session.config.registry().as_str());
    let bytes = [own.as_deref(), learnt.as_deref(), Some(SHIPPED)];
    // What is damaged is unknown.
    let chains: Vec<Chain<'_>> =
        bytes.into_iter().flatten().filter_map(|bytes| Chain::decode(bytes).ok()).collect();
    let seeds: Vec<Seed> = open.iter().filter_map(|(name, spec)| Seed::of(name, spec)).collect();
    let locked: HashSet<(&str, u32)> =
        locked.into_iter().flat_map(|lock| &lock.packages).filter_map(state_of).collect();
    let is_open = |prediction: &Prediction<'_>| {
        is_own(session, prediction.name) && !locked.contains(&(prediction.name, prediction.major))
    };
    let predictions = speculation::predict(&chains, &seeds, LEAST);
    predictions.into_iter().filter(is_open).map(|prediction| prediction.name.to_owned()).collect()
}

/// The day the shipped table was trained, as a number: 20261125.
pub fn table_date() -> u64 {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    Chain::decode(SHIPPED).map_or(0, |chain| date_of(chain.trained_ms() / DAY))
}

/// The date of a day since 1970, as a number; from the years of 400 that begin in March of the year 0.
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

/// Learns what a resolution came to.
pub fn learn(session: &Session, lock: &Lock) {
    let registry = session.config.registry().as_str();
    let before = session.store.chain(registry);
    let before = before.as_deref().and_then(|bytes| Chain::decode(bytes).ok());
    // What cannot be kept costs time, nothing else.
    if let Ok(bytes) =
        speculation::learn(before, &observations(lock, |name| is_own(session, name)), now_ms())
    {
        let _ = session.store.put_chain(registry, &bytes);
    }
}

/// Whether a package comes from the project's own registry, not from that of a scope.
fn is_own(session: &Session, name: &str) -> bool {
    !name.starts_with('@')
        || PackageName::parse(name)
            .is_ok_and(|name| session.config.registry_for(&name) == session.config.registry())
}

#[cfg(test)]
mod tests;
