//! Requests to registries for other documents than packuments. Owns credentials, encodings and
//! waiting; never decides what an answer means.

use std::io::Read;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};

use dx_pkg_acquire::Cancel;
use dx_pkg_fetch::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use dx_pkg_fetch::{Bytes, Credentials, FetchError, Method, Request};
use dx_pkg_install::Session;
use flate2::read::{GzDecoder, GzEncoder};
use serde_json::Value;
use url::Url;

use crate::InspectError;

/// The most that an answer may inflate to, in bytes.
const LARGEST: u64 = 128 << 20;

/// A request for a JSON document.
pub(crate) struct Asked {
    pub(crate) url: Url,
    /// What is sent with POST; a document is requested with GET otherwise.
    pub(crate) body: Option<Value>,
    /// The media type that is asked for, where it is not JSON in general.
    pub(crate) accept: Option<&'static str>,
}

/// An answer as text, or why there is none.
pub(crate) type Answer = Result<Vec<u8>, FetchError>;

/// Sends requests at once and returns their answers in the same order.
///
/// # Errors
/// The network cannot be used at all, or the command is cancelled.
pub(crate) fn all(session: &Session, asked: Vec<Asked>) -> Result<Vec<Answer>, InspectError> {
    each(session, asked, |_, answer| answer)
}

/// Sends requests at once and reads each answer as it arrives, so that few are held at a time;
/// returns what was read, in the order of the requests.
///
/// # Errors
/// The network cannot be used at all, or the command is cancelled.
pub(crate) fn each<T>(
    session: &Session,
    asked: Vec<Asked>,
    mut read: impl FnMut(usize, Answer) -> T,
) -> Result<Vec<T>, InspectError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let network = session.context.network()?;
    let (sender, answers) = channel();
    let mut found: Vec<Option<T>> = asked.iter().map(|_| None).collect();
    for (at, one) in asked.into_iter().enumerate() {
        let (fetcher, sender) = (network.fetcher.clone(), sender.clone());
        let request = request(session, one);
        network.runtime.spawn(async move {
            let answer = fetcher.get(request).await.map(|response| {
                let is_encoded = response.headers.get(CONTENT_ENCODING).is_some();
                (response.body, is_encoded)
            });
            // Nobody waits any more where the command was cancelled.
            let _ = sender.send((at, answer));
        });
    }
    drop(sender);
    loop {
        match answers.recv_timeout(Cancel::POLL_INTERVAL) {
            Ok((at, answer)) => {
                let answer = answer.map(|(body, is_encoded)| plain(&body, is_encoded));
                found[at] = Some(read(at, answer));
            }
            Err(RecvTimeoutError::Timeout) => session.context.cancel.check()?,
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    session.context.cancel.check()?;
    Ok(found.into_iter().flatten().collect())
}

fn request(session: &Session, asked: Asked) -> Request {
    let credentials: Credentials = {
        let config = session.config().clone();
        Arc::new(move |url| {
            HeaderValue::from_str(&config.credentials_for(url)?.header_value()).ok()
        })
    };
    let request = match asked.body {
        None => Request::metadata(asked.url),
        Some(body) => Request::sending(Method::POST, asked.url, Some(packed(&body)))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(CONTENT_ENCODING, HeaderValue::from_static("gzip")),
    };
    let accept = asked.accept.unwrap_or("application/json");
    request.header(ACCEPT, HeaderValue::from_static(accept)).credentials(credentials)
}

/// Returns a document as gzip.
fn packed(body: &Value) -> Bytes {
    let text = body.to_string();
    let mut packed = Vec::new();
    // Reading from memory does not fail.
    let _ =
        GzEncoder::new(text.as_bytes(), flate2::Compression::default()).read_to_end(&mut packed);
    packed.into()
}

/// Returns a body without its encoding. One that is damaged is returned as it is: it is no JSON.
fn plain(body: &[u8], is_encoded: bool) -> Vec<u8> {
    if !is_encoded || !body.starts_with(&[0x1f, 0x8b]) {
        return body.to_vec();
    }
    let mut text = Vec::new();
    match GzDecoder::new(body).take(LARGEST).read_to_end(&mut text) {
        Ok(_) => text,
        Err(_) => body.to_vec(),
    }
}

/// Returns an address below a registry's.
pub(crate) fn below(registry: &Url, path: &str) -> Url {
    registry.join(path).unwrap_or_else(|_| registry.clone())
}
