//! The policy's state, and what it would say to a lockfile.

use crate::access::caller;
use crate::catalog::{self, Place, place};
use crate::failure::Failure;
use crate::http::answer::ok;
use crate::http::{Call, Routes};
use axum::http::Method;
use axum::response::Response;
use dx_pkg_core::PackageName;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The most packages of a lockfile.
const MOST: usize = 50_000;

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/policy", state);
    routes.on(Method::POST, "/-/policy/lockfile", lockfile);
}

/// Answers with the rules.
async fn state(call: Call) -> Result<Response, Failure> {
    check_readers(&call).await?;
    let settings = call.state.policy.settings();
    let entry = |entry: &crate::policy::Named| {
        json!({
            "names": entry.names,
            "versions": entry.versions.as_ref().map(|range| range.text()),
            "reason": entry.reason,
            "until": entry.until.map(crate::accounts::iso),
            "rules": entry.rules,
        })
    };
    Ok(ok(&json!({
        "minimumAgeSeconds": settings.minimum_age.map(|age| age.0.as_secs()),
        "deny": settings.deny.iter().map(entry).collect::<Vec<_>>(),
        "advisories": settings.advisories,
        "dryRun": settings.dry_run,
        "exempt": settings.exempt.iter().map(entry).collect::<Vec<_>>(),
    })))
}

async fn check_readers(call: &Call) -> Result<(), Failure> {
    if call.state.accounts.settings.readers == crate::accounts::Readers::Users {
        caller(call).await?.login()?;
    }
    Ok(())
}

/// Answers which packages of a `package-lock.json` would be refused, and why.
async fn lockfile(mut call: Call) -> Result<Response, Failure> {
    check_readers(&call).await?;
    let document: Map<String, Value> = call.json().await?;
    let packages = packages(&document)?;
    let (mut refused, mut unknown) = (Vec::new(), Vec::new());
    let checked = packages.len();
    for (name, version) in packages {
        let Ok(name) = PackageName::parse(&name) else {
            continue;
        };
        let Place::Upstream(registry) = place(&call.state, &name).await? else {
            continue;
        };
        let known = match call.state.upstreams.package_of_any_age(&registry, &name).await {
            Ok(known) => known,
            Err(failure) => {
                let package = format!("{name}@{version}");
                unknown.push(json!({ "package": package, "reason": failure.message }));
                continue;
            }
        };
        let mut refuse = |rule: Value, message: &str| {
            refused.push(json!({
                "name": name.as_str(), "version": version, "rule": rule, "message": message,
            }));
        };
        let denied = call.state.policy.denies_name(name.as_str(), crate::accounts::now());
        if let Some(reason) = denied {
            refuse(json!("deny"), &reason);
            continue;
        }
        let restricted = catalog::restricted(&call.state, &name, &known).await?;
        if let Some(refusal) = restricted.refusal(&version) {
            refuse(json!(refusal.rule), &refusal.message);
        }
    }
    Ok(ok(&json!({
        "checked": checked,
        "refused": refused,
        "unknown": unknown,
        "dryRun": call.state.policy.settings().dry_run,
    })))
}

/// Returns the packages of a lockfile that come from a registry.
fn packages(document: &Map<String, Value>) -> Result<BTreeSet<(String, String)>, Failure> {
    let mut found = BTreeSet::new();
    if let Some(packages) = document.get("packages").and_then(Value::as_object) {
        for (path, entry) in packages {
            let in_path = path.rsplit_once("node_modules/").map(|(_, name)| name);
            let name = entry.get("name").and_then(Value::as_str).or(in_path);
            note(&mut found, name.filter(|_| in_path.is_some()), entry);
        }
    } else if let Some(dependencies) = document.get("dependencies").and_then(Value::as_object) {
        let mut open = vec![dependencies];
        while let Some(dependencies) = open.pop() {
            for (name, entry) in dependencies {
                note(&mut found, Some(name), entry);
                open.extend(entry.get("dependencies").and_then(Value::as_object));
            }
        }
    } else {
        let text = "the body is no package-lock.json: it has neither packages nor dependencies";
        return Err(Failure::bad_request(text));
    }
    if found.len() > MOST {
        return Err(Failure::bad_request(format!("the lockfile has more than {MOST} packages")));
    }
    Ok(found)
}

fn note(found: &mut BTreeSet<(String, String)>, name: Option<&str>, entry: &Value) {
    let is_link = entry.get("link") == Some(&Value::Bool(true));
    let resolved = entry.get("resolved").and_then(Value::as_str);
    let elsewhere = resolved.is_some_and(|url| url.starts_with("git") || url.starts_with("file:"));
    let version = entry.get("version").and_then(Value::as_str);
    let version = version.filter(|version| !version.contains([':', '/']));
    if let (Some(name), Some(version), false) = (name, version, is_link || elsewhere) {
        found.insert((name.to_owned(), version.to_owned()));
    }
}
