//! Tarballs as a source delivers them: whole, or piece by piece while they arrive.

use std::pin::Pin;
use std::sync::Arc;

use dx_pkg_core::{Integrity, IntegrityMismatch, PackageName};
use dx_pkg_fetch::stream::Piece;
use dx_pkg_fetch::{Bytes, Priority, Response, Slot, Verdict};

use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;

/// A request for a tarball.
#[derive(Debug, Clone)]
pub struct TarballRequest {
    /// The package.
    pub name: PackageName,
    /// Its version, for the conventional address where there is no other.
    pub version: Box<str>,
    /// The lockfile's `resolved` or the packument's `dist.tarball`.
    pub url: Option<Box<str>>,
    /// The integrity the bytes must have; without it they are not checked.
    pub integrity: Option<Integrity>,
    /// The urgency of the request.
    pub priority: Priority,
    /// The expected size in bytes; of equal urgency the largest goes first.
    pub estimated_bytes: u64,
}

/// A tarball that has arrived whole.
///
/// It holds its slot among the transfers until [`Self::verify`]'s result is dropped. Keeping the
/// slot until the tarball is unpacked lets a slow processor hold back a fast network, so that
/// memory stays bounded. A caller that collects tarballs without unpacking them must drop the
/// slots, or the next transfers never start.
#[derive(Debug)]
pub struct Tarball {
    /// The gzipped tar, as published.
    pub bytes: Bytes,
    slot: Slot,
    verdict: Verdict,
}

/// The bytes of a tarball whose integrity is right, with its slot among the transfers.
pub type Verified = (Bytes, Slot);

impl Tarball {
    /// Verifies the integrity. Small tarballs were not hashed while they arrived, so it may take a
    /// millisecond or two.
    ///
    /// # Errors
    /// The mismatch, which the sink returns so that the tarball is requested once more.
    pub fn verify(self) -> Result<Verified, IntegrityMismatch> {
        self.verdict.of(&self.bytes).map(|()| (self.bytes, self.slot))
    }
}

impl From<Response> for Tarball {
    fn from(response: Response) -> Self {
        Self { bytes: response.body, slot: response.slot, verdict: response.verdict }
    }
}

/// A tarball that is unpacked while it arrives.
#[derive(Debug)]
pub struct Streaming {
    /// The channel for its pieces; a full channel holds back the network.
    pub pieces: Sender<Piece>,
    /// Completes once the tarball has arrived: with the mismatch if its integrity is wrong, so that
    /// it is requested once more. Other errors stay with the sink. It is dropped where the tarball
    /// breaks off.
    pub unpacked: oneshot::Receiver<Result<(), IntegrityMismatch>>,
}

/// The receiver of one tarball.
pub trait TarballSink: Send + Sync + 'static {
    /// Unpacks a whole tarball, after [`Tarball::verify`]. Other errors than a mismatch stay with
    /// the sink.
    fn accept(
        self: Arc<Self>,
        tarball: Tarball,
    ) -> Pin<Box<dyn Future<Output = Result<(), IntegrityMismatch>> + Send>>;

    /// Begins to unpack a tarball of `length` bytes while it arrives, verifying it by itself;
    /// `None` to receive it whole. A tarball without a known length is large.
    fn begin(self: Arc<Self>, length: Option<u64>) -> Option<Streaming>;
}
