//! Routes for those who run the registry: health, readiness, metrics.

use crate::failure::Failure;
use crate::http::{Call, Routes, answer, negotiate};
use axum::body::Body;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use serde_json::json;

pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/", root);
    routes.on(Method::GET, "/-/health", health);
    routes.on(Method::GET, "/-/ready", ready);
    routes.on(Method::GET, "/-/metrics", metrics);
}

/// Answers as npm's registry does where it names its database; leads browsers to the pages.
async fn root(call: Call) -> Result<Response, Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let mut response = answer::ok(&json!({ "name": "dx-registry", "version": version }));
    let accept = call.header(ACCEPT).unwrap_or_default();
    if negotiate::prefers(accept, "text/html", "application/json") {
        let pages = HeaderValue::from_str(&format!("{}-/ui/", call.base));
        response.headers_mut().extend(pages.ok().map(|pages| (LOCATION, pages)));
        *response.status_mut() = StatusCode::SEE_OTHER;
    }
    Ok(response)
}

/// Answers that the process runs.
async fn health(_call: Call) -> Result<Response, Failure> {
    Ok(answer::ok(&json!({ "status": "ok" })))
}

/// Answers whether publishes can be stored.
async fn ready(call: Call) -> Result<Response, Failure> {
    match call.state.storage.temporary() {
        Ok(_) => Ok(answer::ok(&json!({ "status": "ok" }))),
        Err(failure) => Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, failure.message.clone())
            .detail(failure.detail.unwrap_or_default())),
    }
}

async fn metrics(call: Call) -> Result<Response, Failure> {
    let state = &call.state;
    let upstream = state.upstreams.client().statistics();
    let (forms, bytes) = state.views.size();
    let text = state.metrics.text(&[
        ("upstream_requests_total", "Requests sent to upstreams.", upstream.total),
        ("upstream_failures_total", "Requests to upstreams that failed.", upstream.failed),
        ("upstream_not_modified_total", "Answers that the cache is right.", upstream.not_modified),
        ("upstream_bytes_total", "Bytes received from upstreams.", upstream.bytes),
        ("packument_forms", "Packuments in memory that are ready to be sent.", forms as u64),
        ("packument_forms_bytes", "The memory that they take.", bytes as u64),
    ]);
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
