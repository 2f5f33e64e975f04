//! One try of a request: sending it, following redirects, reading the body.

use crate::body::Body;
use crate::clients::Clients;
use crate::config::{FetchConfig, Timeouts};
use crate::error::{ErrorAnswer, FetchCause, Phase, innermost};
use crate::failure::{lacks_descriptors, of_request};
use crate::request::{Class, Request};
use crate::resume::{Partial, answers_range};
use crate::retry::parse_retry_after;
use crate::statistics::Counters;
use crate::text::redact_url;
use crate::trace::Entry;
use dx_pkg_core::text::plain_text;
use reqwest::StatusCode;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LOCATION, RETRY_AFTER,
};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;
use url::Url;

/// The limit on redirects.
const MAX_REDIRECTS: usize = 10;

/// The limits on reading an error's body for its message: bytes and time.
const ERROR_BODY: usize = 16 << 10;
const ERROR_BODY_PATIENCE: Duration = Duration::from_secs(2);

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
}

impl Clock {
    fn start(timeouts: Timeouts) -> Self {
        Self { timeouts, deadline: Instant::now() + timeouts.total }
    }

    /// Waits for `future`, within the idle and the total timeout.
    async fn limit<T>(&self, future: impl Future<Output = T>) -> Result<T, FetchCause> {
        let idle = Instant::now() + self.timeouts.idle;
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
    counters: &Counters,
    request: &Request,
    partial: &mut Option<Partial>,
    entry: &mut Option<Entry>,
) -> Result<Answer, FetchCause> {
    let clock = Clock::start(config.timeouts);
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
    let mut body = Body::new(request.integrity.as_ref());
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
    let limit = match request.class {
        Class::Metadata => config.limits.metadata,
        Class::Tarball => config.limits.tarball,
    };
    let whole = content_length(&headers).map(|rest| body.len().saturating_add(rest));
    if body.len() == 0
        && let (Some(open), Some(whole)) = (&request.stream, whole.filter(|whole| *whole <= limit))
    {
        body.stream = open(whole);
    }
    match read_body(response, &clock, counters, limit, whole, &mut body).await {
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

/// Sends the request and follows redirects, choosing the credentials anew at each hop.
async fn follow(
    clients: &Clients,
    config: &FetchConfig,
    clock: &Clock,
    request: &Request,
    partial: Option<&Partial>,
) -> Result<(Url, reqwest::Response), FetchCause> {
    let mut url = request.url.clone();
    for _ in 0..=MAX_REDIRECTS {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchCause::Scheme);
        }
        let mut headers = request.headers.clone();
        if let Some(mut authorization) =
            request.credentials.as_ref().and_then(|credentials| credentials(&url))
        {
            authorization.set_sensitive(true);
            headers.insert(AUTHORIZATION, authorization);
        }
        if let Some(partial) = partial {
            partial.request_rest(&url, &mut headers);
        }
        let client = clients.for_url(&url).await?;
        let send = || client.get(url.clone()).headers(headers.clone()).send();
        let mut sent = clock.limit(send()).await?;
        while sent.as_ref().is_err_and(lacks_descriptors) {
            // The end of another request, or of a file's work, frees one.
            clock.limit(tokio::time::sleep(DESCRIPTOR_PAUSE)).await?;
            sent = clock.limit(send()).await?;
        }
        let response = sent.map_err(|error| of_request(error, config.timeouts.connect))?;
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok((url, response));
        }
        url = redirect_target(&url, response.headers())?;
    }
    Err(FetchCause::Redirect { to: redact_url(&url), reason: "too many redirects" })
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

/// Reads the rest of `body`, which will have `expected` bytes; in one allocation if that is known.
async fn read_body(
    mut response: reqwest::Response,
    clock: &Clock,
    counters: &Counters,
    limit: u64,
    expected: Option<u64>,
    body: &mut Body,
) -> Result<(), FetchCause> {
    if expected.is_some_and(|expected| expected > limit) {
        return Err(FetchCause::TooLarge { limit });
    }
    loop {
        let truncated =
            |reason: String, received: u64| FetchCause::Truncated { received, expected, reason };
        let chunk = match clock.limit(response.chunk()).await? {
            Ok(Some(chunk)) => chunk,
            Ok(None) if expected.is_some_and(|expected| expected != body.len()) => {
                return Err(truncated("the connection was closed".to_owned(), body.len()));
            }
            Ok(None) => return Ok(()),
            Err(error) => return Err(truncated(innermost(&error.without_url()), body.len())),
        };
        counters.count_bytes(chunk.len());
        if body.len() + chunk.len() as u64 > limit {
            return Err(FetchCause::TooLarge { limit });
        }
        body.push(chunk, expected).await;
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
