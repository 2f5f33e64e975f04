//! Differences between packages: made when they are asked for, and kept by pair as objects of the
//! cache, `cache/dxrp/<key>/deltas/<aa>/<id>-<from>`, in the form of [`packs`](super::packs).
//!
//! Whoever asks first gets one that is made quickly. A smaller one, which takes ten times as long,
//! is made after that by a thread of lowest priority, one at a time, and takes its place.

use super::frames::payload;
use super::packs::{self, Packed};
use super::work::Work;
use crate::lru::Lru;
use crate::signing::Signing;
use crate::storage::{Key, Storage, blocking};
use crate::turns::Turns;
use bytes::Bytes;
use dx_pkg_core::PackageId;
use dx_pkg_format::dxrp::{Kind, MOST_COMPARED, PackHead, encode_message};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::sync::{Mutex, Semaphore, oneshot};
use zstd::stream::write::Encoder;
use zstd::zstd_safe::CParameter;

/// The levels of Zstandard: of the first difference, and of the one that takes its place. Measured
/// in docs/design/0020.
const QUICK: i32 = 12;
const BEST: i32 = 22;
/// The largest tables of Zstandard, as powers of two: with these it takes at most 160 MiB besides
/// the packages.
const MOST_CHAIN: u32 = 25;
const MOST_HASH: u32 = 23;
/// The least bytes of a repeated text that is looked for in all of both packages.
const LONG: u32 = 128;
/// The length of a difference from which on a smaller one is made, in bytes.
const IMPROVED: usize = 8 << 10;
/// The most differences that wait to be made smaller. One more stays as it is until it is read from
/// the disk again.
const MOST_WAITING: usize = 256;
/// The largest window that a decoder takes unless it is told otherwise, as a power of two.
const MOST_WINDOW: u32 = 27;

/// From which package to which.
pub(super) type Pair = (PackageId, PackageId);

/// The differences; see the module.
pub(super) struct Deltas {
    kept: Arc<Kept>,
    turns: Turns<Pair>,
}

struct Kept {
    storage: Storage,
    /// What is known of pairs; `None` for those whose difference is not worth sending.
    index: Lru<Pair, Option<Packed>>,
    waiting: Arc<Semaphore>,
    /// Held by the one that is made smaller.
    improving: Mutex<()>,
    made: AtomicU64,
    improved: AtomicU64,
}

/// Two packages, and the size of their contents in bytes.
struct Both {
    pair: Pair,
    old: Bytes,
    new: Bytes,
    sizes: (u64, u64),
}

impl Deltas {
    /// Opens the differences of a storage; what is known of them takes `memory` bytes.
    pub(super) fn new(storage: Storage, memory: usize) -> Self {
        let kept = Kept {
            storage,
            index: Lru::new(memory),
            waiting: Arc::new(Semaphore::new(MOST_WAITING)),
            improving: Mutex::default(),
            made: AtomicU64::default(),
            improved: AtomicU64::default(),
        };
        Self { kept: Arc::new(kept), turns: Turns::default() }
    }

    /// Returns what is in memory: a difference, or that there is none worth sending.
    pub(super) fn get(&self, pair: &Pair) -> Option<Option<Packed>> {
        self.kept.index.get(pair)
    }

    /// Returns how many were made.
    pub(super) fn made(&self) -> u64 {
        self.kept.made.load(Relaxed)
    }

    /// Returns how many were made smaller.
    pub(super) fn improved(&self) -> u64 {
        self.kept.improved.load(Relaxed)
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
        let sizes = (unpacked(&old.frames)?, unpacked(&new.frames)?);
        let both = Both { pair, old: old.frames.clone(), new: new.frames.clone(), sizes };
        if let Ok(Some(file)) = self.kept.storage.open_object(&key)
            && let Ok(Some(delta)) = blocking(move || packs::open(&file)).await
        {
            let delta = self.kept.keep(pair, Some(delta))?;
            if level(&delta) < Some(BEST) {
                self.improve(both, &delta, key);
            }
            return Some(delta);
        }
        // Old, new and both compressed.
        let room = work.room((sizes.0 + sizes.1) * 2).await;
        let (made, both) = blocking(move || (make(&both, QUICK), both)).await.ok()?;
        drop(room);
        self.kept.made.fetch_add(1, Relaxed);
        let Some(frames) = made.filter(|frames| frames.len() <= both.new.len() / 2) else {
            return self.kept.keep(pair, None);
        };
        let delta = self.kept.store(pair, &key, frames, QUICK).await?;
        self.improve(both, &delta, key);
        Some(delta)
    }

    /// Lets a smaller difference be made in the background.
    fn improve(&self, both: Both, quick: &Packed, key: Key) {
        let most = quick.frames.len();
        if most < IMPROVED {
            return;
        }
        let Ok(place) = Arc::clone(&self.kept.waiting).try_acquire_owned() else { return };
        let kept = Arc::clone(&self.kept);
        tokio::spawn(async move {
            let _place = place;
            let _turn = kept.improving.lock().await;
            let pair = both.pair;
            let made = in_background(move || make(&both, BEST)).await;
            if let Some(frames) = made.filter(|frames| frames.len() <= most) {
                kept.store(pair, &key, frames, BEST).await;
                kept.improved.fetch_add(1, Relaxed);
            }
        });
    }
}

impl Kept {
    /// Writes a difference, and keeps it.
    async fn store(&self, pair: Pair, key: &Key, frames: Vec<u8>, level: i32) -> Option<Packed> {
        let object = packs::object(frames, &format!("level@{level}"));
        // A full disk costs time, nothing else.
        let _ = self.storage.replace(key, object.clone()).await;
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

/// Returns the level at which a difference was made.
fn level(delta: &Packed) -> Option<i32> {
    delta.label()?.1.parse().ok()
}

/// Runs `work` on a thread of lowest priority; `None` where there is no thread.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Option<T> + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = oneshot::channel();
    let run = move || {
        dx_pkg_os::process::thread_in_background();
        // Nobody waits any more where the process ends.
        let _ = sender.send(work());
    };
    std::thread::Builder::new().name("difference".to_owned()).spawn(run).ok()?;
    receiver.await.ok()?
}

/// Returns the frames of the message with the difference between two packages.
fn make(both: &Both, level: i32) -> Option<Vec<u8>> {
    let Both { pair, sizes, .. } = both;
    let (old, new) = (payload(&both.old), payload(&both.new));
    let (_, old) = PackHead::decode(&old).ok()?;
    let (head, new) = PackHead::decode(&new).ok()?;
    let old = zstd::bulk::decompress(old, usize::try_from(sizes.0).ok()?).ok()?;
    let new = zstd::bulk::decompress(new, usize::try_from(sizes.1).ok()?).ok()?;
    let head = PackHead { from: Some(pair.0), ..head };
    let mut message = head.encode().ok()?;
    // All of the old package has to be within reach from the end of the new one.
    let window = (sizes.0 + sizes.1).max(2).next_power_of_two().ilog2().clamp(17, MOST_WINDOW);
    let mut encoder = Encoder::with_ref_prefix(&mut message, level, &old).ok()?;
    encoder.set_parameter(CParameter::WindowLog(window)).ok()?;
    encoder.set_parameter(CParameter::EnableLongDistanceMatching(true)).ok()?;
    encoder.set_parameter(CParameter::LdmMinMatch(LONG)).ok()?;
    if level == BEST {
        encoder.set_parameter(CParameter::ChainLog(MOST_CHAIN.min(window + 1))).ok()?;
        encoder.set_parameter(CParameter::HashLog(MOST_HASH.min(window))).ok()?;
    }
    encoder.set_pledged_src_size(Some(sizes.1)).ok()?;
    encoder.write_all(&new).ok()?;
    encoder.finish().ok()?;
    let fits = message.len() as u64 <= Kind::Delta.most();
    fits.then(|| encode_message(Kind::Delta, &message))
}

/// Returns the size of a package's contents; `None` where it is too large for a difference.
fn unpacked(frames: &Bytes) -> Option<u64> {
    let size = PackHead::decode(&payload(frames)).ok()?.0.package.size();
    (size <= MOST_COMPARED).then_some(size)
}
