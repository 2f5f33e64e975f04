//! Logging in and out, and who is logged in.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dx_pkg_acquire::files::EditedFile;
use dx_pkg_compat::npmrc::edit::{with_setting, without_setting};
use dx_pkg_fetch::{Method, StatusCode};
use dx_pkg_install::session::config_files;
use serde_json::{Value, json};
use url::Url;

use super::{Account, Said, usage_error};
use crate::AuthorError;
use crate::registry::{Registry, Sent};
use crate::script::Browser;
use dx_pkg_compat::hosted::percent;

const USAGE: &str = "dx login [--registry=URL] [--scope=@SCOPE] [--auth-type=web|legacy]";

/// The settings of a registry that a token takes the place of, as npm's `login` removes them.
const REPLACED: [&str; 4] = ["_password", "username", "email", "always-auth"];

/// Returns the name of the user that is logged in.
///
/// # Errors
/// Nobody is, or the registry refuses.
pub fn whoami(account: &Account<'_>) -> Result<Said, AuthorError> {
    let registry = account.registry(None)?;
    let authorization = account.config().credentials_for(&registry.base);
    if let Some(name) = authorization.as_ref().and_then(|one| user_of(&one.header_value())) {
        return Ok(Said::new(name.clone(), name));
    }
    if registry.has_credentials() {
        let answer = registry.get("-/whoami")?;
        if let Some(name) = answer.get("username").and_then(Value::as_str) {
            return Ok(Said::new(name, name));
        }
    }
    Err(AuthorError::NoCredentials { registry: registry.shown() })
}

/// Returns the user of credentials with a password.
fn user_of(authorization: &str) -> Option<String> {
    let pair = STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?;
    Some(String::from_utf8(pair).ok()?.split_once(':')?.0.to_owned())
}

/// Returns the registry that a login is for: that of the scope, else the usual one.
fn registry_of<'a>(
    account: &Account<'a>,
    scope: Option<&str>,
) -> Result<Registry<'a>, AuthorError> {
    let registry = account.registry(None)?;
    let is_given = account.session.flags.iter().any(|(key, _)| key == "registry");
    let own = scope.filter(|_| !is_given).and_then(|scope| {
        let scope = scope.strip_prefix('@').unwrap_or(scope);
        let found = account.config().scoped_registries().find(|(known, _)| *known == scope);
        found.map(|(_, url)| url.clone())
    });
    Ok(match own {
        Some(url) => registry.at(url),
        None => registry,
    })
}

/// Logs in, and writes the token into the user's `.npmrc`.
///
/// # Errors
/// The registry refuses, or the file cannot be written.
pub fn login(account: &Account<'_>, scope: Option<&str>) -> Result<Said, AuthorError> {
    let registry = registry_of(account, scope)?;
    account.told.notice(&format!("Log in on {}", registry.shown()));
    let by_web = match account.config().auth_type()?.as_str() {
        "web" => web_token(&registry, account)?,
        "legacy" => None,
        other => return Err(usage_error(format!("{other:?} is no way to log in"), USAGE)),
    };
    let token = match by_web {
        Some(token) => token,
        None => password_token(&registry, account)?,
    };
    if !is_plain(&token) {
        return Err(AuthorError::BadToken { registry: registry.shown() });
    }
    let file = user_file(account)?;
    let place = without_scheme(&registry.base);
    let mut changes = vec![(format!("{place}:_authToken"), Some(token))];
    changes.extend(REPLACED.map(|key| (format!("{place}:{key}"), None)));
    if let Some(scope) = scope {
        changes.push((format!("{}:registry", at(scope)), Some(registry.base.to_string())));
    }
    change_file(&file, &changes)?;
    let of = scope.map(|scope| format!(" to scope {}", at(scope))).unwrap_or_default();
    let text = format!("Logged in{of} on {}.", registry.shown());
    Ok(Said::new(text, json!({ "registry": registry.shown(), "scope": scope })))
}

/// Returns whether a token stands for itself in a `.npmrc`: no `${NAME}` for a variable of the
/// user's, which every request would take to the registry, no quotes, and nothing invisible.
fn is_plain(token: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"$\"'`\\".contains(&byte);
    !token.is_empty() && token.bytes().all(is_plain)
}

fn at(scope: &str) -> String {
    if scope.starts_with('@') { scope.to_owned() } else { format!("@{scope}") }
}

/// Logs in by a page of the registry; `None` where it has none.
fn web_token(
    registry: &Registry<'_>,
    account: &Account<'_>,
) -> Result<Option<String>, AuthorError> {
    let sent = Sent { is_anonymous: true, ..Sent::default() };
    let answer = match registry.send(&Method::POST, "-/v1/login", Some(&json!({})), &sent) {
        Ok(answer) => answer.json(),
        Err(AuthorError::Refused(refusal))
            if refusal.status.is_client_error()
                || refusal.status == StatusCode::INTERNAL_SERVER_ERROR =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let text = |key: &str| {
        let url = Url::parse(answer.get(key)?.as_str()?).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| url.to_string())
    };
    let (Some(page), Some(done)) = (text("loginUrl"), text("doneUrl")) else { return Ok(None) };
    account.told.open_page("Login at", &page, &Browser::of(account.session));
    let answer = registry.wait_for_token(&done)?;
    let token = answer.get("token").and_then(Value::as_str).map(str::to_owned);
    token.map(Some).ok_or_else(|| AuthorError::NoLogin { registry: registry.shown() })
}

/// Logs in by user and password.
fn password_token(registry: &Registry<'_>, account: &Account<'_>) -> Result<String, AuthorError> {
    let no_login = || AuthorError::NoLogin { registry: registry.shown() };
    let user = account.told.ask("Username:").filter(|user| !user.is_empty());
    let user = user.ok_or_else(no_login)?;
    let password = account.told.ask_secret("Password:").ok_or_else(no_login)?;
    let path = format!("-/user/org.couchdb.user:{}", percent(&user));
    let mut body = json!({
        "_id": format!("org.couchdb.user:{user}"),
        "name": user,
        "password": password,
        "type": "user",
        "roles": [],
        "date": now(),
    });
    let anonymous = Sent { is_anonymous: true, ..Sent::default() };
    let answer = match registry.change_with(&Method::PUT, &path, Some(&body), &anonymous) {
        Err(AuthorError::Refused(refusal)) if refusal.status == StatusCode::CONFLICT => {
            let known =
                registry.send(&Method::GET, &format!("{path}?write=true"), None, &anonymous)?;
            for (key, value) in known.json().as_object().into_iter().flatten() {
                if body.get(key).is_none() || key == "roles" {
                    body[key] = value.clone();
                }
            }
            let revision = body.get("_rev").and_then(Value::as_str).unwrap_or("undefined");
            let path = format!("{path}/-rev/{revision}");
            let pair = STANDARD.encode(format!("{user}:{password}"));
            let sent = Sent { authorization: Some(format!("Basic {pair}")), ..Sent::default() };
            registry.change_with(&Method::PUT, &path, Some(&body), &sent)?
        }
        other => other?,
    };
    answer.json().get("token").and_then(Value::as_str).map(str::to_owned).ok_or_else(no_login)
}

/// Returns the time as JavaScript writes it: `2026-01-02T03:04:05.678Z`.
fn now() -> String {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let ms = dx_pkg_acquire::clock::now_ms();
    let (mut days, rest) = (ms / DAY, ms % DAY);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut year = 1970;
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (seconds, ms) = (rest / 1000, rest % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z", days + 1)
}

/// Logs out: ends the token at the registry, and takes it out of the user's `.npmrc`.
///
/// # Errors
/// Nobody is logged in, the registry refuses, or the file cannot be written.
pub fn logout(account: &Account<'_>, scope: Option<&str>) -> Result<Said, AuthorError> {
    let registry = registry_of(account, scope)?;
    let Some(authorization) = account.config().credentials_for(&registry.base) else {
        return Err(AuthorError::NoCredentials { registry: registry.shown() });
    };
    let header = authorization.header_value();
    if let Some(token) = header.strip_prefix("Bearer ") {
        let path = format!("-/user/token/{}", percent(token));
        registry.change(&Method::DELETE, &path, None)?;
    }
    let place = without_scheme(&registry.base);
    let mut changes: Vec<(String, Option<String>)> =
        ["_authToken", "_auth", "_password", "username", "email"]
            .iter()
            .map(|key| (format!("{place}:{key}"), None))
            .collect();
    if let Some(scope) = scope {
        changes.push((format!("{}:registry", at(scope)), None));
    }
    change_file(&user_file(account)?, &changes)?;
    Ok(Said::new("", json!({ "registry": registry.shown() })))
}

/// Returns an address as keys of credentials have it.
fn without_scheme(url: &Url) -> String {
    let text = url.as_str();
    text.find("//").map_or(text, |at| &text[at..]).to_owned()
}

fn user_file(account: &Account<'_>) -> Result<PathBuf, AuthorError> {
    let [_, user] = config_files(account.environment, account.folder);
    user.ok_or_else(|| usage_error("there is no home folder with a .npmrc", USAGE))
}

/// Changes lines of a `.npmrc`, which may be a link to wherever the user keeps it; without a value,
/// removes them. Nobody else can read the file from before the change on.
fn change_file(path: &Path, changes: &[(String, Option<String>)]) -> Result<(), AuthorError> {
    EditedFile { path, follows_links: true, is_private: true }.edit(|old| {
        let text = old.unwrap_or_default().to_owned();
        Ok(changes.iter().fold(text, |text, (key, value)| match value {
            Some(value) => with_setting(&text, key, value),
            None => without_setting(&text, key),
        }))
    })
}
