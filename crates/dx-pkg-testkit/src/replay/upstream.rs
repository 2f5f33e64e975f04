//! The registry that is recorded: asked once for each document and tarball, a few at a time.

use reqwest::{Client, StatusCode};
use rustls::{ClientConfig, RootCertStore};
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The most requests at once.
const AT_ONCE: usize = 8;
/// The tries of a request; the wait before another doubles from a second.
const TRIES: u32 = 4;

#[derive(Debug)]
pub(super) struct Upstream {
    url: String,
    client: Client,
    turns: Semaphore,
    asked: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Upstream {
    pub(super) fn new(url: &str) -> Result<Upstream, Box<dyn Error + Send + Sync>> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .timeout(Duration::from_secs(120))
            .build()?;
        let url = format!("{}/", url.trim_end_matches('/'));
        Ok(Upstream { url, client, turns: Semaphore::new(AT_ONCE), asked: Mutex::default() })
    }

    /// The locks of the paths that are being recorded, so that each is requested once.
    pub(super) fn turn(&self, path: &str) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.asked.lock().unwrap().entry(path.to_owned()).or_default())
    }

    /// The registry's URL, with a slash at its end.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the body at a path, `None` where the registry has nothing; the error says what went
    /// wrong at the last try.
    pub(super) async fn get(&self, path: &str, accept: &str) -> Result<Option<Vec<u8>>, String> {
        let _turn = self.turns.acquire().await;
        let mut wait = Duration::from_secs(1);
        for _ in 1..TRIES {
            if let Ok(found) = self.try_once(path, accept).await {
                return Ok(found);
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        self.try_once(path, accept).await
    }

    async fn try_once(&self, path: &str, accept: &str) -> Result<Option<Vec<u8>>, String> {
        let path = if path.contains("/-/") { path.to_owned() } else { escaped_scope(path) };
        let asked = self.client.get(format!("{}{path}", self.url)).header("accept", accept);
        let answer = asked
            .header("accept-encoding", "gzip")
            .send()
            .await
            .map_err(|error| without_url(error, &path))?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => return Ok(None),
            status => return Err(format!("{path}: the registry answered {status}")),
        }
        let packed =
            answer.headers().get("content-encoding").is_some_and(|encoding| encoding == "gzip");
        let body = answer.bytes().await.map_err(|error| without_url(error, &path))?;
        if packed {
            unpacked(&body).ok_or_else(|| format!("{path}: not gzip")).map(Some)
        } else {
            Ok(Some(body.into()))
        }
    }
}

/// `@scope/name` as registries want it.
fn escaped_scope(path: &str) -> String {
    if path.starts_with('@') { path.replacen('/', "%2f", 1) } else { path.to_owned() }
}

/// The registry's address is configuration and appears in no message.
fn without_url(error: reqwest::Error, path: &str) -> String {
    let error = error.without_url();
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{path}: {error}{cause}")
}

/// The contents of a gzip file of one member, whose size is in its last four bytes (RFC 1952).
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let size = u32::from_le_bytes(bytes.last_chunk().copied()?);
    let mut body = vec![0; usize::try_from(size).ok()?];
    libdeflater::Decompressor::new()
        .gzip_decompress(bytes, &mut body)
        .ok()
        .filter(|length| *length == body.len())?;
    Some(body)
}
