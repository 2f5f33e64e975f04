//! Credentials that belong to no registry: which they are, and what is done with them.

use dx_pkg_compat::npmrc::RawValue;
use dx_pkg_compat::npmrc::edit::{settings_of, with_setting, without_setting};
use serde_json::Value;

use super::Settings;
use crate::error::CommandError;
use crate::report::Report;

/// Binds credentials of no registry to the configured one.
pub fn fix(settings: &Settings<'_>, report: &Report) -> Result<(), CommandError> {
    let registry = settings.listing.get("registry").and_then(Value::as_str).unwrap_or_default();
    let registry = nerf_dart(registry);
    let only = settings.given.value("location").and_then(RawValue::text);
    let mut lines = Vec::new();
    for name in ["user", "global", "project"] {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let Some(path) = settings.file(name) else { continue };
        settings.edited(path).edit(|old| {
            let mut text = old.unwrap_or_default().to_owned();
            for repair in repairs(&text) {
                let key = repair.key;
                text = without_setting(&text, key);
                if !repair.is_renamed {
                    lines.push(format!("- `{key}` deleted from {name} config"));
                    continue;
                }
                let to = format!("{registry}:{key}");
                if settings.listing.get(&to).is_none() {
                    text = with_setting(&text, &to, &repair.value);
                }
                lines.push(format!("~ `{key}` renamed to `{to}` in {name} config"));
            }
            Ok::<_, CommandError>(text)
        })?;
    }
    if !lines.is_empty() {
        let head = "The following configuration problems have been repaired:\n";
        report.plain_result(&format!("{head}\n{}", lines.join("\n")));
    }
    Ok(())
}

/// A credential that belongs to no registry.
struct Repair {
    key: &'static str,
    value: String,
    /// Whether it is bound to the registry; else it is removed.
    is_renamed: bool,
}

fn repairs(text: &str) -> Vec<Repair> {
    let settings = settings_of(text);
    let value = |key: &str| {
        let found = settings.iter().find(|(own, _)| own == key);
        found
            .and_then(|(_, value)| value.text())
            .filter(|value| !value.is_empty() && value != "false")
    };
    // Those that are of no use without another.
    let needs = |key: &str| match key {
        "username" => Some("_password"),
        "_password" => Some("username"),
        "certfile" => Some("keyfile"),
        "keyfile" => Some("certfile"),
        _ => None,
    };
    let keys = [
        "_authtoken",
        "-authtoken",
        "_auth",
        "_authToken",
        "username",
        "_password",
        "email",
        "certfile",
        "keyfile",
    ];
    let found = keys.into_iter().filter_map(|key| {
        let is_old = matches!(key, "_authtoken" | "-authtoken");
        let is_renamed = !is_old && needs(key).is_none_or(|other| value(other).is_some());
        Some(Repair { key, value: value(key)?, is_renamed })
    });
    found.collect()
}

/// Returns an address as credentials are bound to it: `//host/path/`.
fn nerf_dart(address: &str) -> String {
    let Ok(url) = url::Url::parse(address) else { return address.to_owned() };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path = url.path().trim_end_matches(|c| c != '/');
    format!("//{}{port}{path}", url.host_str().unwrap_or_default())
}
