//! Requests to upstreams.

use super::addresses::Named;
use super::known::Known;
use crate::config;
use crate::failure::Failure;
use crate::origin::{Origins, Registry};
use axum::http::StatusCode;
use axum::http::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
};
use bytes::Bytes;
use dx_pkg_core::{Coded as _, PackageName};
use dx_pkg_fetch::config::{BodyLimits, FetchConfig, RetryPolicy, Timeouts};
use dx_pkg_fetch::error::FetchCause;
use dx_pkg_fetch::{Credentials, FetchError, Fetcher, Method, Request, Response, Statistics};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// The time for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest time for which an upstream's `Retry-After` is obeyed.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// The time for which an upstream that could not be reached is not asked for what is cached.
const UNREACHABLE: Duration = Duration::from_secs(5);
/// The tries of a request that fails without an answer, or with 5xx.
const TRIES: u32 = 2;
/// The pause between them.
const PAUSE: Duration = Duration::from_millis(100);

/// A client of all upstreams.
pub(crate) struct Client {
    fetcher: Fetcher,
    /// The times until which upstreams want no requests.
    pauses: Mutex<HashMap<String, Instant>>,
    /// The times until which upstreams that could not be reached count as unreachable.
    unreachable: Mutex<HashMap<String, Instant>>,
}

/// A packument as an upstream sent it.
pub(super) struct Document {
    pub(super) body: Bytes,
    pub(super) is_gzip: bool,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
}

pub(super) enum Answer {
    Document(Document),
    /// What is cached is still right.
    Unchanged,
}

/// A request without the document.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The upstream says that it does not have it.
    Missing,
    Failed(Failure),
}

impl Client {
    pub(super) fn new(settings: &config::Cache, origins: &Origins) -> Self {
        let config = FetchConfig {
            user_agent: format!("dx-registry/{}", env!("CARGO_PKG_VERSION")),
            timeouts: Timeouts {
                connect: CONNECT.min(settings.timeout.0),
                idle: settings.timeout.0,
                total: settings.timeout.0.max(Duration::from_secs(300)),
            },
            retry: RetryPolicy { tries: 1, ..RetryPolicy::default() },
            limits: BodyLimits {
                metadata: settings.packument.0,
                tarball: settings.tarball.0,
                ..BodyLimits::default()
            },
            addresses: Some(Arc::new(Named::new(origins))),
            ..FetchConfig::default()
        };
        Self {
            fetcher: Fetcher::new(config),
            pauses: Mutex::default(),
            unreachable: Mutex::default(),
        }
    }

    /// Returns the counters of all requests.
    pub(crate) fn statistics(&self) -> Statistics {
        self.fetcher.statistics()
    }

    /// Requests the full packument.
    pub(super) async fn packument(
        &self,
        registry: &Registry,
        name: &PackageName,
        known: Option<&Known>,
    ) -> Result<Answer, Refusal> {
        let mut url = registry.address.0.clone();
        let path = format!("{}{}", url.path(), name.as_str().replace('/', "%2f"));
        url.set_path(&path);
        let accept = HeaderValue::from_static("application/json");
        let mut request = Request::metadata(url).header(ACCEPT, accept);
        let conditions = known
            .map(|known| [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)]);
        for (header, value) in conditions.into_iter().flatten() {
            if let Some(value) = value.as_ref().and_then(|value| HeaderValue::from_str(value).ok())
            {
                request = request.header(header, value);
            }
        }
        let response = self.send(registry, request).await?;
        if response.status == StatusCode::NOT_MODIFIED {
            return Ok(Answer::Unchanged);
        }
        let text = |header: HeaderName| response.header(header).map(str::to_owned);
        let encoding = text(CONTENT_ENCODING).unwrap_or_default();
        if !matches!(encoding.as_str(), "" | "identity" | "gzip") {
            let message = "the upstream answers in an encoding that was not asked for";
            return Err(Refusal::Failed(bad_gateway(message)));
        }
        let (etag, last_modified) = (text(ETAG), text(LAST_MODIFIED));
        let is_gzip = encoding == "gzip";
        Ok(Answer::Document(Document { body: response.body, is_gzip, etag, last_modified }))
    }

    /// Sends a request that changes nothing, such as a search, and returns the whole answer.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(crate) async fn ask(
        &self,
        registry: &Registry,
        path_and_query: &str,
        body: Option<Bytes>,
    ) -> Result<Bytes, Refusal> {
        let url = registry.address.0.join(path_and_query);
        let url = url.map_err(|error| Refusal::Failed(Failure::internal(error)))?;
        let json = HeaderValue::from_static("application/json");
        let request = match body {
            Some(body) => {
                Request::sending(Method::POST, url, Some(body)).header(CONTENT_TYPE, json.clone())
            }
            None => Request::metadata(url),
        };
        let request = request.header(ACCEPT, json);
        Ok(self.send(registry, request).await?.body)
    }

    /// Requests a tarball.
    pub(super) async fn tarball(
        &self,
        registry: &Registry,
        url: Url,
        prepare: impl Fn(Request) -> Request,
    ) -> Result<Response, Refusal> {
        self.send(registry, prepare(Request::tarball(url))).await
    }

    /// Sends a request, again if it fails in a way that may pass; not while the upstream has asked
    /// for a pause.
    async fn send(&self, registry: &Registry, request: Request) -> Result<Response, Refusal> {
        let request = request.credentials(credentials(registry));
        let mut tries = 1;
        loop {
            if let Some(pause) = self.pause(registry) {
                return Err(Refusal::Failed(busy(pause)));
            }
            let error = match self.fetcher.get(request.clone()).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            let refusal = self.refusal(registry, &error);
            let may_pass = match &error.cause {
                FetchCause::Status { status, retry_after, .. } => {
                    status.is_server_error() && retry_after.is_none()
                }
                FetchCause::Connect { .. } | FetchCause::Truncated { .. } => true,
                _ => false,
            };
            if !may_pass || tries == TRIES {
                self.note_unreachable(registry, &error);
                return Err(refusal);
            }
            tokio::time::sleep(PAUSE).await;
            tries += 1;
        }
    }

    fn refusal(&self, registry: &Registry, error: &FetchError) -> Refusal {
        let detail =
            format!("{} [{}]", dx_pkg_core::coded::message_with_causes(error), error.code());
        let failed = |status: StatusCode, message: String| {
            Refusal::Failed(Failure::new(status, message).detail(&detail))
        };
        match &error.cause {
            FetchCause::Status { status, retry_after, .. } => match status.as_u16() {
                404 | 410 => Refusal::Missing,
                401 | 403 => {
                    failed(StatusCode::FORBIDDEN, format!("the upstream refuses this ({status})"))
                }
                402 | 451 => failed(*status, format!("the upstream refuses this ({status})")),
                429 | 503 => {
                    let pause = retry_after.unwrap_or_default().min(LONGEST_PAUSE);
                    if !pause.is_zero() {
                        let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
                        pauses.insert(registry.id.clone(), Instant::now() + pause);
                    }
                    Refusal::Failed(busy(pause).detail(&detail))
                }
                _ => failed(
                    StatusCode::BAD_GATEWAY,
                    format!("the upstream has a fault ({status}): try again later"),
                ),
            },
            FetchCause::Timeout { .. } => failed(
                StatusCode::GATEWAY_TIMEOUT,
                "the upstream does not answer in time: try again later".to_owned(),
            ),
            FetchCause::Forbidden { .. } => failed(
                StatusCode::BAD_GATEWAY,
                "the upstream leads to an address that this registry does not ask".to_owned(),
            ),
            _ => failed(
                StatusCode::BAD_GATEWAY,
                "the upstream cannot be reached, or broke off: try again later".to_owned(),
            ),
        }
    }

    /// Returns whether an upstream could not be reached moments ago. What is cached is served at
    /// once then: a try for each package of an install would take minutes.
    pub(super) fn is_unreachable(&self, registry: &Registry) -> bool {
        let unreachable = self.unreachable.lock().unwrap_or_else(PoisonError::into_inner);
        unreachable.get(&registry.id).is_some_and(|end| Instant::now() < *end)
    }

    fn note_unreachable(&self, registry: &Registry, error: &FetchError) {
        let is_own = error.url.parse::<Url>();
        let is_own = is_own.is_ok_and(|url| url.origin() == registry.address.0.origin());
        let causes = matches!(
            error.cause,
            FetchCause::Connect { .. } | FetchCause::Dns { .. } | FetchCause::Timeout { .. }
        );
        if is_own && causes {
            let mut unreachable = self.unreachable.lock().unwrap_or_else(PoisonError::into_inner);
            unreachable.insert(registry.id.clone(), Instant::now() + UNREACHABLE);
        }
    }

    fn pause(&self, registry: &Registry) -> Option<Duration> {
        let pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        let end = pauses.get(&registry.id)?;
        Some(end.saturating_duration_since(Instant::now())).filter(|pause| !pause.is_zero())
    }
}

/// Creates the failure for an answer that makes no sense.
pub(super) fn bad_gateway(message: impl Into<String>) -> Failure {
    Failure::new(StatusCode::BAD_GATEWAY, message)
}

fn busy(pause: Duration) -> Failure {
    let message = "the upstream is busy: try again later";
    let failure = Failure::new(StatusCode::SERVICE_UNAVAILABLE, message);
    let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
    failure.header(RETRY_AFTER, &seconds.max(1).to_string())
}

/// Returns the upstream's own credentials, which go nowhere but to its origin.
fn credentials(registry: &Registry) -> Credentials {
    let own = registry.address.0.origin();
    let value = registry.authorization.as_ref().and_then(|text| HeaderValue::from_str(text).ok());
    Arc::new(move |url| value.clone().filter(|_| url.origin() == own))
}
