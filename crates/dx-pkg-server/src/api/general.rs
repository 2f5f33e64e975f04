//! Routes about the registry itself: `ping`, `whoami`.

use crate::failure::Failure;
use crate::http::{Call, Routes, answer};
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/ping", ping);
}

async fn ping(_call: Call) -> Result<Response, Failure> {
    Ok(answer::ok(&json!({})))
}
