//! The policy's state, and what it would say to a lockfile.

use crate::access::caller;
use crate::catalog::{self, Place, place};
use crate::failure::Failure;
use crate::http::answer::ok;
use crate::http::{Call, Routes};
use crate::lockfile;
use axum::http::Method;
use axum::response::Response;
use dx_pkg_core::PackageName;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/policy", state);
    routes.on(Method::POST, "/-/policy/lockfile", check_lockfile);
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

/// Answers which packages of a lockfile would be refused, and why.
async fn check_lockfile(mut call: Call) -> Result<Response, Failure> {
    check_readers(&call).await?;
    let locked = lockfile::read(&call.bytes().await?).map_err(Failure::bad_request)?;
    let (mut refused, mut unknown) = (Vec::new(), Vec::new());
    let (checked, elsewhere) = (locked.count(), locked.elsewhere);
    let each = |(name, versions): (PackageName, BTreeSet<String>)| {
        versions.into_iter().map(move |version| (name.clone(), version))
    };
    for (name, version) in locked.packages.into_iter().flat_map(each) {
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
        "elsewhere": elsewhere,
        "dryRun": call.state.policy.settings().dry_run,
    })))
}
