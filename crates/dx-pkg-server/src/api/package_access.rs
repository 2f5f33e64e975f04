//! Owners, collaborators, visibility and access of packages that are hosted here.

use super::orgs::word;
use crate::access::{self, authorise, caller};
use crate::accounts::org::{Grant, Role};
use crate::accounts::{Action, Caller};
use crate::failure::Failure;
use crate::http::answer::ok;
use crate::http::{Call, Routes};
use crate::packages::Maintainer;
use axum::http::Method;
use axum::http::header::USER_AGENT;
use axum::response::Response;
use dx_pkg_core::PackageName;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/package/{name}/owners", owners);
    routes.on(Method::PUT, "/-/package/{name}/owners", add_owner);
    routes.on(Method::DELETE, "/-/package/{name}/owners/{user}", remove_owner);
    routes.on(Method::GET, "/-/package/{name}/collaborators", collaborators);
    routes.on(Method::GET, "/-/package/{name}/visibility", visibility);
    routes.on(Method::GET, "/-/package/{name}/access", get_access);
    routes.on(Method::POST, "/-/package/{name}/access", set_access);
    routes.on(Method::GET, "/-/org/{org}/package", packages_of_org);
    routes.on(Method::GET, "/-/user/{user}/package", packages_of_user);
}

/// Answers with the owners, as pnpm asks for them.
async fn owners(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(&call, Action::Read, &name).await?;
    let hosted = access::hosted(&call.state, &name).await?;
    Ok(ok(&json!({ "owners": hosted.maintainers, "maintainers": hosted.maintainers })))
}

#[derive(Deserialize)]
struct NewOwner {
    user: String,
}

/// Adds an owner, as pnpm does.
async fn add_owner(mut call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    let NewOwner { user } = call.json().await?;
    let user = call.state.accounts.existing_user(&user).await?;
    let new = Maintainer { name: user.name.clone(), email: user.email.clone() };
    change_owners(&call, &name, |owners| {
        if !owners.iter().any(|owner| owner.name == new.name) {
            owners.push(new.clone());
        }
        Ok(())
    })
    .await
}

/// Removes an owner, as pnpm does.
async fn remove_owner(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    let user = call.part("user");
    change_owners(&call, &name, |owners| {
        let before = owners.len();
        owners.retain(|owner| owner.name != user);
        if owners.len() == before {
            return Err(Failure::not_found(format!("{user} is not an owner of {name}")));
        }
        if owners.is_empty() {
            let text = format!("{name} needs an owner: add another one first");
            return Err(Failure::bad_request(text));
        }
        Ok(())
    })
    .await
}

async fn change_owners(
    call: &Call,
    name: &PackageName,
    mut change: impl FnMut(&mut Vec<Maintainer>) -> Result<(), Failure>,
) -> Result<Response, Failure> {
    let caller = authorise(call, Action::ChangeOwners, name).await?;
    let owners = access::change_hosted(&call.state, name, |hosted| {
        change(&mut hosted.maintainers)?;
        Ok(hosted.maintainers.clone())
    })
    .await?;
    let names: Vec<&str> = owners.iter().map(|owner| owner.name.as_str()).collect();
    let subject = format!("{name} {}", names.join(","));
    call.state.accounts.log.record("owners", caller.name(), &subject, call.client);
    Ok(ok(&json!({ "owners": owners, "maintainers": owners })))
}

/// Answers with everybody who may write or read the package by being named for it.
async fn collaborators(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    let caller = caller(&call).await?;
    caller.login()?;
    access::decide(&call.state, &caller, Action::Read, &name).await?;
    let hosted = access::hosted(&call.state, &name).await?;
    let mut found: BTreeMap<String, Grant> = BTreeMap::new();
    if let Some(org) = call.state.accounts.org_of(name.as_str()).await? {
        for team in org.teams.values() {
            let Some(grant) = team.packages.get(name.as_str()) else {
                continue;
            };
            for member in &team.members {
                let known = found.entry(member.clone()).or_insert(*grant);
                *known = (*known).max(*grant);
            }
        }
        for (member, role) in &org.members {
            if matches!(role, Role::Owner | Role::Admin) {
                found.insert(member.clone(), Grant::ReadWrite);
            }
        }
    }
    for owner in &hosted.maintainers {
        found.insert(owner.name.clone(), Grant::ReadWrite);
    }
    if let Some(only) = call.query("user") {
        found.retain(|user, _| *user == only);
    }
    // npm reads an object here, pnpm a list.
    if call.header(USER_AGENT).is_some_and(|agent| agent.starts_with("pnpm/")) {
        let list: Vec<_> = found
            .iter()
            .map(|(user, grant)| json!({ "user": user, "permissions": permissions(*grant) }))
            .collect();
        return Ok(ok(&list));
    }
    let words: BTreeMap<&str, &str> =
        found.iter().map(|(user, grant)| (user.as_str(), word(*grant))).collect();
    Ok(ok(&words))
}

/// Returns a grant in the words of the command line.
fn permissions(grant: Grant) -> &'static str {
    match grant {
        Grant::ReadOnly => "read-only",
        Grant::ReadWrite => "read-write",
    }
}

/// Answers whether anybody who reaches the registry may read the package.
async fn visibility(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(&call, Action::Read, &name).await?;
    let hosted = access::hosted(&call.state, &name).await?;
    Ok(ok(&json!({ "public": !access::settings(&hosted).restricted })))
}

async fn get_access(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(&call, Action::Read, &name).await?;
    let settings = access::settings(&*access::hosted(&call.state, &name).await?);
    Ok(ok(&json!({
        "access": if settings.restricted { "restricted" } else { "public" },
        "publish_requires_tfa": settings.publish_requires_tfa,
        "automation_token_overrides_tfa": settings.automation_token_overrides_tfa,
    })))
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    access: Option<String>,
    #[serde(default)]
    publish_requires_tfa: Option<bool>,
    #[serde(default)]
    automation_token_overrides_tfa: Option<bool>,
}

async fn set_access(mut call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    let caller = authorise(&call, Action::ChangeAccess, &name).await?;
    let wanted: Wanted = call.json().await?;
    let restricted = match wanted.access.as_deref() {
        None => None,
        Some("public") => Some(false),
        Some("restricted" | "private") => Some(true),
        Some(other) => {
            let text = format!("{other:?} is neither public nor restricted");
            return Err(Failure::bad_request(text));
        }
    };
    if restricted.is_none() && wanted.publish_requires_tfa.is_none() {
        return Err(Failure::bad_request("the body has neither access nor publish_requires_tfa"));
    }
    access::change_settings(&call.state, &name, |settings| {
        settings.restricted = restricted.unwrap_or(settings.restricted);
        if let Some(requires) = wanted.publish_requires_tfa {
            settings.publish_requires_tfa = requires;
            settings.automation_token_overrides_tfa =
                wanted.automation_token_overrides_tfa.unwrap_or(false);
        }
        Ok(())
    })
    .await?;
    call.state.accounts.log.record("access", caller.name(), name.as_str(), call.client);
    Ok(ok(&json!({})))
}

/// Answers with the packages of an organisation's scope that the caller can read.
async fn packages_of_org(call: Call) -> Result<Response, Failure> {
    let caller = caller(&call).await?;
    let org = call.part("org").trim_start_matches('@');
    if call.state.accounts.org(org).await?.is_none() {
        return Err(Failure::not_found(format!("there is no organisation {org}")));
    }
    let scope = format!("@{org}/");
    let in_scope = |name: &PackageName, _: &[String]| name.as_str().starts_with(&scope);
    Ok(ok(&packages(&call, &caller, in_scope).await?))
}

/// Answers with the packages that a user owns, as far as the caller can read them.
async fn packages_of_user(call: Call) -> Result<Response, Failure> {
    let caller = caller(&call).await?;
    let user = call.part("user");
    caller.login()?;
    call.state.accounts.existing_user(user).await?;
    let owned = |_: &PackageName, owners: &[String]| owners.iter().any(|owner| owner == user);
    Ok(ok(&packages(&call, &caller, owned).await?))
}

async fn packages(
    call: &Call,
    caller: &Caller,
    wanted: impl Fn(&PackageName, &[String]) -> bool,
) -> Result<Map<String, Value>, Failure> {
    let mut found = Map::new();
    for name in call.state.packages.names().await? {
        let owners = access::owners(&call.state, &name).await?.unwrap_or_default();
        let is_there = access::hosted(&call.state, &name).await.is_ok();
        if is_there
            && wanted(&name, &owners)
            && access::decide(&call.state, caller, Action::Read, &name).await.is_ok()
        {
            let writes = access::could(&call.state, caller, Action::Tag, &name).await?;
            let grant = if writes { Grant::ReadWrite } else { Grant::ReadOnly };
            found.insert(name.to_string(), json!(word(grant)));
        }
    }
    Ok(found)
}
