//! The trait that registries implement.

use std::pin::Pin;
use std::sync::Arc;

use dx_pkg_core::PackageName;
use dx_pkg_lock::Lock;
use dx_pkg_resolve::{Options, Requirements};

use crate::{PackumentRequest, PackumentSink, SourceError, TarballRequest, TarballSink};

/// An answer that has not arrived yet.
pub type Pending<'a, T, E = SourceError> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// The registries of one configuration, behind one protocol.
///
/// Futures run on the caller's runtime. What a source keeps, it keeps for one command: caches on
/// disk are the caller's.
pub trait Source: Send + Sync {
    /// Requests a packument and passes the answer to `sink`.
    ///
    /// # Errors
    /// The package is unknown or refused, the answer is no packument, or there is no answer; `sink`
    /// is then not called.
    fn packument<'a>(
        &'a self,
        request: PackumentRequest<'a>,
        sink: PackumentSink,
    ) -> Pending<'a, ()>;

    /// Requests a tarball and hands it to `sink`, which verifies it. One that is wrong is requested
    /// once more.
    ///
    /// # Errors
    /// The tarball is missing or refused, has the wrong digest twice, or there is no answer.
    fn tarball(&self, request: TarballRequest, sink: Arc<dyn TarballSink>) -> Pending<'_, ()>;

    /// Requests the licence of one version: empty where the registry has none, `None` where it does
    /// not answer.
    fn license<'a>(
        &'a self,
        name: &'a PackageName,
        version: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>>;

    /// Requests the whole resolution of a project, from a source that resolves by itself; `None`
    /// from any other.
    ///
    /// The answer is a proposal: the resolver checks it as it checks a lockfile.
    fn plan<'a>(&'a self, _request: PlanRequest<'a>) -> Option<Pending<'a, Lock>> {
        None
    }
}

/// A request for a resolution.
#[derive(Debug, Clone, Copy)]
pub struct PlanRequest<'r> {
    /// What the project requires.
    pub requirements: &'r Requirements,
    /// How it is to be resolved.
    pub options: &'r Options,
}
