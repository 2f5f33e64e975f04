//! Vulnerabilities, keys for signatures, and attestations.

use crate::access::{Action, authorise};
use crate::advisories::Question;
use crate::catalog::{Place, place};
use crate::failure::Failure;
use crate::gzip::plain;
use crate::http::answer::ok;
use crate::http::{Call, Routes};
use crate::origin::Registry;
use crate::storage::Key;
use crate::upstream::Refusal;
use axum::http::Method;
use axum::http::header::HeaderValue;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dx_pkg_core::PackageName;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The longest answer of an upstream, in bytes.
const LONGEST: u64 = 16 << 20;
/// The most names in a question about vulnerabilities.
const MOST: usize = 50_000;

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::POST, "/-/npm/v1/security/advisories/bulk", bulk);
    routes.on(Method::GET, "/-/npm/v1/keys", keys);
    routes.on(Method::GET, "/-/npm/v1/attestations/{spec}", attestations);
    routes.on(Method::GET, "/-/npm/v1/attestations/{scope}/{spec}", attestations);
}

/// Answers which of the versions have known vulnerabilities. Each name is asked about where it
/// comes from, and the registry's own names nowhere.
async fn bulk(mut call: Call) -> Result<Response, Failure> {
    let sent: BTreeMap<String, Vec<String>> = call.json().await?;
    if sent.len() > MOST {
        return Err(Failure::bad_request(format!("the question names more than {MOST} packages")));
    }
    let mut questions: BTreeMap<String, (Arc<Registry>, Question)> = BTreeMap::new();
    for (name, versions) in sent {
        let Ok(name) = PackageName::parse(&name) else {
            continue;
        };
        if let Place::Upstream(registry) = place(&call.state, &name).await? {
            let entry = questions.entry(registry.id.clone());
            let (_, question) = entry.or_insert_with(|| (registry, Question::new()));
            question.insert(name.to_string(), versions.into_iter().collect::<BTreeSet<_>>());
        }
    }
    let (mut found, mut unanswered) = (Map::new(), false);
    for (registry, question) in questions.into_values() {
        let asked = call.state.advisories.ask(&call.state.upstreams, &registry, question).await?;
        unanswered |= asked.unanswered;
        found.extend(asked.found);
    }
    let mut response = ok(&found);
    if unanswered {
        let text =
            "this registry's upstream knows of no vulnerabilities at all: nothing was checked";
        response.headers_mut().insert("npm-notice", HeaderValue::from_static(text));
    }
    Ok(response)
}

/// Answers with the registry's own key, and those of its upstreams, whose signatures are passed on.
async fn keys(call: Call) -> Result<Response, Failure> {
    let mut keys = vec![call.state.signing().await?.public_key()];
    for registry in call.state.origins.registries() {
        let kept = Key::of("cache").with("keys").with(&registry.id);
        let asked = call.state.upstreams.client().ask(registry, "-/npm/v1/keys", None).await;
        let body = match asked {
            Ok(body) => {
                let body = Bytes::from(plain(&body, LONGEST)?);
                if read_keys(&body).is_some() {
                    call.state.storage.replace(&kept, body.clone()).await?;
                }
                Some(body)
            }
            Err(Refusal::Missing) => None,
            Err(Refusal::Failed(_)) => call.state.storage.read(&kept).await?,
        };
        keys.extend(body.as_deref().and_then(read_keys).unwrap_or_default());
    }
    Ok(ok(&json!({ "keys": keys })))
}

fn read_keys(body: &[u8]) -> Option<Vec<Value>> {
    let mut document: Map<String, Value> = serde_json::from_slice(body).ok()?;
    match document.remove("keys")? {
        Value::Array(keys) => Some(keys),
        _ => None,
    }
}

/// Answers with the attestations of a version; 404 where there are none.
async fn attestations(call: Call) -> Result<Response, Failure> {
    let spec = match call.part("scope") {
        "" => call.part("spec").to_owned(),
        scope => format!("{scope}/{}", call.part("spec")),
    };
    let at = spec.rfind('@').filter(|at| *at > 0);
    let fault = || Failure::bad_request(format!("{spec:?} is no package@version"));
    let (name, version) = spec.split_at(at.ok_or_else(fault)?);
    let name = PackageName::parse(name).map_err(|error| Failure::bad_request(error.to_string()))?;
    let version = version.trim_start_matches('@').to_owned();
    authorise(&call, Action::Read, &name).await?;
    let none = || Failure::not_found(format!("{name}@{version} has no attestations"));
    let Place::Upstream(registry) = place(&call.state, &name).await? else {
        let published = call.state.packages.read(&name).await?.value;
        let manifest = published.as_ref().and_then(|hosted| hosted.versions.get(&version));
        let integrity = manifest.and_then(|it| it.get("dist")?.get("integrity")?.as_str());
        let subject = format!("{name}@{version}");
        let bundle = call.state.packages.bundle((&subject, integrity.unwrap_or_default())).await?;
        let bundle = bundle.ok_or_else(none)?;
        let bundle: Value = serde_json::from_str(&bundle).map_err(Failure::internal)?;
        let attestation = json!({ "predicateType": predicate_type(&bundle), "bundle": bundle });
        return Ok(ok(&json!({ "attestations": [attestation] })));
    };
    let kept = Key::of("cache").with("attestations").with(&registry.id).name(&name).with(&version);
    let body = match call.state.storage.read(&kept).await? {
        Some(body) => body,
        None => {
            let escaped = name.as_str().replace('/', "%2f");
            let version: String =
                url::form_urlencoded::byte_serialize(version.as_bytes()).collect();
            let path = format!("-/npm/v1/attestations/{escaped}@{version}");
            let body = match call.state.upstreams.client().ask(&registry, &path, None).await {
                Ok(body) => Bytes::from(plain(&body, LONGEST)?),
                Err(Refusal::Missing) => return Err(none()),
                Err(Refusal::Failed(failure)) => return Err(failure),
            };
            let is_answer = serde_json::from_slice::<Map<String, Value>>(&body)
                .is_ok_and(|document| document.contains_key("attestations"));
            if !is_answer {
                return Err(none());
            }
            call.state.storage.replace(&kept, body.clone()).await?;
            body
        }
    };
    let document: Value = serde_json::from_slice(&body).map_err(Failure::internal)?;
    Ok(ok(&document))
}

/// Returns what kind of statement a Sigstore bundle signs.
pub(super) fn predicate_type(bundle: &Value) -> Value {
    let payload = bundle.get("dsseEnvelope").and_then(|envelope| envelope.get("payload")?.as_str());
    let statement = payload.and_then(|text| STANDARD.decode(text).ok());
    let statement = statement.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let kind = statement.and_then(|statement| statement.get("predicateType").cloned());
    kind.unwrap_or_else(|| json!("https://slsa.dev/provenance/v1"))
}
