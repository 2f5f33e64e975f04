//! Tarballs of a source without HTTP reach the sink in pieces.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use dx_pkg_core::{Integrity, IntegrityMismatch, PackageName};
use dx_pkg_fetch::Priority;
use dx_pkg_fetch::stream::Piece;
use dx_pkg_registry::{Source, SourceErrorKind, Streaming, Tarball, TarballRequest, TarballSink};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{mpsc, oneshot};

use super::memory::Memory;

/// A sink that verifies what it receives and keeps it.
struct Keep {
    runtime: Handle,
    integrity: Integrity,
    received: Mutex<Vec<u8>>,
}

impl TarballSink for Keep {
    fn accept(
        self: Arc<Self>,
        tarball: Tarball,
    ) -> Pin<Box<dyn Future<Output = Result<(), IntegrityMismatch>> + Send>> {
        Box::pin(async move { tarball.verify().map(|_| ()) })
    }

    fn begin(self: Arc<Self>, _length: Option<u64>) -> Option<Streaming> {
        let (pieces, mut arriving) = mpsc::channel(1);
        let (done, unpacked) = oneshot::channel();
        let runtime = self.runtime.clone();
        runtime.spawn(async move {
            let mut received = Vec::new();
            while let Some(Piece::Bytes(bytes)) = arriving.recv().await {
                received.extend_from_slice(&bytes);
            }
            let verdict = self.integrity.verify(&received);
            *self.received.lock().unwrap() = received;
            done.send(verdict).unwrap();
        });
        Some(Streaming { pieces, unpacked })
    }
}

/// Requests `a@version`, which should have these bytes; returns what was kept.
fn fetched(version: &str, expected: &[u8]) -> Result<Vec<u8>, SourceErrorKind> {
    let source = Memory::default().publish("a", "1.0.0", &[]);
    let runtime = Builder::new_current_thread().build().unwrap();
    let integrity = Integrity::sha512_of(expected);
    let request = TarballRequest {
        name: PackageName::parse("a").unwrap(),
        version: version.into(),
        url: None,
        integrity: Some(integrity.clone()),
        priority: Priority::Normal,
        estimated_bytes: 0,
    };
    let sink = Keep { runtime: runtime.handle().clone(), integrity, received: Mutex::default() };
    let sink = Arc::new(sink);
    runtime.block_on(source.tarball(request, sink.clone())).map_err(|error| error.kind())?;
    let received = sink.received.lock().unwrap().clone();
    Ok(received)
}

#[test]
fn a_tarball_arrives_verified() {
    assert_eq!(fetched("1.0.0", b"a@1.0.0"), Ok(b"a@1.0.0".to_vec()));
}

#[test]
fn a_wrong_or_missing_tarball_is_an_error() {
    assert_eq!(fetched("1.0.0", b"other"), Err(SourceErrorKind::Invalid));
    assert_eq!(fetched("2.0.0", b"a@2.0.0"), Err(SourceErrorKind::NotFound));
}
