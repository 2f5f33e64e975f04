//! The profile of an account.

use dx_pkg_fetch::Method;
use serde_json::{Map, Value, json};

use super::{Account, Said, usage_error};
use crate::AuthorError;
use crate::node_text::as_text;

const USAGE: &str = "dx profile get [KEY] | set KEY VALUE | set password | \
                     enable-2fa [auth-only|auth-and-writes] | disable-2fa";
const PATH: &str = "-/npm/v1/user";
const TWO_FACTOR: &str = "two-factor auth";
/// The fields that are shown first.
const KNOWN: [&str; 8] =
    ["name", "email", TWO_FACTOR, "fullname", "homepage", "github", "created", "updated"];
/// The fields that can be set.
const WRITABLE: [&str; 5] = ["email", "password", "fullname", "homepage", "github"];

/// Shows or changes the profile, as `words` say.
///
/// # Errors
/// Words that cannot be understood, or a registry that refuses.
pub fn profile(account: &Account<'_>, words: &[String]) -> Result<Said, AuthorError> {
    let rest = words.get(1..).unwrap_or_default();
    match words.first().map(String::as_str) {
        Some("get") => get(account, rest),
        Some("set") => set(account, rest),
        Some("enable-2fa" | "enable-tfa" | "enable2fa" | "enabletfa") => enable(account, rest),
        Some("disable-2fa" | "disable-tfa" | "disable2fa" | "disabletfa") => disable(account),
        Some(other) => Err(usage_error(format!("dx profile has no action {other:?}"), USAGE)),
        None => Err(usage_error("dx profile needs an action", USAGE)),
    }
}

fn truthy(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !matches!(value, Value::Null | Value::Bool(false)) && **value != "")
}

fn get(account: &Account<'_>, words: &[String]) -> Result<Said, AuthorError> {
    let found = account.registry(None)?.get(PATH)?;
    let mut info = found.as_object().cloned().unwrap_or_default();
    if truthy(info.get("cidr_whitelist")).is_none() {
        info.shift_remove("cidr_whitelist");
    }
    let shown = |key: &str| truthy(info.get(key)).map(as_text).unwrap_or_default();
    let mut clean: Vec<(String, String)> =
        KNOWN.iter().map(|key| ((*key).to_owned(), shown(key))).collect();
    let others = info.keys().filter(|key| {
        !KNOWN.contains(&key.as_str()) && !matches!(key.as_str(), "tfa" | "email_verified")
    });
    clean.extend(others.map(|key| (key.clone(), shown(key))));
    let tfa = truthy(info.get("tfa")).filter(|tfa| truthy(tfa.get("pending")).is_none());
    let tfa =
        tfa.map_or("disabled".to_owned(), |tfa| as_text(tfa.get("mode").unwrap_or(&Value::Null)));
    let is_verified = truthy(info.get("email_verified")).is_some();
    for (key, value) in &mut clean {
        match key.as_str() {
            TWO_FACTOR => value.clone_from(&tfa),
            "email" => value.push_str(if is_verified { " (verified)" } else { "(unverified)" }),
            _ => {}
        }
    }
    let find =
        |wanted: &str| clean.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str());
    let text = if !words.is_empty() {
        let joined = words.join(",");
        let keys = joined.split(',').filter(|key| !key.trim().is_empty());
        keys.map(|key| find(key).unwrap_or_default()).collect::<Vec<_>>().join("\t")
    } else if account.is_parseable {
        let value = |key: &str| if key == "tfa" { tfa.clone() } else { as_text(&info[key]) };
        let lines = info.keys().map(|key| format!("{key}\t{}", value(key)));
        lines.collect::<Vec<_>>().join("\n")
    } else {
        let lines = clean.iter().map(|(key, value)| format!("{key}: {value}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    Ok(Said::new(text, info))
}

fn set(account: &Account<'_>, words: &[String]) -> Result<Said, AuthorError> {
    let usage = |message: &str| usage_error(message, USAGE);
    let key = words.first().map(|key| key.trim().to_lowercase()).unwrap_or_default();
    let value = words.get(1..).filter(|rest| !rest.is_empty()).map(|rest| rest.join(" "));
    if !WRITABLE.contains(&key.as_str()) {
        return Err(usage(&format!("{key:?} cannot be set; these can: {}", WRITABLE.join(", "))));
    }
    let value: Value = match (key.as_str(), value) {
        ("password", Some(_)) => {
            return Err(usage("a password is not given on the command line, but asked for"));
        }
        ("password", None) => {
            let ask = |question: &str| account.told.ask_secret(question).unwrap_or_default();
            let (old, new) = (ask("Current password:"), ask("New password:"));
            if new != ask("       Again:") {
                return Err(usage("the two new passwords differ"));
            }
            json!({ "old": old, "new": new })
        }
        (_, Some(value)) => value.into(),
        (_, None) => return Err(usage("a value is needed")),
    };
    let registry = account.registry(None)?;
    let user = registry.get(PATH)?;
    let mut wanted = Map::new();
    for field in WRITABLE {
        if let Some(known) = user.get(field) {
            let known = if known == "" { Value::Null } else { known.clone() };
            wanted.insert(field.to_owned(), known);
        }
    }
    wanted.insert(key.clone(), if value == "" { Value::Null } else { value });
    let result = registry.change(&Method::POST, PATH, Some(&wanted.into()))?.json();
    let changed = result.get(&key).cloned().unwrap_or_default();
    let text = match (account.is_parseable, changed.is_null()) {
        (true, _) => format!("{key}\t{}", as_text(&changed)),
        (false, true) => format!("Set {key}"),
        (false, false) => format!("Set {key} to {}", as_text(&changed)),
    };
    Ok(Said::new(text, json!({ key: changed })))
}

fn enable(account: &Account<'_>, words: &[String]) -> Result<Said, AuthorError> {
    let mode = words.first().map_or("auth-and-writes", String::as_str);
    if !matches!(mode, "auth-only" | "auth-and-writes") || words.len() > 1 {
        return Err(usage_error("the mode is auth-only or auth-and-writes", USAGE));
    }
    if account.is_parseable || !account.told.can_answer() {
        let message = "two-factor authentication is set up in a terminal, as it asks questions";
        return Err(usage_error(message, USAGE));
    }
    let registry = account.registry(None)?;
    let info = registry.get(PATH)?;
    let tfa = info.get("tfa").cloned().unwrap_or_default();
    let is_pending = truthy(tfa.get("pending")).is_some();
    if !is_pending && tfa.get("mode").and_then(Value::as_str) == Some(mode) {
        let text = format!("Two factor authentication is already enabled and set to {mode}");
        return Ok(Said::new(text, json!({ "tfa": mode })));
    }
    let password = account.told.ask_secret("password:").unwrap_or_default();
    let send = |body: Value| registry.change(&Method::POST, PATH, Some(&body));
    if is_pending {
        send(json!({ "tfa": { "password": password, "mode": "disable" } }))?;
    }
    let challenge = send(json!({ "tfa": { "mode": mode, "password": password } }))?.json();
    if challenge.get("tfa").and_then(|tfa| truthy(tfa.get("mode"))).is_some() {
        let text = format!("Two factor authentication mode changed to: {mode}");
        return Ok(Said::new(text, json!({ "tfa": mode })));
    }
    let address = challenge.get("tfa").and_then(Value::as_str).unwrap_or_default();
    let url = url::Url::parse(address).ok().filter(|url| url.scheme() == "otpauth");
    let secret = url.as_ref().and_then(|url| {
        url.query_pairs().find(|(key, _)| key == "secret").map(|(_, value)| value.into_owned())
    });
    let Some(secret) = secret else {
        let registry = registry.shown();
        return Err(usage_error(format!("{registry} does not answer with a secret"), USAGE));
    };
    account.told.notice(&format!("Add this to your authenticator:\n{address}\nor type: {secret}"));
    let code = account.told.ask("And an OTP code from your authenticator:").unwrap_or_default();
    let result = send(json!({ "tfa": [code] }))?.json();
    let codes = result.get("tfa").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut lines = vec![
        "2FA successfully enabled. Below are your recovery codes, please print these out."
            .to_owned(),
        "You will need these to recover access to your account if you lose your authentication device."
            .to_owned(),
    ];
    lines.extend(codes.iter().map(|code| format!("\t{}", as_text(code))));
    Ok(Said::new(lines.join("\n"), json!({ "tfa": codes })))
}

fn disable(account: &Account<'_>) -> Result<Said, AuthorError> {
    let registry = account.registry(None)?;
    let info = registry.get(PATH)?;
    let tfa = truthy(info.get("tfa")).filter(|tfa| truthy(tfa.get("pending")).is_none());
    if tfa.is_none() {
        let text = "Two factor authentication not enabled.";
        return Ok(Said::new(text, json!({ "tfa": false })));
    }
    let password = account.told.ask_secret("password:").unwrap_or_default();
    let body = json!({ "tfa": { "password": password, "mode": "disable" } });
    registry.change(&Method::POST, PATH, Some(&body))?;
    let text = match account.is_parseable {
        true => "tfa\tfalse",
        false => "Two factor authentication disabled.",
    };
    Ok(Said::new(text, json!({ "tfa": false })))
}
