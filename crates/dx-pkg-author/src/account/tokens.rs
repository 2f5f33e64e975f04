//! Tokens of an account.

use dx_pkg_fetch::Method;
use serde_json::{Map, Value, json};

use super::{Account, Said, usage_error};
use crate::AuthorError;
use crate::registry::Registry;

const USAGE: &str = "dx token list | create [flags] | revoke ID|TOKEN";
/// The most pages of tokens that are read.
const MOST_PAGES: usize = 1_000;
/// The shortest id that is shown.
const SHORTEST_ID: usize = 6;

/// What a new token is to be good for.
#[derive(Clone, Debug, Default)]
pub struct NewToken {
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The days until it expires.
    pub expires: Option<u32>,
    /// The packages that it is for.
    pub packages: Vec<String>,
    /// Whether it is for all packages.
    pub all_packages: bool,
    /// The scopes that it is for.
    pub scopes: Vec<String>,
    /// The organisations that it is for.
    pub organisations: Vec<String>,
    /// What it may do with packages and scopes.
    pub packages_permission: Option<String>,
    /// What it may do with organisations.
    pub organisations_permission: Option<String>,
    /// The addresses that it may be used from.
    pub cidr: Vec<String>,
    /// Whether it needs no second factor.
    pub bypass_2fa: bool,
    /// The account's password.
    pub password: Option<String>,
}

/// Lists, makes or revokes tokens, as `words` say.
///
/// # Errors
/// Words that cannot be understood, or a registry that refuses.
pub fn tokens(
    account: &Account<'_>,
    words: &[String],
    new: &NewToken,
) -> Result<Said, AuthorError> {
    let registry = account.registry(None)?;
    match words.first().map(String::as_str) {
        None | Some("list" | "ls") => list(account, &registry),
        Some("rm" | "delete" | "revoke" | "remove") => revoke(account, &registry, &words[1..]),
        Some("create") => create(account, &registry, new),
        Some(other) => Err(usage_error(format!("dx token has no action {other:?}"), USAGE)),
    }
}

/// Asks for all tokens, page by page.
fn all(registry: &Registry<'_>) -> Result<Vec<Map<String, Value>>, AuthorError> {
    let mut found = Vec::new();
    let mut path = "-/npm/v1/tokens".to_owned();
    for _ in 0..MOST_PAGES {
        let page = registry.get(&path)?;
        let objects = page.get("objects").and_then(Value::as_array);
        found.extend(objects.into_iter().flatten().filter_map(Value::as_object).cloned());
        let next = page.get("urls").and_then(|urls| urls.get("next")).and_then(Value::as_str);
        let Some(next) = next.filter(|next| !next.is_empty()) else { break };
        let own = next.strip_prefix(registry.base.as_str()).unwrap_or(next);
        path = own.trim_start_matches('/').to_owned();
    }
    Ok(found)
}

fn text<'t>(token: &'t Map<String, Value>, key: &str) -> &'t str {
    token.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Returns the shortest beginning of each key that names one token only.
fn ids(tokens: &[Map<String, Value>]) -> Vec<String> {
    let keys: Vec<&str> = tokens.iter().map(|token| text(token, "key")).collect();
    let id = |(place, key): (usize, &&str)| {
        let is_own = |length: &usize| {
            let start = key.get(..*length);
            start.is_some()
                && !keys
                    .iter()
                    .enumerate()
                    .any(|(other, known)| other != place && known.get(..*length) == start)
        };
        let length = (SHORTEST_ID..key.len()).find(is_own).unwrap_or(key.len());
        key[..length].to_owned()
    };
    keys.iter().enumerate().map(id).collect()
}

fn list(account: &Account<'_>, registry: &Registry<'_>) -> Result<Said, AuthorError> {
    let mut tokens = all(registry)?;
    for (token, id) in ids(&tokens).into_iter().enumerate() {
        tokens[token].insert("id".to_owned(), id.into());
    }
    let cidr = |token: &Map<String, Value>| {
        let list = token.get("cidr_whitelist").and_then(Value::as_array)?;
        Some(list.iter().map(crate::node_text::as_text).collect::<Vec<_>>().join(","))
    };
    let mut lines = Vec::new();
    if account.is_parseable {
        lines.push("key\ttoken\tid\tname\tcreated\treadonly\tCIDR whitelist".to_owned());
    }
    for token in &tokens {
        let part = |key: &str| text(token, key);
        if account.is_parseable {
            let is_readonly = token.get("readonly") == Some(&Value::Bool(true));
            let parts = [
                part("key"),
                part("token"),
                part("id"),
                part("name"),
                part("created"),
                if is_readonly { "true" } else { "false" },
                &cidr(token).unwrap_or_default(),
            ];
            lines.push(parts.join("\t"));
            continue;
        }
        let created = part("created").get(..10).unwrap_or(part("created"));
        lines.push(format!(
            "Token {}… with id {} name {} created {created}",
            part("token"),
            part("id"),
            part("name")
        ));
        lines.extend(cidr(token).map(|list| format!("with IP whitelist: {list}")));
        lines.push(String::new());
    }
    let json: Vec<Value> = tokens.into_iter().map(Value::Object).collect();
    Ok(Said::new(lines.join("\n"), json))
}

fn revoke(
    account: &Account<'_>,
    registry: &Registry<'_>,
    words: &[String],
) -> Result<Said, AuthorError> {
    if words.is_empty() {
        return Err(usage_error("the id of a token is needed", USAGE));
    }
    let tokens = all(registry)?;
    let mut keys = Vec::new();
    for word in words {
        let matching: Vec<&str> = tokens
            .iter()
            .map(|token| text(token, "key"))
            .filter(|key| key.starts_with(word.as_str()))
            .collect();
        match matching.as_slice() {
            [key] => keys.push((*key).to_owned()),
            [] => {
                let shown = tokens.iter().map(|token| text(token, "token"));
                if !shown.into_iter().any(|token| !token.is_empty() && word.starts_with(token)) {
                    return Err(usage_error(format!("there is no token {word:?}"), USAGE));
                }
                keys.push(word.clone());
            }
            _ => {
                let message = format!("{word:?} is the beginning of several ids");
                return Err(usage_error(message, USAGE));
            }
        }
    }
    for key in &keys {
        let path = format!("-/npm/v1/tokens/token/{}", dx_pkg_compat::hosted::percent(key));
        registry.change(&Method::DELETE, &path, None)?;
    }
    let end = if keys.len() == 1 { "" } else { "s" };
    let text = match account.is_parseable {
        true => keys.join("\t"),
        false => format!("Removed {} token{end}", keys.len()),
    };
    Ok(Said::new(text, keys))
}

fn create(
    account: &Account<'_>,
    registry: &Registry<'_>,
    new: &NewToken,
) -> Result<Said, AuthorError> {
    let cidr: Vec<&str> = new
        .cidr
        .iter()
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .filter(|c| !c.is_empty())
        .collect();
    for address in &cidr {
        if !is_cidr(address) {
            let message = format!("{address:?} is no range of IPv4 addresses, such as 10.0.0.0/8");
            return Err(usage_error(message, USAGE));
        }
    }
    let password = match &new.password {
        Some(password) => password.clone(),
        None => account.told.ask_secret("password:").unwrap_or_default(),
    };
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| {
        body.insert(key.to_owned(), value);
    };
    if let Some(name) = &new.name {
        put("name", name.as_str().into());
    }
    put("password", password.into());
    let texts = [
        ("description", &new.description),
        ("packages_and_scopes_permission", &new.packages_permission),
        ("orgs_permission", &new.organisations_permission),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            put(key, text.as_str().into());
        }
    }
    let lists =
        [("packages", &new.packages), ("scopes", &new.scopes), ("orgs", &new.organisations)];
    for (key, list) in lists {
        if !list.is_empty() {
            put(key, list.clone().into());
        }
    }
    if new.all_packages {
        put("packages_all", true.into());
    }
    if let Some(days) = new.expires {
        put("expires", days.into());
    }
    if !cidr.is_empty() {
        put("cidr_whitelist", cidr.into());
    }
    if new.bypass_2fa {
        put("bypass_2fa", true.into());
    }
    let made = registry.change(&Method::POST, "-/npm/v1/tokens", Some(&body.into()))?.json();
    let mut made = made.as_object().cloned().unwrap_or_default();
    made.shift_remove("key");
    made.shift_remove("updated");
    let shown = |value: &Value| crate::node_text::as_text(value);
    let text = if account.is_parseable {
        let lines = made.iter().map(|(key, value)| format!("{key}\t{}", shown(value)));
        lines.collect::<Vec<_>>().join("\n")
    } else {
        let mut lines = vec![format!("Created token {}", text(&made, "token"))];
        let list = made.get("cidr_whitelist").filter(|list| !list.is_null()).map(shown);
        let list = list.filter(|list| !list.is_empty());
        lines.extend(list.map(|list| format!("with IP whitelist: {list}")));
        let expires = made.get("expires").filter(|expires| !expires.is_null());
        lines.extend(expires.map(|expires| format!("expires: {}", shown(expires))));
        lines.join("\n")
    };
    Ok(Said::new(text, json!(made)))
}

/// Returns whether a text is a range of IPv4 addresses.
fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    address.parse::<std::net::Ipv4Addr>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= 32)
}
