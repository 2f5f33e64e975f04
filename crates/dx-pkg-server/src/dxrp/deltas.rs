//! Differences between packages: made when they are asked for, and kept by pair as objects of the
//! cache, `cache/dxrp/<key>/deltas/<aa>/<id>-<from>`, in the form of [`packs`](super::packs).

use super::frames::payload;
use super::packs::{self, Packed};
use super::work::Work;
use crate::lru::Lru;
use crate::signing::Signing;
use crate::storage::{Key, Storage, blocking};
use crate::turns::Turns;
use bytes::Bytes;
use dx_pkg_core::PackageId;
use dx_pkg_format::dxrp::{Kind, MOST_UNPACKED, PackHead, encode_message};
use std::io::Write as _;
use zstd::stream::write::Encoder;
use zstd::zstd_safe::CParameter;

/// The level of Zstandard. Of a new version of a package with 15 MB, level 3 makes 1.39 MB in
/// 0.09 s, level 9 makes 1.11 MB in 0.21 s, level 15 makes 1.03 MB in 3.7 s.
const LEVEL: i32 = 9;
/// The largest window that a decoder takes unless it is told otherwise, as a power of two.
const MOST_WINDOW: u32 = 27;

/// From which package to which.
pub(super) type Pair = (PackageId, PackageId);

/// The differences; see the module.
pub(super) struct Deltas {
    storage: Storage,
    /// What is known of pairs; `None` for those whose difference is not worth sending.
    index: Lru<Pair, Option<Packed>>,
    turns: Turns<Pair>,
}

impl Deltas {
    /// Opens the differences of a storage; what is known of them takes `memory` bytes.
    pub(super) fn new(storage: Storage, memory: usize) -> Self {
        Self { storage, index: Lru::new(memory), turns: Turns::default() }
    }

    /// Returns what is in memory: a difference, or that there is none worth sending.
    pub(super) fn get(&self, pair: &Pair) -> Option<Option<Packed>> {
        self.index.get(pair)
    }

    /// Returns the difference between two packages; `None` where the new one is as well sent whole.
    pub(super) async fn get_or_make(
        &self,
        pair: Pair,
        (old, new): (&Packed, &Packed),
        signing: &Signing,
        work: &Work,
    ) -> Option<Packed> {
        if let Some(known) = self.get(&pair) {
            return known;
        }
        let _turn = self.turns.take(&pair).await;
        if let Some(known) = self.get(&pair) {
            return known;
        }
        let key = key(pair, signing);
        if let Ok(Some(file)) = self.storage.open_object(&key)
            && let Ok(Some(delta)) = blocking(move || packs::open(&file)).await
        {
            return self.keep(pair, Some(delta));
        }
        let sizes = (unpacked(&old.frames)?, unpacked(&new.frames)?);
        // Old, new and both compressed.
        let _room = work.room((sizes.0 + sizes.1) * 2).await;
        let (from, old, new) = (pair.0, old.frames.clone(), new.frames.clone());
        let most = new.len() / 2;
        let made = blocking(move || make(from, (&old, &new), sizes)).await.ok()?;
        let Some(frames) = made.filter(|frames| frames.len() <= most) else {
            return self.keep(pair, None);
        };
        let object = packs::object(frames, "");
        // A full disk costs time, nothing else.
        let _ = self.storage.replace(&key, object.clone()).await;
        self.keep(pair, packs::split(object))
    }

    fn keep(&self, pair: Pair, delta: Option<Packed>) -> Option<Packed> {
        let length = delta.as_ref().map_or(0, |delta| delta.frames.len());
        self.index.put(pair, delta.clone(), length);
        delta
    }
}

fn key((from, to): Pair, signing: &Signing) -> Key {
    let id = to.to_string();
    let folder = Key::of("cache").with("dxrp").with(signing.short_id()).with("deltas");
    folder.with(id.get(..2).unwrap_or_default()).with(&format!("{id}-{from}"))
}

/// Returns the frames of the message with the difference between two packages.
fn make(from: PackageId, (old, new): (&[u8], &[u8]), sizes: (u64, u64)) -> Option<Vec<u8>> {
    let (old, new) = (payload(old), payload(new));
    let (_, old) = PackHead::decode(&old).ok()?;
    let (head, new) = PackHead::decode(&new).ok()?;
    let old = zstd::bulk::decompress(old, usize::try_from(sizes.0).ok()?).ok()?;
    let new = zstd::bulk::decompress(new, usize::try_from(sizes.1).ok()?).ok()?;
    let head = PackHead { from: Some(from), ..head };
    let mut message = head.encode().ok()?;
    // All of the old package has to be within reach from the end of the new one.
    let window = (sizes.0 + sizes.1).max(2).next_power_of_two().ilog2().clamp(17, MOST_WINDOW);
    let mut encoder = Encoder::with_ref_prefix(&mut message, LEVEL, &old).ok()?;
    encoder.set_parameter(CParameter::WindowLog(window)).ok()?;
    encoder.set_parameter(CParameter::EnableLongDistanceMatching(true)).ok()?;
    encoder.set_pledged_src_size(Some(sizes.1)).ok()?;
    encoder.write_all(&new).ok()?;
    encoder.finish().ok()?;
    let fits = message.len() as u64 <= Kind::Delta.most();
    fits.then(|| encode_message(Kind::Delta, &message))
}

/// Returns the size of a package's contents; `None` where it is too large for a difference.
fn unpacked(frames: &Bytes) -> Option<u64> {
    let size = PackHead::decode(&payload(frames)).ok()?.0.package.size();
    (size <= MOST_UNPACKED).then_some(size)
}
