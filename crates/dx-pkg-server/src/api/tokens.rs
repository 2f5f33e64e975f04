//! The caller's tokens (`/-/npm/v1/tokens`).

use super::profile::right_password;
use crate::access::caller;
use crate::accounts::token::Permission;
use crate::accounts::{Token, iso, now, secret};
use crate::config::Network;
use crate::failure::Failure;
use crate::http::answer::{json, ok};
use crate::http::{Call, Routes};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

/// The longest name or description, and the longest list, of a token.
const LONGEST: usize = 200;
/// The most days that a token can be valid.
const MOST_DAYS: u64 = 3650;
const DAY: u64 = 24 * 3600 * 1000;

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/npm/v1/tokens", list);
    routes.on(Method::POST, "/-/npm/v1/tokens", create);
    routes.on(Method::DELETE, "/-/npm/v1/tokens/token/{key}", revoke);
}

async fn list(call: Call) -> Result<Response, Failure> {
    let caller = caller(&call).await?;
    let login = caller.login()?;
    if login.token.as_ref().is_some_and(|token| token.publisher.is_some()) {
        return Err(Failure::forbidden(
            "a trusted publisher's token can publish, and nothing else",
        ));
    }
    let tokens = call.state.accounts.tokens_of(&login.user.name).await?;
    let objects: Vec<Value> = tokens.iter().map(|token| shown(token, &token.shown)).collect();
    Ok(ok(&json!({ "total": objects.len(), "objects": objects, "urls": {} })))
}

/// Returns a token for a client; `text` is its beginning, or once all of it.
fn shown(token: &Token, text: &str) -> Value {
    let cidr = if token.cidr.is_empty() { Value::Null } else { json!(token.cidr) };
    let mut value = json!({
        "token": text,
        "key": token.key,
        "name": token.name,
        "cidr_whitelist": cidr,
        "readonly": token.permission == Permission::ReadOnly,
        "created": iso(token.created),
        "updated": iso(token.created),
    });
    let Some(fields) = value.as_object_mut() else {
        return value;
    };
    if let Some(expires) = token.expires {
        fields.insert("expires".to_owned(), json!(iso(expires)));
    }
    if !token.description.is_empty() {
        fields.insert("description".to_owned(), json!(token.description));
    }
    if !token.packages.is_empty() {
        fields.insert("packages".to_owned(), json!(token.packages));
    }
    if !token.scopes.is_empty() {
        fields.insert("scopes".to_owned(), json!(token.scopes));
    }
    if !token.orgs.is_empty() {
        fields.insert("orgs".to_owned(), json!(token.orgs));
    }
    if token.permission != Permission::ReadWrite {
        fields.insert("packages_and_scopes_permission".to_owned(), json!(token.permission));
    }
    if token.bypass_second_factor {
        fields.insert("bypass_2fa".to_owned(), Value::Bool(true));
    }
    value
}

/// What a new token is asked to be.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    readonly: Option<bool>,
    #[serde(default)]
    packages: Vec<String>,
    #[serde(default)]
    packages_all: bool,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    orgs: Vec<String>,
    #[serde(default)]
    packages_and_scopes_permission: Option<Permission>,
    #[serde(default)]
    orgs_permission: Option<Permission>,
    /// In days.
    #[serde(default)]
    expires: Option<u64>,
    #[serde(default)]
    cidr_whitelist: Option<Vec<String>>,
    #[serde(default)]
    bypass_2fa: bool,
}

async fn create(mut call: Call) -> Result<Response, Failure> {
    let caller = caller(&call).await?;
    let login = caller.account_holder()?;
    let wanted: Wanted = call.json().await?;
    right_password(&call, login, wanted.password.as_deref().unwrap_or_default()).await?;
    let (mut token, text) = Token::new(&login.user.name, now())?;
    wanted.apply(&mut token)?;
    call.state.accounts.store_token(&token).await?;
    call.state.accounts.log.record("create token", &token.user, &token.shown, call.client);
    Ok(json(StatusCode::CREATED, &shown(&token, &text)))
}

impl Wanted {
    fn apply(self, token: &mut Token) -> Result<(), Failure> {
        let texts = [&self.name, &self.description];
        let lists = [&self.packages, &self.scopes, &self.orgs];
        let too_long =
            texts.iter().any(|text| text.as_ref().is_some_and(|text| text.len() > LONGEST))
                || lists.iter().any(|list| list.len() > LONGEST)
                || lists.iter().any(|list| list.iter().any(|item| item.len() > LONGEST + 16));
        if too_long {
            return Err(Failure::bad_request("a name or a list of the token is too long"));
        }
        let cidr = self.cidr_whitelist.unwrap_or_default();
        if let Some(block) = cidr.iter().find(|block| block.parse::<Network>().is_err()) {
            return Err(Failure::bad_request(format!("{block:?} is no block of addresses")));
        }
        if cidr.len() > LONGEST {
            return Err(Failure::bad_request("too many blocks of addresses"));
        }
        if let Some(days) = self.expires {
            if !(1..=MOST_DAYS).contains(&days) {
                let text = format!("a token expires after 1 to {MOST_DAYS} days");
                return Err(Failure::bad_request(text));
            }
            token.expires = Some(token.created + days * DAY);
        }
        if self.packages_all && !(self.packages.is_empty() && self.scopes.is_empty()) {
            return Err(Failure::bad_request("a token is for all packages, or for some"));
        }
        token.name = self.name.unwrap_or_default();
        token.description = self.description.unwrap_or_default();
        token.packages = self.packages;
        token.scopes = self.scopes;
        token.orgs = self.orgs;
        token.cidr = cidr;
        token.bypass_second_factor = self.bypass_2fa;
        token.permission = match (self.packages_and_scopes_permission, self.readonly) {
            (Some(permission), _) => permission,
            (None, Some(true)) => Permission::ReadOnly,
            (None, _) => Permission::ReadWrite,
        };
        token.orgs_permission = self.orgs_permission.unwrap_or(token.permission);
        Ok(())
    }
}

/// Revokes a token, named by its key or by itself.
async fn revoke(call: Call) -> Result<Response, Failure> {
    let caller = caller(&call).await?;
    let login = caller.login()?;
    let accounts = &call.state.accounts;
    let named = call.part("key");
    let key = if Token::is_one(named) { secret::digest(named) } else { named.to_owned() };
    let own = login.token.as_ref().is_some_and(|token| token.key == key);
    if !own {
        caller.account_holder()?;
    }
    let found = accounts.token_by_key(&key).await?;
    let allowed = |token: &Token| token.user == login.user.name || login.user.admin;
    let Some(token) = found.filter(|token| allowed(token)) else {
        return Err(Failure::not_found("there is no such token of yours"));
    };
    accounts.remove_token(&token.key).await?;
    accounts.log.record("revoke token", &login.user.name, &token.shown, call.client);
    Ok(json(StatusCode::OK, &json!({ "ok": true })))
}
