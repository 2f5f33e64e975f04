//! Tarballs of upstreams: fetched once, checked before anything of them is kept or sent.

use super::client::{Refusal, bad_gateway};
use super::{Upstreams, VersionEntry};
use crate::failure::Failure;
use crate::origin::Registry;
use crate::storage::Temporary;
use crate::tarballs::Found;
use axum::http::StatusCode;
use bytes::Bytes;
use dx_pkg_core::{Integrity, PackageName};
use dx_pkg_fetch::stream::{Beginning, OpenStream, Piece};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use url::Url;

/// The length from which a tarball goes to disk while it arrives, in bytes.
const SPOOLED: u64 = 1 << 20;
/// The pieces of a tarball that wait to be written.
const WAITING: usize = 16;

impl Upstreams {
    /// Returns the tarball of a version, from the cache or the upstream.
    ///
    /// # Errors
    /// 404 where the upstream does not have it; 5xx where it fails, or sends other bytes than those
    /// that were published.
    pub(crate) async fn tarball(
        &self,
        registry: &Registry,
        name: &PackageName,
        version: &str,
        entry: &VersionEntry,
    ) -> Result<(Bytes, Integrity), Failure> {
        let Some(integrity) = &entry.integrity else {
            let message = "the upstream gives no digest of this tarball, so it is not passed on";
            return Err(bad_gateway(message));
        };
        let done = |bytes| Ok((bytes, integrity.clone()));
        if let Found::Whole(bytes) = self.tarballs.open(integrity).await? {
            return done(bytes);
        }
        let _turn = self.tarballs.turn(integrity).await;
        match self.tarballs.open(integrity).await? {
            Found::Whole(bytes) => return done(bytes),
            Found::Missing => {}
            Found::Damaged => {
                let fields = json!({ "package": name.as_str(), "version": version });
                self.log.error("a cached tarball is damaged, and is fetched again", &fields);
                self.tarballs.remove(integrity).await?;
            }
        }
        if let Some(bytes) = self.fetch_tarball(registry, name, entry, integrity).await? {
            return done(bytes);
        }
        match self.tarballs.open(integrity).await? {
            Found::Whole(bytes) => done(bytes),
            _ => Err(Failure::internal(format!("the tarball of {name}@{version} is gone at once"))),
        }
    }

    /// Fetches and stores a tarball; returns it if it could not be stored.
    async fn fetch_tarball(
        &self,
        registry: &Registry,
        name: &PackageName,
        entry: &VersionEntry,
        integrity: &Integrity,
    ) -> Result<Option<Bytes>, Failure> {
        let url: Url = entry
            .url
            .parse()
            .map_err(|_| bad_gateway("the upstream gives no address of this tarball"))?;
        let spool = Arc::new(Spool::default());
        let storage = self.storage.clone();
        let (opened, checked) = (Arc::clone(&spool), integrity.clone());
        let open: OpenStream = Arc::new(move |beginning: Beginning| {
            if beginning.is_encoded || beginning.length.is_some_and(|length| length < SPOOLED) {
                return None;
            }
            let file = storage.temporary().ok()?;
            let (sender, receiver) = mpsc::channel(WAITING);
            opened.set(tokio::spawn(write(receiver, file, checked.clone())));
            Some(sender)
        });
        let response =
            self.client.tarball(registry, url, |request| request.stream(Arc::clone(&open))).await;
        let response = response.map_err(|refusal| match refusal {
            Refusal::Missing => {
                Failure::not_found(format!("the upstream has no tarball of {name}"))
            }
            Refusal::Failed(failure) => failure,
        })?;
        if response.is_streamed {
            let writing = spool.take().ok_or_else(|| Failure::internal("no stream was opened"))?;
            let file = writing.await.map_err(Failure::internal)??;
            self.tarballs.store(integrity, file).await?;
            return Ok(None);
        }
        check(integrity, &response.body)?;
        match self.store_bytes(integrity, &response.body).await {
            // Reading goes on although the disk is full.
            Err(failure) if failure.status == StatusCode::INSUFFICIENT_STORAGE => {
                Ok(Some(response.body))
            }
            result => result.map(|()| None),
        }
    }

    async fn store_bytes(&self, integrity: &Integrity, bytes: &[u8]) -> Result<(), Failure> {
        let mut file = self.storage.temporary()?;
        let fault = |error: std::io::Error| Failure::of_io("write", "a tarball", &error);
        file.write(bytes).map_err(fault)?;
        self.tarballs.store(integrity, file).await
    }
}

type Writing = tokio::task::JoinHandle<Result<Temporary, Failure>>;

/// The task that writes what arrives; the last one, if a try was repeated.
#[derive(Default)]
struct Spool(Mutex<Option<Writing>>);

impl Spool {
    fn set(&self, task: Writing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }

    fn take(&self) -> Option<Writing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Writes a tarball as it arrives; succeeds once it is complete and what it should be.
async fn write(
    mut pieces: mpsc::Receiver<Piece>,
    mut file: Temporary,
    integrity: Integrity,
) -> Result<Temporary, Failure> {
    let mut checker = integrity.checker();
    while let Some(piece) = pieces.recv().await {
        match piece {
            Piece::Bytes(bytes) => {
                checker.update(&bytes);
                file.write(&bytes).map_err(|error| Failure::of_io("write", "a tarball", &error))?;
            }
            Piece::End => {
                checker.finish().map_err(|mismatch| mismatched(&mismatch))?;
                return Ok(file);
            }
        }
    }
    Err(bad_gateway("the upstream broke off the tarball: try again later"))
}

fn check(integrity: &Integrity, bytes: &[u8]) -> Result<(), Failure> {
    integrity.verify(bytes).map_err(|mismatch| mismatched(&mismatch))
}

fn mismatched(mismatch: &dyn std::fmt::Display) -> Failure {
    let message = "the upstream sends another tarball than was published: it is not passed on";
    bad_gateway(message).detail(mismatch)
}
