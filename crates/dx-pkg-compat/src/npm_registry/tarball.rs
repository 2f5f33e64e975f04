//! Requests tarballs and makes sure that they are the right ones.

use super::encoding::{self, Coding, LARGEST_TARBALL};
use super::error::{explained, is_missing, refusal, shown, token_key};
use super::{NpmRegistry, RegistryError, address};
use dx_pkg_core::text::plain_text;
use dx_pkg_core::{Integrity, IntegrityMismatch, PackageName};
use dx_pkg_fetch::header::{CACHE_CONTROL, HeaderValue};
use dx_pkg_fetch::stream::Beginning;
use dx_pkg_fetch::{Bytes, FetchError, Request, Response, Verdict};

use dx_pkg_registry::{Streaming, TarballRequest, TarballSink};
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

impl NpmRegistry {
    /// Returns the address of a tarball: the given one, rewritten to the configured registry where
    /// `replace-registry-host` says so, or the conventional one.
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

    /// Requests a tarball for `sink`. A wrong one is requested once more, past any cache on the
    /// way.
    ///
    /// # Errors
    /// [`RegistryError`]: it is missing, refused, wrong twice, or there is no answer.
    pub async fn tarball(
        &self,
        wanted: TarballRequest,
        sink: Arc<dyn TarballSink>,
    ) -> Result<(), RegistryError> {
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
        let integrity = wanted.integrity.as_ref();
        let once = request.clone();
        if matches!(self.deliver(once, integrity, &sink, false).await.map_err(fail)?, Ok(true)) {
            return Ok(());
        }
        let again = request.header(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        match self.deliver(again, integrity, &sink, true).await.map_err(fail)? {
            Ok(_) => Ok(()),
            Err(mismatch) => Err(RegistryError::Integrity {
                name: wanted.name,
                url: shown(&url),
                mismatch: Box::new(mismatch),
            }),
        }
    }

    /// Delivers a tarball, whole or while it arrives; returns whether `sink` has taken it, or the
    /// mismatch. One with an encoding is delivered whole if that `is_undone`, as a stream is taken
    /// as it comes.
    async fn deliver(
        &self,
        request: Request,
        integrity: Option<&Integrity>,
        sink: &Arc<dyn TarballSink>,
        is_undone: bool,
    ) -> Result<Result<bool, IntegrityMismatch>, FetchError> {
        // A retried request begins anew, and only the last beginning completes.
        let begun = Arc::new(Mutex::new(Vec::new()));
        let is_undone = is_undone || integrity.is_none();
        let open = {
            let (sink, begun) = (sink.clone(), begun.clone());
            move |Beginning { length, is_encoded }| {
                if is_undone && is_encoded {
                    return None;
                }
                let Streaming { pieces, unpacked } = sink.clone().begin(length)?;
                begun.lock().unwrap_or_else(PoisonError::into_inner).push(unpacked);
                Some(pieces)
            }
        };
        let response = self.fetcher.get(request.stream(Arc::new(open))).await;
        let mut begun = std::mem::take(&mut *begun.lock().unwrap_or_else(PoisonError::into_inner));
        let is_streamed = response.as_ref().is_ok_and(|response| response.is_streamed);
        let last = if is_streamed { begun.pop() } else { None };
        // What came in vain is removed before anything else is done with the package.
        for given_up in begun {
            let _ = given_up.await;
        }
        let response = response?;
        if !response.is_streamed {
            let response = self.without_encoding(response, integrity).await;
            return Ok(sink.clone().accept(response.into()).await.map(|()| true));
        }
        let _slot = response.slot;
        Ok(match last {
            Some(unpacked) => unpacked.await.map_or(Ok(false), |verdict| verdict.map(|()| true)),
            None => Ok(false),
        })
    }

    /// Undoes the content encodings of a tarball.
    ///
    /// A tarball is compressed by itself, and many servers name that as its encoding. So the
    /// integrity decides how much is undone; without one, all that leaves it compressed. A tarball
    /// that was streamed as it came, and wrong, is requested once more and comes here then.
    async fn without_encoding(
        &self,
        response: Response,
        integrity: Option<&Integrity>,
    ) -> Response {
        let codings = encoding::codings(&response.headers);
        if codings.is_empty() {
            return response;
        }
        let integrity = integrity.cloned();
        self.compute(move || undo(response, &codings, integrity.as_ref())).await
    }

    fn tarball_error(
        &self,
        name: &PackageName,
        registry: &Url,
        url: &Url,
        error: FetchError,
    ) -> RegistryError {
        let name = name.clone();
        let (error, reason) = explained(error);
        if is_missing(&error) {
            return RegistryError::TarballNotFound { name, url: shown(url), reason };
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
        let unused = self.unused_credentials(url);
        let url = shown(url);
        RegistryError::Unauthorized { name, url, status, reason, key, authorized, unused }
    }
}

fn undo(mut response: Response, codings: &[Coding], integrity: Option<&Integrity>) -> Response {
    if let Some(integrity) = integrity {
        let verdict = std::mem::replace(&mut response.verdict, Verdict::Known(Ok(())));
        let Err(mismatch) = verdict.of(&response.body) else {
            return response;
        };
        response.verdict = Verdict::Known(Err(mismatch));
        let mut body = response.body.clone();
        for coding in codings {
            let Ok(Some(inner)) = encoding::inflate(&body, *coding, LARGEST_TARBALL) else {
                continue;
            };
            body = Bytes::from_owner(inner);
            if integrity.verify(&body).is_ok() {
                (response.body, response.verdict) = (body, Verdict::Known(Ok(())));
                break;
            }
        }
        return response;
    }
    for coding in codings {
        match encoding::inflate(&response.body, *coding, LARGEST_TARBALL) {
            Ok(Some(inner)) if encoding::is_gzip(&inner) => {
                response.body = Bytes::from_owner(inner);
            }
            _ => break,
        }
    }
    response
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
