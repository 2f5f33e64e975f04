//! Trusted publishers of packages, and the exchange of their identity tokens.

use crate::access::{self, Action, authorise};
use crate::accounts::trust::{self, KeySet, Publisher, Unverified, Wanted};
use crate::accounts::{PackageSettings, Token, now};
use crate::failure::Failure;
use crate::http::answer::{json, ok};
use crate::http::{Call, Routes};
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use dx_pkg_core::PackageName;
use serde::Deserialize;
use serde_json::{Value, json};

/// The time that a token of a trusted publisher is valid, in milliseconds.
const VALID: u64 = 3600 * 1000;

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/package/{name}/trust", list);
    routes.on(Method::POST, "/-/package/{name}/trust", create);
    routes.on(Method::DELETE, "/-/package/{name}/trust/{id}", remove);
    routes.on(Method::POST, "/-/npm/v1/oidc/token/exchange/package/{name}", exchange);
}

fn shown(publisher: &Publisher) -> Value {
    json!({
        "id": publisher.id,
        "type": publisher.kind,
        "claims": publisher.claims,
        "permissions": publisher.permissions,
    })
}

async fn settings(call: &Call, name: &PackageName) -> Result<PackageSettings, Failure> {
    Ok(access::settings(&*access::hosted(&call.state, name).await?))
}

async fn list(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(&call, Action::ChangeAccess, &name).await?;
    let trust = settings(&call, &name).await?.trust;
    Ok(ok(&trust.iter().map(shown).collect::<Vec<_>>()))
}

/// One publisher, or several, as npm sends them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Several(Vec<Wanted>),
    One(Wanted),
}

async fn create(mut call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    let caller = authorise(&call, Action::ChangeAccess, &name).await?;
    let body: Body = call.json().await?;
    let wanted = match body {
        Body::Several(wanted) => wanted,
        Body::One(wanted) => vec![wanted],
    };
    let issuers = &call.state.accounts.settings.issuers;
    let new: Vec<Publisher> = wanted
        .into_iter()
        .map(|wanted| wanted.publisher(caller.name(), issuers))
        .collect::<Result<_, _>>()?;
    if new.is_empty() {
        return Err(Failure::bad_request("the body names no publisher"));
    }
    access::change_settings(&call.state, &name, |settings| trust::add(&mut settings.trust, &new))
        .await?;
    call.state.accounts.log.record("trust", caller.name(), name.as_str(), call.client);
    Ok(json(StatusCode::CREATED, &new.iter().map(shown).collect::<Vec<_>>()))
}

async fn remove(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    let caller = authorise(&call, Action::ChangeAccess, &name).await?;
    let id = call.part("id");
    access::change_settings(&call.state, &name, |settings| {
        let before = settings.trust.len();
        settings.trust.retain(|publisher| publisher.id != id);
        if settings.trust.len() == before {
            return Err(Failure::not_found(format!("{name} has no trusted publisher {id}")));
        }
        Ok(())
    })
    .await?;
    call.state.accounts.log.record("end trust", caller.name(), name.as_str(), call.client);
    Ok(ok(&json!({})))
}

/// Exchanges an identity token for one to publish this package with.
async fn exchange(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    let sent = call.header(AUTHORIZATION).unwrap_or_default();
    let sent = sent.strip_prefix("Bearer ").unwrap_or_default().trim();
    let refused = |reason: &str| {
        let mut failure = Failure::unauthorized(reason);
        // npm shows `message` of this answer, not `error`.
        failure = failure.with("message", reason);
        failure
    };
    let token = Unverified::read(sent).map_err(refused)?;
    let issuer = token.issuer().to_owned();
    let trust = match call.state.packages.read(&name).await?.value {
        Some(hosted) => access::settings(&hosted).trust,
        None => Vec::new(),
    };
    let issuers = &call.state.accounts.settings.issuers;
    if !trust.iter().any(|publisher| publisher.is_of(&issuer, issuers)) {
        return Err(refused(&format!("{name} trusts no publisher of {issuer:?}")));
    }
    let keys = keys(&call, &issuer).await?;
    let configured = trust::configured(&issuer, issuers);
    let audience = match configured.and_then(|issuer| issuer.audience.clone()) {
        Some(audience) => audience,
        None => format!("npm:{}", host(&call.base)),
    };
    let claims = token.verify(&keys, &audience, now() / 1000).map_err(refused)?;
    let publisher = trust.iter().find(|one| one.is_shown_by(&issuer, &claims, issuers));
    let Some(publisher) = publisher else {
        return Err(refused(&format!("{name} trusts no publisher with these claims")));
    };
    let (mut new, text) = Token::new(&publisher.by, now())?;
    new.name = format!("trusted publisher {}", publisher.kind);
    new.expires = Some(now() + VALID);
    new.packages = vec![name.to_string()];
    new.permission = publisher.permission();
    new.publisher = Some(publisher.id.clone());
    call.state.accounts.store_token(&new).await?;
    call.state.accounts.log.record("exchange", &publisher.by, name.as_str(), call.client);
    let body = json!({
        "token": text, "token_type": "oidc",
        "created": crate::accounts::iso(new.created),
        "expires": new.expires.map(crate::accounts::iso),
    });
    Ok(json(StatusCode::CREATED, &body))
}

fn host(base: &str) -> String {
    let url = url::Url::parse(base).ok();
    url.as_ref().and_then(url::Url::host_str).unwrap_or_default().to_owned()
}

/// Requests the keys of an issuer, which a publisher of the package names.
async fn keys(call: &Call, issuer: &str) -> Result<KeySet, Failure> {
    let configured = trust::configured(issuer, &call.state.accounts.settings.issuers);
    let url = match configured.and_then(|issuer| issuer.keys.clone()) {
        Some(url) => url,
        None => {
            let path = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
            let document: Value = call.state.issuers.get(&path).await?;
            if document.get("issuer").and_then(Value::as_str) != Some(issuer) {
                let text = format!("the discovery document of {issuer} is another issuer's");
                return Err(Failure::new(StatusCode::BAD_GATEWAY, text));
            }
            let keys = document.get("jwks_uri").and_then(Value::as_str).unwrap_or_default();
            let fault = || Failure::new(StatusCode::BAD_GATEWAY, format!("{issuer} names no keys"));
            keys.parse().map_err(|_| fault())?
        }
    };
    call.state.issuers.get(url.as_str()).await
}
