//! The decoders of what strangers send, for the fuzz targets: each takes any bytes, and panics only
//! where the decoder does, or where what it lets through breaks its promise.

use crate::accounts::trust::{KeySet, Unverified};
use crate::bring::import_verdaccio;
use crate::config::Config;
use crate::http::{negotiate, segments};
use crate::lockfile;
use crate::log::{Level, Log};
use crate::packages::{Edit, Publication, read_upload};
use crate::state::AppState;
use crate::storage::Storage;
use dx_pkg_core::PackageName;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// A registry in a folder of its own, for the decoders that write.
pub struct Registry {
    state: Arc<AppState>,
    storage: Storage,
}

impl Registry {
    /// Opens one.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn open(folder: &Path) -> Result<Self, String> {
        let config = Config { storage: folder.to_owned(), ..Config::default() };
        let log = Log::new(Level::Error, Box::new(std::io::sink()));
        let state = AppState::open(config, &[], log)?;
        Ok(Self { storage: state.storage.clone(), state })
    }

    /// Reads the document of a publish, or of a change without a tarball.
    pub fn publish(&self, body: &[u8]) {
        let Ok(mut upload) = read_upload(body, &self.storage) else {
            return;
        };
        let name = upload.document.get("name").and_then(Value::as_str).unwrap_or("tool");
        let Ok(name) = PackageName::parse(name) else {
            return;
        };
        if let Some(tarball) = upload.tarball.take()
            && let Ok(publication) = Publication::new(&name, &upload.document, &tarball)
        {
            let packed = &tarball.manifest;
            assert_eq!(packed.get("name").and_then(Value::as_str), Some(name.as_str()));
            let (integrity, shasum) = publication.digests();
            assert!(integrity.starts_with("sha512-") && shasum.len() == 40);
        }
        let _ = Edit::new(&name, upload);
    }

    /// Takes over one package of Verdaccio's, whose document these bytes are; in `folder`, which
    /// is the fuzzer's.
    pub async fn verdaccio(&self, document: &[u8], folder: &Path) {
        let package = folder.join("tool");
        let written = std::fs::create_dir_all(&package)
            .and_then(|()| std::fs::write(package.join("package.json"), document));
        if written.is_ok() {
            let _ = import_verdaccio(&self.state, folder).await;
        }
    }
}

/// Splits and decodes the path of a request.
pub fn path(path: &str) {
    let Ok(segments) = segments(path) else {
        return;
    };
    for segment in &segments {
        assert!(!segment.is_empty() && segment != "." && segment != "..", "{path:?}");
        assert!(!segment.contains(['\\', '\0', '\n', '\r']), "{path:?}");
        assert!(!segment.contains('/') || segment.starts_with('@'), "{path:?}");
    }
}

/// Reads an identity token, and the keys of an issuer after the first line break.
pub fn identity_token(text: &str) {
    let (token, keys) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(token) = Unverified::read(token.trim()) else {
        return;
    };
    let _ = token.issuer().len();
    let keys: KeySet = serde_json::from_str(keys).unwrap_or_default();
    assert!(token.verify(&keys, "npm:registry.example", 1_800_000_000).is_err());
}

/// Shows a readme.
pub fn readme(text: &str) {
    let html = crate::page::readme(text);
    let html = html.as_str();
    // What is shown as text has `&lt;` for each `<`.
    for active in ["<script", "<style", "<iframe", "<object", "<embed", "<svg", "<math", "<form"] {
        assert!(!html.contains(active), "{text:?}: {html}");
    }
}

/// Reads a configuration file.
pub fn config(text: &str) {
    let _ = text.parse::<toml::Table>().map(toml::Table::try_into::<Config>);
}

/// Reads headers, one a line, as those that choose between forms and parts.
pub fn headers(text: &str) {
    for line in text.lines().take(16) {
        let _ = negotiate::prefers(line, "application/vnd.npm.install-v1+json", "application/json");
        let _ = negotiate::accepts(line, "gzip");
        let _ = negotiate::names(line, "W/\"tag\"");
        for total in [0, 1, 100, usize::MAX] {
            if let Some(range) = crate::api::range_of(line, total) {
                assert!(range.start < range.end && range.end <= total, "{line:?} of {total}");
            }
        }
    }
}

/// Reads a lockfile.
pub fn lockfile(bytes: &[u8]) {
    if let Ok(locked) = lockfile::read(bytes) {
        let versions = locked.packages.values().flatten();
        assert!(versions.into_iter().all(|(version, _)| !version.contains([':', '/'])));
    }
}

#[cfg(test)]
mod tests;
