//! Requests packuments that will probably be needed, as long as slots are free beside those that
//! certainly are.
//!
//! Such a request reaches the fetcher only when it can be sent at once, and some slots stay free
//! always: a certain request never waits behind a probable one. A packument that turns out not to
//! be needed leaves no trace, failed or not.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use dx_pkg_core::PackageName;
use dx_pkg_fetch::Priority;
use dx_pkg_format::packument::Form;

use super::cache::{Purpose, Use};
use super::fetch::PackumentFetch;
use super::{Answer, Shared};
use crate::counters::Prefetched;
use crate::{AcquireError, Network};

/// The packuments that were requested before they were known to be needed.
#[derive(Default)]
pub(super) struct ReadAhead {
    /// Names for which no slot was free yet, the first to be requested first.
    waiting: VecDeque<String>,
    /// Requests under way, certain ones included.
    under_way: usize,
    /// The number of requests under way up to which more are sent.
    slots: usize,
    requested: u64,
    /// Packuments that were not needed so far, with the bytes received for each.
    unused: HashMap<String, u64>,
}

impl ReadAhead {
    /// Counts a certain request.
    pub(super) fn started(&mut self) {
        self.under_way += 1;
    }

    /// Counts the end of a request.
    pub(super) fn ended(&mut self) {
        self.under_way -= 1;
    }

    /// Marks a packument as needed.
    pub(super) fn needed(&mut self, name: &str) {
        self.unused.remove(name);
    }

    /// Returns whether a packument was prefetched and not needed so far.
    pub(super) fn is_unused(&self, name: &str) -> bool {
        self.unused.contains_key(name)
    }

    /// Takes back a request for a packument that was cached.
    fn was_cached(&mut self, name: &str) {
        self.unused.remove(name);
        self.requested -= 1;
    }

    /// Counts the bytes received for a packument.
    pub(super) fn received(&mut self, name: &str, bytes: u64) {
        if let Some(received) = self.unused.get_mut(name) {
            *received += bytes;
        }
    }

    /// Ends prefetching and returns its outcome.
    pub(super) fn finish(&mut self) -> Prefetched {
        self.waiting.clear();
        Prefetched {
            requested: self.requested,
            used: self.requested.saturating_sub(self.unused.len() as u64),
            wasted_bytes: self.unused.values().sum(),
        }
    }
}

impl Shared {
    /// Requests `names` as slots are free, now and whenever an answer arrives.
    pub(super) fn prefetch(self: &Arc<Self>, network: &Network, names: Vec<String>) {
        let limits = network.fetcher.concurrency();
        let limit = limits.metadata.min(limits.per_host);
        let mut state = self.lock();
        state.ahead.slots = limit - limit.div_ceil(4);
        state.ahead.waiting = names.into();
        drop(state);
        self.request_ahead(network);
    }

    /// Requests as many packuments as slots are free.
    pub(super) fn request_ahead(self: &Arc<Self>, network: &Network) {
        let mut state = self.lock();
        while state.ahead.under_way < state.ahead.slots
            && let Some(name) = state.ahead.waiting.pop_front()
        {
            if state.packuments.contains_key(&name) {
                continue;
            }
            state.packuments.insert(name.clone(), Answer::Pending(Vec::new()));
            state.ahead.unused.insert(name.clone(), 0);
            state.ahead.requested += 1;
            state.ahead.under_way += 1;
            let (shared, network) = (self.clone(), network.clone());
            let runtime = network.runtime.clone();
            runtime.spawn(async move { shared.fetch_ahead(network, name).await });
        }
    }

    async fn fetch_ahead(self: Arc<Self>, network: Network, name: String) {
        self.counters.packuments_requested.add(1);
        let error = self.try_ahead(&network, &name).await;
        self.counters.packuments_answered.add(1);
        self.lock().ahead.ended();
        if let Some(error) = error {
            self.arrived(&network, &name, Err(error));
        }
        self.request_ahead(&network);
    }

    /// Fetches a packument. One that is missing, or needs a second request, is given up while it is
    /// not needed; the error is that of one that is.
    async fn try_ahead(self: &Arc<Self>, network: &Network, name: &str) -> Option<AcquireError> {
        let package = match PackageName::parse(name) {
            Ok(package) => package,
            Err(error) => {
                return self.unless_unused(name, error.into());
            }
        };
        if let Some((usable, stale)) = self.cached(&self.registry_key(&package), &package) {
            self.used_cache.store(true, Ordering::Relaxed);
            self.lock().ahead.was_cached(name);
            if stale {
                self.revalidate(network, package);
            }
            self.arrived(network, name, Ok(usable));
            return None;
        }
        let form = self.first_form(&self.registry_key(&package));
        let fetch = PackumentFetch { form, priority: Priority::Low, purpose: Purpose::Now };
        let full =
            PackumentFetch { form: Form::Full, priority: Priority::Normal, purpose: Purpose::Now };
        match self.fetch_form(network, &package, fetch).await {
            Ok(Use::NotEnough) if !self.forget(name) => {
                self.fetch_form(network, &package, full).await.err()
            }
            Ok(_) => None,
            Err(error) => self.unless_unused(name, error),
        }
    }

    fn unless_unused(&self, name: &str, error: AcquireError) -> Option<AcquireError> {
        // A server in trouble gets no request that can be spared.
        if !error.is_not_found() {
            self.lock().ahead.waiting.clear();
        }
        (!self.forget(name)).then_some(error)
    }

    /// Forgets the request unless the packument is needed by now; returns whether it was forgotten.
    fn forget(&self, name: &str) -> bool {
        let mut state = self.lock();
        let is_unused = state.ahead.is_unused(name);
        if is_unused {
            state.packuments.remove(name);
        }
        is_unused
    }
}
