//! Follows packuments ahead of the resolver: the version that a requirement selects names the next
//! ones.

use std::sync::{Arc, PoisonError};

use dx_pkg_core::{PackageName, Spec};
use dx_pkg_fetch::Priority;
use dx_pkg_format::packument::Packument;
use dx_pkg_resolve::Options;

use super::{Reason, Shared};
use crate::Network;

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
            let Ok(parsed) = Spec::parse(&spec) else { continue };
            let name = match &parsed {
                Spec::Alias { name, .. } => name.as_str().to_owned(),
                Spec::Range(_) | Spec::Version(_) | Spec::Tag(_) => name,
                _ => continue,
            };
            let state = self.lock();
            // A registry can make up packages without end; the resolver finds that out.
            let is_enough = state.followed.len() > Options::MAX_PACKAGES;
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
        let Some(version) = picker.pick(packument, spec) else { return Vec::new() };
        let view = packument.version(version);
        let peers = view.peer_dependencies().filter(|(name, _)| !view.peer_optional(name));
        let with = |priority| {
            move |(name, spec): (&str, &str)| (name.to_owned(), spec.to_owned(), priority)
        };
        let own =
            view.dependencies().chain(view.optional_dependencies()).map(with(Priority::Normal));
        own.chain(peers.map(with(Priority::High))).collect()
    }
}
