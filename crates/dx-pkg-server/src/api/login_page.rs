//! The pages on which a user logs in, or confirms something with a one-time password, while a
//! client waits in the terminal.

use crate::accounts::User;
use crate::accounts::sessions::Question;
use crate::failure::Failure;
use crate::http::{Call, Routes};
use crate::page::{Html, page};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use std::sync::Arc;

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/ui/login/{id}", show);
    routes.on(Method::POST, "/-/ui/login/{id}", answer);
    routes.on(Method::GET, "/-/ui/confirm/{id}", show);
    routes.on(Method::POST, "/-/ui/confirm/{id}", answer);
}

async fn show(call: Call) -> Result<Response, Failure> {
    match call.state.accounts.question(call.part("id"), &call.query).await {
        Ok(question) => Ok(form(&call, &question, StatusCode::OK, "")),
        Err(failure) => Ok(message(&call, failure.status, &failure.message)),
    }
}

async fn answer(mut call: Call) -> Result<Response, Failure> {
    let accounts = call.state.accounts.clone();
    let question = match accounts.question(call.part("id"), &call.query).await {
        Ok(question) => question,
        Err(failure) => return Ok(message(&call, failure.status, &failure.message)),
    };
    let body = call.bytes().await?;
    let value = |name: &str| {
        let found = url::form_urlencoded::parse(&body).find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let checked = match &question.user {
        Some(name) => confirmed(&call, name, &value("code")).await,
        None => logged_in(&call, &value("name"), &value("password"), &value("code")).await,
    };
    let user = match checked {
        Ok(user) => user,
        Err(failure) if failure.status.is_client_error() => {
            return Ok(form(&call, &question, failure.status, &failure.message));
        }
        Err(failure) => return Err(failure),
    };
    if let Err(failure) = accounts.answer(&question, &user).await {
        return Ok(message(&call, failure.status, &failure.message));
    }
    let what = if question.user.is_some() { "web confirmation" } else { "web login" };
    accounts.log.record(what, &user.name, &question.from, call.client);
    Ok(message(&call, StatusCode::OK, "Done. You can close this page and go back to the terminal."))
}

async fn logged_in(
    call: &Call,
    name: &str,
    password: &str,
    code: &str,
) -> Result<Arc<User>, Failure> {
    let accounts = &call.state.accounts;
    let found = accounts.user_by_password(name, password, call.client).await?;
    let wrong = || Failure::unauthorized("The name and the password do not belong together.");
    let user = found.ok_or_else(wrong)?;
    if user.active_second_factor().is_some() {
        check_code(call, &user, code).await?;
    }
    Ok(user)
}

async fn confirmed(call: &Call, name: &str, code: &str) -> Result<Arc<User>, Failure> {
    let user = call.state.accounts.existing_user(name).await?;
    check_code(call, &user, code).await?;
    Ok(user)
}

async fn check_code(call: &Call, user: &User, code: &str) -> Result<(), Failure> {
    if call.state.accounts.accepts_one_time(user, code).await? {
        return Ok(());
    }
    Err(Failure::unauthorized("The one-time password is missing or not valid: use a new code."))
}

fn form(call: &Call, question: &Question, status: StatusCode, fault: &str) -> Response {
    let mut html = Html::default();
    html = match &question.user {
        Some(user) => html.markup("<h1>Confirm as ").text(user).markup("</h1>"),
        None => html.markup("<h1>Log in</h1>"),
    };
    html = html.markup("<p class=\"quiet\">Asked for by a client at ").text(&question.from);
    html = html.markup(". If that is not you, close this page.</p>");
    if !fault.is_empty() {
        html = html.markup("<p class=\"warning\" role=\"alert\">").text(fault).markup("</p>");
    }
    html = html.markup("<form class=\"login\" method=\"post\">");
    if question.user.is_none() {
        html = html
            .markup("<label>User name <input name=\"name\" autocomplete=\"username\" required ")
            .markup("autofocus></label><label>Password <input name=\"password\" type=\"password\" ")
            .markup("autocomplete=\"current-password\" required></label>");
    }
    html = html
        .markup("<label>One-time password, if you have set one up ")
        .markup("<input name=\"code\" autocomplete=\"one-time-code\"></label>")
        .markup("<button>")
        .text(if question.user.is_some() { "Confirm" } else { "Log in" })
        .markup("</button></form>");
    page(status, &call.base, "Log in", &html)
}

fn message(call: &Call, status: StatusCode, text: &str) -> Response {
    let class = if status.is_success() { "notice" } else { "warning" };
    let html = Html::default().markup("<p class=\"").text(class).markup("\">").text(text);
    page(status, &call.base, "Log in", &html.markup("</p>"))
}
