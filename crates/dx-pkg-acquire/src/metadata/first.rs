//! The first requests of a resolution, which are sent before all is known that it depends on.
//!
//! Asking Node.js for its version takes longer than a registry takes to answer. Which packuments
//! are needed first does not depend on it, only which of their versions are chosen: so what arrives
//! is kept, and followed when the resolution begins.

use std::sync::{Arc, Mutex, PoisonError};

use dx_pkg_resolve::pick::{PickOptions, Picker};

use super::{LocalSources, MetadataPolicy, MetadataProvider, Reason, Shared};
use crate::{Context, Counters};

/// Requests that are under way.
pub struct FirstRequests(Arc<Shared>);

impl std::fmt::Debug for FirstRequests {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let requested = self.0.lock().packuments.len();
        formatter.debug_struct("FirstRequests").field("requested", &requested).finish()
    }
}

impl FirstRequests {
    /// Requests the packuments of the `open` requirements, and of the names in `likely`; `pick`
    /// need not have the version of Node.js yet. `None` where there is nothing to request.
    pub(crate) fn send(
        context: &Context,
        policy: MetadataPolicy,
        pick: PickOptions,
        open: &[(String, String)],
        likely: impl FnOnce() -> Vec<String>,
        counters: &Arc<Counters>,
    ) -> Option<Self> {
        if open.is_empty() || policy.offline {
            return None;
        }
        // An error is reported when the network is needed.
        let network = context.network().ok()?;
        let shared = Arc::new(Shared::new(context, policy, pick, counters.clone()));
        let mut state = shared.lock();
        (state.following, state.unfollowed) = (true, Some(Vec::new()));
        drop(state);
        for (name, spec) in open {
            shared.follow(&network, name, spec, Reason::DIRECT);
        }
        if policy.speculative {
            shared.prefetch(&network, likely());
        }
        Some(Self(shared))
    }

    /// Returns a provider that these requests belong to, now that it is known by what versions are
    /// chosen.
    pub(crate) fn provider<'a>(
        self,
        context: &'a Context,
        pick: PickOptions,
        seeds: Vec<(String, String)>,
        local: LocalSources<'a>,
    ) -> MetadataProvider<'a> {
        let Self(shared) = self;
        *shared.picker.lock().unwrap_or_else(PoisonError::into_inner) = Picker::new(pick);
        let unfollowed = shared.lock().unfollowed.take().unwrap_or_default();
        if let Ok(network) = context.network() {
            for (name, spec) in unfollowed {
                shared.follow(&network, &name, &spec, Reason::answer_to(&name));
            }
        }
        let waited_for = Mutex::default();
        MetadataProvider { context, shared, local, seeds, waited_for, began_early: true }
    }
}
