//! What is in tarballs, and how versions differ.

use crate::access::{Action, authorise};
use crate::catalog::{self, Place, place};
use crate::contents::{Contents, Difference, Inspected, inspect, text_difference};
use crate::failure::Failure;
use crate::http::answer::ok;
use crate::http::{Call, Routes};
use crate::packument::Outline;
use crate::storage::{Key, blocking};
use crate::tarballs::{Found, Tarballs};
use axum::http::Method;
use axum::response::Response;
use bytes::Bytes;
use dx_pkg_compat::tarball::{Entries, Limits};
use dx_pkg_core::{Integrity, PackageName};
use serde_json::{Value, json};

/// Adds the routes.
pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::GET, "/-/package/{name}/contents/{version}", contents);
    routes.on(Method::GET, "/-/package/{name}/diff/{from}/{to}", difference);
}

async fn contents(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(&call, Action::Read, &name).await?;
    Ok(ok(&look_into(&call, &name, call.part("version")).await?))
}

/// Answers with the files that differ; with `?file=`, with the lines of one of them.
async fn difference(call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(&call, Action::Read, &name).await?;
    let (from, to) = (call.part("from"), call.part("to"));
    if let Some(path) = call.query("file") {
        return Ok(ok(&json!({ "lines": lines(&call, &name, (from, to), &path).await? })));
    }
    Ok(ok(&compare(&call, &name, from, to).await?))
}

/// Compares two versions of a package.
pub(super) async fn compare(
    call: &Call,
    name: &PackageName,
    from: &str,
    to: &str,
) -> Result<Difference, Failure> {
    let from = look_into(call, name, from).await?;
    let to = look_into(call, name, to).await?;
    Ok(Difference::of(&from, &to))
}

/// Returns the changed lines of a file; `None` where it is no text.
pub(super) async fn lines(
    call: &Call,
    name: &PackageName,
    (from, to): (&str, &str),
    path: &str,
) -> Result<Option<String>, Failure> {
    let from = version(call, name, from).await?.tarball;
    let to = version(call, name, to).await?.tarball;
    let path = path.to_owned();
    let work = move || {
        let (from, to) = (file(&from, &path)?, file(&to, &path)?);
        if from.is_none() && to.is_none() {
            return Err(Failure::not_found(format!("neither version has the file {path:?}")));
        }
        Ok(text_difference(from.as_deref(), to.as_deref()))
    };
    blocking(work).await?
}

/// Reads one file of a tarball.
fn file(tarball: &[u8], path: &str) -> Result<Option<Vec<u8>>, Failure> {
    let fault = |error: &dyn std::fmt::Display| Failure::internal(error);
    let mut entries = Entries::new(tarball, Limits::default());
    let mut found = None;
    while let Some(file) = entries.next_file().map_err(|error| fault(&error))? {
        if file.path != path {
            continue;
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = entries.chunk().map_err(|error| fault(&error))? {
            bytes.extend_from_slice(chunk);
        }
        found = Some(bytes);
    }
    Ok(found)
}

/// A version of a package with its tarball.
struct Version {
    manifest: Value,
    tarball: Bytes,
    integrity: Integrity,
}

/// Returns what is in a version's tarball, which is looked into once.
pub(super) async fn look_into(
    call: &Call,
    name: &PackageName,
    wanted: &str,
) -> Result<Contents, Failure> {
    let found = version(call, name, wanted).await?;
    let of_tarball = Tarballs::key(&found.integrity);
    let kept = Key::of("cache").with("contents").name(name).with(wanted).with(of_tarball.last());
    if let Some(bytes) = call.state.storage.read(&kept).await?
        && let Ok(contents) = serde_json::from_slice(&bytes)
    {
        return Ok(contents);
    }
    let inspected = inspected(found).await?;
    let bytes = serde_json::to_vec(&inspected.contents).map_err(Failure::internal)?;
    call.state.storage.replace(&kept, Bytes::from(bytes)).await?;
    Ok(inspected.contents)
}

/// Returns the text of the readme in a version's tarball.
pub(super) async fn readme(
    call: &Call,
    name: &PackageName,
    wanted: &str,
) -> Result<Option<String>, Failure> {
    Ok(inspected(version(call, name, wanted).await?).await?.readme)
}

async fn inspected(version: Version) -> Result<Inspected, Failure> {
    let work = move || inspect(&version.tarball[..], Some(&version.manifest));
    blocking(work).await?.map_err(Failure::bad_request)
}

async fn version(call: &Call, name: &PackageName, wanted: &str) -> Result<Version, Failure> {
    let state = &call.state;
    let missing = || Failure::not_found(format!("{name} has no version {wanted}"));
    match place(state, name).await? {
        Place::Hosted(document) => {
            let hosted = document.value.ok_or_else(|| catalog::missing(name))?;
            let manifest = hosted.versions.get(wanted).cloned().ok_or_else(missing)?;
            let integrity = hosted.integrity(wanted).unwrap_or_default();
            let integrity = Integrity::parse(integrity).map_err(Failure::internal)?;
            let Found::Whole(tarball) = state.tarballs.open(&integrity).await? else {
                return Err(Failure::internal(format!(
                    "the tarball of {name}@{wanted} is damaged"
                )));
            };
            Ok(Version { manifest, tarball, integrity })
        }
        Place::Upstream(registry) => {
            let known = state.upstreams.package(&registry, name).await?;
            let entry = known.versions.get(wanted).ok_or_else(missing)?;
            let restricted = catalog::restricted(state, name, &known).await?;
            catalog::refuse(state, &restricted, wanted)?;
            let (tarball, integrity) =
                state.upstreams.tarball(&registry, name, wanted, entry).await?;
            let document = state.upstreams.document(&known).await?;
            let (own, wanted) = (name.to_string(), wanted.to_owned());
            let read = move || {
                let outline = Outline::parse(&document, &own).map_err(Failure::internal)?;
                let (_, raw) = outline.version(&wanted).ok_or_else(missing_manifest)?;
                serde_json::from_str(raw.get()).map_err(Failure::internal)
            };
            Ok(Version { manifest: blocking(read).await??, tarball, integrity })
        }
        Place::Nowhere => Err(catalog::missing(name)),
    }
}

fn missing_manifest() -> Failure {
    Failure::not_found("the version is gone from the upstream's packument")
}
