//! Where a name's packages come from, by the configuration and by what is published.

use crate::documents::Document;
use crate::failure::Failure;
use crate::origin::{Origin, Registry};
use crate::packages::Hosted;
use crate::packument::View;
use crate::policy::{Advisory, Package, Restricted};
use crate::state::AppState;
use crate::upstream::Known;
use crate::views::{Ready, Source, Wanted};
use axum::http::{HeaderName, StatusCode};
use bytes::Bytes;
use dx_pkg_core::PackageName;
use std::sync::Arc;

/// The place that a name's packages come from.
pub(crate) enum Place {
    /// It was published here once, or nothing else may have it.
    Hosted(Document<Hosted>),
    Upstream(Arc<Registry>),
    Nowhere,
}

/// Finds the place of a name. A name that was published here never falls through to an upstream.
pub(crate) async fn place(state: &AppState, name: &PackageName) -> Result<Place, Failure> {
    if let Origin::Upstream(registry) = state.origins.of(name) {
        return Ok(Place::Upstream(Arc::clone(registry)));
    }
    Ok(place_of(state, name, state.packages.read(name).await?))
}

/// Finds the place of a name whose document was read already.
pub(crate) fn place_of(state: &AppState, name: &PackageName, document: Document<Hosted>) -> Place {
    let rest = match state.origins.of(name) {
        Origin::Upstream(registry) => return Place::Upstream(Arc::clone(registry)),
        Origin::Hosted => None,
        Origin::Open(registry) => registry.clone(),
    };
    match document.value {
        Some(_) => Place::Hosted(document),
        None => rest.map_or(Place::Nowhere, Place::Upstream),
    }
}

/// Returns the package that is published here.
///
/// # Errors
/// 404 for one that is not, 403 for one that an upstream has.
pub(crate) async fn hosted(state: &AppState, name: &PackageName) -> Result<Arc<Hosted>, Failure> {
    match place(state, name).await? {
        Place::Hosted(Document { value: Some(hosted), .. }) if hosted.is_there() => Ok(hosted),
        Place::Upstream(registry) => {
            state.upstreams.package(&registry, name).await?;
            Err(from_upstream(name))
        }
        _ => Err(missing(name)),
    }
}

/// A package as clients may see it now.
pub(crate) struct Current {
    pub(crate) source: Source,
    document: DocumentOf,
}

enum DocumentOf {
    Hosted(Arc<Hosted>),
    Upstream(Arc<Known>),
}

impl Current {
    /// Returns what tells this from any other state of the package.
    pub(crate) fn tag(&self) -> String {
        format!("{}-{:x}", self.source.id, self.source.view_id)
    }

    /// Returns whether the package is published here.
    pub(crate) fn is_hosted(&self) -> bool {
        matches!(self.document, DocumentOf::Hosted(_))
    }

    /// Reads the packument.
    ///
    /// # Errors
    /// 5xx where it cannot be read, or another process has replaced it.
    pub(crate) async fn document(
        &self,
        state: &AppState,
        name: &PackageName,
    ) -> Result<Bytes, Failure> {
        match &self.document {
            DocumentOf::Hosted(hosted) => packument(name, hosted),
            DocumentOf::Upstream(known) => state.upstreams.document(known).await,
        }
    }
}

/// Returns a package as clients may see it now, without its packument.
///
/// # Errors
/// 404 for what is not there, 403 for what the policy denies; see
/// [`Upstreams::package`](crate::upstream::Upstreams::package).
pub(crate) async fn current(state: &AppState, name: &PackageName) -> Result<Current, Failure> {
    match place(state, name).await? {
        Place::Hosted(Document { number, value: Some(hosted) }) if hosted.is_there() => {
            let source = source(format!("hosted-{number}"), Some(hosted.revision()));
            Ok(Current { source, document: DocumentOf::Hosted(hosted) })
        }
        Place::Upstream(registry) => {
            let known = state.upstreams.package(&registry, name).await?;
            let restricted = restricted(state, name, &known).await?;
            let (view, view_id) = (Arc::clone(&restricted.view), restricted.view_id);
            let source = Source { id: known.id.clone(), revision: None, view, view_id };
            Ok(Current { source, document: DocumentOf::Upstream(known) })
        }
        _ => Err(missing(name)),
    }
}

/// Returns a form of a packument of `place`, or a version's manifest, ready to be sent.
///
/// # Errors
/// 404 for what is not there; see [`Upstreams::package`](crate::upstream::Upstreams::package).
pub(crate) async fn ready(
    state: &AppState,
    name: &PackageName,
    place: Place,
    wanted: Wanted,
    base: &Arc<str>,
) -> Result<Arc<Ready>, Failure> {
    match place {
        Place::Hosted(Document { number, value: Some(hosted) }) if hosted.is_there() => {
            let source = source(format!("hosted-{number}"), Some(hosted.revision()));
            let load = || async move { packument(name, &hosted) };
            let ready = state.views.get(name, wanted, base, source, load).await?;
            ready.ok_or_else(|| Failure::not_found(format!("{name} has no such version")))
        }
        Place::Upstream(registry) => {
            let known = state.upstreams.package(&registry, name).await?;
            match upstream(state, name, wanted.clone(), base, &known).await {
                // Another process has changed the cache: once more, with what is there now.
                Err(failure) if failure.status == StatusCode::SERVICE_UNAVAILABLE => {
                    let known = state.upstreams.package(&registry, name).await?;
                    upstream(state, name, wanted, base, &known).await
                }
                result => result,
            }
        }
        _ => Err(missing(name)),
    }
}

async fn upstream(
    state: &AppState,
    name: &PackageName,
    wanted: Wanted,
    base: &Arc<str>,
    known: &Arc<Known>,
) -> Result<Arc<Ready>, Failure> {
    let no_version = || Failure::not_found(format!("{name} has no such version"));
    if let Wanted::Version(version) = &wanted
        && !known.versions.contains_key(version)
        && !known.tags.contains_key(version)
    {
        return Err(no_version());
    }
    let restricted = restricted(state, name, known).await?;
    if let Wanted::Version(version) = &wanted {
        let tags = restricted.view.tags.as_ref().unwrap_or(&known.tags);
        refuse(state, &restricted, tags.get(version).unwrap_or(version))?;
    }
    let load = || state.upstreams.document(known);
    let (view, view_id) = (Arc::clone(&restricted.view), restricted.view_id);
    let source = Source { id: known.id.clone(), revision: None, view, view_id };
    state.views.get(name, wanted, base, source, load).await?.ok_or_else(no_version)
}

/// Returns what the policy lets clients see of an upstream's package.
///
/// # Errors
/// 403 for a name that is denied, 5xx where a rule needs what cannot be had.
pub(crate) async fn restricted(
    state: &AppState,
    name: &PackageName,
    known: &Known,
) -> Result<Arc<Restricted>, Failure> {
    let policy = &state.policy;
    if policy.is_empty() {
        return Ok(Arc::default());
    }
    let now = crate::accounts::now();
    if let Some(reason) = policy.denies_name(name.as_str(), now)
        && !policy.settings().dry_run
    {
        return Err(Failure::forbidden(reason));
    }
    if let Some(restricted) = policy.remembered(name.as_str(), &known.id) {
        return Ok(restricted);
    }
    let mut advisories = Vec::new();
    if policy.asks_for_advisories()
        && let Place::Upstream(registry) = place(state, name).await?
    {
        let versions = known.versions.keys().cloned().collect();
        let question = [(name.to_string(), versions)].into_iter().collect();
        let asked = state.advisories.ask(&state.upstreams, &registry, question).await?;
        let entries = asked.found.get(name.as_str()).and_then(serde_json::Value::as_array);
        advisories = entries.into_iter().flatten().map(Advisory::read).collect();
    }
    let package = Package { name: name.as_str(), tags: &known.tags, times: &known.times };
    let versions = known.versions.keys().map(String::as_str);
    let restricted = Arc::new(policy.restrict(&package, versions, &advisories, now));
    policy.remember(name.as_str(), &known.id, &restricted);
    Ok(restricted)
}

/// Refuses a version that the policy refuses.
///
/// # Errors
/// 403 with the reason.
pub(crate) fn refuse(
    state: &AppState,
    restricted: &Restricted,
    version: &str,
) -> Result<(), Failure> {
    match restricted.refusal(version) {
        Some(refusal) if !state.policy.settings().dry_run => {
            let failure = Failure::forbidden(refusal.message.clone());
            Err(failure.header(HeaderName::from_static("npm-notice"), &refusal.message))
        }
        _ => Ok(()),
    }
}

fn source(id: String, revision: Option<String>) -> Source {
    Source { id, revision, view: Arc::new(View::default()), view_id: 0 }
}

fn packument(name: &PackageName, hosted: &Hosted) -> Result<Bytes, Failure> {
    let text = serde_json::to_vec(&hosted.packument(name)).map_err(Failure::internal)?;
    Ok(text.into())
}

/// Creates the 404 for a name.
pub(crate) fn missing(name: &PackageName) -> Failure {
    Failure::not_found(format!("there is no package {name} here"))
}

/// Creates the refusal to change what an upstream has.
pub(crate) fn from_upstream(name: &PackageName) -> Failure {
    Failure::forbidden(format!(
        "{name} comes from an upstream registry and cannot be changed here; if the name is yours, \
         give it to this registry in its configuration: [[packages]] names = \"{name}\", \
         from = \"hosted\""
    ))
}
