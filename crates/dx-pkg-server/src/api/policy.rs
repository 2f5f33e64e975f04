//! The policy's state, and what it would say to a lockfile.

use crate::access::{caller, may_read};
use crate::catalog::{self, Place, place};
use crate::failure::Failure;
use crate::http::answer::ok;
use crate::http::body::work;
use crate::http::{Call, Routes};
use crate::lockfile::{self, Judgement, Source};
use axum::http::Method;
use axum::response::Response;
use dx_pkg_core::{Integrity, PackageName};
use serde::Serialize;
use serde_json::{Value, json};

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

/// What is said of a lockfile.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    checked: usize,
    refused: Vec<Value>,
    /// What the registry does not tell of.
    unknown: Vec<Value>,
    /// What the registry has with another tarball.
    altered: Vec<Value>,
    elsewhere: Vec<String>,
    dry_run: bool,
}

/// A version as the registry has it.
struct Registered {
    integrity: Option<Integrity>,
    /// Where the upstream has the tarball.
    address: Option<String>,
    refusal: Option<(Value, String)>,
}

/// Answers which packages of a lockfile would be refused, and why.
async fn check_lockfile(mut call: Call) -> Result<Response, Failure> {
    check_readers(&call).await?;
    let bytes = call.bytes().await?;
    let locked = work(bytes, lockfile::read).await?.map_err(Failure::bad_request)?;
    let dry_run = call.state.policy.settings().dry_run;
    let mut told = Told { elsewhere: locked.elsewhere, dry_run, ..Told::default() };
    for (name, versions) in locked.packages {
        // Names that are looked up in memory and on the disk would keep other requests waiting.
        tokio::task::yield_now().await;
        for (version, sources) in versions {
            match registered(&call, &name, &version).await? {
                Ok(registered) => told.judge(&name, &version, &sources, registered),
                Err(reason) => told.miss(&name, &version, &sources, &reason),
            }
        }
    }
    Ok(ok(&told))
}

impl Told {
    /// Compares a version with what the lockfile says about its tarball.
    fn judge(
        &mut self,
        name: &PackageName,
        version: &str,
        sources: &[Source],
        registered: Registered,
    ) {
        let package = format!("{name}@{version}");
        let (mut is_meant, mut is_comparable) = (false, true);
        for source in sources {
            let same = |integrity: &Integrity| {
                let same = registered.integrity.as_ref().and_then(|own| compare(integrity, own));
                is_comparable &= same.is_some();
                same.unwrap_or(true)
            };
            match source.judge(registered.address.as_deref(), same) {
                Judgement::Same => is_meant = true,
                Judgement::Elsewhere => self.elsewhere.push(source.entry.clone()),
                Judgement::Altered => {
                    is_meant = true;
                    let integrity = &source.integrity;
                    self.altered.push(json!({
                        "package": package, "entry": source.entry, "integrity": integrity,
                    }));
                }
            }
        }
        if !is_comparable {
            let reason = "its digest cannot be compared with that of the registry";
            self.unknown.push(json!({ "package": package, "reason": reason }));
        }
        self.checked += usize::from(is_meant);
        if let Some((rule, message)) = registered.refusal.filter(|_| is_meant) {
            self.refused.push(json!({
                "name": name.as_str(), "version": version, "rule": rule, "message": message,
            }));
        }
    }

    /// Records a version that the registry does not have, or does not tell of.
    fn miss(&mut self, name: &PackageName, version: &str, sources: &[Source], reason: &str) {
        let (elsewhere, here): (Vec<&Source>, Vec<&Source>) =
            sources.iter().partition(|source| source.address.is_some());
        self.elsewhere.extend(elsewhere.into_iter().map(|source| source.entry.clone()));
        if !here.is_empty() {
            self.checked += 1;
            let package = format!("{name}@{version}");
            self.unknown.push(json!({ "package": package, "reason": reason }));
        }
    }
}

/// Compares two digests; `None` where they have no algorithm in common.
fn compare(one: &Integrity, other: &Integrity) -> Option<bool> {
    let mut common = None;
    for hash in one.hashes() {
        let of_algorithm = other.hashes().iter().filter(|own| own.algorithm() == hash.algorithm());
        for own in of_algorithm {
            common = Some(common == Some(true) || own == hash);
        }
    }
    common
}

/// Finds a version; the inner failure is the reason for which the registry does not tell of it.
async fn registered(
    call: &Call,
    name: &PackageName,
    version: &str,
) -> Result<Result<Registered, String>, Failure> {
    let missing = || format!("there is no version {version}");
    let registry = match place(&call.state, name).await? {
        Place::Upstream(registry) => registry,
        Place::Hosted(document) => {
            // Whoever may not read it is told the same as of a name that is not there.
            let caller = caller(call).await?;
            let hosted = document.value.as_deref();
            if may_read(&call.state, &caller, name, hosted).await.is_err() {
                return Ok(Err(missing()));
            }
            let text = hosted.and_then(|hosted| hosted.integrity(version));
            let integrity = text.and_then(|text| Integrity::parse(text).ok());
            let found = Registered { integrity, address: None, refusal: None };
            return Ok(if text.is_some() { Ok(found) } else { Err(missing()) });
        }
        Place::Nowhere => return Ok(Err(missing())),
    };
    let mut known = match call.state.upstreams.package_of_any_age(&registry, name).await {
        Ok(known) => known,
        Err(failure) => return Ok(Err(failure.message)),
    };
    if !known.versions.contains_key(version)
        && let Ok(newer) = call.state.upstreams.package(&registry, name).await
    {
        known = newer;
    }
    let denied = call.state.policy.denies_name(name.as_str(), crate::accounts::now());
    let refusal = match denied {
        Some(reason) => Some((json!("deny"), reason)),
        None => {
            let restricted = catalog::restricted(&call.state, name, &known).await?;
            restricted.refusal(version).map(|one| (json!(one.rule), one.message.clone()))
        }
    };
    let Some(entry) = known.versions.get(version) else {
        return Ok(Err(missing()));
    };
    let (integrity, address) = (entry.integrity.clone(), Some(entry.url.clone()));
    Ok(Ok(Registered { integrity, address, refusal }))
}
