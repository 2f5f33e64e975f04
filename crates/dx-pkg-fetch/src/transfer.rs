//! One try of a request: sending it, following redirects, reading the body.

use crate::body::Body;
use crate::budget::Budget;
use crate::clients::Clients;
use crate::config::{FetchConfig, Timeouts};
use crate::error::{ErrorAnswer, FetchCause, Phase, innermost};
use crate::failure::{lacks_descriptors, of_request};
use crate::request::{Class, Request};
use crate::resume::{Partial, answers_range};
use crate::retry::parse_retry_after;
use crate::statistics::Counters;
use crate::stream::{Beginning, OpenStream};
use crate::text::redact_url;
use crate::trace::Entry;
use bytes::Bytes;
use dx_pkg_core::text::plain_text;
use reqwest::StatusCode;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LOCATION, RETRY_AFTER,
};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;
use url::Url;

/// The limit on redirects.
const MAX_REDIRECTS: usize = 10;

/// The limits on reading an error's body for its message: bytes and time.
const ERROR_BODY: usize = 16 << 10;
const ERROR_BODY_PATIENCE: Duration = Duration::from_secs(2);

/// The length from which a body of unknown length may be streamed, in bytes.
const STREAMED_FROM: u64 = 1 << 20;

/// The least number of bytes of a body that must arrive within the idle timeout. At 30 seconds that
/// is 34 bytes a second: 96 transfers share a telephone line with more.
const LEAST_ARRIVING: usize = 1024;

/// The longest that a stream of any duration goes on.
const MOST_CONVERSATION: Duration = Duration::from_secs(24 * 60 * 60);

/// How slowly a body may be sent, in bytes a second.
const SLOWEST_SENDING: u64 = 32 << 10;

/// The pause before a connection is tried again that failed because too many files are open.
const DESCRIPTOR_PAUSE: Duration = Duration::from_millis(20);

/// The result of a successful try.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) url: Url,
    pub(crate) body: Body,
}

/// The timeouts of one try.
struct Clock {
    timeouts: Timeouts,
    deadline: Instant,
    /// The bytes that have arrived since then, fewer than [`LEAST_ARRIVING`].
    lately: usize,
    since: Instant,
}

impl Clock {
    fn start(timeouts: Timeouts, is_endless: bool) -> Self {
        let now = Instant::now();
        let total = if is_endless { MOST_CONVERSATION } else { timeouts.total };
        Self { timeouts, deadline: now + total, lately: 0, since: now }
    }

    /// Takes in that a chunk of `bytes` bytes arrived. A body that arrives too slowly counts as one
    /// that does not arrive.
    fn arrived(&mut self, bytes: usize) -> Result<(), FetchCause> {
        let now = Instant::now();
        self.lately += bytes;
        if self.lately >= LEAST_ARRIVING {
            (self.since, self.lately) = (now, 0);
        } else if now.duration_since(self.since) > self.timeouts.idle {
            return Err(FetchCause::Timeout { phase: Phase::Idle, limit: self.timeouts.idle });
        }
        Ok(())
    }

    /// Waits for `future`, within the idle and the total timeout.
    async fn limit<T>(&self, future: impl Future<Output = T>) -> Result<T, FetchCause> {
        self.limit_since(Instant::now(), future).await
    }

    /// Waits for `future`; the idle timeout counts from `since`.
    async fn limit_since<T>(
        &self,
        since: Instant,
        future: impl Future<Output = T>,
    ) -> Result<T, FetchCause> {
        let idle = since + self.timeouts.idle;
        tokio::time::timeout_at(idle.min(self.deadline), future).await.map_err(|_| {
            if idle < self.deadline {
                FetchCause::Timeout { phase: Phase::Idle, limit: self.timeouts.idle }
            } else {
                FetchCause::Timeout { phase: Phase::Total, limit: self.timeouts.total }
            }
        })
    }
}

/// Runs one try of `request`. Continues `partial`, left by an earlier try, where the server allows
/// it, and stores there what was received if this try breaks off.
pub(crate) async fn run(
    clients: &Clients,
    config: &FetchConfig,
    (counters, budget): (&Counters, &Arc<Budget>),
    request: &Request,
    partial: &mut Option<Partial>,
    entry: &mut Option<Entry>,
) -> Result<Answer, FetchCause> {
    let mut clock = Clock::start(config.timeouts, request.is_conversation);
    if let Some(entry) = entry {
        entry.sent();
    }
    let (url, response) = follow(clients, config, &clock, request, partial.as_ref()).await?;
    if let Some(entry) = entry {
        entry.answered(response.version());
    }
    let status = response.status();
    let conditional = request.headers.contains_key(IF_NONE_MATCH)
        || request.headers.contains_key(IF_MODIFIED_SINCE);
    let headers = response.headers().clone();
    if status == StatusCode::NOT_MODIFIED && conditional {
        return Ok(Answer { status, headers, url, body: Body::new(None) });
    }
    let mut body = Body::new(request.integrity.as_ref()).within(budget);
    if answers_range(status) {
        let kept =
            partial.take().filter(|partial| status.is_success() && partial.continues(&headers));
        let Some(kept) = kept else {
            // `partial` is gone, so the next try requests everything.
            let reason = "the server answered with another part than was asked for".to_owned();
            return Err(FetchCause::Truncated { received: 0, expected: None, reason });
        };
        counters.count_resumed();
        body = kept.body;
    } else if !status.is_success() {
        return Err(refusal(response).await);
    }
    *partial = None;
    let whole = content_length(&headers).map(|rest| body.len().saturating_add(rest));
    let mut reading = Reading {
        clock: &mut clock,
        counters,
        limit: match request.class {
            // Its receiver knows what belongs to it, and ends it.
            _ if request.is_conversation => u64::MAX,
            Class::Metadata => config.limits.metadata,
            Class::Tarball => config.limits.tarball,
        },
        collected: match request.class {
            Class::Metadata => config.limits.metadata,
            Class::Tarball => config.limits.collected,
        },
        expected: whole,
        open: request.stream.as_ref().filter(|_| !body.is_streamed()),
        is_encoded: headers.contains_key(CONTENT_ENCODING),
        at_once: request.is_conversation,
    };
    match reading.read(response, &mut body).await {
        Ok(()) => {
            // A body joined from two parts is as good as one in a single part.
            let status =
                if status == StatusCode::PARTIAL_CONTENT { StatusCode::OK } else { status };
            Ok(Answer { status, headers, url, body })
        }
        Err(cause) => {
            *partial = Partial::keep(url, &headers, whole, body);
            Err(cause)
        }
    }
}

/// Sends the request and follows redirects, choosing the credentials anew at each hop. From the
/// first that leads to another server on there are none: the address is one that somebody else has
/// chosen. A redirect is no sign of life, so that the idle timeout counts for all of them together.
async fn follow(
    clients: &Clients,
    config: &FetchConfig,
    clock: &Clock,
    request: &Request,
    partial: Option<&Partial>,
) -> Result<(Url, reqwest::Response), FetchCause> {
    let mut url = request.url.clone();
    let mut is_own = true;
    // Nothing arrives while a long body is sent.
    let sending = request.sent.as_ref().map_or(0, Bytes::len) as u64 / SLOWEST_SENDING;
    let mut since = Instant::now() + Duration::from_secs(sending);
    for _ in 0..=MAX_REDIRECTS {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchCause::Scheme);
        }
        if config.addresses.as_ref().is_some_and(|rule| !rule.admits_url(&url)) {
            let host = url.host_str().unwrap_or_default().to_owned();
            return Err(FetchCause::Forbidden { host });
        }
        let mut headers = request.headers.clone();
        is_own &= is_same_server(&request.url, &url);
        if is_own && url.origin() == request.url.origin() {
            headers.extend(request.own_headers.clone());
        }
        let credentials = request.credentials.as_ref().filter(|_| is_own);
        if let Some(mut authorization) = credentials.and_then(|credentials| credentials(&url)) {
            authorization.set_sensitive(true);
            headers.insert(AUTHORIZATION, authorization);
        }
        if let Some(partial) = partial {
            partial.request_rest(&url, &mut headers);
        }
        let client = clients.for_url(&url, is_own).await?;
        let send = || {
            let method = request.method.clone();
            let building = client.request(method, url.clone()).headers(headers.clone());
            match &request.sent {
                Some(body) => building.body(body.clone()).send(),
                None => building.send(),
            }
        };
        let mut sent = clock.limit_since(since, send()).await?;
        let lacking = Instant::now();
        while let Err(error) = &sent
            && lacks_descriptors(error)
        {
            if lacking.elapsed() > config.timeouts.connect {
                return Err(FetchCause::OpenFiles { reason: innermost(error) });
            }
            // The end of another request, or of a file's work, frees one.
            clock.limit(tokio::time::sleep(DESCRIPTOR_PAUSE)).await?;
            since = Instant::now();
            sent = clock.limit_since(since, send()).await?;
        }
        let response = sent.map_err(|error| of_request(error, config.timeouts.connect))?;
        let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        if !is_redirect || !request.is_repeatable() {
            return Ok((url, response));
        }
        url = redirect_target(&url, response.headers())?;
    }
    Err(FetchCause::Redirect { to: redact_url(&url), reason: "too many redirects" })
}

/// Returns whether a redirect stays at the same server: at the same host and port, or with TLS at
/// the port for that.
fn is_same_server(from: &Url, to: &Url) -> bool {
    let port = Url::port_or_known_default;
    from.host_str() == to.host_str()
        && (port(from) == port(to) || (port(from), port(to)) == (Some(80), Some(443)))
}

fn redirect_target(from: &Url, headers: &HeaderMap) -> Result<Url, FetchCause> {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let Some(location) = location else {
        return Err(FetchCause::Redirect {
            to: "nowhere".to_owned(),
            reason: "there is no readable Location",
        });
    };
    let Ok(to) = from.join(location) else {
        return Err(FetchCause::Redirect {
            to: plain_text(location, 200),
            reason: "it is not an address",
        });
    };
    let reason = match (from.scheme(), to.scheme()) {
        ("https", "http") => "it would leave the secure connection",
        (_, "http" | "https") => return Ok(to),
        _ => "it is neither http: nor https:",
    };
    Err(FetchCause::Redirect { to: redact_url(&to), reason })
}

/// The body of an answer that is being read.
struct Reading<'r> {
    clock: &'r mut Clock,
    counters: &'r Counters,
    /// The limit on its length in bytes; and that where it is collected.
    limit: u64,
    collected: u64,
    /// Its length in bytes, if the server tells it.
    expected: Option<u64>,
    /// The callback that may stream it, until it has answered.
    open: Option<&'r OpenStream>,
    is_encoded: bool,
    /// Whether it is streamed from its first byte, though its length is not known.
    at_once: bool,
}

impl Reading<'_> {
    /// Reads the rest of `body`; in one allocation if its length is known and it is collected.
    async fn read(
        &mut self,
        mut response: reqwest::Response,
        body: &mut Body,
    ) -> Result<(), FetchCause> {
        let expected = self.expected;
        (self.clock.since, self.clock.lately) = (Instant::now(), 0);
        self.check(expected.unwrap_or_default(), self.limit)?;
        if body.len() == 0 && (expected.is_some() || self.at_once) {
            self.offer(body).await;
        }
        if !body.is_streamed() {
            self.check(expected.unwrap_or_default(), self.collected)?;
        }
        loop {
            let truncated = |reason: String, received: u64| FetchCause::Truncated {
                received,
                expected,
                reason,
            };
            let chunk = match self.clock.limit(response.chunk()).await? {
                Ok(Some(chunk)) => chunk,
                Ok(None) if expected.is_some_and(|expected| expected != body.len()) => {
                    return Err(truncated("the connection was closed".to_owned(), body.len()));
                }
                Ok(None) => return Ok(()),
                Err(error) => return Err(truncated(innermost(&error.without_url()), body.len())),
            };
            self.counters.count_bytes(chunk.len());
            self.clock.arrived(chunk.len())?;
            let length = body.len() + chunk.len() as u64;
            if expected.is_none() && length >= STREAMED_FROM {
                self.offer(body).await;
            }
            self.check(length, if body.is_streamed() { self.limit } else { self.collected })?;
            body.push(chunk, expected).await;
            if self.at_once && body.is_abandoned() {
                return Err(truncated("nobody wants the rest".to_owned(), body.len()));
            }
        }
    }

    /// Streams `body` from now on if the caller wants that.
    async fn offer(&mut self, body: &mut Body) {
        let beginning = Beginning { length: self.expected, is_encoded: self.is_encoded };
        if let Some(stream) = self.open.take().and_then(|open| open(beginning)) {
            body.stream_to(stream).await;
        }
    }

    fn check(&self, length: u64, limit: u64) -> Result<(), FetchCause> {
        if length > limit { Err(FetchCause::TooLarge { limit }) } else { Ok(()) }
    }
}

fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// Converts an error answer, with the beginning of its body as the message if that is text.
async fn refusal(mut response: reqwest::Response) -> FetchCause {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.and_then(|value| parse_retry_after(value, SystemTime::now()));
    let headers = response.headers().clone();
    let mut body = Vec::new();
    let read = async {
        while body.len() < ERROR_BODY {
            let Ok(Some(chunk)) = response.chunk().await else {
                break;
            };
            body.extend_from_slice(&chunk);
        }
    };
    // The message is optional: the status alone says enough.
    let _ = tokio::time::timeout(ERROR_BODY_PATIENCE, read).await;
    body.truncate(ERROR_BODY);
    let text = String::from_utf8_lossy(&body);
    let text = if text.trim_start().starts_with('<') { html_title(&text) } else { &text };
    let is_text = !headers.contains_key(CONTENT_ENCODING);
    let message = Some(plain_text(text, 200)).filter(|message| is_text && !message.is_empty());
    let answer = Box::new(ErrorAnswer { headers, body: body.into() });
    FetchCause::Status { status, message, answer, retry_after }
}

/// Returns the title of an error page, where servers name the reason, such as a missing
/// certificate.
fn html_title(page: &str) -> &str {
    let title = page.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    title.map_or("", |(title, _)| title)
}
