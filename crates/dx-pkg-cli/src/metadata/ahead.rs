//! Asking for packuments that will probably be needed, as long as there is room beside those that certainly are.
//!
//! Such a request is known to the fetcher only once it may be sent at once, and some room is left free always: what is
//! certain never waits behind what is not. What nobody came to need is as if it had never been asked for, whether it
//! failed or not.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use dx_pkg_core::PackageName;
use dx_pkg_fetch::Priority;
use dx_pkg_registry::PackumentForm;
use dx_pkg_resolve::ProviderError;

use super::fetch::{Ask, Purpose, Use};
use super::{Answer, Shared};
use crate::failure::Failure;
use crate::session::Network;

/// Packuments asked for before they were known to be needed.
#[derive(Default)]
pub struct Ahead {
    /// Those that there was no room for yet, the first to be asked for first.
    waiting: VecDeque<String>,
    /// Requests under way, certain ones included.
    under_way: usize,
    /// How many may be under way before there is no room.
    room: usize,
    asked: u64,
    /// Those that nobody has needed so far, and the bytes that were received for each.
    unused: HashMap<String, u64>,
}

/// What asking ahead came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Speculation {
    /// Packuments asked for before they were known to be needed.
    pub asked: u64,
    /// Those of them that were.
    pub used: u64,
    /// Bytes received for the others.
    pub wasted_bytes: u64,
}

impl Ahead {
    /// A certain request begins.
    pub fn started(&mut self) {
        self.under_way += 1;
    }

    /// A request has ended.
    pub fn ended(&mut self) {
        self.under_way -= 1;
    }

    /// Somebody needs the packument of `name`.
    pub fn needed(&mut self, name: &str) {
        self.unused.remove(name);
    }

    /// Whether it was asked for and nobody has needed it.
    pub fn is_unused(&self, name: &str) -> bool {
        self.unused.contains_key(name)
    }

    /// There was no need to ask for it.
    fn was_here(&mut self, name: &str) {
        self.unused.remove(name);
        self.asked -= 1;
    }

    /// So many bytes came for `name`.
    pub fn received(&mut self, name: &str, bytes: u64) {
        if let Some(received) = self.unused.get_mut(name) {
            *received += bytes;
        }
    }

    /// Asks for nothing any more; says what it came to.
    pub fn finish(&mut self) -> Speculation {
        self.waiting.clear();
        Speculation {
            asked: self.asked,
            used: self.asked.saturating_sub(self.unused.len() as u64),
            wasted_bytes: self.unused.values().sum(),
        }
    }
}

impl Shared {
    /// Asks for `names` where there is room, now and whenever an answer has come.
    pub(super) fn speculate(self: &Arc<Self>, network: &Network, names: Vec<String>) {
        let limits = network.registry.fetcher().concurrency();
        let limit = limits.metadata.min(limits.per_host);
        let mut state = self.lock();
        state.ahead.room = limit - limit.div_ceil(4);
        state.ahead.waiting = names.into();
        drop(state);
        self.ask_ahead(network);
    }

    /// Asks for as many as there is room for.
    pub(super) fn ask_ahead(self: &Arc<Self>, network: &Network) {
        let mut state = self.lock();
        while state.ahead.under_way < state.ahead.room
            && let Some(name) = state.ahead.waiting.pop_front()
        {
            if state.packuments.contains_key(&name) {
                continue;
            }
            state.packuments.insert(name.clone(), Answer::Pending(Vec::new()));
            state.ahead.unused.insert(name.clone(), 0);
            state.ahead.asked += 1;
            state.ahead.under_way += 1;
            let (shared, network) = (self.clone(), network.clone());
            let runtime = network.runtime.clone();
            runtime.spawn(async move { shared.fetch_ahead(network, name).await });
        }
    }

    async fn fetch_ahead(self: Arc<Self>, network: Network, name: String) {
        self.progress.asked();
        let error = self.try_ahead(&network, &name).await;
        self.progress.answered();
        self.lock().ahead.ended();
        if let Some(error) = error {
            self.arrived(&network, &name, Err(error));
        }
        self.ask_ahead(&network);
    }

    /// Sees to it that the packument arrives, unless nobody needs it and there is none, or none without asking again; what
    /// went wrong where somebody does.
    async fn try_ahead(self: &Arc<Self>, network: &Network, name: &str) -> Option<ProviderError> {
        let package = match PackageName::parse(name) {
            Ok(package) => package,
            Err(error) => {
                return self.unless_unused(name, Failure::from(error).into_provider_error());
            }
        };
        if let Some((usable, stale)) = self.cached(&self.registry_key(&package), &package) {
            self.used_cache.store(true, Ordering::Relaxed);
            self.lock().ahead.was_here(name);
            if stale {
                self.revalidate(network, package);
            }
            self.arrived(network, name, Ok(usable));
            return None;
        }
        let form = self.first_form(&self.registry_key(&package));
        let ask = Ask { form, priority: Priority::Low, purpose: Purpose::Now };
        let full =
            Ask { form: PackumentForm::Full, priority: Priority::Normal, purpose: Purpose::Now };
        match self.fetch_form(network, &package, ask).await {
            Ok(Use::NotEnough) if !self.forget(name) => {
                self.fetch_form(network, &package, full).await.err()
            }
            Ok(_) => None,
            Err(error) => self.unless_unused(name, error),
        }
    }

    fn unless_unused(&self, name: &str, error: ProviderError) -> Option<ProviderError> {
        // A server that has trouble is not given more to do than must be.
        if error.code != "DX_PACKAGE_NOT_FOUND" {
            self.lock().ahead.waiting.clear();
        }
        (!self.forget(name)).then_some(error)
    }

    /// Unless somebody has come to need it, it is as if it had never been asked for.
    fn forget(&self, name: &str) -> bool {
        let mut state = self.lock();
        let is_unused = state.ahead.is_unused(name);
        if is_unused {
            state.packuments.remove(name);
        }
        is_unused
    }
}
