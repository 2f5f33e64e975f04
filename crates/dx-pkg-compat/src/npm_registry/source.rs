//! npm's HTTP registry as a [`Source`].

use super::{NpmRegistry, RegistryError};
use dx_pkg_core::PackageName;
use dx_pkg_registry::{
    PackumentRequest, PackumentSink, Pending, Source, SourceError, SourceErrorKind, TarballRequest,
    TarballSink,
};
use std::pin::Pin;
use std::sync::Arc;

impl Source for NpmRegistry {
    fn packument<'a>(
        &'a self,
        request: PackumentRequest<'a>,
        sink: PackumentSink,
    ) -> Pending<'a, ()> {
        Box::pin(async move { Ok(NpmRegistry::packument(self, request, sink).await?) })
    }

    fn tarball(&self, request: TarballRequest, sink: Arc<dyn TarballSink>) -> Pending<'_, ()> {
        Box::pin(async move { Ok(self.tarball_wherever(request, sink).await?) })
    }

    fn license<'a>(
        &'a self,
        name: &'a PackageName,
        version: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<String>> + Send + 'a>> {
        Box::pin(NpmRegistry::license(self, name, version))
    }
}

impl From<RegistryError> for SourceError {
    fn from(error: RegistryError) -> Self {
        let kind = match &error {
            RegistryError::NotFound { .. } | RegistryError::TarballNotFound { .. } => {
                SourceErrorKind::NotFound
            }
            RegistryError::Unauthorized { .. } => SourceErrorKind::Refused,
            RegistryError::BadPackument { .. }
            | RegistryError::Integrity { .. }
            | RegistryError::BadUrl { .. } => SourceErrorKind::Invalid,
            RegistryError::Fetch { .. } => SourceErrorKind::Unavailable,
        };
        SourceError::new(kind, error)
    }
}
