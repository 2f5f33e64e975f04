//! Follows packuments ahead of the resolver: the version that a requirement selects names the next
//! ones.

use std::sync::{Arc, PoisonError};

use dx_pkg_core::{PackageName, Spec};
use dx_pkg_fetch::Priority;
use dx_pkg_format::packument::Packument;

use super::{Reason, Shared};
use crate::Network;
use crate::following::{self, MOST_FOLLOWED, followed};

impl Shared {
    /// Requests the dependencies of the version that `spec` selects, and theirs in turn.
    pub(super) fn follow(
        self: &Arc<Self>,
        network: &Network,
        name: &str,
        spec: &str,
        reason: Reason<'_>,
    ) {
        if !self.policy.follows {
            return;
        }
        let mut work = vec![(name.to_owned(), spec.to_owned(), reason.priority)];
        while let Some((name, spec, priority)) = work.pop() {
            let Some((name, parsed)) = followed(&name, &spec) else { continue };
            let state = self.lock();
            let is_enough = state.followed.len() > MOST_FOLLOWED;
            if is_enough || state.followed.contains(&(name.clone(), spec.clone())) {
                continue;
            }
            drop(state);
            // A pending packument is followed when it arrives.
            let Some(packument) =
                self.arrived_or_requested(network, &name, &spec, Reason { priority, ..reason })
            else {
                continue;
            };
            let mut state = self.lock();
            if let Some(unfollowed) = &mut state.unfollowed {
                unfollowed.push((name, spec));
                continue;
            }
            let is_new = state.followed.insert((name, spec));
            drop(state);
            if is_new {
                work.extend(self.dependencies(&packument, &parsed));
            }
        }
    }

    fn arrived_or_requested(
        self: &Arc<Self>,
        network: &Network,
        name: &str,
        spec: &str,
        reason: Reason<'_>,
    ) -> Option<Packument> {
        let mut state = self.lock();
        if let Some(answer) = state.arrived(name) {
            return answer.ok();
        }
        let is_requested = state.packuments.contains_key(name);
        drop(state);
        if is_requested {
            self.request(network, name, Some(spec), reason);
            return None;
        }
        let package = PackageName::parse(name).ok()?;
        if let Some((packument, _)) = self.cached(&self.registry_key(&package), &package) {
            return Some(packument);
        }
        self.request(network, name, Some(spec), reason);
        None
    }

    fn dependencies(&self, packument: &Packument, spec: &Spec) -> Vec<(String, String, Priority)> {
        let picker = self.picker.lock().unwrap_or_else(PoisonError::into_inner);
        let required = following::required_by(&picker, packument, spec).into_iter();
        let priority = |is_peer| if is_peer { Priority::High } else { Priority::Normal };
        required.map(|one| (one.name, one.spec, priority(one.is_peer))).collect()
    }
}
