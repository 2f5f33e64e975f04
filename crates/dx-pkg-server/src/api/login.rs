//! Logins of clients: in the browser (`/-/v1/login`), with name and password (`/-/user/…`), and the
//! end of a token.

use crate::access::{caller, named_by};
use crate::accounts::sessions::Outcome;
use crate::accounts::user::check_name;
use crate::accounts::{Token, User, now, password, secret};
use crate::failure::Failure;
use crate::http::answer::{json, ok};
use crate::http::{Call, Routes};
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// The text that stands before a user's name in addresses and documents.
const PREFIX: &str = "org.couchdb.user:";

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::POST, "/-/v1/login", begin);
    // npm 12 asks with the method of the change that is to be confirmed: `dist-tag add` with PUT.
    for method in [Method::GET, Method::PUT, Method::POST, Method::DELETE] {
        routes.on(method, "/-/v1/done/{secret}", done);
    }
    routes.on(Method::PUT, "/-/user/{user}", put_user);
    routes.on(Method::PUT, "/-/user/{user}/-rev/{rev}", put_user);
    routes.on(Method::GET, "/-/user/{user}", get_user);
    routes.on(Method::DELETE, "/-/user/token/{token}", logout);
    routes.on(Method::GET, "/-/whoami", whoami);
}

/// Answers with the two addresses of a login in the browser.
async fn begin(call: Call) -> Result<Response, Failure> {
    let addresses = call.state.accounts.ask(&call.base, None, call.client).await?;
    Ok(ok(&json!({ "loginUrl": addresses.page, "doneUrl": addresses.done })))
}

/// Answers 202 until the user has answered in the browser, then with the token, once.
async fn done(call: Call) -> Result<Response, Failure> {
    let asked = call.query("asked").and_then(|text| text.parse().ok()).unwrap_or(0);
    match call.state.accounts.outcome(call.part("secret"), asked).await? {
        Outcome::Given(token) => Ok(ok(&json!({ "token": token }))),
        Outcome::Over => {
            Err(Failure::new(StatusCode::GONE, "this took too long: begin the login again"))
        }
        Outcome::Waiting => {
            let mut response = json(StatusCode::ACCEPTED, &json!({}));
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
            Ok(response)
        }
    }
}

/// The document of a login by name and password.
#[derive(Deserialize)]
struct UserDocument {
    name: Option<String>,
    password: Option<String>,
    #[serde(default)]
    email: Option<String>,
}

/// Logs a user in by name and password, or makes an account where that is allowed.
async fn put_user(mut call: Call) -> Result<Response, Failure> {
    let name = user_name(&call)?;
    let body: UserDocument = call.json().await?;
    if body.name.as_deref().is_some_and(|own| own != name) {
        return Err(Failure::bad_request("the name in the address is not the one in the body"));
    }
    let missing = || Failure::bad_request("the body has no password");
    let secret = body.password.filter(|text| !text.is_empty()).ok_or_else(missing)?;
    let accounts = call.state.accounts.clone();
    if let Some(user) = accounts.user_by_password(&name, &secret, call.client).await? {
        second_factor(&call, &user).await?;
        return logged_in(&call, &user).await;
    }
    if !accounts.settings.registration {
        return Err(Failure::unauthorized(
            "there is no user with this name and password; accounts are made by whoever runs this \
             registry, with `dx-registry user add`",
        ));
    }
    check_name(&name)?;
    if accounts.user(&name).await?.is_some() {
        return Err(Failure::unauthorized("there is a user of this name with another password"));
    }
    let is_named = !named_by(&call.state, &name).await?.is_empty();
    if is_named || accounts.was_user(&name).await? {
        return Err(Failure::forbidden(format!(
            "{name} is, or was, somebody's name here: take another, or ask whoever runs this \
             registry"
        )));
    }
    let mut user = User::new(&name, now());
    user.email = body.email.unwrap_or_default().chars().take(200).collect();
    user.password = Some(password::hash(&secret).await?);
    accounts.create_user(user.clone()).await?;
    accounts.log.record("register", &name, "", call.client);
    logged_in(&call, &user).await
}

/// Requires the one-time password of a login.
async fn second_factor(call: &Call, user: &User) -> Result<(), Failure> {
    if user.active_second_factor().is_none() {
        return Ok(());
    }
    let sent = call.headers.get("npm-otp").and_then(|value| value.to_str().ok());
    let text = match sent {
        None | Some("") => "this user needs a one-time password: repeat it with --otp=CODE",
        Some(code) if call.state.accounts.accepts_one_time(user, code).await? => return Ok(()),
        Some(_) => "the one-time password is not valid: use a new code",
    };
    Err(Failure::new(StatusCode::UNAUTHORIZED, text)
        .header(axum::http::header::WWW_AUTHENTICATE, "OTP"))
}

async fn logged_in(call: &Call, user: &User) -> Result<Response, Failure> {
    let (mut token, text) = Token::new(&user.name, now())?;
    token.name = "login".to_owned();
    call.state.accounts.store_token(&token).await?;
    call.state.accounts.log.record("login", &user.name, &token.shown, call.client);
    let id = format!("{PREFIX}{}", user.name);
    let body = json!({ "ok": true, "id": id, "rev": revision(user), "token": text });
    Ok(json(StatusCode::CREATED, &body))
}

/// Answers with a user's document. Who is not logged in gets the same for every name.
async fn get_user(call: Call) -> Result<Response, Failure> {
    let name = user_name(&call)?;
    let user = match caller(&call).await?.login {
        Some(_) => call.state.accounts.existing_user(&name).await?,
        None => Arc::new(User::new(&name, 0)),
    };
    Ok(ok(&json!({
        "_id": format!("{PREFIX}{name}"),
        "_rev": revision(&user),
        "name": name,
        "email": user.email,
        "type": "user",
        "roles": [],
        "date": crate::accounts::iso(user.created),
    })))
}

/// Ends a token of the caller.
async fn logout(call: Call) -> Result<Response, Failure> {
    let login_caller = caller(&call).await?;
    let login = login_caller.login()?;
    let accounts = &call.state.accounts;
    let key = secret::digest(call.part("token"));
    let found = accounts.token_by_key(&key).await?;
    let Some(token) = found.filter(|token| token.user == login.user.name) else {
        return Err(Failure::not_found("there is no such token of yours"));
    };
    accounts.remove_token(&token.key).await?;
    accounts.log.record("logout", &token.user, &token.shown, call.client);
    Ok(ok(&json!({ "ok": true })))
}

/// Answers with the caller's name.
async fn whoami(call: Call) -> Result<Response, Failure> {
    let caller = caller(&call).await?;
    Ok(ok(&json!({ "username": caller.login()?.user.name })))
}

fn user_name(call: &Call) -> Result<String, Failure> {
    let name = call.part("user").strip_prefix(PREFIX).unwrap_or_default();
    if name.is_empty() {
        return Err(Failure::bad_request(format!("a user's address is /-/user/{PREFIX}NAME")));
    }
    Ok(name.to_owned())
}

fn revision(user: &User) -> String {
    format!("1-{:032x}", user.updated)
}
