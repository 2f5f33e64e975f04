//! A source whose packages are in memory, and which resolves projects by itself if it is told how.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use dx_pkg_core::{Coded, Integrity, PackageName};
use dx_pkg_fetch::stream::Piece;
use dx_pkg_format::packument::{PackumentData, VersionData};
use dx_pkg_lock::Lock;
use dx_pkg_registry::{
    Lifetime, PackumentAnswer, PackumentRequest, PackumentSink, Pending, PlanRequest, Source,
    SourceError, SourceErrorKind, Streaming, TarballRequest, TarballSink, Validator,
};

/// The plan of a project's resolution.
type Planner = Box<dyn Fn(PlanRequest<'_>) -> Lock + Send + Sync>;

/// Packages by name, each with its versions and their tarballs.
#[derive(Default)]
pub(crate) struct Memory {
    packages: BTreeMap<String, Vec<(VersionData<'static>, Vec<u8>)>>,
    planner: Option<Planner>,
    /// The names of requested packuments.
    requested: Mutex<Vec<String>>,
}

impl Memory {
    /// Publishes a version, whose tarball is its name and version.
    pub(crate) fn publish(
        mut self,
        name: &str,
        version: &str,
        dependencies: &[(&str, &str)],
    ) -> Self {
        let tarball = format!("{name}@{version}").into_bytes();
        let owned = |&(name, spec): &(&str, &str)| (name.to_owned().into(), spec.to_owned().into());
        let data = VersionData {
            version: version.to_owned().into(),
            tarball: format!("memory:{name}@{version}").into(),
            integrity: Some(Integrity::sha512_of(&tarball).to_string().into()),
            dependencies: dependencies.iter().map(owned).collect(),
            ..VersionData::default()
        };
        self.packages.entry(name.to_owned()).or_default().push((data, tarball));
        self
    }

    /// Makes it resolve projects by itself.
    pub(crate) fn plans(
        mut self,
        planner: impl Fn(PlanRequest<'_>) -> Lock + Send + Sync + 'static,
    ) -> Self {
        self.planner = Some(Box::new(planner));
        self
    }

    /// Returns the names of the requested packuments.
    pub(crate) fn requested(&self) -> Vec<String> {
        self.requested.lock().unwrap().clone()
    }

    fn versions(&self, name: &str) -> Result<&[(VersionData<'static>, Vec<u8>)], SourceError> {
        let missing = || SourceError::new(SourceErrorKind::NotFound, Missing(name.to_owned()));
        self.packages.get(name).map(Vec::as_slice).ok_or_else(missing)
    }
}

impl Source for Memory {
    fn packument<'a>(
        &'a self,
        request: PackumentRequest<'a>,
        sink: PackumentSink,
    ) -> Pending<'a, ()> {
        Box::pin(async move {
            let name = request.name.as_str();
            self.requested.lock().unwrap().push(name.to_owned());
            let versions = self.versions(name)?;
            let newest = versions.last().map(|(data, _)| data.version.clone());
            let data = PackumentData {
                name: name.to_owned().into(),
                modified: None,
                dist_tags: newest.map(|version| ("latest".into(), version)).into_iter().collect(),
                versions: versions.iter().map(|(data, _)| data.clone()).collect(),
            };
            let bytes = data.encode().unwrap();
            sink(PackumentAnswer::Modified {
                received: bytes.len() as u64,
                bytes,
                validator: Validator::default(),
                lifetime: Lifetime::default(),
                full: false,
            });
            Ok(())
        })
    }

    fn tarball(&self, request: TarballRequest, sink: Arc<dyn TarballSink>) -> Pending<'_, ()> {
        Box::pin(async move {
            let versions = self.versions(request.name.as_str())?;
            let found = versions.iter().find(|(data, _)| *data.version == *request.version);
            let missing = || Missing(format!("{}@{}", request.name, request.version));
            let (_, tarball) =
                found.ok_or_else(|| SourceError::new(SourceErrorKind::NotFound, missing()))?;
            let refused = || SourceError::new(SourceErrorKind::Invalid, missing());
            let Streaming { pieces, unpacked } =
                sink.begin(Some(tarball.len() as u64)).ok_or_else(refused)?;
            for part in tarball.chunks(4) {
                let piece = Piece::Bytes(part.to_vec().into());
                pieces.send(piece).await.map_err(|_| refused())?;
            }
            pieces.send(Piece::End).await.map_err(|_| refused())?;
            unpacked.await.map_err(|_| refused())?.map_err(|_| refused())
        })
    }

    fn license<'a>(
        &'a self,
        _name: &'a PackageName,
        _version: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>> {
        Box::pin(std::future::ready(None))
    }

    fn plan<'a>(&'a self, request: PlanRequest<'a>) -> Option<Pending<'a, Lock>> {
        let planner = self.planner.as_ref()?;
        Some(Box::pin(async move { Ok(planner(request)) }))
    }
}

/// A package or version that is not in memory.
#[derive(Debug)]
struct Missing(String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not there", self.0)
    }
}

impl std::error::Error for Missing {}

impl Coded for Missing {
    fn code(&self) -> &'static str {
        "DX_NOT_FOUND"
    }
}
