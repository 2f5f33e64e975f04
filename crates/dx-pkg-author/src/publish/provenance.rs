//! Provenance: a signed statement about the build that a package comes from, as npm 12 makes it.

mod signing;
mod statement;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dx_pkg_compat::provenance::signer;
use dx_pkg_core::text::plain_text;
use dx_pkg_install::Environment;
use dx_pkg_os::files::read_bounded;
use serde_json::{Value, json};

use super::PublishError;
use super::jobs::{self, Service};
use crate::registry::{Registry, escaped};
use crate::{AuthorError, Tarball};

use signing::Signer;

/// The largest file with a statement, in bytes.
const LARGEST: u64 = 10 << 20;

/// How much of a signer's name is shown, in characters.
const LONGEST_SIGNER: usize = 500;

/// The variable with the identity token of a job of GitLab's for sigstore.
const GITLAB_TOKEN: &str = "SIGSTORE_ID_TOKEN";

/// What a statement is about: a version of a package, and its bytes.
pub(super) struct Subject {
    purl: String,
    sha512: String,
}

impl Subject {
    /// The subject of a tarball.
    pub(super) fn of(tarball: &Tarball, version: &str) -> Self {
        let name = match tarball.name.strip_prefix('@') {
            Some(rest) => format!("%40{rest}"),
            None => tarball.name.clone(),
        };
        Subject { purl: format!("pkg:npm/{name}@{version}"), sha512: tarball.sha512_hex() }
    }

    fn json(&self) -> Value {
        json!({ "name": self.purl, "digest": { "sha512": self.sha512 } })
    }
}

/// Returns whether everybody can install the package.
///
/// # Errors
/// The registry refuses, other than by not knowing the package.
pub(super) fn is_public(registry: &Registry<'_>, name: &str) -> Result<bool, AuthorError> {
    let answer = registry.find(&format!("-/package/{}/visibility", escaped(name)))?;
    Ok(answer.is_some_and(|answer| answer.get("public") == Some(&Value::Bool(true))))
}

/// Has the build of a tarball signed; returns the bundle.
///
/// # Errors
/// The command runs in no job that has an identity, the package is not public, or nobody signs.
pub(super) fn sign(
    registry: &Registry<'_>,
    environment: &Environment,
    tarball: &Tarball,
    subject: &Subject,
    access: Option<&str>,
) -> Result<Value, AuthorError> {
    let unavailable = |why: &str| AuthorError::from(PublishError::NoProvenance { why: why.into() });
    let service = Service::of(environment);
    match service {
        Some(Service::GitHub) if !jobs::may_ask(environment) => {
            return Err(unavailable("the job may not ask for an identity token"));
        }
        Some(Service::GitLab) if environment.variable(GITLAB_TOKEN).is_none() => {
            return Err(unavailable("the job has no SIGSTORE_ID_TOKEN"));
        }
        None => return Err(unavailable("this is no job of continuous integration")),
        Some(Service::CircleCi) => return Err(unavailable("CircleCI is not supported")),
        Some(_) => {}
    }
    if access != Some("public") && !is_public(registry, &tarball.name)? {
        return Err(PublishError::NotPublic { name: tarball.name.clone() }.into());
    }
    let (token, statement) = match service {
        Some(Service::GitLab) => {
            let token = environment.variable(GITLAB_TOKEN).unwrap_or_default().to_owned();
            (token, statement::of_gitlab(environment, subject.json()))
        }
        _ => {
            let token = jobs::github_token(registry, environment, "sigstore")?;
            (token, statement::of_github(environment, subject.json()))
        }
    };
    let bundle = Signer::new(registry)?.attest(&token, statement.to_string().as_bytes())?;
    let by = service.map_or("", Service::name);
    registry.notice(&format!("Signed provenance statement with source and build of {by}"));
    let index = bundle.pointer("/verificationMaterial/tlogEntries/0/logIndex");
    if let Some(index) = index.and_then(Value::as_str) {
        registry.notice(&format!("The statement is entry {index} of the transparency log"));
    }
    Ok(bundle)
}

/// Reads a bundle that was made elsewhere, checks that it is about the tarball and that its
/// signature is by the key of its certificate, and tells who signed it. That the certificate comes
/// from sigstore's authority is left to the registry, and to those who install the package.
///
/// # Errors
/// The file cannot be read, it is about something else, or its signature does not hold.
pub(super) fn read(
    registry: &Registry<'_>,
    file: &Path,
    subject: &Subject,
) -> Result<Value, AuthorError> {
    let failed = |problem: String| {
        AuthorError::from(PublishError::ProvenanceFile { file: file.to_owned(), problem })
    };
    let text = read_bounded(file, LARGEST).map_err(|error| failed(error.to_string()))?;
    let bundle: Value =
        serde_json::from_slice(&text).map_err(|error| failed(format!("it is no JSON: {error}")))?;
    let payload = bundle.pointer("/dsseEnvelope/payload").and_then(Value::as_str);
    let payload = payload.and_then(|payload| STANDARD.decode(payload).ok());
    let statement: Option<Value> =
        payload.and_then(|payload| serde_json::from_slice(&payload).ok());
    let Some(statement) = statement else {
        return Err(failed("it has no statement in an envelope".to_owned()));
    };
    let subjects = statement.get("subject").and_then(Value::as_array);
    let [about] = subjects.map_or(&[][..], Vec::as_slice) else {
        return Err(failed("its statement is not about one thing".to_owned()));
    };
    let name = about.get("name").and_then(Value::as_str).unwrap_or_default();
    if name != subject.purl {
        return Err(failed(format!("it is about {name}, not {}", subject.purl)));
    }
    if about.pointer("/digest/sha512").and_then(Value::as_str) != Some(&subject.sha512) {
        return Err(failed(format!("it is about other files of {name}")));
    }
    if bundle.get("mediaType").and_then(Value::as_str).is_none() {
        return Err(failed("it does not say of which kind it is".to_owned()));
    }
    let signer = signer(&bundle).map_err(|fault| failed(fault.to_string()))?;
    let by = plain_text(&signer.to_string(), LONGEST_SIGNER);
    registry.notice(&format!("The provenance statement was signed by {by}"));
    Ok(bundle)
}
