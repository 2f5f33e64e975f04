//! A recording, on disk and in memory.
//!
//! ```text
//! documents/<name>.abbreviated.json
//! documents/<name>.full.json
//! documents/<name>/<version>.full.json
//! tarballs/<path>
//! ```
//!
//! Documents name the registry as `http://registry.example/`, which is replaced by the server's
//! address in memory. A registry that answers full documents only is recorded as if it abbreviated
//! them as npm's does.

use super::abbreviate;
use crate::tarball::{gzip, shasum};
use hyper::body::Bytes;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The registry's address in documents on disk.
const PLACEHOLDER: &str = "http://registry.example/";
/// The media type of an abbreviated packument.
pub(super) const ABBREVIATED: &str = "application/vnd.npm.install-v1+json";

/// The subject of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    /// A packument or a version's manifest.
    Document { path: String, full: bool },
    /// A tarball.
    Tarball { path: String },
    /// A request that only a live registry can answer, such as an audit.
    Other,
}

impl Asked {
    /// Tells by the path, decoded and without its query, and by what is accepted.
    pub(super) fn new(path: &str, accept: &str) -> Asked {
        let path = path.split('?').next().unwrap_or(path).trim_start_matches('/');
        let path = path.replace("%2f", "/").replace("%2F", "/").replace("%40", "@");
        let odd = |part: &str| part.is_empty() || part == "." || part == "..";
        if path.starts_with("-/") || path.contains('\\') || path.split('/').any(odd) {
            return Asked::Other;
        }
        if path.contains("/-/") {
            return Asked::Tarball { path };
        }
        let version = path.split('/').count() > if path.starts_with('@') { 2 } else { 1 };
        Asked::Document { full: version || !accept.contains(ABBREVIATED), path }
    }
}

/// A body to send.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) body: Bytes,
    pub(super) etag: String,
}

/// The recorded files, read when they are first asked for and then kept.
#[derive(Debug)]
pub(super) struct Recording {
    folder: PathBuf,
    registry: String,
    held: Mutex<HashMap<(Asked, bool), Held>>,
}

impl Recording {
    /// Loads the recording in `folder`, with `registry` as the address in its documents.
    pub(super) fn new(folder: &Path, registry: &str) -> Recording {
        Recording {
            folder: folder.to_owned(),
            registry: registry.to_owned(),
            held: Mutex::default(),
        }
    }

    /// The answer, packed by gzip where that is wanted and worth it; `None` where nothing was
    /// recorded.
    pub(super) fn get(&self, asked: &Asked, packed: bool) -> Option<Held> {
        let packed = packed && matches!(asked, Asked::Document { .. });
        let key = (asked.clone(), packed);
        if let Some(held) = self.held.lock().unwrap().get(&key) {
            return Some(held.clone());
        }
        let held = self.load(asked, packed)?;
        self.held.lock().unwrap().insert(key, held.clone());
        Some(held)
    }

    fn load(&self, asked: &Asked, packed: bool) -> Option<Held> {
        let bytes =
            fs::read(self.file(asked)?).ok().or_else(|| self.manifest_of_packument(asked))?;
        if matches!(asked, Asked::Tarball { .. }) {
            return Some(Held { etag: format!("\"{:x}\"", bytes.len()), body: bytes.into() });
        }
        let text = String::from_utf8(bytes).ok()?.replace(PLACEHOLDER, &self.registry);
        let etag = format!("\"{}\"", shasum(text.as_bytes()));
        let body = if packed { gzip(text.as_bytes()) } else { text.into_bytes() };
        Some(Held { body: body.into(), etag })
    }

    /// The manifest of a version, out of the packument.
    fn manifest_of_packument(&self, asked: &Asked) -> Option<Vec<u8>> {
        let Asked::Document { path, full: true } = asked else { return None };
        let (package, version) = path.rsplit_once('/')?;
        let packument = Asked::Document { path: package.to_owned(), full: true };
        let text = fs::read_to_string(self.file(&packument)?).ok()?;
        abbreviate::manifest(&text, version).map(String::into_bytes)
    }

    /// Keeps an answer of the registry at `upstream` on disk, a full packument in both forms.
    pub(super) fn keep(&self, asked: &Asked, body: &[u8], upstream: &str) -> io::Result<()> {
        let (Asked::Document { path, .. }, Ok(text)) = (asked, std::str::from_utf8(body)) else {
            return self.write(asked, body);
        };
        let text = text.replace(upstream, PLACEHOLDER);
        let Some(short) = abbreviate::abbreviated(&text) else {
            return self.write(asked, text.as_bytes());
        };
        self.write(&Asked::Document { path: path.clone(), full: true }, text.as_bytes())?;
        self.write(&Asked::Document { path: path.clone(), full: false }, short.as_bytes())
    }

    fn write(&self, asked: &Asked, body: &[u8]) -> io::Result<()> {
        let Some(file) = self.file(asked) else {
            return Ok(());
        };
        let folder = file.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder)?;
        let unfinished = tempfile::NamedTempFile::new_in(folder)?;
        fs::write(unfinished.path(), body)?;
        unfinished.persist(file)?;
        Ok(())
    }

    fn file(&self, asked: &Asked) -> Option<PathBuf> {
        match asked {
            Asked::Document { path, full } => {
                let form = if *full { "full" } else { "abbreviated" };
                Some(self.folder.join("documents").join(format!("{path}.{form}.json")))
            }
            Asked::Tarball { path } => Some(self.folder.join("tarballs").join(path)),
            Asked::Other => None,
        }
    }
}

#[cfg(test)]
mod tests;
