//! Cached packuments: a line of JSON with what the upstream said about it, then the packument as
//! gzip. The file's time is when the upstream last said that it is right.

use super::PackageKey;
use super::client::{Document, bad_gateway};
use super::known::{Known, VersionEntry};
use crate::failure::Failure;
use crate::packument::Outline;
use crate::storage::{Storage, blocking};
use axum::http::StatusCode;
use bytes::Bytes;
use dx_pkg_core::Integrity;
use dx_pkg_os::files::Map;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::SystemTime;

/// The largest packument, decompressed, in bytes.
const LARGEST: u64 = 512 << 20;
/// The level of gzip for what comes uncompressed.
const GZIP: u32 = 3;

#[derive(Serialize, Deserialize)]
struct Head {
    id: String,
    etag: Option<String>,
    last_modified: Option<String>,
    /// The versions that the upstream has no more: address and integrity of their tarballs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    former: BTreeMap<String, (String, String)>,
}

/// Checks a packument that an upstream sent, and keeps it in place of an earlier one.
///
/// # Errors
/// 502 for what is no packument of that name.
pub(super) async fn save(
    storage: &Storage,
    key: &PackageKey,
    document: Document,
    earlier: Option<Arc<Known>>,
) -> Result<Known, Failure> {
    let owned = key.clone();
    let encoded = blocking(move || encode(owned, document, earlier.as_deref())).await?;
    let (mut known, bytes) = encoded?;
    match storage.replace(&key.object(), bytes.clone()).await {
        // Reading goes on, from memory.
        Err(failure) if failure.status == StatusCode::INSUFFICIENT_STORAGE => {
            known.unwritten = Some(bytes);
        }
        result => result?,
    }
    Ok(known)
}

fn encode(
    key: PackageKey,
    document: Document,
    earlier: Option<&Known>,
) -> Result<(Known, Bytes), Failure> {
    let plain = if document.is_gzip {
        Bytes::from(decompress(&document.body).map_err(|error| {
            bad_gateway("the upstream's answer is damaged: try again later").detail(error)
        })?)
    } else {
        document.body.clone()
    };
    let outline = Outline::parse(&plain, key.name.as_str()).map_err(|reason| {
        let message = "the upstream answers with something else than the package's document";
        bad_gateway(message).detail(reason)
    })?;
    let id = hex(&Sha256::digest(&plain));
    let validators = (document.etag.clone(), document.last_modified.clone());
    let mut known = Known::new(key, id.clone(), &outline, validators, SystemTime::now());
    if let Some(earlier) = earlier {
        known.succeed(earlier);
    }
    let former = known.former.iter().filter_map(|(version, entry)| {
        let integrity = entry.integrity.as_ref()?.to_string();
        Some((version.clone(), (entry.url.clone(), integrity)))
    });
    let (etag, last_modified) = (document.etag, document.last_modified);
    let head = Head { id, etag, last_modified, former: former.collect() };
    let mut bytes = serde_json::to_vec(&head).map_err(Failure::internal)?;
    bytes.push(b'\n');
    if document.is_gzip {
        bytes.extend_from_slice(&document.body);
    } else {
        let mut encoder = GzEncoder::new(bytes, Compression::new(GZIP));
        encoder.write_all(&plain).map_err(Failure::internal)?;
        bytes = encoder.finish().map_err(Failure::internal)?;
    }
    Ok((known, bytes.into()))
}

/// Reads what is known of a cached package; `None` where there is none.
pub(super) async fn load(storage: &Storage, key: &PackageKey) -> Result<Option<Known>, Failure> {
    let object = key.object();
    let Some(opened) = storage.open_object(&object)? else {
        return Ok(None);
    };
    let key = key.clone();
    let decode = move || -> Result<Option<Known>, std::io::Error> {
        let checked = opened.metadata()?.modified()?;
        let map = Map::of_any_size(&opened)?;
        let (head, document) = split(&map)?;
        let outline =
            Outline::parse(&document, key.name.as_str()).map_err(std::io::Error::other)?;
        let validators = (head.etag, head.last_modified);
        let mut known = Known::new(key, head.id, &outline, validators, checked);
        let entry = |(version, (url, integrity)): (String, (String, String))| {
            let integrity = Integrity::parse(&integrity).ok();
            (version, VersionEntry { url, integrity })
        };
        known.former = head.former.into_iter().map(entry).collect();
        Ok(Some(known))
    };
    let known = blocking(decode).await?;
    known.map_err(|error| Failure::of_io("read", object.as_str(), &error))
}

/// Reads the packument that `known` describes; `None` where another one is cached by now.
pub(super) async fn read(storage: &Storage, known: &Known) -> Result<Option<Bytes>, Failure> {
    let object = known.object();
    if let Some(bytes) = known.unwritten.clone() {
        let decoded = blocking(move || split(&bytes)).await?;
        return decoded.map(|(_, document)| Some(document.into())).map_err(Failure::internal);
    }
    let Some(opened) = storage.open_object(&object)? else {
        return Ok(None);
    };
    let decoded = blocking(move || split(&Map::of_any_size(&opened)?)).await?;
    let (head, document) =
        decoded.map_err(|error| Failure::of_io("read", object.as_str(), &error))?;
    Ok((head.id == known.id).then(|| document.into()))
}

/// Splits a cached packument, and checks it against its digest.
fn split(bytes: &[u8]) -> std::io::Result<(Head, Vec<u8>)> {
    let damaged = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
    let head: Head = serde_json::from_slice(&bytes[..end])?;
    let document = decompress(&bytes[end + 1..])?;
    if hex(&Sha256::digest(&document)) != head.id {
        return Err(damaged());
    }
    Ok((head, document))
}

fn decompress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    let read = MultiGzDecoder::new(bytes).take(LARGEST + 1).read_to_end(&mut plain)?;
    if read as u64 > LARGEST {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(plain)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
