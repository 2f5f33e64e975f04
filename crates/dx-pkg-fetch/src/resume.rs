//! Resumption: continuing a body that broke off (RFC 9110 §13.1.5 and §14).
//!
//! Only where the server can tell that it still has the same bytes: by a strong `ETag`, or by a
//! `Last-Modified` at least a minute older than the answer.

use crate::body::Body;
use crate::text::redact_url;
use reqwest::StatusCode;
use reqwest::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_RANGE, DATE, ETAG, HeaderMap, HeaderValue, IF_RANGE,
    LAST_MODIFIED, RANGE,
};
use std::fmt;
use std::time::Duration;
use url::Url;

#[cfg(test)]
mod tests;

/// The age from which a date tells two versions of a file apart (RFC 9110 §8.8.2.2).
const DATE_IS_STRONG: Duration = Duration::from_secs(60);

/// The beginning of a body that broke off.
pub(crate) struct Partial {
    url: Url,
    validator: HeaderValue,
    encoding: Option<HeaderValue>,
    whole: Option<u64>,
    pub(crate) body: Body,
}

impl Partial {
    /// Keeps `body`, of `whole` bytes in all, if the server can be asked for the rest.
    pub(crate) fn keep(
        url: Url,
        headers: &HeaderMap,
        whole: Option<u64>,
        body: Body,
    ) -> Option<Self> {
        let refuses = headers.get(ACCEPT_RANGES).is_some_and(|value| value == "none");
        let validator = validator(headers).filter(|_| !refuses && body.len() > 0)?;
        Some(Self { url, validator, encoding: headers.get(CONTENT_ENCODING).cloned(), whole, body })
    }

    /// Returns a body of which the caller has the first `length` bytes.
    pub(crate) fn of_length(url: Url, validator: HeaderValue, length: u64) -> Self {
        Self { url, validator, encoding: None, whole: None, body: Body::from(length) }
    }

    /// Adds the headers that request the rest, if `url` is the address of the beginning; its query
    /// may differ, as signatures do.
    pub(crate) fn request_rest(&self, url: &Url, headers: &mut HeaderMap) {
        if url.origin() == self.url.origin()
            && url.path() == self.url.path()
            && let Ok(range) = HeaderValue::try_from(format!("bytes={}-", self.body.len()))
        {
            headers.insert(RANGE, range);
            headers.insert(IF_RANGE, self.validator.clone());
        }
    }

    /// Returns whether a 206 with these headers is the rest.
    pub(crate) fn continues(&self, headers: &HeaderMap) -> bool {
        let same = |name, own: Option<&HeaderValue>| headers.get(name) == own;
        let tag_fits =
            headers.get(ETAG).is_none_or(|tag| !is_tag(&self.validator) || *tag == self.validator);
        let range = headers
            .get(CONTENT_RANGE)
            .and_then(|value| value.to_str().ok())
            .and_then(content_range);
        tag_fits
            && same(CONTENT_ENCODING, self.encoding.as_ref())
            && range.is_some_and(|(start, last, whole)| {
                start == self.body.len()
                    && whole.is_none_or(|whole| {
                        last + 1 == whole && self.whole.is_none_or(|known| known == whole)
                    })
            })
    }
}

impl fmt::Debug for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of {}", self.body.len(), redact_url(&self.url))
    }
}

/// Returns whether the status is an answer to a range request.
pub(crate) fn answers_range(status: StatusCode) -> bool {
    matches!(status, StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE)
}

fn is_tag(validator: &HeaderValue) -> bool {
    validator.as_bytes().starts_with(b"\"")
}

fn validator(headers: &HeaderMap) -> Option<HeaderValue> {
    if let Some(tag) = headers.get(ETAG) {
        return Some(tag.clone()).filter(is_tag);
    }
    let date = |name| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok();
    let age = date(DATE)?.duration_since(date(LAST_MODIFIED)?).ok()?;
    (age >= DATE_IS_STRONG).then(|| headers.get(LAST_MODIFIED).cloned()).flatten()
}

/// Parses `bytes first-last/whole`, where the whole may be unknown.
fn content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (range, whole) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let whole = if whole == "*" { None } else { Some(whole.parse().ok()?) };
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last, whole))
}
