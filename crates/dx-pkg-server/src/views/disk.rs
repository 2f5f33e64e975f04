//! Forms of packuments on disk, so that a restart does not make them anew: one file for each form
//! of a package, in which what was written last replaces what was there. It is a line of JSON, the
//! [`Head`], and then the compressed form.

use super::Ready;
use crate::failure::Failure;
use crate::packument::Form;
use crate::storage::{Key, Storage};
use bytes::Bytes;
use dx_pkg_core::PackageName;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::sync::OnceLock;
use std::time::UNIX_EPOCH;

/// The length from which a form is kept on disk, in bytes of gzip: shorter ones are made as fast as
/// they are read.
const KEPT_FROM: usize = 16 << 10;

/// What tells whether a form is the one that is wanted, and whole.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// The program that made it: another one may write forms differently.
    program: String,
    base: String,
    view: u64,
    source: String,
    etag: String,
    sha256: String,
}

/// The forms on disk.
pub(super) struct Disk {
    storage: Storage,
    program: String,
}

impl Disk {
    pub(super) fn new(storage: Storage) -> Self {
        Self { storage, program: program() }
    }

    /// Returns the form of a document if it is kept. What cannot be read counts as missing.
    pub(super) async fn read(
        &self,
        (name, form): (&PackageName, Form),
        (base, view): (&str, u64),
        source: &str,
    ) -> Option<Ready> {
        let bytes = self.storage.read(&key(name, form)).await.ok()??;
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
        let gzip = bytes.slice(end + 1..);
        let is_wanted = head.program == self.program
            && head.base == base
            && head.view == view
            && head.source == source
            && head.sha256 == hex(&gzip);
        let etag = head.etag;
        let source = source.to_owned();
        is_wanted.then(|| Ready { source, etag, gzip, brotli: OnceLock::new(), plain: None })
    }

    /// Keeps a form, if it is worth that, in place of the one before.
    pub(super) async fn keep(
        &self,
        (name, form): (&PackageName, Form),
        (base, view): (&str, u64),
        ready: &Ready,
    ) -> Result<(), Failure> {
        if ready.gzip.len() < KEPT_FROM {
            return Ok(());
        }
        let head = Head {
            program: self.program.clone(),
            base: base.to_owned(),
            view,
            source: ready.source.clone(),
            etag: ready.etag.clone(),
            sha256: hex(&ready.gzip),
        };
        let mut bytes = serde_json::to_vec(&head).map_err(Failure::internal)?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&ready.gzip);
        self.storage.replace(&key(name, form), Bytes::from(bytes)).await
    }
}

fn key(name: &PackageName, form: Form) -> Key {
    let form = match form {
        Form::Full => "full",
        Form::Abbreviated => "abbreviated",
    };
    Key::of("cache").with("forms").name(name).with(form)
}

/// Returns what tells this program from another build of it: the length and time of its file.
fn program() -> String {
    let file = std::env::current_exe().and_then(std::fs::metadata);
    let stamp = file.and_then(|file| {
        let time = file.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(format!("{}-{}", file.len(), time.as_nanos()))
    });
    format!("{}-{}", env!("CARGO_PKG_VERSION"), stamp.unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
