//! The first requests of a resolution, which are sent before all is known that it depends on.
//!
//! Asking Node.js for its version takes longer than a registry takes to answer. Which packuments
//! are needed first does not depend on it, only which of their versions are chosen: so what arrives
//! is kept, and followed when the resolution begins.

use std::sync::{Arc, PoisonError};

use dx_pkg_lock::Lock;
use dx_pkg_resolve::Picker;

use super::{LocalSources, MetadataProvider, Reason, Shared};
use crate::prediction::History;
use crate::{Context, Counters, ResolverInput};

/// Requests that are under way.
pub struct FirstRequests(Arc<Shared>);

impl std::fmt::Debug for FirstRequests {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let requested = self.0.lock().packuments.len();
        formatter.debug_struct("FirstRequests").field("requested", &requested).finish()
    }
}

impl FirstRequests {
    /// Requests the packuments of the requirements that `locked` leaves open, and those that will
    /// probably be needed; the version of Node.js in `input` need not be known yet. `None` where
    /// there is nothing to request.
    pub fn send(
        context: &Context,
        input: &ResolverInput,
        locked: Option<&Lock>,
        counters: &Arc<Counters>,
    ) -> Option<Self> {
        let (policy, pick) = (input.policy, input.options.pick.clone());
        if input.open.is_empty() || policy.offline {
            return None;
        }
        // An error is reported when the network is needed.
        let network = context.network().ok()?;
        let shared = Arc::new(Shared::new(context, policy, pick, counters.clone()));
        let mut state = shared.lock();
        (state.following, state.unfollowed) = (true, Some(Vec::new()));
        drop(state);
        for (name, spec) in &input.open {
            shared.follow(&network, name, spec, Reason::DIRECT);
        }
        if policy.speculative {
            let history = History::new(&context.config, &context.store);
            shared.prefetch(&network, history.likely(&input.open, locked));
        }
        Some(Self(shared))
    }

    /// Returns a provider that these requests belong to, now that `input` is complete.
    pub(crate) fn provider<'a>(
        self,
        context: &'a Context,
        input: &ResolverInput,
        local: LocalSources<'a>,
    ) -> MetadataProvider<'a> {
        let Self(shared) = self;
        let picker = Picker::new(input.options.pick.clone());
        *shared.picker.lock().unwrap_or_else(PoisonError::into_inner) = picker;
        let unfollowed = shared.lock().unfollowed.take().unwrap_or_default();
        if let Ok(network) = context.network() {
            for (name, spec) in unfollowed {
                shared.follow(&network, &name, &spec, Reason::answer_to(&name));
            }
        }
        MetadataProvider::of(context, shared, input.open.clone(), local)
    }
}
