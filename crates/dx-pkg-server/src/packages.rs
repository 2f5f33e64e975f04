//! Packages that are published here: one document each, and their tarballs.

mod document;
mod publish;
#[cfg(test)]
mod tests;
mod upload;

pub(crate) use document::{Hosted, Maintainer, check_tag};
pub(crate) use publish::{Edit, Publication};
pub(crate) use upload::{Upload, UploadedTarball, read_upload};

use crate::documents::{Change, Document, Documents, Name};
use crate::failure::Failure;
use dx_pkg_core::PackageName;
use std::sync::{Arc, OnceLock};

/// The kind of the documents.
const KIND: &str = "package";

/// The packages.
pub(crate) struct Packages {
    documents: Documents,
    watcher: Watcher,
}

/// A function that is told which package has changed.
pub(crate) type OnChange = Arc<dyn Fn(&PackageName) + Send + Sync>;

/// The function that is told of changes, if there is one.
#[derive(Default)]
pub(crate) struct Watcher(OnceLock<OnChange>);

impl Watcher {
    /// Sets the function; only the first one counts.
    pub(crate) fn set(&self, changed: OnChange) {
        let _ = self.0.set(changed);
    }

    /// Tells it that a package has changed.
    pub(crate) fn tell(&self, name: &PackageName) {
        if let Some(changed) = self.0.get() {
            changed(name);
        }
    }
}

impl Packages {
    pub(crate) fn new(documents: Documents) -> Self {
        Self { documents, watcher: Watcher::default() }
    }

    /// Reads a package; one that was unpublished is there, without versions.
    pub(crate) async fn read(&self, name: &PackageName) -> Result<Document<Hosted>, Failure> {
        self.documents.read(&Name::of_package(KIND, name)).await
    }

    /// Changes a package; see [`Documents::change`]. With the number of the revision that is read.
    pub(crate) async fn change<R>(
        &self,
        name: &PackageName,
        decide: impl FnMut(Option<&Hosted>) -> Result<Change<Hosted, R>, Failure>,
    ) -> Result<R, Failure> {
        let result = self.documents.change(&Name::of_package(KIND, name), decide).await;
        self.watcher.tell(name);
        result
    }

    /// Sets what is told of changes that this process makes.
    pub(crate) fn on_change(&self, changed: OnChange) {
        self.watcher.set(changed);
    }

    /// Keeps the provenance bundle of a tarball that is to be `name@version`. One with another
    /// tarball that is published first keeps its own.
    pub(crate) async fn keep_bundle(
        &self,
        (version, integrity): (&str, &str),
        bundle: &str,
    ) -> Result<(), Failure> {
        let text = bundle.to_owned();
        let name = bundle_name(version, integrity);
        self.documents.change(&name, |_: Option<&String>| Ok(Change::To(text.clone(), ()))).await
    }

    /// Returns the provenance bundle of `name@version` with this tarball, JSON, if there is one.
    pub(crate) async fn bundle(
        &self,
        (version, integrity): (&str, &str),
    ) -> Result<Option<Arc<String>>, Failure> {
        let found = self.documents.read::<String>(&bundle_name(version, integrity)).await?.value;
        match found {
            Some(bundle) => Ok(Some(bundle)),
            // As they were named before.
            None => Ok(self.documents.read::<String>(&Name::new(BUNDLES, version)).await?.value),
        }
    }

    /// Lists the names of all packages, those that were unpublished included. A name that is too
    /// long for a file's is in the manifests.
    pub(crate) async fn names(&self) -> Result<Vec<PackageName>, Failure> {
        let mut names = Vec::new();
        for document in self.documents.names(KIND).await? {
            let name = match document.key() {
                Some(key) => Some(key),
                None => {
                    let package = self.documents.read::<Hosted>(&document).await?.value;
                    package.and_then(|package| package.name().map(str::to_owned))
                }
            };
            names.extend(name.and_then(|name| PackageName::parse(&name).ok()));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Returns the integrities of the tarballs of all versions of all packages.
    pub(crate) async fn integrities(&self) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        for document in self.documents.names(KIND).await? {
            if let Some(package) = self.documents.read::<Hosted>(&document).await?.value {
                let versions = package.versions.keys();
                found.extend(versions.filter_map(|one| package.integrity(one)).map(str::to_owned));
            }
        }
        Ok(found)
    }
}

/// The kind of documents that provenance bundles are.
const BUNDLES: &str = "provenance";

fn bundle_name(version: &str, integrity: &str) -> Name {
    Name::new(BUNDLES, &format!("{version} {integrity}"))
}
