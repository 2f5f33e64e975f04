//! What becomes of the registry's answers: the cache has them, and the resolver.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use dx_pkg_core::PackageName;
use dx_pkg_format::packument::Packument;
use dx_pkg_registry::{Lifetime, PackumentAnswer, Validator};
use dx_pkg_resolve::ProviderError;
use dx_pkg_store::{CachedPackument, Form, MetadataRecord};

use super::Shared;
use super::fetch::{Purpose, Use};
use crate::failure::Failure;
use crate::session::{Network, now_ms};

/// What an answer is about.
pub(super) struct Subject {
    /// What the metadata cache knows the package's registry by.
    pub(super) registry: String,
    pub(super) name: PackageName,
    /// The form that was asked for.
    pub(super) form: Form,
}

/// What an answer comes to.
struct Taken {
    packument: Packument,
    form: Form,
    validator: Validator,
    lifetime: Lifetime,
}

impl Shared {
    /// Hands an answer to whoever waits for it, as far as it is enough, and puts it into the cache.
    pub(super) fn take(
        self: &Arc<Self>,
        network: &Network,
        subject: &Subject,
        purpose: Purpose,
        answer: PackumentAnswer,
        cached: Option<CachedPackument>,
    ) -> Result<Use, ProviderError> {
        let taken = self.decode(subject, answer, cached)?;
        let is_enough =
            subject.form == Form::Full || self.is_enough(&subject.registry, &taken.packument);
        let used = if is_enough && purpose == Purpose::Now { Use::Arrived } else { Use::NotEnough };
        let now = now_ms();
        let fresh_until_ms = now.saturating_add(taken.lifetime.fresh_for_ms);
        self.fresh_until_ms.fetch_min(fresh_until_ms, Ordering::Relaxed);
        let _kept = BeingKept::of(self);
        if used == Use::Arrived {
            self.arrived(network, subject.name.as_str(), Ok(taken.packument.clone()));
        }
        let record = MetadataRecord {
            packument: taken.packument.as_bytes(),
            form: taken.form,
            etag: taken.validator.etag.as_deref(),
            last_modified: taken.validator.last_modified.as_deref(),
            fetched_ms: now,
            fresh_until_ms,
            stale_until_ms: fresh_until_ms.saturating_add(taken.lifetime.stale_for_ms),
        };
        // A cache that cannot be written costs time, nothing else.
        let _ = self.store.put_metadata(&subject.registry, &subject.name, &record);
        Ok(used)
    }

    fn decode(
        &self,
        subject: &Subject,
        answer: PackumentAnswer,
        cached: Option<CachedPackument>,
    ) -> Result<Taken, ProviderError> {
        let Subject { name, form, .. } = subject;
        match (answer, cached) {
            (PackumentAnswer::NotModified { lifetime }, Some(cached)) => {
                let validator = validator_of(&cached);
                Ok(Taken { packument: cached.packument, form: *form, validator, lifetime })
            }
            (PackumentAnswer::NotModified { .. }, None) => Err(Failure::new(
                "DX_BAD_PACKUMENT",
                format!("the registry says that the packument of {name} has not changed, but none was known"),
            )
            .into_provider_error()),
            (PackumentAnswer::Modified { bytes, validator, lifetime, full, received }, _) => {
                self.lock().ahead.received(name.as_str(), received);
                let packument = Packument::decode(Arc::new(bytes));
                let packument = packument.map_err(|error| Failure::from(error).into_provider_error())?;
                Ok(Taken { packument, form: if full { Form::Full } else { *form }, validator, lifetime })
            }
        }
    }
}

/// Counts an answer on its way into the cache, whether or not it gets there.
struct BeingKept<'s>(&'s Shared);

impl<'s> BeingKept<'s> {
    fn of(shared: &'s Shared) -> Self {
        shared.lock().being_kept += 1;
        Self(shared)
    }
}

impl Drop for BeingKept<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.being_kept -= 1;
        if state.being_kept == 0 {
            self.0.kept.notify_all();
        }
    }
}

pub(super) fn validator_of(cached: &CachedPackument) -> Validator {
    Validator { etag: cached.etag.clone(), last_modified: cached.last_modified.clone() }
}
