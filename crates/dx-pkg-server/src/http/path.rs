//! Paths of requests: decoded once, segment by segment, before anything looks at them.
//!
//! After this no segment is empty, `.` or `..`, none holds a control character or a backslash, and
//! only a scoped name (`@scope%2fname`) holds a slash. What is encoded twice stays encoded, and is
//! no name then.

use crate::failure::Failure;
use axum::http::StatusCode;

/// The longest path, in bytes as sent.
const LONGEST: usize = 4096;
/// The most segments.
const MOST: usize = 16;

/// Splits and decodes a path without its query. A slash at the end counts only below `/-/`, where
/// it is passed over.
pub(crate) fn segments(path: &str) -> Result<Vec<String>, Failure> {
    if path.len() > LONGEST {
        let message = format!("the path is longer than {LONGEST} bytes");
        return Err(Failure::new(StatusCode::URI_TOO_LONG, message));
    }
    let Some(path) = path.strip_prefix('/') else {
        return Err(Failure::bad_request("the path does not begin with a slash"));
    };
    let path = match path.strip_suffix('/') {
        Some(rest) if rest.starts_with("-/") => rest,
        _ => path,
    };
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let segments: Vec<String> = path.split('/').map(segment).collect::<Result<_, _>>()?;
    if segments.len() > MOST {
        return Err(Failure::bad_request("the path has too many segments"));
    }
    Ok(segments)
}

fn segment(raw: &str) -> Result<String, Failure> {
    let fault = |reason: &str| Err(Failure::bad_request(format!("the path {reason}")));
    let Some(text) = decode(raw) else {
        return fault("is not percent-encoded UTF-8");
    };
    if text.is_empty() {
        return fault("has an empty segment");
    }
    if text.chars().any(|c| c.is_control() || c == '\\') {
        return fault("holds a control character or a backslash");
    }
    let mut parts = text.split('/');
    let is_scoped = text.starts_with('@') && parts.clone().count() == 2;
    if text.contains('/') && !is_scoped {
        return fault("has an encoded slash outside a scoped name");
    }
    if parts.any(|part| matches!(part, "" | "." | ".." | "@")) {
        return fault("has an empty segment, . or ..");
    }
    Ok(text)
}

/// Decodes `%xx`; `None` for a broken escape, or bytes that are not UTF-8.
pub(crate) fn decode(raw: &str) -> Option<String> {
    if !raw.contains('%') {
        return Some(raw.to_owned());
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// Returns the value of a query's parameter, decoded; the first one counts.
pub(crate) fn query_value(query: &str, name: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
