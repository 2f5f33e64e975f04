//! Forms of packuments that are ready to be sent: written and compressed once, kept in memory, and
//! the longer ones on disk.

mod disk;

use crate::failure::Failure;
use crate::lru::Lru;
use crate::packument::{Form, Options, Outline, View, render, render_version};
use crate::storage::{Storage, blocking};
use crate::turns::Turns;
use bytes::Bytes;
use disk::Disk;
use dx_pkg_core::PackageName;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::sync::{Arc, OnceLock};

/// The level of gzip: zlib's usual one.
const GZIP: u32 = 6;
/// The quality of Brotli: about the time of that gzip, and smaller.
const BROTLI: i32 = 5;
/// The length up to which a document is kept as it is, too, in bytes.
const KEPT_PLAIN: usize = 16 << 10;
/// The length up to which a document is compressed with Brotli, in bytes of gzip.
const BROTLI_UP_TO: usize = 8 << 20;

/// The document that a form is written from.
#[derive(Clone)]
pub(crate) struct Source {
    /// What tells it from any other document of its name.
    pub(crate) id: String,
    /// The revision, of documents that can be changed here.
    pub(crate) revision: Option<String>,
    /// What the client may see of it, and what tells that view from others.
    pub(crate) view: Arc<View>,
    pub(crate) view_id: u64,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    Packument(Form),
    /// A version by itself or by a tag.
    Version(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    name: PackageName,
    wanted: Wanted,
    base: Arc<str>,
    view: u64,
}

/// A form, ready to be sent.
pub(crate) struct Ready {
    source: String,
    pub(crate) etag: String,
    gzip: Bytes,
    brotli: OnceLock<Bytes>,
    /// The document as it is, if it is short.
    plain: Option<Bytes>,
}

/// An encoding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
    Brotli,
}

/// The forms that are kept.
pub(crate) struct Views {
    ready: Lru<Key, Arc<Ready>>,
    disk: Disk,
    turns: Turns<Key>,
}

impl Views {
    /// Creates a place for `memory` bytes of forms, and for more of them in the storage.
    pub(crate) fn new(memory: usize, storage: Storage) -> Self {
        Self { ready: Lru::new(memory), disk: Disk::new(storage), turns: Turns::default() }
    }

    /// Returns a form of `source`; writes it, from the document that `load` brings, if it is not
    /// kept. `None` for a version that is not there.
    pub(crate) async fn get<L>(
        &self,
        name: &PackageName,
        wanted: Wanted,
        base: &Arc<str>,
        source: Source,
        load: impl FnOnce() -> L,
    ) -> Result<Option<Arc<Ready>>, Failure>
    where
        L: Future<Output = Result<Bytes, Failure>>,
    {
        let view = source.view_id;
        let key = Key { name: name.clone(), wanted, base: Arc::clone(base), view };
        let is_current = |ready: &Arc<Ready>| ready.source == source.id;
        if let Some(ready) = self.ready.get(&key).filter(is_current) {
            return Ok(Some(ready));
        }
        let _turn = self.turns.take(&key).await;
        if let Some(ready) = self.ready.get(&key).filter(is_current) {
            return Ok(Some(ready));
        }
        let form = match &key.wanted {
            Wanted::Packument(form) => Some(*form),
            Wanted::Version(_) => None,
        };
        if let Some(form) = form
            && let Some(ready) = self.disk.read((name, form), (base, view), &source.id).await
        {
            return Ok(Some(self.remember(key, ready)));
        }
        let document = load().await?;
        let (wanted, own, base) = (key.wanted.clone(), key.name.clone(), Arc::clone(base));
        let at = Arc::clone(&base);
        let write = move || write(&document, &wanted, &own, &base, &source);
        let Some(ready) = blocking(write).await?? else {
            return Ok(None);
        };
        if let Some(form) = form {
            // A full disk is no reason not to answer.
            let _ = self.disk.keep((name, form), (&at, view), &ready).await;
        }
        Ok(Some(self.remember(key, ready)))
    }

    fn remember(&self, key: Key, ready: Ready) -> Arc<Ready> {
        let ready = Arc::new(ready);
        // Brotli, if it is made, takes less than the gzip.
        let bytes = ready.gzip.len() * 2 + ready.plain.as_ref().map_or(0, Bytes::len);
        self.ready.put(key, Arc::clone(&ready), bytes);
        ready
    }

    /// Returns the number of forms that are kept, and their bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        self.ready.size()
    }
}

fn write(
    document: &[u8],
    wanted: &Wanted,
    name: &PackageName,
    base: &str,
    source: &Source,
) -> Result<Option<Ready>, Failure> {
    let damaged = |reason: String| Failure::internal(format!("packument of {name}: {reason}"));
    let outline = Outline::parse(document, name.as_str()).map_err(damaged)?;
    let form = match wanted {
        Wanted::Packument(form) => *form,
        Wanted::Version(_) => Form::Full,
    };
    let revision = source.revision.clone();
    let options = Options { form, base, name, revision, view: &source.view };
    let mut out = Tee::new();
    let written = match wanted {
        Wanted::Packument(_) => render(&outline, &options, &mut out),
        Wanted::Version(version) => {
            let tagged = source.view.tags.as_ref().and_then(|tags| tags.get(version));
            let Some((version, raw)) = outline.version(tagged.unwrap_or(version)) else {
                return Ok(None);
            };
            if source.view.hidden.contains(version) {
                return Ok(None);
            }
            render_version(version, raw, &options).and_then(|text| out.write_all(&text))
        }
    };
    written.map_err(|error| damaged(error.to_string()))?;
    out.finish(source.id.clone()).map(Some).map_err(|error| damaged(error.to_string()))
}

/// Compresses and digests what is written.
struct Tee {
    gzip: GzEncoder<Vec<u8>>,
    digest: Sha256,
    /// The text itself, as long as it is short.
    plain: Option<Vec<u8>>,
}

impl Tee {
    fn new() -> Self {
        let gzip = GzEncoder::new(Vec::new(), Compression::new(GZIP));
        Self { gzip, digest: Sha256::new(), plain: Some(Vec::new()) }
    }

    fn finish(self, source: String) -> std::io::Result<Ready> {
        let digest = self.digest.finalize();
        // Weak: the encodings of one form have the same tag.
        let mut etag = "W/\"".to_owned();
        for byte in digest.iter().take(12) {
            let _ = write!(etag, "{byte:02x}");
        }
        etag.push('"');
        let gzip = self.gzip.finish()?.into();
        let plain = self.plain.map(Bytes::from);
        Ok(Ready { source, etag, gzip, brotli: OnceLock::new(), plain })
    }
}

impl Write for Tee {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.gzip.write_all(bytes)?;
        self.digest.update(bytes);
        if let Some(plain) = &mut self.plain {
            if plain.len() + bytes.len() > KEPT_PLAIN {
                self.plain = None;
            } else {
                plain.extend_from_slice(bytes);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Ready {
    /// Returns the body in the best encoding that the client accepts.
    pub(crate) async fn body(
        self: &Arc<Self>,
        gzip: bool,
        brotli: bool,
    ) -> Result<(Bytes, Encoding), Failure> {
        if brotli && self.gzip.len() <= BROTLI_UP_TO {
            if let Some(body) = self.brotli.get() {
                return Ok((body.clone(), Encoding::Brotli));
            }
            let own = Arc::clone(self);
            let body = blocking(move || own.compress()).await??;
            return Ok((body, Encoding::Brotli));
        }
        if gzip {
            return Ok((self.gzip.clone(), Encoding::Gzip));
        }
        Ok((self.plain().await?, Encoding::Plain))
    }

    async fn plain(self: &Arc<Self>) -> Result<Bytes, Failure> {
        if let Some(plain) = &self.plain {
            return Ok(plain.clone());
        }
        let own = Arc::clone(self);
        blocking(move || own.decompress()).await?.map(Bytes::from)
    }

    fn decompress(&self) -> Result<Vec<u8>, Failure> {
        let mut plain = Vec::new();
        GzDecoder::new(&self.gzip[..]).read_to_end(&mut plain).map_err(Failure::internal)?;
        Ok(plain)
    }

    fn compress(&self) -> Result<Bytes, Failure> {
        let plain = self.decompress()?;
        let parameters = brotli::enc::BrotliEncoderParams {
            quality: BROTLI,
            size_hint: plain.len(),
            ..Default::default()
        };
        let mut out = Vec::new();
        brotli::BrotliCompress(&mut &plain[..], &mut out, &parameters)
            .map_err(Failure::internal)?;
        Ok(self.brotli.get_or_init(|| out.into()).clone())
    }
}
