//! Owners of a package.

use dx_pkg_fetch::Method;
use serde_json::{Value, json};

use super::{Account, Named, Said, usage_error};
use crate::AuthorError;
use crate::registry::escaped;
use dx_pkg_compat::hosted::percent;

const USAGE: &str = "dx owner ls [PACKAGE] | add USER [PACKAGE] | rm USER [PACKAGE]";

/// Lists, adds or removes owners, as `words` say.
///
/// # Errors
/// Words that cannot be understood, or a registry that refuses.
pub fn owners(account: &Account<'_>, words: &[String]) -> Result<Said, AuthorError> {
    let word = |place: usize| words.get(place).map(String::as_str).filter(|word| !word.is_empty());
    let package = |word: Option<&str>| match word {
        Some(word) => Ok(Named::read(word)?.name),
        None => account.own_name(USAGE),
    };
    match word(0) {
        Some("ls" | "list") => list(account, &package(word(1))?),
        Some(action @ ("add" | "rm" | "remove")) => {
            let user = word(1).ok_or_else(|| usage_error("a user is needed", USAGE))?;
            change(account, user, &package(word(2))?, action == "add")
        }
        other => {
            let message = match other {
                Some(action) => format!("dx owner has no action {action:?}"),
                None => "dx owner needs an action".to_owned(),
            };
            Err(usage_error(message, USAGE))
        }
    }
}

fn list(account: &Account<'_>, name: &str) -> Result<Said, AuthorError> {
    let packument = account.registry(Some(name))?.get(&escaped(name))?;
    let owners = packument.get("maintainers").and_then(Value::as_array).cloned();
    let owners = owners.unwrap_or_default();
    let text = |owner: &Value| {
        let part = |key: &str| crate::node_text::as_text(owner.get(key).unwrap_or(&Value::Null));
        format!("{} <{}>", part("name"), part("email"))
    };
    let lines: Vec<String> = owners.iter().map(text).collect();
    let text = if lines.is_empty() { "no admin found".to_owned() } else { lines.join("\n") };
    Ok(Said::new(text, owners))
}

fn change(account: &Account<'_>, user: &str, name: &str, adds: bool) -> Result<Said, AuthorError> {
    let registry = account.registry(Some(name))?;
    let found = registry.get(&format!("-/user/org.couchdb.user:{}", percent(user)))?;
    let own_name = found.get("name").cloned().unwrap_or_default();
    let person = json!({ "name": own_name, "email": found.get("email") });
    let packument = registry.get(&escaped(name))?;
    let owners = packument.get("maintainers").and_then(Value::as_array).cloned();
    let owners = owners.unwrap_or_default();
    let is_user = |owner: &Value| owner.get("name") == Some(&own_name);
    let is_owner = owners.iter().any(is_user);
    let json = json!({ "package": name, "user": user, "owner": adds });
    if is_owner == adds {
        let is = if adds { "is an owner already" } else { "is no owner" };
        account.told.note(&format!("{user} {is}"));
        return Ok(Said::new("", json));
    }
    let mut wanted: Vec<Value> = owners.into_iter().filter(|owner| !is_user(owner)).collect();
    if adds {
        wanted.push(person);
    } else if wanted.is_empty() {
        let message = format!("{user} is the only owner of {name}: add another one first");
        return Err(usage_error(message, USAGE));
    }
    let part = |key: &str| packument.get(key).cloned().unwrap_or_default();
    let revision = packument.get("_rev").and_then(Value::as_str).unwrap_or("undefined");
    let path = format!("{}/-rev/{}", escaped(name), percent(revision));
    let body = json!({ "_id": part("_id"), "_rev": part("_rev"), "maintainers": wanted });
    registry.change(&Method::PUT, &path, Some(&body))?;
    let sign = if adds { "+" } else { "-" };
    Ok(Said::new(format!("{sign} {user} ({name})"), json))
}
