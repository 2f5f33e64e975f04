//! Routes of dist-tags.

use crate::access::{Action, authorise};
use crate::catalog::{self, Place};
use crate::documents::{Change, Document};
use crate::failure::Failure;
use crate::http::{Call, Routes, answer};
use crate::packages::check_tag;
use crate::time::timestamp;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::json;
use std::time::SystemTime;

pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/package/{name}/dist-tags", list);
    routes.on(Method::PUT, "/-/package/{name}/dist-tags/{tag}", set);
    routes.on(Method::POST, "/-/package/{name}/dist-tags/{tag}", set);
    routes.on(Method::DELETE, "/-/package/{name}/dist-tags/{tag}", remove);
}

async fn list(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(&call, Action::Read, &name).await?;
    match catalog::place(&call.state, &name).await? {
        Place::Hosted(Document { value: Some(package), .. }) if package.is_there() => {
            Ok(answer::ok(&package.tags))
        }
        Place::Upstream(registry) => {
            let known = call.state.upstreams.package(&registry, &name).await?;
            let restricted = catalog::restricted(&call.state, &name, &known).await?;
            Ok(answer::ok(restricted.view.tags.as_ref().unwrap_or(&known.tags)))
        }
        _ => Err(catalog::missing(&name)),
    }
}

async fn set(mut call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(&call, Action::Tag, &name).await?;
    let version: String = call.json().await?;
    let tag = call.part("tag").to_owned();
    check_tag(&tag)?;
    catalog::hosted(&call.state, &name).await?;
    call.state
        .packages
        .change(&name, |current| {
            let current = current.ok_or_else(|| catalog::missing(&name))?;
            if !current.versions.contains_key(&version) {
                let message = format!("{name} has no version {version:?} to tag");
                return Err(Failure::bad_request(message));
            }
            if current.tags.get(&tag) == Some(&version) {
                return Ok(Change::Keep(()));
            }
            let mut next = current.clone();
            next.tags.insert(tag.clone(), version.clone());
            next.touch(&timestamp(SystemTime::now()));
            Ok(Change::To(next, ()))
        })
        .await?;
    Ok(answer::json(StatusCode::CREATED, &json!({ "ok": "dist-tag set" })))
}

async fn remove(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(&call, Action::Tag, &name).await?;
    let tag = call.part("tag");
    if tag == "latest" {
        return Err(Failure::bad_request("latest can be moved, but not removed"));
    }
    catalog::hosted(&call.state, &name).await?;
    call.state
        .packages
        .change(&name, |current| {
            let current = current.ok_or_else(|| catalog::missing(&name))?;
            let mut next = current.clone();
            if next.tags.remove(tag).is_none() {
                return Err(Failure::not_found(format!("{name} has no dist-tag {tag}")));
            }
            next.touch(&timestamp(SystemTime::now()));
            Ok(Change::To(next, ()))
        })
        .await?;
    Ok(answer::ok(&json!({ "ok": "dist-tag removed" })))
}
