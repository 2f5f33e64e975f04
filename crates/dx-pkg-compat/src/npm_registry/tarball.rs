//! Fetching a tarball and making sure that it is the right one.

use super::error::{is_missing, refusal, shown, token_key};
use super::{NpmRegistry, RegistryError, address};
use dx_pkg_core::{Integrity, IntegrityMismatch, PackageName};
use dx_pkg_fetch::header::{CACHE_CONTROL, HeaderValue};
use dx_pkg_fetch::{
    Bytes, FetchError, Piece, Priority, Request, Response, Slot, Verdict, plain_text,
};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;
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

impl From<Response> for Tarball {
    fn from(response: Response) -> Self {
        Self { bytes: response.body, slot: response.slot, verdict: response.verdict }
    }
}

/// A tarball on its way to whoever unpacks it as it arrives.
#[derive(Debug)]
pub struct Streaming<T> {
    /// Where its pieces go; those that nobody has taken yet hold back the network, if there are many.
    pub pieces: Sender<Piece>,
    /// What it becomes. Nothing comes where it is not the right one, or cannot be unpacked so: it is then fetched once more,
    /// whole, which tells what is the matter.
    pub outcome: oneshot::Receiver<T>,
}

/// Whoever tarballs are fetched for.
pub trait Unpacker: Send + Sync + 'static {
    /// What a tarball becomes.
    type Taken: Send + 'static;

    /// Unpacks a tarball that is here, and verifies it before anything else ([`Tarball::verify`]).
    fn unpack(
        self: &Arc<Self>,
        tarball: Tarball,
    ) -> impl Future<Output = Result<Self::Taken, IntegrityMismatch>> + Send;

    /// Begins to unpack a tarball of so many bytes as it arrives, verifying it by itself; `None` where that is not worth it.
    fn begin(self: &Arc<Self>, length: u64) -> Option<Streaming<Self::Taken>>;
}

impl NpmRegistry {
    /// Where the tarball is fetched from: the given address, led to the configured registry where
    /// `replace-registry-host` says so; without one the conventional address.
    ///
    /// # Errors
    /// [`RegistryError::BadUrl`] for anything but an `http:` or `https:` address.
    pub fn tarball_url(
        &self,
        name: &PackageName,
        version: &str,
        url: Option<&str>,
    ) -> Result<Url, RegistryError> {
        let found = match url {
            None => {
                address::conventional_tarball_url(self.config.registry_for(name), name, version)
            }
            Some(url) => Url::parse(url)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                .map(|url| self.replace_host.apply(url, self.config.registry())),
        };
        found.ok_or_else(|| RegistryError::BadUrl {
            name: name.clone(),
            url: safe_to_show(url.unwrap_or_default()),
        })
    }

    /// Fetches a tarball for `unpacker`; one that is not the right one is fetched once more, past any cache on the way.
    ///
    /// # Errors
    /// [`RegistryError`]: it is missing, refused, not what it should be, or there is no answer.
    pub async fn tarball<U: Unpacker>(
        &self,
        wanted: TarballRequest,
        unpacker: &Arc<U>,
    ) -> Result<U::Taken, RegistryError> {
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
        if let Some(taken) =
            self.tarball_or_stream(request.clone(), unpacker).await.map_err(fail)?
        {
            return Ok(taken);
        }
        let again = request.header(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        let response = self.fetcher.get(again).await.map_err(fail)?;
        unpacker.unpack(response.into()).await.map_err(|mismatch| RegistryError::Integrity {
            name: wanted.name,
            url: shown(&url),
            mismatch: Box::new(mismatch),
        })
    }

    /// What a tarball becomes, whole or on its way; `None` if it is to be fetched once more.
    async fn tarball_or_stream<U: Unpacker>(
        &self,
        request: Request,
        unpacker: &Arc<U>,
    ) -> Result<Option<U::Taken>, FetchError> {
        // Of several beginnings the last is the one that ends.
        let begun = Arc::new(Mutex::new(None));
        let open = {
            let (unpacker, begun) = (unpacker.clone(), begun.clone());
            move |length| {
                let Streaming { pieces, outcome } = unpacker.begin(length)?;
                *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
                Some(pieces)
            }
        };
        let response = self.fetcher.get(request.stream(Arc::new(open))).await?;
        if !response.is_streamed {
            return Ok(unpacker.unpack(response.into()).await.ok());
        }
        let _slot = response.slot;
        let outcome = begun.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(match outcome {
            Some(outcome) => outcome.await.ok(),
            None => None,
        })
    }

    fn tarball_error(
        &self,
        name: &PackageName,
        registry: &Url,
        url: &Url,
        error: FetchError,
    ) -> RegistryError {
        let name = name.clone();
        if is_missing(&error) {
            return RegistryError::TarballNotFound { name, url: shown(url) };
        }
        let Some(status) = refusal(&error) else {
            return RegistryError::Fetch { name, error: Box::new(error) };
        };
        let authorized = self.config.credentials_for_artifact(url, registry).is_some();
        // Where the tarball lies with its registry, one key serves both.
        let key = if url.origin() == registry.origin() {
            token_key(registry)
        } else {
            token_key(&root_of(url))
        };
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
