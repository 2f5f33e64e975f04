//! Fetching a tarball and making sure that it is the right one.

use super::error::{is_missing, refusal, shown, token_key};
use super::{NpmRegistry, RegistryError, address};
use dx_pkg_core::{Integrity, IntegrityMismatch, PackageName};
use dx_pkg_fetch::header::{CACHE_CONTROL, HeaderValue};
use dx_pkg_fetch::{Bytes, FetchError, Priority, Request, Slot, Verdict, plain_text};
use url::Url;

/// Which tarball is wanted.
#[derive(Debug, Clone)]
pub struct TarballRequest {
    /// The package.
    pub name: PackageName,
    /// Its version, for the conventional address where there is no other.
    pub version: Box<str>,
    /// The lockfile's `resolved` or the packument's `dist.tarball`.
    pub url: Option<Box<str>>,
    /// What the bytes must be; without it they are not checked.
    pub integrity: Option<Integrity>,
    /// How urgent it is.
    pub priority: Priority,
    /// How long it is guessed to be, in bytes; of equal urgency the longest goes first.
    pub estimated_bytes: u64,
}

/// A tarball that arrived.
///
/// It holds its place among the transfers until [`Self::slot`] is dropped: dropping it only once the tarball is
/// unpacked lets a slow processor hold back a fast network, so that memory stays bounded. Whoever collects tarballs
/// without unpacking them must drop the slots, or the next transfers never start.
#[derive(Debug)]
pub struct Tarball {
    /// The gzipped tar, as published.
    pub bytes: Bytes,
    /// The place among the transfers.
    pub slot: Slot,
    verdict: Verdict,
}

impl Tarball {
    /// Makes sure that the tarball is the right one; of the small ones nobody has yet, so it may take a millisecond or two.
    ///
    /// # Errors
    /// The mismatch, for [`NpmRegistry::tarball`] to fetch it once more.
    pub fn verify(self) -> Result<(Bytes, Slot), IntegrityMismatch> {
        self.verdict.of(&self.bytes).map(|()| (self.bytes, self.slot))
    }
}

impl NpmRegistry {
    /// Where the tarball is fetched from: the given address, led to the configured registry where
    /// `replace-registry-host` says so; without one the conventional address.
    ///
    /// # Errors
    /// [`RegistryError::BadUrl`] for anything but an `http:` or `https:` address.
    pub fn tarball_url(&self, name: &PackageName, version: &str, url: Option<&str>) -> Result<Url, RegistryError> {
        let found = match url {
            None => address::conventional_tarball_url(self.config.registry_for(name), name, version),
            Some(url) => Url::parse(url)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                .map(|url| self.replace_host.apply(url, self.config.registry())),
        };
        found.ok_or_else(|| RegistryError::BadUrl { name: name.clone(), url: safe_to_show(url.unwrap_or_default()) })
    }

    /// Fetches a tarball and gives it to `take`, which verifies it before anything else ([`Tarball::verify`]); one that is not
    /// the right one is fetched once more, past any cache on the way.
    ///
    /// # Errors
    /// [`RegistryError`]: it is missing, refused, not what it should be, or there is no answer.
    pub async fn tarball<T, F>(&self, wanted: TarballRequest, take: impl Fn(Tarball) -> F) -> Result<T, RegistryError>
    where
        F: Future<Output = Result<T, IntegrityMismatch>>,
    {
        let url = self.tarball_url(&wanted.name, &wanted.version, wanted.url.as_deref())?;
        let registry = self.config.registry_for(&wanted.name);
        let request = Request::tarball(url.clone())
            .priority(wanted.priority)
            .estimated_bytes(wanted.estimated_bytes)
            .credentials(self.credentials(registry));
        let request = self.labelled(request, || format!("{}@{}", wanted.name, wanted.version));
        let request = match &wanted.integrity {
            Some(integrity) => request.integrity(integrity.clone()),
            None => request,
        };
        let fail = |error| self.tarball_error(&wanted.name, registry, &url, error);
        if let Ok(taken) = take(self.fetch_tarball(request.clone()).await.map_err(fail)?).await {
            return Ok(taken);
        }
        let again = request.header(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        take(self.fetch_tarball(again).await.map_err(fail)?).await.map_err(|mismatch| RegistryError::Integrity {
            name: wanted.name,
            url: shown(&url),
            mismatch: Box::new(mismatch),
        })
    }

    async fn fetch_tarball(&self, request: Request) -> Result<Tarball, FetchError> {
        let response = self.fetcher.get(request).await?;
        Ok(Tarball { bytes: response.body, slot: response.slot, verdict: response.verdict })
    }

    fn tarball_error(&self, name: &PackageName, registry: &Url, url: &Url, error: FetchError) -> RegistryError {
        let name = name.clone();
        if is_missing(&error) {
            return RegistryError::TarballNotFound { name, url: shown(url) };
        }
        let Some(status) = refusal(&error) else {
            return RegistryError::Fetch { name, error: Box::new(error) };
        };
        let authorized = self.config.credentials_for_artifact(url, registry).is_some();
        // Where the tarball lies with its registry, one key serves both.
        let key = if url.origin() == registry.origin() { token_key(registry) } else { token_key(&root_of(url)) };
        RegistryError::Unauthorized { name, url: shown(url), status, key, authorized }
    }
}

fn root_of(url: &Url) -> Url {
    let mut root = url.clone();
    root.set_path("/");
    root
}

/// An address that could not be used, as far as it can be shown.
fn safe_to_show(url: &str) -> String {
    Url::parse(url).map_or_else(|_| plain_text(url, 200), |url| shown(&url))
}
