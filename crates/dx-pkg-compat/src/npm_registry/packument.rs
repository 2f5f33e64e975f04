//! Requests packuments.

use super::error::{explained, is_missing, refusal, shown, token_key};
use super::signed::Addresses;
use super::{NpmRegistry, RegistryError, address, encoding, freshness};
use crate::npmrc::ConfigWarning;
use dx_pkg_core::PackageName;
use dx_pkg_core::text::plain_text;
use dx_pkg_fetch::header::{
    ACCEPT, CONTENT_TYPE, ETAG, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use dx_pkg_fetch::{FetchError, Request, Response, StatusCode};

use dx_pkg_format::packument::{Packument, SharedBytes};
use dx_pkg_registry::{PackumentAnswer, PackumentForm, PackumentRequest, Validator};
use std::sync::{Arc, MutexGuard, PoisonError};
use url::Url;

/// What npm sends for the abbreviated form; registries that do not know it answer with the full
/// one.
const ACCEPT_ABBREVIATED: &str =
    "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*";
const ACCEPT_FULL: &str = "application/json";

/// How registries mark a packument as abbreviated.
const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

/// How much of a wrong answer is shown, in bytes.
const BEGINNING: usize = 80;

impl NpmRegistry {
    /// Requests a packument from the registry responsible for the package and passes the answer to
    /// `take`, on the thread that decoded it.
    ///
    /// # Errors
    /// [`RegistryError`]: the package is unknown or refused, the answer is no packument, or there
    /// is no answer.
    pub async fn packument<T: Send + 'static>(
        &self,
        request: PackumentRequest<'_>,
        take: impl FnOnce(PackumentAnswer) -> T + Send + 'static,
    ) -> Result<T, RegistryError> {
        let PackumentRequest { name, form, validator, priority } = request;
        let registry = self.config.registry_for(name);
        let url = address::packument_url(registry, name)
            .ok_or_else(|| RegistryError::BadUrl { name: name.clone(), url: shown(registry) })?;
        let mut asked = form;
        let response = loop {
            let request =
                self.packument_request(&url, registry, asked, validator).priority(priority);
            let request = self.labelled(request, || name.to_string());
            match self.fetcher.get(request).await {
                Ok(response) => break response,
                // A registry may not know the abbreviated form at all; npm, too, asks once more for
                // the full one. One that has answered in that form knows it.
                Err(error)
                    if asked == PackumentForm::Abbreviated
                        && may_not_know_form(&error)
                        && !self.abbreviates(registry) =>
                {
                    asked = PackumentForm::Full;
                }
                Err(error) => return Err(self.packument_error(name, registry, &url, error)),
            }
        };
        if says_abbreviated(&response) && !self.abbreviates(registry) {
            self.abbreviating().push(registry.clone());
        }
        if response.status == StatusCode::NOT_MODIFIED {
            let lifetime = freshness::told_lifetime(&response.headers);
            let answer = PackumentAnswer::NotModified { lifetime };
            return Ok(self.compute(move || take(answer)).await);
        }
        let reader = Reader { name: name.clone(), asked, addresses: Arc::clone(&self.addresses) };
        let read = self.compute(move || match reader.read(&response, encoding::LARGE) {
            Ok(answer) => Ok(Ok(take(answer))),
            Err(Unread::Bad(error)) => Ok(Err(error)),
            Err(Unread::Large) => Err(Box::new((response, reader, take))),
        });
        let outcome = match read.await {
            Ok(outcome) => outcome,
            Err(large) => {
                let (response, reader, take) = *large;
                // The semaphore is never closed.
                let _turn = self.large.acquire().await;
                self.compute(move || match reader.read(&response, encoding::LARGEST) {
                    Ok(answer) => Ok(take(answer)),
                    Err(Unread::Bad(error)) => Err(error),
                    Err(Unread::Large) => Err(reader.bad(&response, encoding::TOO_LARGE, &[])),
                })
                .await
            }
        };
        outcome.map_err(|error| error.without_credentials(&self.config))
    }

    fn abbreviating(&self) -> MutexGuard<'_, Vec<Url>> {
        self.abbreviating.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether a registry has answered with an abbreviated packument.
    fn abbreviates(&self, registry: &Url) -> bool {
        self.abbreviating().contains(registry)
    }

    fn packument_request(
        &self,
        url: &Url,
        registry: &Url,
        form: PackumentForm,
        validator: Option<&Validator>,
    ) -> Request {
        let accept = match form {
            PackumentForm::Abbreviated => ACCEPT_ABBREVIATED,
            PackumentForm::Full => ACCEPT_FULL,
        };
        let mut request = Request::metadata(url.clone())
            .header(ACCEPT, HeaderValue::from_static(accept))
            .credentials(self.credentials(registry));
        let Some(validator) = validator else {
            return request;
        };
        for (header, value) in
            [(IF_NONE_MATCH, &validator.etag), (IF_MODIFIED_SINCE, &validator.last_modified)]
        {
            if let Some(value) =
                value.as_deref().and_then(|value| HeaderValue::from_str(value).ok())
            {
                request = request.header(header, value);
            }
        }
        request
    }

    /// Returns the warning about credentials for `url` that are configured and not used.
    pub(super) fn unused_credentials(&self, url: &Url) -> Option<Box<ConfigWarning>> {
        self.config.unused_credentials_for(url).map(Box::new)
    }

    pub(super) fn packument_error(
        &self,
        name: &PackageName,
        registry: &Url,
        url: &Url,
        error: FetchError,
    ) -> RegistryError {
        let authorized = self.config.credentials_for_artifact(url, registry).is_some();
        let (name, key) = (name.clone(), token_key(registry));
        let (error, reason) = explained(error, &self.config);
        let unused = self.unused_credentials(url);
        if is_missing(&error) {
            let registry = shown(registry);
            return RegistryError::NotFound { name, registry, reason, key, authorized, unused };
        }
        match refusal(&error) {
            Some(status) => {
                let url = shown(url);
                RegistryError::Unauthorized { name, url, status, reason, key, authorized, unused }
            }
            None => RegistryError::Fetch { name, error: Box::new(error) },
        }
    }
}

fn may_not_know_form(error: &FetchError) -> bool {
    is_missing(error) || error.status() == Some(StatusCode::NOT_ACCEPTABLE)
}

/// The reason why an answer was not decoded.
enum Unread {
    /// It has more bytes than may be decoded now.
    Large,
    Bad(RegistryError),
}

/// What an answer is decoded for.
struct Reader {
    name: PackageName,
    asked: PackumentForm,
    /// Receives the addresses of tarballs that have secrets.
    addresses: Arc<Addresses>,
}

impl Reader {
    /// Decodes an answer of at most `limit` bytes. Takes the processor for as long as the packument
    /// is large.
    fn read(&self, response: &Response, limit: usize) -> Result<PackumentAnswer, Unread> {
        let bad = |reason: &str, document: &[u8]| Unread::Bad(self.bad(response, reason, document));
        let codings = encoding::codings(&response.headers);
        let undone = encoding::undo(&response.body, &codings, limit);
        let undone = undone.map_err(|reason| match reason {
            encoding::TOO_LARGE => Unread::Large,
            _ => bad(reason, &[]),
        })?;
        let json: &[u8] = undone.as_deref().unwrap_or(&response.body);
        if json.len() > limit {
            return Err(Unread::Large);
        }
        let (bytes, addresses) = crate::packument::encode_with_addresses(json, &self.name)
            .map_err(|error| bad(&error.to_string(), json))?;
        self.addresses.add(addresses);
        let bytes = Arc::new(bytes);
        let full =
            self.asked == PackumentForm::Full || !says_abbreviated(response) && has_times(&bytes);
        Ok(PackumentAnswer::Modified {
            bytes: Arc::unwrap_or_clone(bytes),
            validator: Validator {
                etag: response.header(ETAG).map(str::to_owned),
                last_modified: response.header(LAST_MODIFIED).map(str::to_owned),
            },
            lifetime: freshness::lifetime(&response.headers),
            full,
            received: response.body.len() as u64,
        })
    }

    /// Returns the error about an answer that is no packument; `document` is shown from its
    /// beginning.
    fn bad(&self, response: &Response, reason: &str, document: &[u8]) -> RegistryError {
        let beginning = String::from_utf8_lossy(&document[..document.len().min(BEGINNING)]);
        RegistryError::BadPackument {
            name: self.name.clone(),
            url: shown(&response.url),
            reason: plain_text(reason, 200),
            beginning: plain_text(&beginning, BEGINNING),
        }
    }
}

fn says_abbreviated(response: &Response) -> bool {
    response.header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with(ABBREVIATED))
}

/// Whether any version tells when it was published, which only full packuments do.
fn has_times(dxm: &Arc<Vec<u8>>) -> bool {
    Packument::decode(Arc::clone(dxm) as SharedBytes).is_ok_and(|packument| packument.has_times())
}
