//! Versions that are too young: whether a packument tells their age, and when they are old enough.

use std::sync::PoisonError;

use dx_pkg_compat::npmrc::ReleaseCutoff;
use dx_pkg_format::packument::Packument;

use super::{Answer, Shared, State};
use crate::clock::now_ms;

impl Shared {
    /// Returns whether versions are chosen by age and the abbreviated form does not have it.
    pub(super) fn needs_times(&self, packument: &Packument) -> bool {
        let picker = self.picker.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(before) = picker.before_for(packument.name()) else { return false };
        packument.modified().is_none_or(|modified| modified > before)
    }

    /// Returns when the first version of a packument in use, now too young, is old enough to be
    /// chosen, in milliseconds since 1970. A date as a limit does not move.
    pub(super) fn grows_old_enough(&self, state: &State) -> u64 {
        let is_date = |cutoff: &ReleaseCutoff| matches!(cutoff, ReleaseCutoff::Before(_));
        if self.config.release_cutoffs().is_ok_and(|set| !set.is_empty() && set.iter().all(is_date))
        {
            return u64::MAX;
        }
        let now = now_ms();
        let picker = self.picker.lock().unwrap_or_else(PoisonError::into_inner);
        let mut first = u64::MAX;
        for answer in state.packuments.values() {
            let Answer::Arrived(Ok(packument)) = answer else { continue };
            let Some(before) = picker.before_for(packument.name()) else { continue };
            if packument.modified().is_some_and(|modified| modified <= before) {
                continue;
            }
            let published = packument.versions().filter_map(|view| view.published());
            let young = published.filter(|published| *published > before);
            first = young.map(|published| published + (now - before)).fold(first, u64::min);
        }
        first
    }
}
