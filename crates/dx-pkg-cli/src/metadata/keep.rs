//! What becomes of the registry's answers: the cache has them, and the resolver.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use dx_pkg_core::PackageName;
use dx_pkg_format::packument::Packument;
use dx_pkg_registry::{Lifetime, PackumentAnswer, Validator};
use dx_pkg_resolve::ProviderError;
use dx_pkg_store::{CachedPackument, Form, MetadataRecord};

use super::Shared;
use crate::failure::Failure;
use crate::session::now_ms;

impl Shared {
    /// Puts an answer into the cache and decodes it. A cache that cannot be written costs time, nothing else.
    pub(super) fn keep(
        &self,
        registry: &str,
        name: &PackageName,
        asked: Form,
        answer: PackumentAnswer,
        cached: Option<CachedPackument>,
    ) -> Result<Packument, ProviderError> {
        let now = now_ms();
        let put = |packument: &[u8], form: Form, validator: &Validator, lifetime: Lifetime| {
            let fresh_until_ms = now.saturating_add(lifetime.fresh_for_ms);
            let record = MetadataRecord {
                packument,
                form,
                etag: validator.etag.as_deref(),
                last_modified: validator.last_modified.as_deref(),
                fetched_ms: now,
                fresh_until_ms,
                stale_until_ms: fresh_until_ms.saturating_add(lifetime.stale_for_ms),
            };
            self.fresh_until_ms.fetch_min(record.fresh_until_ms, Ordering::Relaxed);
            let _ = self.store.put_metadata(registry, name, &record);
        };
        match (answer, cached) {
            (PackumentAnswer::NotModified { lifetime }, Some(cached)) => {
                put(cached.packument.as_bytes(), asked, &validator_of(&cached), lifetime);
                Ok(cached.packument)
            }
            (PackumentAnswer::NotModified { .. }, None) => Err(Failure::new(
                "DX_BAD_PACKUMENT",
                format!("the registry says that the packument of {name} has not changed, but none was known"),
            )
            .into_provider_error()),
            (PackumentAnswer::Modified { bytes, validator, lifetime, full, received }, _) => {
                self.lock().ahead.received(name.as_str(), received);
                put(&bytes, if full { Form::Full } else { asked }, &validator, lifetime);
                Packument::decode(Arc::new(bytes)).map_err(|error| Failure::from(error).into_provider_error())
            }
        }
    }
}

pub(super) fn validator_of(cached: &CachedPackument) -> Validator {
    Validator { etag: cached.etag.clone(), last_modified: cached.last_modified.clone() }
}
