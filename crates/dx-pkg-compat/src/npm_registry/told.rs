//! Tarballs whose address neither lockfile nor packument gave to the caller.
//!
//! They are looked for at the conventional address first, which saves a request for the packument.
//! Registries that keep tarballs elsewhere say in the packument where.

use std::sync::Arc;

use dx_pkg_format::packument::Packument;
use dx_pkg_registry::{
    PackumentAnswer, PackumentForm, PackumentRequest, TarballRequest, TarballSink,
};

use super::{NpmRegistry, OwnAddresses, RegistryError};
use crate::npmrc::{AllowSource, redact_urls};

impl NpmRegistry {
    /// Requests a tarball, and once more from where its packument says if the conventional address
    /// has none.
    ///
    /// # Errors
    /// As [`NpmRegistry::tarball`].
    pub(super) async fn tarball_wherever(
        &self,
        wanted: TarballRequest,
        sink: Arc<dyn TarballSink>,
    ) -> Result<(), RegistryError> {
        let guessed = wanted.url.is_none().then(|| wanted.clone());
        let missing = match (self.tarball(wanted.clone(), sink.clone()).await, &guessed) {
            (Err(missing @ RegistryError::TarballNotFound { .. }), Some(_)) => missing,
            (Err(error), None) if is_refusal(&error) => {
                return self.tarball_with_secret(wanted, sink, error).await;
            }
            (outcome, _) => return outcome,
        };
        let Some(wanted) = guessed else { return Err(missing) };
        match self.told_address(&wanted).await {
            Ok(Some(url)) if !self.may_ask(&wanted, &url) => Err(not_allowed(missing, &url)),
            Ok(Some(url)) => self.tarball(TarballRequest { url: Some(url), ..wanted }, sink).await,
            Ok(None) | Err(RegistryError::NotFound { .. }) => Err(missing),
            Err(error) => Err(error),
        }
    }

    /// Requests a tarball again if its packument has a secret for the address that failed with
    /// `error`; else returns that error.
    async fn tarball_with_secret(
        &self,
        wanted: TarballRequest,
        sink: Arc<dyn TarballSink>,
        error: RegistryError,
    ) -> Result<(), RegistryError> {
        // A package of no version is not known to be one of a registry.
        if wanted.version.is_empty() {
            return Err(error);
        }
        let is_known =
            || wanted.url.as_deref().is_some_and(|url| self.addresses.full(url).is_some());
        if is_known() || self.told_address(&wanted).await.is_err() || !is_known() {
            return Err(error);
        }
        self.tarball(wanted, sink).await
    }

    /// Returns whether `allow-remote` lets a tarball be requested from `url`.
    fn may_ask(&self, wanted: &TarballRequest, url: &str) -> bool {
        let replace_host = self.replace_host.as_ref().clone();
        let own = OwnAddresses { config: self.config.clone(), replace_host };
        matches!(self.config.allow_remote(), Ok(AllowSource::All))
            || own.contain(wanted.name.as_str(), url)
    }

    /// Returns the address of a tarball in its packument; `None` if the version is not there.
    async fn told_address(
        &self,
        wanted: &TarballRequest,
    ) -> Result<Option<Box<str>>, RegistryError> {
        let request = PackumentRequest {
            name: &wanted.name,
            form: PackumentForm::Abbreviated,
            validator: None,
            priority: wanted.priority,
        };
        let version = wanted.version.clone();
        self.packument(request, move |answer| address_in(answer, &version)).await
    }
}

/// Returns whether a server gives nothing out at an address, which may lack a signature.
fn is_refusal(error: &RegistryError) -> bool {
    matches!(error, RegistryError::TarballNotFound { .. } | RegistryError::Unauthorized { .. })
}

fn address_in(answer: PackumentAnswer, version: &str) -> Option<Box<str>> {
    let PackumentAnswer::Modified { bytes, .. } = answer else { return None };
    let packument = Packument::decode(Arc::new(bytes)).ok()?;
    Some(packument.version(packument.find_str(version)?).tarball().into())
}

/// Returns the error `missing` with the address that must not be asked.
fn not_allowed(missing: RegistryError, url: &str) -> RegistryError {
    match missing {
        RegistryError::TarballNotFound { name, url: asked, .. } => {
            let place = redact_urls(url);
            let reason = format!("its metadata names {place}, which allow-remote forbids");
            RegistryError::TarballNotFound { name, url: asked, reason: Some(reason) }
        }
        other => other,
    }
}
