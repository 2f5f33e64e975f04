//! Routes about the registry itself: `ping`, `whoami`.

use crate::access;
use crate::failure::Failure;
use crate::http::{Call, Routes, answer};
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/ping", ping);
    routes.on(Method::GET, "/-/whoami", whoami);
}

async fn ping(_call: Call) -> Result<Response, Failure> {
    Ok(answer::ok(&json!({})))
}

async fn whoami(call: Call) -> Result<Response, Failure> {
    match access::caller(&call).await?.user {
        Some(user) => Ok(answer::ok(&json!({ "username": user }))),
        None => Err(Failure::unauthorized("there is no token in the request")),
    }
}
