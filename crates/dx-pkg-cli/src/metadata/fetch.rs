//! Fetching packuments: in the form that tells enough, for this command or the next.

use std::sync::Arc;

use dx_pkg_core::PackageName;
use dx_pkg_fetch::Priority;
use dx_pkg_format::packument::Packument;
use dx_pkg_registry::PackumentForm;
use dx_pkg_resolve::ProviderError;
use dx_pkg_store::Form;

use super::keep::{Subject, validator_of};
use super::{Answer, Reason, Shared};
use crate::failure::Failure;
use crate::session::Network;

/// How a packument is asked for.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    pub(super) form: PackumentForm,
    pub(super) priority: Priority,
    pub(super) purpose: Purpose,
}

/// Which command an answer is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Now,
    /// This one keeps to what it has.
    NextTime,
}

/// What an answer was good for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Whoever waits for it has it.
    Arrived,
    /// It does not tell all that versions are chosen by, or is for the next command.
    NotEnough,
}

impl Shared {
    /// Fetches a packument that is needed, and hands it to whoever waits for it.
    pub(super) async fn fetch(self: Arc<Self>, network: Network, name: String, priority: Priority) {
        self.progress.asked();
        let answer = self.fetch_packument(&network, &name, priority).await;
        self.progress.answered();
        self.lock().ahead.ended();
        if let Err(error) = answer {
            self.arrived(&network, &name, Err(error));
        }
        self.ask_ahead(&network);
    }

    /// Takes an answer, and asks for what those who wait for it will need next.
    pub(super) fn arrived(
        self: &Arc<Self>,
        network: &Network,
        name: &str,
        answer: Result<Packument, ProviderError>,
    ) {
        let mut state = self.lock();
        let before = state.packuments.insert(name.to_owned(), Answer::Here(answer));
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

    /// Asks whether a packument that is in use is current, for the next command to know. Nobody waits for the answer: what
    /// has not come when the command ends is asked again by the next.
    pub(super) fn revalidate(self: &Arc<Self>, network: &Network, name: PackageName) {
        let (shared, network) = (self.clone(), network.clone());
        let runtime = network.runtime.clone();
        let asked = async move {
            let form = shared.first_form(&shared.registry_key(&name));
            let ask = Ask { form, priority: Priority::Low, purpose: Purpose::NextTime };
            shared.fetch_form(&network, &name, ask).await.ok()
        };
        runtime.spawn(asked);
    }

    /// The form in which a registry is asked for packuments first.
    pub(super) fn first_form(&self, registry: &str) -> PackumentForm {
        if self.policy.full || self.lock().timeless.contains(registry) {
            PackumentForm::Full
        } else {
            PackumentForm::Abbreviated
        }
    }

    /// Sees to it that the packument of `name` arrives, unless that fails.
    async fn fetch_packument(
        self: &Arc<Self>,
        network: &Network,
        name: &str,
        priority: Priority,
    ) -> Result<(), ProviderError> {
        let package =
            PackageName::parse(name).map_err(|error| Failure::from(error).into_provider_error())?;
        let ask = Ask {
            form: self.first_form(&self.registry_key(&package)),
            priority,
            purpose: Purpose::Now,
        };
        match self.fetch_form(network, &package, ask).await? {
            Use::Arrived => Ok(()),
            Use::NotEnough => self
                .fetch_form(network, &package, Ask { form: PackumentForm::Full, ..ask })
                .await
                .map(|_| ()),
        }
    }

    /// Whether a registry's answer to the first form tells all that versions are chosen by.
    pub(super) fn is_enough(&self, registry: &str, packument: &Packument) -> bool {
        if self.policy.full || packument.has_times() || !self.needs_times(packument) {
            return true;
        }
        // Where the short form does not even say when a package was last changed, asking for it is in vain.
        if packument.modified().is_none() {
            self.lock().timeless.insert(registry.to_owned());
        }
        false
    }

    /// Asks for a form of a packument. What is enough for this command arrives, and then goes into the cache.
    pub(super) async fn fetch_form(
        self: &Arc<Self>,
        network: &Network,
        name: &PackageName,
        ask: Ask,
    ) -> Result<Use, ProviderError> {
        let registry = self.registry_key(name);
        let form = match ask.form {
            PackumentForm::Full => Form::Full,
            PackumentForm::Abbreviated => Form::Abbreviated,
        };
        let cached = self.store.metadata(&registry, name, form);
        let validator = cached.as_ref().map(validator_of);
        let take = {
            let (shared, network, name) = (self.clone(), network.clone(), name.clone());
            move |answer| {
                shared.take(
                    &network,
                    &Subject { registry, name, form },
                    ask.purpose,
                    answer,
                    cached,
                )
            }
        };
        let taken = network
            .registry
            .packument(name, ask.form, validator.as_ref(), ask.priority, take)
            .await;
        taken.map_err(|error| Failure::from(error).into_provider_error())?
    }
}
