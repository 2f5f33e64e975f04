//! One try: send, follow redirects, take in the body.

use crate::buffer::Buffer;
use crate::clients::Clients;
use crate::config::{FetchConfig, Timeouts};
use crate::error::{FetchCause, Phase, innermost};
use crate::request::{Class, Request, Verdict};
use crate::resume::{Partial, is_about_a_range};
use crate::retry::parse_retry_after;
use crate::statistics::Counters;
use crate::stream::Piece;
use crate::text::{plain_text, redact_url};
use crate::trace::Entry;
use bytes::Bytes;
use dx_pkg_core::{Checker, Integrity};
use reqwest::StatusCode;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LOCATION, RETRY_AFTER,
};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;
use url::Url;

/// The most redirects followed.
const MAX_REDIRECTS: usize = 10;

/// The most allocated on the word of `Content-Length` alone, in bytes.
const MAX_RESERVED: u64 = 64 << 20;

/// A body up to this many bytes is hashed once it is whole, by whoever takes it: hashing it takes less than 2 ms.
const HASHED_WHOLE: u64 = 1 << 20;

/// How much of an error's body is read for its message, in bytes, and for how long.
const ERROR_BODY: usize = 4 << 10;
const ERROR_BODY_PATIENCE: Duration = Duration::from_secs(2);

/// What one successful try yields.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) url: Url,
    pub(crate) body: Body,
}

/// The clock of one try.
struct Clock {
    timeouts: Timeouts,
    deadline: Instant,
}

impl Clock {
    fn start(timeouts: Timeouts) -> Self {
        Self { timeouts, deadline: Instant::now() + timeouts.total }
    }

    /// Waits for `future`, as long as bytes may stay away and the whole try may last.
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

/// Runs one try of `request`. Goes on from `partial`, what an earlier try has left, where the server allows it, and
/// leaves there what it has itself if it breaks off.
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
    if is_about_a_range(status) {
        let kept =
            partial.take().filter(|partial| status.is_success() && partial.continues(&headers));
        let Some(kept) = kept else {
            // Without what there was, the next try asks for everything.
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
            // What has been put together is as good as what comes in one piece.
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

/// Sends the request and follows redirects, asking anew at each hop which credentials it may see.
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
            partial.ask_for_rest(&url, &mut headers);
        }
        let client = clients.for_url(&url).await?;
        let sent = clock.limit(client.get(url.clone()).headers(headers).send()).await?;
        let response =
            sent.map_err(|error| FetchCause::of_request(error, config.timeouts.connect))?;
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

/// Adds what comes to `body`, which is to have `expected` bytes in the end; in one allocation where that is known.
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

/// A body under way: collected, and hashed as it comes if it is large, or passed on.
pub(crate) struct Body {
    length: u64,
    /// What came in a single chunk is not copied.
    first: Bytes,
    joined: Buffer,
    check: Check,
    /// Where all that comes is passed on to, instead of being collected.
    stream: Option<Sender<Piece>>,
}

/// How it becomes known whether a body is right.
enum Check {
    /// Nothing is asked for.
    Nothing,
    /// When it is whole, or as it comes: its length decides.
    Undecided(Integrity),
    AsItComes(Box<Checker>),
}

impl Body {
    pub(crate) fn new(integrity: Option<&Integrity>) -> Self {
        let check =
            integrity.map_or(Check::Nothing, |integrity| Check::Undecided(integrity.clone()));
        Self { length: 0, first: Bytes::new(), joined: Buffer::default(), check, stream: None }
    }

    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    pub(crate) fn is_streamed(&self) -> bool {
        self.stream.is_some()
    }

    /// Takes in `chunk`; waits where it is passed on, and whoever takes it has not taken those before.
    async fn push(&mut self, chunk: Bytes, expected: Option<u64>) {
        match &self.stream {
            Some(stream) => {
                self.length += chunk.len() as u64;
                // Who has given up says so in the end.
                let _ = stream.send(Piece::Bytes(chunk)).await;
            }
            None => self.collect(chunk, expected),
        }
    }

    pub(crate) fn collect(&mut self, chunk: Bytes, expected: Option<u64>) {
        self.length += chunk.len() as u64;
        if let Check::Undecided(integrity) = &self.check
            && expected.is_none_or(|expected| expected > HASHED_WHOLE)
        {
            self.check = Check::AsItComes(Box::new(integrity.checker()));
        }
        if let Check::AsItComes(checker) = &mut self.check {
            checker.update(&chunk);
        }
        if self.first.is_empty() && self.joined.is_empty() {
            self.first = chunk;
            return;
        }
        if self.joined.is_empty() {
            let announced = expected.unwrap_or_default().min(MAX_RESERVED) as usize;
            self.joined = Buffer::with_room(announced.max(self.first.len() + chunk.len()));
            self.joined.extend(&std::mem::take(&mut self.first));
        }
        self.joined.extend(&chunk);
    }

    /// The body, if it was collected, and what is known of it.
    pub(crate) async fn finish(self) -> (Bytes, Verdict) {
        if let Some(stream) = self.stream {
            let _ = stream.send(Piece::End).await;
        }
        let body = if self.joined.is_empty() { self.first } else { Bytes::from_owner(self.joined) };
        let verdict = match self.check {
            Check::Nothing => Verdict::Known(Ok(())),
            Check::Undecided(integrity) => Verdict::Open(integrity),
            Check::AsItComes(checker) => Verdict::Known(checker.finish()),
        };
        (body, verdict)
    }
}

/// What the server's refusal says, with the beginning of its body where that is text.
async fn refusal(mut response: reqwest::Response) -> FetchCause {
    let status = response.status();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.and_then(|value| parse_retry_after(value, SystemTime::now()));
    let mut body = Vec::new();
    if !response.headers().contains_key(CONTENT_ENCODING) {
        let read = async {
            while body.len() < ERROR_BODY {
                let Ok(Some(chunk)) = response.chunk().await else {
                    break;
                };
                body.extend_from_slice(&chunk);
            }
        };
        // The message is a courtesy: without it the status still says enough.
        let _ = tokio::time::timeout(ERROR_BODY_PATIENCE, read).await;
    }
    body.truncate(ERROR_BODY);
    let body = String::from_utf8_lossy(&body);
    let text = if body.trim_start().starts_with('<') { html_title(&body) } else { &body };
    let message = Some(plain_text(text, 200)).filter(|message| !message.is_empty());
    FetchCause::Status { status, message, retry_after }
}

/// The title of an error page: servers say there why they refuse, such as that they want a certificate.
fn html_title(page: &str) -> &str {
    let title = page.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    title.map_or("", |(title, _)| title)
}
