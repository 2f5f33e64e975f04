//! Routes that publish, and that change a package without a tarball.

use super::audit::predicate_type;
use crate::access::{Action, Caller, authorise};
use crate::catalog;
use crate::documents::Change;
use crate::failure::Failure;
use crate::http::body::{Sink, check_type, parse, receive};
use crate::http::{Call, Routes, answer};
use crate::log::Level;
use crate::origin::Origin;
use crate::packages::{
    Edit, Hosted, Maintainer, Publication, Upload, UploadedTarball, read_upload,
};
use crate::storage::{Storage, Temporary, blocking};
use crate::time::timestamp;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use dx_pkg_core::PackageName;
use dx_pkg_os::files::Map as Mapped;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::time::SystemTime;
use url::Url;

/// The length from which a body goes to disk while it arrives, in bytes.
const SPOOLED: usize = 1 << 20;

pub(super) fn add(routes: &mut Routes) {
    routes.on(Method::PUT, "/{name}", put);
    routes.on(Method::PUT, "/{name}/-rev/{revision}", put_revision);
}

async fn put(mut call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    let caller = authorise(&call, Action::Publish, &name).await?;
    let upload = receive_upload(&mut call).await?;
    match upload {
        Upload { tarball: Some(tarball), document, bundle } => {
            publish(&call, &name, &caller, document, (tarball, bundle)).await
        }
        upload => edit(&call, &name, Edit::new(&name, upload)?).await,
    }
}

async fn put_revision(mut call: Call) -> Result<Response, Failure> {
    let name = call.name()?;
    authorise(&call, Action::Publish, &name).await?;
    let upload = receive_upload(&mut call).await?;
    let mut change = Edit::new(&name, upload)?;
    change.removes = true;
    change.revision = Some(call.part("revision").to_owned());
    edit(&call, &name, change).await
}

/// A version that was checked, and whose tarball is stored; the package does not name it yet.
pub(super) struct Received {
    pub(super) publication: Publication,
    /// Whether the name was free when the publish was allowed.
    pub(super) is_new: bool,
}

/// Publishes a version: its tarball is stored first, then the document that names it.
async fn publish(
    call: &Call,
    name: &PackageName,
    caller: &Caller,
    document: Map<String, Value>,
    (tarball, bundle): (UploadedTarball, Option<String>),
) -> Result<Response, Failure> {
    let received = check_and_store(call, name, document, (tarball, bundle)).await?;
    let user = &caller.login()?.user;
    let publisher = Maintainer { name: user.name.clone(), email: user.email.clone() };
    let revision = commit(call, name, received, &publisher).await?;
    let body = json!({ "ok": true, "success": true, "id": name.as_str(), "rev": revision });
    Ok(answer::json(StatusCode::CREATED, &body))
}

/// Receives a publish for a name, whose sender may publish or stage it.
pub(super) async fn receive_version(
    call: &mut Call,
    name: &PackageName,
) -> Result<Received, Failure> {
    match receive_upload(call).await? {
        Upload { tarball: Some(tarball), document, bundle } => {
            check_and_store(call, name, document, (tarball, bundle)).await
        }
        _ => Err(Failure::bad_request("the body has no tarball")),
    }
}

async fn check_and_store(
    call: &Call,
    name: &PackageName,
    document: Map<String, Value>,
    (tarball, bundle): (UploadedTarball, Option<String>),
) -> Result<Received, Failure> {
    let state = &call.state;
    let mut publication = Publication::new(name, &document, &tarball)?;
    let current = state.packages.read(name).await?.value;
    check_claim(call, name, current.as_deref()).await?;
    if let Some(current) = &current {
        publication.check_free(current)?;
    }
    let version = publication.version.clone();
    let signing = state.signing().await?;
    publication.sign(signing.sign(name.as_str(), &version, publication.digests().0)?);
    state.tarballs.store(&tarball.integrity, tarball.file).await?;
    if let Some(bundle) = bundle {
        let parsed: Value = parse(bundle.as_bytes())?;
        // npm takes the path from the address, and puts it behind the registry's own.
        let origin = Url::parse(&call.base).map_err(Failure::internal)?.origin();
        let address = format!(
            "{}/-/npm/v1/attestations/{}@{version}",
            origin.ascii_serialization(),
            name.as_str().replace('/', "%2f")
        );
        publication.attest(&address, &predicate_type(&parsed));
        let subject = format!("{name}@{version}");
        let integrity = publication.digests().0.to_owned();
        state.packages.keep_bundle((&subject, &integrity), &bundle).await?;
    }
    Ok(Received { publication, is_new: current.is_none() })
}

/// Names a received version in its package, and returns the package's revision.
pub(super) async fn commit(
    call: &Call,
    name: &PackageName,
    received: Received,
    publisher: &Maintainer,
) -> Result<String, Failure> {
    let Received { publication, is_new } = received;
    let revision = call
        .state
        .packages
        .change(name, |current| {
            let others = current.is_some_and(|current| !current.maintainers.contains(publisher));
            if is_new && others {
                let text = format!("somebody else published {name} at the same time");
                return Err(Failure::conflict(text));
            }
            let now = timestamp(SystemTime::now());
            let next = publication.apply(current, Some(publisher), &now)?;
            let revision = next.revision();
            Ok(Change::To(next, revision))
        })
        .await?;
    let version = &publication.version;
    let fields = json!({ "package": name.as_str(), "version": version, "user": publisher.name });
    call.state.log.line(Level::Info, "published", &fields);
    call.state.metrics.published();
    let subject = format!("{name}@{version}");
    call.state.accounts.log.record("publish", &publisher.name, &subject, call.client);
    Ok(revision)
}

/// Checks that a new name can be published here.
async fn check_claim(
    call: &Call,
    name: &PackageName,
    current: Option<&Hosted>,
) -> Result<(), Failure> {
    let registry = match call.state.origins.of(name) {
        Origin::Hosted => return Ok(()),
        Origin::Upstream(_) => return Err(catalog::from_upstream(name)),
        Origin::Open(_) if current.is_some() => return Ok(()),
        Origin::Open(registry) => registry,
    };
    let Some(registry) = registry else {
        return Ok(());
    };
    // While the upstream fails, the name is as good as free.
    match call.state.upstreams.package(registry, name).await {
        Ok(_) => Err(catalog::from_upstream(name)),
        Err(_) => Ok(()),
    }
}

/// Changes tags, deprecations and maintainers, or unpublishes versions.
async fn edit(call: &Call, name: &PackageName, change: Edit) -> Result<Response, Failure> {
    let hosted = catalog::hosted(&call.state, name).await?;
    let caller = authorise(call, Action::Deprecate, name).await?;
    if change.removes && change.removes_from(&hosted) {
        authorise(call, Action::Unpublish, name).await?;
    }
    if change.maintainers.as_ref().is_some_and(|new| *new != hosted.maintainers) {
        authorise(call, Action::ChangeOwners, name).await?;
        for owner in change.maintainers.iter().flatten() {
            call.state.accounts.existing_user(&owner.name).await?;
        }
    }
    let revision = call
        .state
        .packages
        .change(name, |current| {
            let current = current.ok_or_else(|| catalog::missing(name))?;
            let now = timestamp(SystemTime::now());
            Ok(match change.apply(current, &now)? {
                Some(next) => {
                    let revision = next.revision();
                    Change::To(next, revision)
                }
                None => Change::Keep(current.revision()),
            })
        })
        .await?;
    call.state.accounts.log.record("edit", caller.name(), name.as_str(), call.client);
    let body = json!({ "ok": true, "success": true, "id": name.as_str(), "rev": revision });
    Ok(answer::json(StatusCode::CREATED, &body))
}

/// Receives the body of a publish and takes it apart.
async fn receive_upload(call: &mut Call) -> Result<Upload, Failure> {
    check_type(&call.headers)?;
    let state = call.state.clone();
    let limits = &state.config.limits;
    let spool = Spool { storage: state.storage.clone(), memory: Vec::new(), file: None };
    let mut sink = Sink::new(&call.headers, limits.publish.length(), spool)?;
    let body = call.take_body();
    receive(body, &mut sink, limits.body_time.0).await?;
    let spool = sink.finish()?;
    let storage = state.storage.clone();
    blocking(move || {
        let fault = |error: std::io::Error| Failure::of_io("read", "a request's body", &error);
        let body = match &spool.file {
            Some(file) => Bytes::from_owner(Mapped::open(file.path()).map_err(fault)?),
            None => spool.memory.into(),
        };
        read_upload(&body, &storage)
    })
    .await?
}

/// A body in memory, or on disk once it is large.
struct Spool {
    storage: Storage,
    memory: Vec<u8>,
    file: Option<Temporary>,
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(file) = &mut self.file {
            file.write(bytes)?;
            return Ok(bytes.len());
        }
        self.memory.extend_from_slice(bytes);
        if self.memory.len() > SPOOLED {
            let mut file = self.storage.temporary_file()?;
            file.write(&self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
