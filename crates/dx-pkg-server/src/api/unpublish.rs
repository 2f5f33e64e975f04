//! Routes that unpublish.

use crate::access::{Action, authorise};
use crate::catalog;
use crate::documents::Change;
use crate::failure::Failure;
use crate::http::{Call, Routes, answer};
use crate::log::Level;
use crate::time::timestamp;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;
use std::time::SystemTime;

pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::DELETE, "/{name}/-rev/{revision}", package);
    routes.on(Method::DELETE, "/{name}/-/{file}/-rev/{revision}", tarball);
    routes.on(Method::DELETE, "/{name}/-/{scope}/{file}/-rev/{revision}", tarball);
}

/// Unpublishes all versions. The name stays this registry's, and its versions are never free again.
async fn package(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    let caller = authorise(&call, Action::Unpublish, &name).await?;
    catalog::hosted(&call.state, &name).await?;
    call.state
        .packages
        .change(&name, |current| {
            let current = current.ok_or_else(|| catalog::missing(&name))?;
            current.check_revision(call.part("revision"))?;
            let mut next = current.clone();
            let now = timestamp(SystemTime::now());
            for version in current.versions.keys() {
                next.remove(version, &now);
            }
            next.fields.clear();
            next.touch(&now);
            Ok(Change::To(next, ()))
        })
        .await?;
    let fields = json!({ "package": name.as_str(), "user": caller.name() });
    call.state.log.line(Level::Info, "unpublished", &fields);
    call.state.accounts.log.record("unpublish", caller.name(), name.as_str(), call.client);
    Ok(answer::ok(&json!({ "ok": true })))
}

/// Answers the last request of an unpublished version: its tarball went with it.
async fn tarball(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(&call, Action::Unpublish, &name).await?;
    let file = super::tarball::file_of(&call, &name)?;
    let package = call.state.packages.read(&name).await?.value;
    let package = package.ok_or_else(|| catalog::missing(&name))?;
    package.check_revision(call.part("revision"))?;
    let version = super::tarball::version_of(&name, &file).unwrap_or_default();
    if package.versions.contains_key(version) {
        let message =
            format!("{version} is published: take it out of the package's versions first");
        return Err(Failure::conflict(message));
    }
    if !package.removed.contains_key(version) {
        return Err(Failure::not_found(format!("{name} has no tarball {file}")));
    }
    Ok(answer::ok(&json!({ "ok": true })))
}
