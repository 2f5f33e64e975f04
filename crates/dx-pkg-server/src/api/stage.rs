//! Staged publishing: a version is brought by one, looked at, and approved or rejected by another.
//!
//! A staged version is the document `staged/<id>`; its tarball is stored like any other, but named
//! by no package yet.

use super::publish::{Received, commit, receive_version};
use crate::access::{Action, authorise, caller, could, decide};
use crate::accounts::secret::random_uuid;
use crate::accounts::{Caller, iso, now};
use crate::documents::{Change, Name};
use crate::failure::Failure;
use crate::http::answer::{json, ok};
use crate::http::{Call, Routes};
use crate::packages::{Maintainer, Publication};
use crate::tarballs::Found;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use dx_pkg_core::{Integrity, PackageName};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of the documents.
const KIND: &str = "staged";
/// The most items of a page of the list.
const MOST: usize = 1000;

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::POST, "/-/stage/package/{name}", stage);
    routes.on(Method::GET, "/-/stage", list);
    routes.on(Method::GET, "/-/stage/{id}", view);
    routes.on(Method::DELETE, "/-/stage/{id}", reject);
    routes.on(Method::POST, "/-/stage/{id}/approve", approve);
    routes.on(Method::GET, "/-/stage/{id}/tarball", tarball);
}

/// A staged version.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Staged {
    id: String,
    package: String,
    publication: Publication,
    actor: String,
    /// `user` or `trusted-publisher`.
    actor_type: String,
    created: u64,
}

impl Staged {
    fn name(&self) -> Result<PackageName, Failure> {
        PackageName::parse(&self.package).map_err(Failure::internal)
    }

    fn item(&self) -> Value {
        let (integrity, shasum) = self.publication.digests();
        json!({
            "id": self.id,
            "packageName": self.package,
            "version": self.publication.version,
            "tag": self.publication.tag(),
            "status": "pending",
            "createdAt": iso(self.created),
            "actor": self.actor,
            "actorType": self.actor_type,
            "shasum": shasum,
            "integrity": integrity,
        })
    }
}

async fn stage(mut call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    let caller = authorise(&call, Action::Stage, &name).await?;
    let received = receive_version(&mut call, &name).await?;
    let login = caller.login()?;
    let by_publisher = login.token.as_ref().is_some_and(|token| token.publisher.is_some());
    let staged = Staged {
        id: random_uuid()?,
        package: name.to_string(),
        publication: received.publication,
        actor: login.user.name.clone(),
        actor_type: if by_publisher { "trusted-publisher" } else { "user" }.to_owned(),
        created: now(),
    };
    let document = Name::new(KIND, &staged.id);
    let create = |_: Option<&Staged>| Ok(Change::To(staged.clone(), ()));
    call.state.documents.change(&document, create).await?;
    let subject = format!("{name}@{} {}", staged.publication.version, staged.id);
    call.state.accounts.log.record("stage", caller.name(), &subject, call.client);
    let body = json!({ "stageId": staged.id, "id": staged.id });
    Ok(json(StatusCode::CREATED, &body))
}

async fn read(call: &Call, id: &str) -> Result<Option<Arc<Staged>>, Failure> {
    Ok(call.state.documents.read::<Staged>(&Name::new(KIND, id)).await?.value)
}

fn missing(id: &str) -> Failure {
    Failure::not_found(format!("there is no staged package {id} that you can see"))
}

/// Whether the caller may see a staged version: who may stage the package, or brought it.
async fn sees(call: &Call, caller: &Caller, staged: &Staged) -> Result<bool, Failure> {
    let name = staged.name()?;
    let Some(login) = &caller.login else {
        return Ok(false);
    };
    if login.user.name == staged.actor || login.user.admin {
        return Ok(true);
    }
    if call.state.packages.read(&name).await?.value.is_some() {
        return could(&call.state, caller, Action::Stage, &name).await;
    }
    // A new name has no owners yet.
    let org = call.state.accounts.org_of(name.as_str()).await?;
    Ok(org.is_some_and(|org| org.members.contains_key(&login.user.name)))
}

/// Returns the staged version in the path, for a caller who may see it.
async fn seen(call: &Call) -> Result<Arc<Staged>, Failure> {
    let caller = caller(call).await?;
    caller.login()?;
    let id = call.part("id");
    let staged = read(call, id).await?.ok_or_else(|| missing(id))?;
    if sees(call, &caller, &staged).await? { Ok(staged) } else { Err(missing(id)) }
}

async fn list(call: Call) -> Result<Response, Failure> {
    let caller = caller(&call).await?;
    caller.login()?;
    let number = |name: &str, usual: usize| {
        call.query(name).and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let (page, size) = (number("page", 0), number("perPage", 100).clamp(1, MOST));
    let wanted = call.query("package");
    let mut found = Vec::new();
    for id in call.state.documents.keys(KIND).await? {
        let Some(staged) = read(&call, &id).await? else {
            continue;
        };
        let fits = wanted.as_ref().is_none_or(|wanted| *wanted == staged.package);
        if fits && sees(&call, &caller, &staged).await? {
            found.push(staged);
        }
    }
    found.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    let total = found.len();
    let items: Vec<Value> = found
        .iter()
        .skip(page.saturating_mul(size))
        .take(size)
        .map(|staged| staged.item())
        .collect();
    Ok(ok(&json!({ "items": items, "total": total, "page": page, "perPage": size })))
}

async fn view(call: Call) -> Result<Response, Failure> {
    Ok(ok(&seen(&call).await?.item()))
}

async fn tarball(call: Call) -> Result<Response, Failure> {
    let staged = seen(&call).await?;
    let integrity = Integrity::parse(staged.publication.digests().0).map_err(Failure::internal)?;
    let Found::Whole(bytes) = call.state.tarballs.open(&integrity).await? else {
        return Err(Failure::internal(format!("the tarball of {} is damaged", staged.id)));
    };
    let mut response = Response::new(Body::from(bytes));
    let octets = HeaderValue::from_static("application/octet-stream");
    response.headers_mut().insert(CONTENT_TYPE, octets);
    Ok(response)
}

/// Takes a staged version off the list; only one of several who try gets it.
async fn take(call: &Call, id: &str) -> Result<Staged, Failure> {
    let take = |found: Option<&Staged>| match found {
        Some(staged) => Ok(Change::Remove(staged.clone())),
        None => Err(missing(id)),
    };
    call.state.documents.change(&Name::new(KIND, id), take).await
}

/// Publishes a staged version in the name of whoever brought it.
async fn approve(call: Call) -> Result<Response, Failure> {
    let staged = seen(&call).await?;
    let name = staged.name()?;
    let caller = authorise(&call, Action::Approve, &name).await?;
    let current = call.state.packages.read(&name).await?.value;
    if let Some(current) = &current {
        staged.publication.check_free(current)?;
    }
    let actor = call.state.accounts.existing_user(&staged.actor).await?;
    let publisher = Maintainer { name: actor.name.clone(), email: actor.email.clone() };
    let received = Received { publication: staged.publication.clone(), is_new: current.is_none() };
    let revision = commit(&call, &name, received, &publisher).await?;
    take(&call, &staged.id).await?;
    let subject = format!("{name}@{} {}", staged.publication.version, staged.id);
    call.state.accounts.log.record("approve", caller.name(), &subject, call.client);
    let body = json!({ "ok": true, "id": name.as_str(), "rev": revision });
    Ok(json(StatusCode::CREATED, &body))
}

async fn reject(call: Call) -> Result<Response, Failure> {
    let staged = seen(&call).await?;
    let name = staged.name()?;
    let caller = caller(&call).await?;
    if caller.name() != staged.actor {
        decide(&call.state, &caller, Action::Approve, &name).await?;
    }
    take(&call, &staged.id).await?;
    call.state.accounts.log.record("reject", caller.name(), &staged.id, call.client);
    Ok(ok(&json!({ "ok": true })))
}
