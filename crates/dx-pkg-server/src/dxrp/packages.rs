//! The package that a client names: whether it may have it, and the tarball that it is made from.

use super::packs::{Outcome, Packed, Tarball};
use crate::access::{self, Caller};
use crate::catalog::{self, Place};
use crate::documents::Document;
use crate::dxrp::Dxrp;
use crate::failure::Failure;
use crate::origin::Registry;
use crate::packages::Hosted;
use crate::tarballs::Found;
use crate::upstream::Known;
use axum::http::StatusCode;
use bytes::Bytes;
use dx_pkg_core::{Integrity, PackageId, PackageName};
use dx_pkg_format::dxrp::Reason;
use std::sync::Arc;

/// A package as a client names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) id: PackageId,
    pub(super) name: PackageName,
    pub(super) version: String,
}

/// The place of a package that the client may have.
pub(super) struct Source {
    pub(super) integrity: Integrity,
    upstream: Option<(Arc<Registry>, Arc<Known>)>,
}

/// Finds a package for a caller.
///
/// # Errors
/// The failure of the request for its tarball; 404 where its version has another id.
pub(super) async fn find(state: &Dxrp, caller: &Caller, asked: &Asked) -> Result<Source, Failure> {
    let document = state.packages.read(&asked.name).await?;
    access::may_read(state, caller, &asked.name, document.value.as_deref()).await?;
    locate(state, asked, document).await
}

/// Finds a package for the registry itself.
///
/// # Errors
/// As [`find`].
pub(super) async fn find_for_registry(state: &Dxrp, asked: &Asked) -> Result<Source, Failure> {
    locate(state, asked, state.packages.read(&asked.name).await?).await
}

async fn locate(
    state: &Dxrp,
    asked: &Asked,
    document: Document<Hosted>,
) -> Result<Source, Failure> {
    let Asked { id, name, version } = asked;
    let unknown = || Failure::not_found(format!("{name}@{version} is not the package of this id"));
    let is_id = |integrity: &Integrity| PackageId::from_integrity(integrity) == *id;
    match catalog::place_of(state, name, document) {
        Place::Hosted(document) => {
            let package = document.value.ok_or_else(unknown)?;
            if !package.versions.contains_key(version) {
                return Err(unknown());
            }
            let text = package.integrity(version).unwrap_or_default();
            let integrity = Integrity::parse(text).map_err(Failure::internal)?;
            let source = Source { integrity, upstream: None };
            is_id(&source.integrity).then_some(source).ok_or_else(unknown)
        }
        Place::Upstream(registry) => {
            let upstreams = &state.upstreams;
            let integrity_in = |known: &Known| {
                let entry = known.versions.get(version)?;
                entry.integrity.clone().filter(is_id)
            };
            let mut known = upstreams.package_of_any_age(&registry, name).await?;
            if integrity_in(&known).is_none() {
                known = upstreams.package(&registry, name).await?;
            }
            let integrity = integrity_in(&known).ok_or_else(unknown)?;
            let restricted = catalog::restricted(state, name, &known).await?;
            catalog::refuse(state, &restricted, version)?;
            Ok(Source { integrity, upstream: Some((registry, known)) })
        }
        Place::Nowhere => Err(catalog::missing(name)),
    }
}

/// Returns a package that was found; converts it where that was not done before.
///
/// # Errors
/// The failure of the request for its tarball.
pub(super) async fn packed(
    state: &Dxrp,
    asked: &Asked,
    source: &Source,
) -> Result<Outcome, Failure> {
    let signing = state.signing().await?;
    let bring = || async {
        let bytes = tarball(state, asked, source).await?;
        let Asked { name, version, .. } = asked;
        let (name, integrity) = (name.as_str(), &source.integrity);
        Ok(Tarball { name, version, integrity, bytes })
    };
    state.packs.get_or_convert(asked.id, signing, &state.work, bring).await
}

/// Returns a package for the registry itself; converts it where that was not done before.
///
/// # Errors
/// As [`find`].
pub(super) async fn packed_for_registry(state: &Dxrp, asked: &Asked) -> Result<Outcome, Failure> {
    let source = find_for_registry(state, asked).await?;
    packed(state, asked, &source).await
}

/// Makes the difference between two packages before it is asked for. What fails is tried again when
/// it is.
pub(super) async fn prepare_difference(state: &Dxrp, held: &Asked, asked: &Asked) {
    let whole = async |asked: &Asked| packed_for_registry(state, asked).await.ok()?.ok();
    let pair = (held.id, asked.id);
    if state.deltas.get(&pair).is_none()
        && let (Some(old), Some(new)) = (whole(held).await, whole(asked).await)
        && let Ok(signing) = state.signing().await
    {
        state.deltas.get_or_make(pair, (&old, &new), signing, &state.work).await;
    }
}

/// Returns a package, as its difference from the one that the client holds where that is worth it,
/// or why it is not sent.
pub(super) async fn answer(
    state: &Dxrp,
    caller: &Caller,
    asked: &Asked,
    held: Option<&Asked>,
) -> Result<Packed, Reason> {
    let whole = async |asked: &Asked| {
        let source = find(state, caller, asked).await?;
        packed(state, asked, &source).await
    };
    let new = whole(asked).await.unwrap_or_else(|failure| Err(reason(state, asked, &failure)))?;
    let Some(held) = held else { return Ok(new) };
    let pair = (held.id, asked.id);
    if let Some(known) = state.deltas.get(&pair) {
        return Ok(known.unwrap_or(new));
    }
    // What the client holds need not be known here: then it gets the whole package.
    let (Ok(Ok(old)), Ok(signing)) = (whole(held).await, state.signing().await) else {
        return Ok(new);
    };
    let delta = state.deltas.get_or_make(pair, (&old, &new), signing, &state.work).await;
    Ok(delta.unwrap_or(new))
}

/// Returns the verified tarball of a package that was found.
pub(super) async fn tarball(
    state: &Dxrp,
    asked: &Asked,
    source: &Source,
) -> Result<Bytes, Failure> {
    let Asked { name, version, .. } = asked;
    if let Some((registry, known)) = &source.upstream {
        let entry = known.versions.get(version).ok_or_else(|| catalog::missing(name))?;
        return Ok(state.upstreams.tarball(registry, name, version, entry).await?.0);
    }
    match state.tarballs.open(&source.integrity).await? {
        Found::Whole(bytes) => Ok(bytes),
        Found::Damaged | Found::Missing => {
            Err(Failure::internal(format!("the stored tarball of {name}@{version} is not sound")))
        }
    }
}

/// Returns what a client is told of a failure, which the log has if it is the registry's own.
pub(super) fn reason(state: &Dxrp, asked: &Asked, failure: &Failure) -> Reason {
    match failure.status {
        StatusCode::NOT_FOUND => Reason::Unknown,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Reason::Refused,
        status => {
            if status.is_server_error() {
                let fields = serde_json::json!({
                    "package": format!("{}@{}", asked.name, asked.version),
                    "failure": failure.message, "detail": failure.detail,
                });
                state.log.error("a package cannot be sent", &fields);
            }
            Reason::Unavailable
        }
    }
}
