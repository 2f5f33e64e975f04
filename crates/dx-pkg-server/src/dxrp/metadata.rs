//! Packuments in the form that resolution reads, in memory.

use crate::catalog::{self, Current};
use crate::dxrp::Dxrp;
use crate::failure::Failure;
use crate::lru::Lru;
use crate::packument::{Form, Options, Outline, render};
use crate::storage::blocking;
use crate::turns::Turns;
use axum::http::StatusCode;
use bytes::Bytes;
use dx_pkg_core::PackageName;
use dx_pkg_format::packument::Packument;
use std::sync::{Arc, OnceLock};

/// The level of Zstandard for packuments.
const LEVEL: i32 = 3;

type Key = (PackageName, Form, Arc<str>);

/// A packument as clients may see it.
pub(super) struct Loaded {
    /// What tells it from any other state of the package.
    pub(super) tag: String,
    /// Whether the package is published here.
    pub(super) is_hosted: bool,
    pub(super) packument: Packument,
    compressed: OnceLock<Option<Bytes>>,
}

impl Loaded {
    /// Returns the packument as one Zstandard frame, which is made once.
    pub(super) fn compressed(&self) -> Option<Bytes> {
        let compress = || zstd::bulk::compress(self.packument.as_bytes(), LEVEL).ok();
        self.compressed.get_or_init(|| compress().map(Bytes::from)).clone()
    }
}

/// The packuments that were used last.
pub(super) struct Metadata {
    loaded: Lru<Key, Arc<Loaded>>,
    turns: Turns<Key>,
}

impl Metadata {
    /// Creates a place for `memory` bytes of packuments.
    pub(super) fn new(memory: usize) -> Self {
        Self { loaded: Lru::new(memory), turns: Turns::default() }
    }

    /// Returns the number of packuments, and their bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        self.loaded.size()
    }

    /// Returns a packument in a form, whose addresses begin with `base`.
    ///
    /// # Errors
    /// As [`catalog::current`].
    pub(super) async fn load(
        &self,
        state: &Dxrp,
        name: &PackageName,
        form: Form,
        base: &Arc<str>,
    ) -> Result<Arc<Loaded>, Failure> {
        match self.load_current(state, name, form, base).await {
            // Another process has changed the cache: once more, with what is there now.
            Err(failure) if failure.status == StatusCode::SERVICE_UNAVAILABLE => {
                self.load_current(state, name, form, base).await
            }
            result => result,
        }
    }

    async fn load_current(
        &self,
        state: &Dxrp,
        name: &PackageName,
        form: Form,
        base: &Arc<str>,
    ) -> Result<Arc<Loaded>, Failure> {
        let current = catalog::current(state, name).await?;
        let (key, tag) = ((name.clone(), form, Arc::clone(base)), current.tag());
        let is_current = |loaded: &Arc<Loaded>| loaded.tag == tag;
        if let Some(loaded) = self.loaded.get(&key).filter(is_current) {
            return Ok(loaded);
        }
        let _turn = self.turns.take(&key).await;
        if let Some(loaded) = self.loaded.get(&key).filter(is_current) {
            return Ok(loaded);
        }
        let is_hosted = current.is_hosted();
        let packument = encode(state, name, (form, base), current).await?;
        let bytes = packument.as_bytes().len();
        let loaded = Arc::new(Loaded { tag, is_hosted, packument, compressed: OnceLock::new() });
        self.loaded.put(key, Arc::clone(&loaded), bytes);
        Ok(loaded)
    }
}

async fn encode(
    state: &Dxrp,
    name: &PackageName,
    (form, base): (Form, &Arc<str>),
    current: Current,
) -> Result<Packument, Failure> {
    let document = current.document(state, name).await?;
    let (name, base) = (name.clone(), Arc::clone(base));
    let write = move || {
        let outline = Outline::parse(&document, name.as_str())?;
        let source = &current.source;
        let revision = source.revision.clone();
        let options = Options { form, base: &base, name: &name, revision, view: &source.view };
        let mut json = Vec::new();
        render(&outline, &options, &mut json).map_err(|error| error.to_string())?;
        let encoded = dx_pkg_compat::packument::encode(&json, &name);
        let encoded = encoded.map_err(|error| error.to_string())?;
        Packument::decode(Arc::new(encoded)).map_err(|error| error.to_string())
    };
    blocking(write).await?.map_err(Failure::internal)
}
