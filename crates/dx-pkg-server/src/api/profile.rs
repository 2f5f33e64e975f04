//! The caller's profile (`/-/npm/v1/user`): texts, password, second factor.

use crate::access::caller;
use crate::accounts::one_time::{Mode, SecondFactor};
use crate::accounts::{Login, User, iso, now, password};
use crate::failure::Failure;
use crate::http::answer::ok;
use crate::http::{Call, Routes};
use axum::http::Method;
use axum::response::Response;
use serde_json::{Map, Value, json};

/// The longest text of a profile, in characters.
const LONGEST: usize = 200;

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/npm/v1/user", get);
    routes.on(Method::POST, "/-/npm/v1/user", change);
}

async fn get(call: Call) -> Result<Response, Failure> {
    let caller = caller(&call).await?;
    Ok(ok(&profile(&caller.login()?.user)))
}

fn profile(user: &User) -> Value {
    let factor = match &user.second_factor {
        Some(factor) => json!({ "pending": factor.pending, "mode": factor.mode }),
        None => Value::Bool(false),
    };
    json!({
        "tfa": factor,
        "name": user.name,
        "email": user.email,
        "email_verified": false,
        "created": iso(user.created),
        "updated": iso(user.updated),
        "cidr_whitelist": null,
        "fullname": user.fullname,
        "homepage": user.homepage,
        "github": user.github,
    })
}

/// Changes what the body names. npm sends all texts when it changes one.
async fn change(mut call: Call) -> Result<Response, Failure> {
    let caller = caller(&call).await?;
    let login = caller.account_holder()?;
    let body: Map<String, Value> = call.json().await?;
    let accounts = &call.state.accounts;
    if let Some(wanted) = body.get("tfa") {
        let changed = change_second_factor(&call, login, wanted).await?;
        accounts.log.record("second factor", &login.user.name, "", call.client);
        return Ok(ok(&json!({ "tfa": changed })));
    }
    let hash = match body.get("password").filter(|value| !value.is_null()) {
        Some(wanted) => Some(new_password(&call, login, wanted).await?),
        None => None,
    };
    let texts = ["email", "fullname", "homepage", "github"];
    for key in body.keys() {
        if !texts.contains(&key.as_str()) && key != "password" && key != "name" {
            return Err(Failure::bad_request(format!("{key:?} is not part of a profile")));
        }
    }
    let text = |key: &str, former: &str| match body.get(key) {
        None => Ok(former.to_owned()),
        Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) if text.chars().count() <= LONGEST => Ok(text.clone()),
        Some(_) => Err(Failure::bad_request(format!(
            "{key} has to be a text of {LONGEST} characters at most"
        ))),
    };
    let changed = accounts
        .change_user(&login.user.name, |user| {
            user.email = text("email", &user.email)?;
            user.fullname = text("fullname", &user.fullname)?;
            user.homepage = text("homepage", &user.homepage)?;
            user.github = text("github", &user.github)?;
            user.password = hash.clone().or_else(|| user.password.take());
            Ok(())
        })
        .await?;
    accounts.log.record("profile", &login.user.name, "", call.client);
    Ok(ok(&profile(&changed)))
}

async fn new_password(call: &Call, login: &Login, wanted: &Value) -> Result<String, Failure> {
    let part = |key: &str| wanted.get(key).and_then(Value::as_str).unwrap_or_default();
    right_password(call, login, part("old")).await?;
    password::hash(part("new")).await
}

/// Requires the account's password, if it has one.
pub(super) async fn right_password(call: &Call, login: &Login, sent: &str) -> Result<(), Failure> {
    if login.user.password.is_none() {
        return Ok(());
    }
    let accounts = &call.state.accounts;
    match accounts.user_by_password(&login.user.name, sent, call.client).await? {
        Some(_) => Ok(()),
        // Not 401, by which npm would take the token for invalid.
        None => Err(Failure::forbidden("that is not your password")),
    }
}

/// Begins, confirms or ends a second factor.
async fn change_second_factor(
    call: &Call,
    login: &Login,
    wanted: &Value,
) -> Result<Value, Failure> {
    let accounts = &call.state.accounts;
    let name = &login.user.name;
    if let Some(codes) = wanted.as_array() {
        let code = codes.first().and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut recovery = Vec::new();
        accounts
            .change_user(name, |user| {
                let factor = user.second_factor.as_mut().filter(|factor| factor.pending);
                let begin = || Failure::bad_request("begin with `npm profile enable-2fa`");
                let factor = factor.ok_or_else(begin)?;
                if !factor.accepts(&code, now() / 1000) {
                    return Err(Failure::bad_request("that code is not valid: use a new one"));
                }
                factor.pending = false;
                recovery = factor.renew_recovery()?;
                Ok(())
            })
            .await?;
        return Ok(json!(recovery));
    }
    let part = |key: &str| wanted.get(key).and_then(Value::as_str).unwrap_or_default();
    right_password(call, login, part("password")).await?;
    let mode = match part("mode") {
        "auth-only" => Some(Mode::AuthOnly),
        "auth-and-writes" => Some(Mode::AuthAndWrites),
        "disable" => None,
        other => {
            let text = format!("{other:?} is neither auth-only nor auth-and-writes nor disable");
            return Err(Failure::bad_request(text));
        }
    };
    let host = url::Url::parse(&call.base).ok();
    let host = host.as_ref().and_then(url::Url::host_str).unwrap_or("registry").to_owned();
    let mut changed = Value::Null;
    accounts
        .change_user(name, |user| {
            changed = match (mode, user.second_factor.as_mut()) {
                (None, _) => {
                    user.second_factor = None;
                    Value::Bool(false)
                }
                (Some(mode), Some(factor)) if !factor.pending => {
                    factor.mode = mode;
                    json!({ "pending": false, "mode": mode })
                }
                (Some(mode), _) => {
                    let factor = SecondFactor::new(mode)?;
                    let address = factor.address(&host, &user.name);
                    user.second_factor = Some(factor);
                    Value::String(address)
                }
            };
            Ok(())
        })
        .await?;
    Ok(changed)
}
