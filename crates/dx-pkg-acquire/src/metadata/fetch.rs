//! Fetches packuments in the form that has enough fields, for this command or the next.

use std::sync::Arc;

use dx_pkg_core::PackageName;
use dx_pkg_fetch::Priority;
use dx_pkg_format::packument::{Form, Packument};
use dx_pkg_registry::PackumentRequest;
use tokio::sync::oneshot;

use super::cache::{Purpose, Subject, Use, validator_of};
use super::{Answer, Reason, Shared};
use crate::{AcquireError, Network};

/// Form, urgency and purpose of a fetch.
#[derive(Clone, Copy)]
pub(super) struct PackumentFetch {
    pub(super) form: Form,
    pub(super) priority: Priority,
    pub(super) purpose: Purpose,
}

impl Shared {
    /// Fetches a packument that is needed and delivers it.
    pub(super) async fn fetch(self: Arc<Self>, network: Network, name: String, priority: Priority) {
        self.counters.packuments_requested.add(1);
        let answer = self.fetch_packument(&network, &name, priority).await;
        self.counters.packuments_answered.add(1);
        self.lock().ahead.ended();
        if let Err(error) = answer {
            self.arrived(&network, &name, Err(error));
        }
        self.request_ahead(&network);
    }

    /// Takes an answer, and asks for what those who wait for it will need next.
    pub(super) fn arrived(
        self: &Arc<Self>,
        network: &Network,
        name: &str,
        answer: Result<Packument, AcquireError>,
    ) {
        let mut state = self.lock();
        let before = state.packuments.insert(name.to_owned(), Answer::Arrived(answer));
        let is_awaited = state.awaited.iter().any(|awaited| awaited == name);
        drop(state);
        if is_awaited {
            self.arrived.notify_all();
        }
        if let Some(Answer::Pending(waiting)) = before {
            for spec in waiting {
                self.follow(network, name, &spec, Reason::answer_to(name));
            }
        }
    }

    /// Revalidates a packument that is in use, once, for the next command. Nothing waits for the
    /// answer: one that has not arrived when the command ends is requested again by the next.
    pub(super) fn revalidate(self: &Arc<Self>, network: &Network, name: PackageName) {
        if !self.lock().revalidated.insert(name.as_str().to_owned()) {
            return;
        }
        let (shared, network) = (self.clone(), network.clone());
        let runtime = network.runtime.clone();
        let asked = async move {
            let form = shared.first_form(&shared.registry_key(&name));
            let fetch =
                PackumentFetch { form, priority: Priority::Low, purpose: Purpose::NextTime };
            shared.fetch_form(&network, &name, fetch).await.ok()
        };
        runtime.spawn(asked);
    }

    /// Returns the form that a registry is asked for first.
    pub(super) fn first_form(&self, registry: &str) -> Form {
        if self.policy.full || self.lock().without_modified.contains(registry) {
            Form::Full
        } else {
            Form::Abbreviated
        }
    }

    /// Fetches a packument, and its full form where the abbreviated one is not enough.
    async fn fetch_packument(
        self: &Arc<Self>,
        network: &Network,
        name: &str,
        priority: Priority,
    ) -> Result<(), AcquireError> {
        let package = PackageName::parse(name)?;
        let fetch = PackumentFetch {
            form: self.first_form(&self.registry_key(&package)),
            priority,
            purpose: Purpose::Now,
        };
        match self.fetch_form(network, &package, fetch).await? {
            Use::Arrived => Ok(()),
            Use::NotEnough => self
                .fetch_form(network, &package, PackumentFetch { form: Form::Full, ..fetch })
                .await
                .map(|_| ()),
        }
    }

    /// Returns whether an answer to the first form has all fields that versions are chosen by.
    pub(super) fn is_enough(&self, registry: &str, packument: &Packument) -> bool {
        if self.policy.full || packument.has_times() || !self.needs_times(packument) {
            return true;
        }
        // Abbreviated packuments of this registry lack `modified`: they would all be requested in
        // vain.
        if packument.modified().is_none() {
            self.lock().without_modified.insert(registry.to_owned());
        }
        false
    }

    /// Fetches one form of a packument. An answer that is enough for this command is delivered,
    /// then cached.
    pub(super) async fn fetch_form(
        self: &Arc<Self>,
        network: &Network,
        name: &PackageName,
        fetch: PackumentFetch,
    ) -> Result<Use, AcquireError> {
        let registry = self.registry_key(name);
        let form = fetch.form;
        let cached = self.store.metadata(&registry, name, form);
        let validator = cached.as_ref().map(validator_of);
        let (sender, mut outcome) = oneshot::channel();
        let sink = {
            let (shared, network, name) = (self.clone(), network.clone(), name.clone());
            let subject = Subject { registry, name, form };
            move |answer| {
                let used = shared.take(&network, &subject, fetch.purpose, answer, cached);
                // The receiver is gone only when the runtime ends.
                let _ = sender.send(used);
            }
        };
        let (validator, priority) = (validator.as_ref(), fetch.priority);
        let request = PackumentRequest { name, form, validator, priority };
        network.source.packument(request, Box::new(sink)).await?;
        outcome.try_recv().unwrap_or(Ok(Use::NotEnough))
    }
}
