//! Routes of dx's own protocol; see `docs/format/dxrp.md`.

use super::tarball::ranged;
use crate::config::accounts::Readers;
use crate::dxrp::{self, Asker, Dxrp};
use crate::failure::Failure;
use crate::http::{Call, Connection, Routes, answer};
use crate::state::AppState;
use axum::body::Body;
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderMap, UPGRADE, VARY,
};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use dx_pkg_core::PackageId;
use dx_pkg_format::dxrp::MEDIA_TYPE;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;

/// The name of the protocol in `Upgrade`.
const PROTOCOL: &str = "dxrp/1";

pub(super) fn add(routes: &mut Routes, dxrp: Arc<Dxrp>) {
    let own = Arc::clone(&dxrp);
    routes.on(Method::GET, "/-/dxrp/1", move |call| upgrade(Arc::clone(&own), call));
    let own = Arc::clone(&dxrp);
    routes.on(Method::POST, "/-/dxrp/1", move |call| post(Arc::clone(&own), call));
    let package = move |call| package(Arc::clone(&dxrp), call);
    routes.on(Method::GET, "/-/dxrp/1/packages/{id}", package);
}

/// Refuses where the protocol is off, or where nobody may ask without a login.
async fn admit(call: &Call) -> Result<Asker, Failure> {
    if !call.state.config.dxrp.enabled {
        return Err(Failure::not_found("this registry does not speak DXRP"));
    }
    let headers = own_headers(&call.headers);
    asker(&call.state, &headers, call.client, &call.base).await
}

async fn asker(
    state: &AppState,
    headers: &HeaderMap,
    client: IpAddr,
    base: &Arc<str>,
) -> Result<Asker, Failure> {
    let caller = state.accounts.caller(headers, client, base).await?;
    if state.accounts.settings.readers == Readers::Users {
        caller.login()?;
    }
    Ok(Asker { caller, base: Arc::clone(base) })
}

/// Returns the headers by which a caller is known: no one-time passwords, which nothing here needs.
fn own_headers(headers: &HeaderMap) -> HeaderMap {
    let sent = headers.get(AUTHORIZATION).cloned();
    sent.map(|value| (AUTHORIZATION, value)).into_iter().collect()
}

async fn post(dxrp: Arc<Dxrp>, mut call: Call) -> Result<Response, Failure> {
    let asker = admit(&call).await?;
    let sent = call.header(CONTENT_TYPE).unwrap_or_default();
    if sent.split(';').next().is_none_or(|name| !name.trim().eq_ignore_ascii_case(MEDIA_TYPE)) {
        let message = format!("the body of this request is {MEDIA_TYPE}");
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let body = call.take_body();
    let mut response = Response::new(dxrp::response(dxrp, asker, body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A proxy that collects an answer before it passes it on holds back what is ready.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

async fn upgrade(dxrp: Arc<Dxrp>, mut call: Call) -> Result<Response, Failure> {
    admit(&call).await?;
    let names = |name, wanted: &str| {
        let values = call.headers.get_all(name).iter();
        let mut words = values.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(','));
        words.any(|word| word.trim().eq_ignore_ascii_case(wanted))
    };
    let is_asked = names(UPGRADE, PROTOCOL) && names(CONNECTION, "upgrade");
    let (Some(pending), Some(own)) =
        (call.extensions.remove::<OnUpgrade>(), call.extensions.remove::<Connection>())
    else {
        return Ok(greeting());
    };
    if !is_asked {
        return Ok(greeting());
    }
    let (client, base) = (call.client, Arc::clone(&call.base));
    let sent = own_headers(&call.headers);
    tokio::spawn(async move {
        // A connection that cannot be upgraded has gone.
        let Ok(upgraded) = pending.await else { return };
        let asker = || asker(&dxrp, &sent, client, &base);
        let stopped = own.stopped.clone();
        dxrp::connection(&dxrp, TokioIo::new(upgraded), stopped, asker).await;
        drop(own);
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static(PROTOCOL));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    Ok(response)
}

/// Tells that HTTP carries the protocol, where nothing is upgraded.
fn greeting() -> Response {
    let mut response = answer::ok(&json!({ "dxrp": 1, "server": "dx-registry" }));
    response.headers_mut().insert(VARY, HeaderValue::from_static("Upgrade"));
    response
}

async fn package(dxrp: Arc<Dxrp>, call: Call) -> Result<Response, Failure> {
    let asker = admit(&call).await?;
    let id = PackageId::from_hex(call.part("id"));
    let id = id.ok_or_else(|| Failure::bad_request("an id is 64 hexadecimal digits"))?;
    let document = dxrp::document(&dxrp, &asker.caller, id).await?;
    let mut response = ranged(&call, document.frames, &format!("\"{id}\""));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    if document.is_private {
        // No cache between may answer somebody else with it.
        let own = HeaderValue::from_static("private, max-age=31536000, immutable");
        headers.insert(CACHE_CONTROL, own);
    }
    Ok(response)
}
