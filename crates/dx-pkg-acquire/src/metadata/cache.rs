//! Delivers the registry's answers to the resolver and writes them to the cache.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use dx_pkg_core::PackageName;
use dx_pkg_format::packument::Packument;
use dx_pkg_registry::{Lifetime, PackumentAnswer, Validator};
use dx_pkg_store::metadata::{CachedPackument, Form, MetadataRecord};

use super::Shared;
use crate::clock::now_ms;
use crate::{AcquireError, Network};

/// The command that an answer is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Now,
    /// The next one; this one uses what is cached.
    NextTime,
}

/// The use of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It was delivered to the resolver.
    Arrived,
    /// It lacks a field that versions are chosen by, or is for the next command.
    NotEnough,
}

/// The subject of an answer.
pub(super) struct Subject {
    /// The name of the package's registry in the metadata cache.
    pub(super) registry: String,
    pub(super) name: PackageName,
    /// The form that was requested.
    pub(super) form: Form,
}

/// A packument as an answer gives it.
struct Decoded {
    packument: Packument,
    form: Form,
    validator: Validator,
    lifetime: Lifetime,
}

impl Shared {
    /// Delivers an answer if it is enough, and writes it to the cache.
    pub(super) fn take(
        self: &Arc<Self>,
        network: &Network,
        subject: &Subject,
        purpose: Purpose,
        answer: PackumentAnswer,
        cached: Option<CachedPackument>,
    ) -> Result<Use, AcquireError> {
        let decoded = self.decode(subject, answer, cached)?;
        let is_enough =
            subject.form == Form::Full || self.is_enough(&subject.registry, &decoded.packument);
        let used = if is_enough && purpose == Purpose::Now { Use::Arrived } else { Use::NotEnough };
        let now = now_ms();
        let fresh_until_ms = now.saturating_add(decoded.lifetime.fresh_for_ms);
        self.fresh_until_ms.fetch_min(fresh_until_ms, Ordering::Relaxed);
        let _guard = BeingCached::of(self);
        if used == Use::Arrived {
            self.arrived(network, subject.name.as_str(), Ok(decoded.packument.clone()));
        }
        let record = MetadataRecord {
            packument: &decoded.packument,
            form: decoded.form,
            etag: decoded.validator.etag.as_deref(),
            last_modified: decoded.validator.last_modified.as_deref(),
            fetched_ms: now,
            fresh_until_ms,
            stale_until_ms: fresh_until_ms.saturating_add(decoded.lifetime.stale_for_ms),
            credential: self.credential(&subject.name),
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
    ) -> Result<Decoded, AcquireError> {
        let Subject { name, form, .. } = subject;
        match (answer, cached) {
            (PackumentAnswer::NotModified { lifetime }, Some(cached)) => {
                let validator = validator_of(&cached);
                let lifetime = lifetime.unwrap_or_else(|| lifetime_of(&cached));
                Ok(Decoded { packument: cached.packument, form: *form, validator, lifetime })
            }
            (PackumentAnswer::NotModified { .. }, None) => {
                Err(AcquireError::UnknownPackument { name: name.clone() })
            }
            (PackumentAnswer::Modified { bytes, validator, lifetime, full, received }, _) => {
                self.lock().ahead.received(name.as_str(), received);
                let packument = Packument::decode(Arc::new(bytes))?;
                Ok(Decoded {
                    packument,
                    form: if full { Form::Full } else { *form },
                    validator,
                    lifetime,
                })
            }
        }
    }
}

/// Counts an answer that is being written to the cache.
struct BeingCached<'s>(&'s Shared);

impl<'s> BeingCached<'s> {
    fn of(shared: &'s Shared) -> Self {
        shared.lock().being_cached += 1;
        Self(shared)
    }
}

impl Drop for BeingCached<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.being_cached -= 1;
        if state.being_cached == 0 {
            self.0.cached.notify_all();
        }
    }
}

/// Returns the lifetime that a cached packument had when the registry last confirmed it.
fn lifetime_of(cached: &CachedPackument) -> Lifetime {
    Lifetime {
        fresh_for_ms: cached.fresh_until_ms.saturating_sub(cached.fetched_ms),
        stale_for_ms: cached.stale_until_ms.saturating_sub(cached.fresh_until_ms),
    }
}

pub(super) fn validator_of(cached: &CachedPackument) -> Validator {
    Validator { etag: cached.etag.clone(), last_modified: cached.last_modified.clone() }
}
