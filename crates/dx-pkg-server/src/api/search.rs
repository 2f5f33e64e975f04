//! Search over the registry's own packages, then its upstream's.

use crate::access::{self, Action, Caller, caller};
use crate::catalog::{Place, place};
use crate::failure::Failure;
use crate::gzip::plain;
use crate::http::answer::ok;
use crate::http::{Call, Routes};
use crate::origin::Origin;
use crate::packages::Hosted;
use crate::search::{Candidate, Query};
use axum::http::Method;
use axum::response::Response;
use dx_pkg_core::PackageName;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// The most entries of an answer.
const MOST: usize = 250;
/// The longest text of a search.
const LONGEST: usize = 512;
/// The longest answer of an upstream, in bytes.
const LONGEST_ANSWER: u64 = 16 << 20;

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/v1/search", search);
}

async fn search(call: Call) -> Result<Response, Failure> {
    let text: String = call.query("text").unwrap_or_default().chars().take(LONGEST).collect();
    let number = |name: &str, usual: usize| {
        call.query(name).and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let (from, size) = (number("from", 0), number("size", 20).min(MOST));
    let caller = caller(&call).await?;
    let query = Query::read(&text);
    let own = own(&call, &caller, &query).await?;
    let mut objects: Vec<Value> = own
        .iter()
        .skip(from)
        .take(size)
        .map(|(score, candidate)| candidate.entry(*score, &call.base))
        .collect();
    let mut total = own.len();
    if !text.trim().is_empty() && !tells_own_names(&call, &query).await? {
        let (start, wanted) = (from.saturating_sub(own.len()), size - objects.len());
        let (others, count) = upstream(&call, &text, start, wanted).await?;
        objects.extend(others);
        total += count;
    }
    let time = crate::accounts::iso(crate::accounts::now());
    Ok(ok(&json!({ "objects": objects, "total": total, "time": time })))
}

/// Returns the registry's own packages that fit, best first, as far as the caller can read them.
pub(super) async fn own(
    call: &Call,
    caller: &Caller,
    query: &Query,
) -> Result<Vec<(f64, Candidate)>, Failure> {
    let mut found = Vec::new();
    for name in call.state.packages.names().await? {
        let Some(hosted) = call.state.packages.read(&name).await?.value else {
            continue;
        };
        if !hosted.is_there() {
            continue;
        }
        let candidate = candidate(&name, &hosted);
        if let Some(score) = query.score(&candidate)
            && access::decide(&call.state, caller, Action::Read, &name).await.is_ok()
        {
            found.push((score, candidate));
        }
    }
    found.sort_by(|(a, left), (b, right)| b.total_cmp(a).then_with(|| left.name.cmp(&right.name)));
    Ok(found)
}

fn candidate(name: &PackageName, hosted: &Hosted) -> Candidate {
    let version = hosted.tags.get("latest").cloned().unwrap_or_default();
    let manifest = hosted.versions.get(&version);
    let field = |key: &str| manifest.and_then(|manifest| manifest.get(key));
    let keywords = field("keywords").and_then(Value::as_array).into_iter().flatten();
    let publisher = field("_npmUser");
    let person = |value: &Value| {
        let text =
            |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        (text("name"), text("email"))
    };
    Candidate {
        name: name.to_string(),
        description: field("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
        keywords: keywords.filter_map(Value::as_str).map(str::to_owned).collect(),
        maintainers: hosted
            .maintainers
            .iter()
            .map(|maintainer| (maintainer.name.clone(), maintainer.email.clone()))
            .collect(),
        date: hosted.times.get(&version).cloned().unwrap_or_default(),
        publisher: publisher.map(person),
        version,
    }
}

/// Whether the query names what is this registry's own, of which no upstream may learn.
async fn tells_own_names(call: &Call, query: &Query) -> Result<bool, Failure> {
    let names = call.state.packages.names().await?;
    let names: HashSet<String> = names.iter().map(|name| name.as_str().to_lowercase()).collect();
    // The part after the scope gives a name away as well.
    let bare: HashSet<&str> = names.iter().filter_map(|name| name.split('/').nth(1)).collect();
    let scopes: HashSet<&str> =
        names.iter().filter_map(|name| name.strip_prefix('@')?.split('/').next()).collect();
    let users = call.state.accounts.users().await?;
    let is_hosted = |name: &str| {
        PackageName::parse(name)
            .is_ok_and(|name| matches!(call.state.origins.of(&name), Origin::Hosted))
    };
    Ok(query.tells_own_names(
        |name| names.contains(name) || bare.contains(name) || is_hosted(name),
        |scope| scopes.contains(scope) || is_hosted(&format!("@{scope}/x")),
        |user| users.iter().any(|own| own.name.to_lowercase() == user),
    ))
}

/// Asks the upstream. One that fails finds nothing: the own packages are found all the same.
async fn upstream(
    call: &Call,
    text: &str,
    from: usize,
    size: usize,
) -> Result<(Vec<Value>, usize), Failure> {
    let Some(registry) = call.state.origins.registries().iter().find(|one| one.id == "upstream")
    else {
        return Ok((Vec::new(), 0));
    };
    let path = path(call, text, from, size);
    let Ok(body) = call.state.upstreams.client().ask(registry, &path, None).await else {
        return Ok((Vec::new(), 0));
    };
    let body = plain(&body, LONGEST_ANSWER).unwrap_or_default();
    let document: Map<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
    let mut objects = Vec::new();
    for object in document.get("objects").and_then(Value::as_array).into_iter().flatten() {
        let name = object.get("package").and_then(|package| package.get("name")?.as_str());
        let Some(Ok(name)) = name.map(PackageName::parse) else {
            continue;
        };
        if matches!(place(&call.state, &name).await?, Place::Upstream(_)) {
            objects.push(object.clone());
        }
    }
    objects.truncate(size);
    let total = document.get("total").and_then(Value::as_u64).unwrap_or(0);
    Ok((objects, usize::try_from(total).unwrap_or(usize::MAX)))
}

fn path(call: &Call, text: &str, from: usize, size: usize) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("text", text);
    query.append_pair("size", &size.to_string());
    query.append_pair("from", &from.to_string());
    for name in ["quality", "popularity", "maintenance"] {
        if let Some(value) = call.query(name).filter(|value| value.parse::<f64>().is_ok()) {
            query.append_pair(name, &value);
        }
    }
    format!("-/v1/search?{}", query.finish())
}
