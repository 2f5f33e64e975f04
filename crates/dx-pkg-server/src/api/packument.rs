//! Routes of packuments and of versions' manifests.

use crate::access::authorise_reading;
use crate::catalog::{self, Place};
use crate::failure::Failure;
use crate::http::{Call, Routes, negotiate};
use crate::packument::Form;
use crate::views::{Encoding, Ready, Wanted};
use axum::body::Body;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName,
    IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use dx_pkg_core::PackageName;
use std::sync::Arc;

/// The content type of the abbreviated form.
const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";
const JSON: &str = "application/json";

pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/{name}", packument);
    routes.on(Method::GET, "/{name}/{version}", version);
}

async fn packument(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    let (_, document) = authorise_reading(&call, &name).await?;
    let for_change = call.query("write").is_some_and(|value| value == "true");
    let accept = call.header(ACCEPT).unwrap_or_default();
    let form = if !for_change && negotiate::prefers(accept, ABBREVIATED, JSON) {
        Form::Abbreviated
    } else {
        Form::Full
    };
    let place = catalog::place_of(&call.state, &name, document);
    let wanted = Wanted::Packument(form);
    let ready = catalog::ready(&call.state, &name, place, wanted, &call.base).await?;
    let content_type = match form {
        Form::Abbreviated => ABBREVIATED,
        Form::Full => JSON,
    };
    let mut response = answer(&call, &ready, content_type, for_change).await?;
    if let Some(notice) = dry_run_notice(&call, &name).await? {
        response.headers_mut().insert("npm-notice", notice);
    }
    Ok(response)
}

/// Returns what a policy on a dry run would refuse of a package.
async fn dry_run_notice(call: &Call, name: &PackageName) -> Result<Option<HeaderValue>, Failure> {
    if !call.state.policy.settings().dry_run {
        return Ok(None);
    }
    let Place::Upstream(registry) = catalog::place(&call.state, name).await? else {
        return Ok(None);
    };
    let known = call.state.upstreams.package_of_any_age(&registry, name).await?;
    let notice = catalog::restricted(&call.state, name, &known).await?.notice();
    Ok(notice.and_then(|notice| HeaderValue::from_str(&notice).ok()))
}

async fn version(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    let (_, document) = authorise_reading(&call, &name).await?;
    let place = catalog::place_of(&call.state, &name, document);
    let wanted = Wanted::Version(call.part("version").to_owned());
    let ready = catalog::ready(&call.state, &name, place, wanted, &call.base).await?;
    answer(&call, &ready, JSON, false).await
}

async fn answer(
    call: &Call,
    ready: &Arc<Ready>,
    content_type: &'static str,
    for_change: bool,
) -> Result<Response, Failure> {
    let mut response = Response::new(Body::empty());
    let is_known =
        call.header(IF_NONE_MATCH).is_some_and(|tags| negotiate::names(tags, &ready.etag));
    if is_known && !for_change {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        let encodings = call.header(ACCEPT_ENCODING).unwrap_or_default();
        let accepts = |name: &str| negotiate::accepts(encodings, name);
        let (body, encoding) = ready.body(accepts("gzip"), accepts("br")).await?;
        *response.body_mut() = Body::from(body);
        set(&mut response, CONTENT_TYPE, content_type);
        match encoding {
            Encoding::Plain => {}
            Encoding::Gzip => set(&mut response, CONTENT_ENCODING, "gzip"),
            Encoding::Brotli => set(&mut response, CONTENT_ENCODING, "br"),
        }
    }
    set(&mut response, VARY, "Accept, Accept-Encoding");
    // Kept by clients, and asked for again each time: a publish shows at once.
    set(&mut response, CACHE_CONTROL, if for_change { "no-store" } else { "no-cache" });
    if let Ok(etag) = HeaderValue::from_str(&ready.etag) {
        response.headers_mut().insert(ETAG, etag);
    }
    Ok(response)
}

fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
}
