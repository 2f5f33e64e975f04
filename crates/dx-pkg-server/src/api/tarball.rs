//! Routes of tarballs.

use crate::access;
use crate::catalog::{self, Place};
use crate::documents::Document;
use crate::failure::Failure;
use crate::http::{Call, Routes, negotiate};
use crate::packages::Hosted;
use crate::tarballs::Found;
use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use bytes::Bytes;
use dx_pkg_core::{Integrity, PackageName};
use std::ops::Range;

pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/{name}/-/{file}", tarball);
    // Some clients repeat the scope before the file's name.
    routes.on(Method::GET, "/{name}/-/{scope}/{file}", tarball);
}

async fn tarball(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    let (_, document) = access::authorise_reading(&call, &name).await?;
    let file = file_of(&call, &name)?;
    let is_private = access::is_private_document(&call.state, document.value.as_deref());
    let (bytes, integrity) = match catalog::place_of(&call.state, &name, document) {
        Place::Hosted(Document { value: Some(package), .. }) => {
            hosted(&call, &name, &package, &file).await?
        }
        Place::Upstream(registry) => {
            let upstreams = &call.state.upstreams;
            let mut known = upstreams.package_of_any_age(&registry, &name).await?;
            // What was removed cannot be judged any more.
            let is_unjudged = call.state.policy.is_empty();
            if known.version_of_file(&file).is_none() {
                let is_former = is_unjudged && known.former_version_of_file(&file).is_some();
                match upstreams.package(&registry, &name).await {
                    Ok(newer) => known = newer,
                    // The whole package may have been removed.
                    Err(_) if is_former => {}
                    Err(failure) => return Err(failure),
                }
            }
            let former = || known.former_version_of_file(&file).filter(|_| is_unjudged);
            let found = known.version_of_file(&file).or_else(former);
            let (version, entry) = found.ok_or_else(|| no_file(&name, &file))?;
            let restricted = catalog::restricted(&call.state, &name, &known).await?;
            catalog::refuse(&call.state, &restricted, version)?;
            upstreams.tarball(&registry, &name, version, entry).await?
        }
        _ => return Err(catalog::missing(&name)),
    };
    let digest = integrity.strongest().digest();
    let etag = format!("\"{}\"", base64::engine::general_purpose::STANDARD_NO_PAD.encode(digest));
    let mut response = ranged(&call, bytes, &etag);
    if is_private {
        // No cache between may answer somebody else with it.
        let own = HeaderValue::from_static("private, max-age=31536000, immutable");
        response.headers_mut().insert(CACHE_CONTROL, own);
    }
    Ok(response)
}

async fn hosted(
    call: &Call,
    name: &PackageName,
    package: &Hosted,
    file: &str,
) -> Result<(Bytes, Integrity), Failure> {
    let version = version_of(name, file).filter(|version| package.versions.contains_key(*version));
    let version = version.ok_or_else(|| no_file(name, file))?;
    let text = package.integrity(version).unwrap_or_default();
    let integrity = Integrity::parse(text).map_err(Failure::internal)?;
    match call.state.tarballs.open(&integrity).await? {
        Found::Whole(bytes) => Ok((bytes, integrity)),
        Found::Damaged => {
            Err(Failure::internal(format!("the stored tarball of {name}@{version} is damaged")))
        }
        Found::Missing => {
            Err(Failure::internal(format!("the stored tarball of {name}@{version} is missing")))
        }
    }
}

/// Returns the file's name without the scope that some clients put before it.
pub(super) fn file_of(call: &Call, name: &PackageName) -> Result<String, Failure> {
    let file = call.part("file");
    let (scope, bare) = match file.split_once('/') {
        Some((scope, bare)) => (scope, bare),
        None => (call.part("scope"), file),
    };
    if !scope.is_empty() && Some(scope) != name.scope() {
        return Err(no_file(name, file));
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()+@".contains(&byte);
    if bare.is_empty() || bare.len() > 512 || !bare.bytes().all(is_plain) {
        return Err(Failure::bad_request("that is no name of a tarball"));
    }
    Ok(bare.to_owned())
}

/// Returns the version in a tarball's name.
pub(super) fn version_of<'f>(name: &PackageName, file: &'f str) -> Option<&'f str> {
    file.strip_suffix(".tgz")?.strip_prefix(name.bare())?.strip_prefix('-')
}

fn no_file(name: &PackageName, file: &str) -> Failure {
    Failure::not_found(format!("{name} has no tarball {file}"))
}

/// Returns the answer with bytes that never change, or with the part of them that is asked for.
pub(super) fn ranged(call: &Call, bytes: Bytes, etag: &str) -> Response {
    let mut response = Response::new(Body::empty());
    let is_known = call.header(IF_NONE_MATCH).is_some_and(|tags| negotiate::names(tags, etag));
    let range = call.header(RANGE).filter(|_| call.header(IF_RANGE).is_none_or(|tag| tag == etag));
    let total = bytes.len();
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        match range.map_or(Part::Whole, |range| part(range, total)) {
            Part::Whole => *response.body_mut() = Body::from(bytes),
            Part::Of(range) => {
                let text = format!("bytes {}-{}/{total}", range.start, range.end - 1);
                headers
                    .extend(HeaderValue::from_str(&text).ok().map(|value| (CONTENT_RANGE, value)));
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                *response.body_mut() = Body::from(bytes.slice(range));
            }
            Part::None => {
                let text = format!("bytes */{total}");
                headers
                    .extend(HeaderValue::from_str(&text).ok().map(|value| (CONTENT_RANGE, value)));
                *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            }
        }
    }
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // A version never changes.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("max-age=31536000, immutable"));
    headers.extend(HeaderValue::from_str(etag).ok().map(|value| (ETAG, value)));
    response
}

/// The part of a body that `Range` asks for.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Of(Range<usize>),
    /// It begins after the end.
    None,
}

/// Returns the part of `total` bytes that a `Range` asks for, if it asks for one.
pub(crate) fn range_of(range: &str, total: usize) -> Option<Range<usize>> {
    match part(range, total) {
        Part::Of(range) => Some(range),
        Part::Whole | Part::None => None,
    }
}

/// Reads `Range`; what is malformed, or asks for several parts, asks for the whole.
fn part(range: &str, total: usize) -> Part {
    let Some((start, end)) =
        range.trim().strip_prefix("bytes=").and_then(|text| text.split_once('-'))
    else {
        return Part::Whole;
    };
    let number = |text: &str| text.trim().parse::<usize>().ok();
    match (number(start), number(end)) {
        (Some(start), _) if start >= total => Part::None,
        (Some(start), None) if end.trim().is_empty() => Part::Of(start..total),
        (Some(start), Some(end)) if start <= end => {
            Part::Of(start..end.saturating_add(1).min(total))
        }
        (None, Some(0)) if start.trim().is_empty() => Part::None,
        (None, Some(last)) if start.trim().is_empty() && total > 0 => {
            Part::Of(total.saturating_sub(last)..total)
        }
        _ => Part::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, part};

    #[test]
    fn a_range_is_within_the_body() {
        for (range, wanted) in [
            ("bytes=0-9", Part::Of(0..10)),
            ("bytes=90-", Part::Of(90..100)),
            ("bytes=-5", Part::Of(95..100)),
            ("bytes=-500", Part::Of(0..100)),
            ("bytes=0-999999999999", Part::Of(0..100)),
            ("bytes=100-", Part::None),
            ("bytes=-0", Part::None),
            ("bytes=5-2", Part::Whole),
            ("bytes=0-1,3-4", Part::Whole),
            ("lines=1-2", Part::Whole),
            ("bytes=a-b", Part::Whole),
        ] {
            assert_eq!(part(range, 100), wanted, "{range}");
        }
    }
}
