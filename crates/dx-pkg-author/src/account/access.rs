//! Who may see and change packages.

use dx_pkg_fetch::Method;
use dx_pkg_lock::locale_compare;
use serde_json::{Map, Value, json};

use super::{Account, Named, Said, usage_error, whoami};
use crate::AuthorError;
use crate::registry::escaped;
use dx_pkg_compat::hosted::percent;

const USAGE: &str = "dx access list packages [USER|SCOPE|SCOPE:TEAM] [PACKAGE] | \
                     list collaborators [PACKAGE [USER]] | get status [PACKAGE] | \
                     set status=public|private [PACKAGE] | \
                     set mfa=none|publish|automation [PACKAGE] | \
                     grant read-only|read-write SCOPE:TEAM [PACKAGE] | revoke SCOPE:TEAM [PACKAGE]";

/// Shows or changes access, as `words` say.
///
/// # Errors
/// Words that cannot be understood, or a registry that refuses.
pub fn access(account: &Account<'_>, words: &[String]) -> Result<Said, AuthorError> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match *words.as_slice() {
        ["list" | "ls", "packages", ref rest @ ..] => packages(account, rest),
        ["list" | "ls", "collaborators", ref rest @ ..] => {
            let name = package(account, rest.first().copied())?;
            let path = format!("-/package/{}/collaborators", escaped(&name));
            let found = account.registry(Some(&name))?.get(&path)?;
            Ok(listed(&found, rest.get(1).copied()))
        }
        ["get", "status", ref rest @ ..] => {
            status(account, &package(account, rest.first().copied())?)
        }
        ["set", setting, ref rest @ ..] => set(account, setting, rest.first().copied()),
        ["grant", permission @ ("read-only" | "read-write"), team, ref rest @ ..] => {
            let name = package(account, rest.first().copied())?;
            let body = json!({ "package": name, "permissions": permission });
            team_packages(account, team, &name, &Method::PUT, body)
        }
        ["revoke", team, ref rest @ ..] => {
            let name = package(account, rest.first().copied())?;
            team_packages(account, team, &name, &Method::DELETE, json!({ "package": name }))
        }
        _ => Err(usage_error("dx access does not understand this", USAGE)),
    }
}

fn package(account: &Account<'_>, word: Option<&str>) -> Result<String, AuthorError> {
    match word {
        Some(word) => Ok(Named::read(word)?.name),
        None => account.own_name(USAGE),
    }
}

/// Returns permissions by name, in words.
fn listed(found: &Value, only: Option<&str>) -> Said {
    let mut all = Map::new();
    for (key, value) in found.as_object().into_iter().flatten() {
        let value = match value.as_str() {
            Some("read") => "read-only".into(),
            Some("write") => "read-write".into(),
            _ => value.clone(),
        };
        all.insert(key.clone(), value);
    }
    let mut keys: Vec<&String> = all.keys().collect();
    keys.sort_by(|a, b| locale_compare(a, b));
    let shown = keys.into_iter().filter(|key| only.is_none_or(|only| only == *key));
    let lines: Vec<String> =
        shown.map(|key| format!("{key}: {}", crate::node_text::as_text(&all[key]))).collect();
    Said::new(lines.join("\n"), all.clone())
}

fn packages(account: &Account<'_>, words: &[&str]) -> Result<Said, AuthorError> {
    let registry = account.registry(None)?;
    let owner = match words.first() {
        Some(owner) => (*owner).to_owned(),
        None => whoami(account)?.text,
    };
    let (scope, team) = split(&owner);
    let found = match team {
        Some(team) => {
            registry.get(&format!("-/team/{}/{}/package", percent(scope), percent(team)))?
        }
        None => match registry.find(&format!("-/org/{}/package", percent(scope)))? {
            Some(found) => found,
            None => registry.get(&format!("-/user/{}/package", percent(scope)))?,
        },
    };
    Ok(listed(&found, words.get(1).copied()))
}

/// Splits `@scope:team`.
pub(super) fn split(entity: &str) -> (&str, Option<&str>) {
    let entity = entity.strip_prefix('@').unwrap_or(entity);
    match entity.split_once(':') {
        Some((scope, team)) => (scope, Some(team)),
        None => (entity, None),
    }
}

fn status(account: &Account<'_>, name: &str) -> Result<Said, AuthorError> {
    let path = format!("-/package/{}/visibility", escaped(name));
    let found = account.registry(Some(name))?.get(&path)?;
    let is_public = found.get("public") == Some(&Value::Bool(true));
    Ok(listed(&json!({ name: if is_public { "public" } else { "private" } }), None))
}

fn set(account: &Account<'_>, setting: &str, word: Option<&str>) -> Result<Said, AuthorError> {
    let body = match setting {
        "status=public" => json!({ "access": "public" }),
        "status=private" => json!({ "access": "restricted" }),
        "mfa=none" | "2fa=none" => json!({ "publish_requires_tfa": false }),
        "mfa=publish" | "2fa=publish" => {
            json!({ "publish_requires_tfa": true, "automation_token_overrides_tfa": false })
        }
        "mfa=automation" | "2fa=automation" => {
            json!({ "publish_requires_tfa": true, "automation_token_overrides_tfa": true })
        }
        _ => return Err(usage_error(format!("dx access cannot set {setting:?}"), USAGE)),
    };
    let name = package(account, word)?;
    let is_status = setting.starts_with("status");
    if is_status && !name.starts_with('@') {
        return Err(usage_error(format!("{name} has no scope, so it is always public"), USAGE));
    }
    let path = format!("-/package/{}/access", escaped(&name));
    account.registry(Some(&name))?.change(&Method::POST, &path, Some(&body))?;
    if is_status { status(account, &name) } else { Ok(Said::new("", body)) }
}

fn team_packages(
    account: &Account<'_>,
    entity: &str,
    name: &str,
    method: &Method,
    body: Value,
) -> Result<Said, AuthorError> {
    let (scope, Some(team)) = split(entity) else {
        return Err(usage_error(format!("{entity:?} is not of the form SCOPE:TEAM"), USAGE));
    };
    let path = format!("-/team/{}/{}/package", percent(scope), percent(team));
    account.registry(Some(name))?.change(method, &path, Some(&body))?;
    Ok(Said::new("", body))
}
