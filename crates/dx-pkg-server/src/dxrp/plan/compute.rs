//! Makes a plan.

use super::super::packages::Asked;
use super::super::request::refusal;
use super::input::Input;
use super::provider::Registry;
use super::{Computed, Question, now_ms};
use crate::dxrp::Dxrp;
use crate::storage::blocking;
use bytes::Bytes;
use dx_pkg_acquire::package::{needed, real_name};
use dx_pkg_core::{Coded as _, PackageName, Platform};
use dx_pkg_format::dxrp::{Kind, Plan, Refusal, Trouble, encode_message};
use dx_pkg_lock::{Lock, LockPackage, dxl};
use dx_pkg_resolve::Resolution;
use dx_pkg_resolve::peers::{Explanation, Statement};
use std::sync::Arc;

/// The level of Zstandard for locks.
const LEVEL: i32 = 3;

/// A plan that is ready to be sent.
pub(in super::super) struct Planned {
    /// The frames of its message.
    pub(in super::super) frames: Bytes,
    /// The BLAKE3 of its lock.
    pub(in super::super) lock: [u8; 32],
    /// For each entry of the lock, the package that is sent for it.
    pub(in super::super) entries: Vec<Entry>,
}

/// An entry of a plan's lock.
#[derive(Debug, Clone)]
pub(in super::super) struct Entry {
    /// The package; none for the project, links and what is in another one's tarball.
    pub(in super::super) package: Option<Asked>,
    /// Whether it is installed on the platform of the question.
    pub(in super::super) is_installed: bool,
}

/// Answers a question.
pub(super) async fn compute(state: &Arc<Dxrp>, question: Question) -> Computed {
    let input = match Input::read(&question.bytes) {
        Ok(input) => input,
        Err(refusal) => return Computed::new(question, Vec::new(), Err(refusal), false),
    };
    let (is_timed, is_change) = (input.is_timed, input.previous.is_some());
    let provider = Registry::new(state, &question.base, &input);
    let computed = blocking(move || {
        let outcome = resolve(&input, &provider);
        (outcome, provider.rests())
    });
    let (outcome, rests) = computed.await.unwrap_or_else(|failure| {
        (Err(refusal(Trouble::Unavailable, failure.message)), Vec::new())
    });
    Computed { is_change, ..Computed::new(question, rests, outcome, is_timed) }
}

fn resolve(input: &Input, provider: &Registry) -> Result<Planned, Refusal> {
    let (requirements, previous) = (&input.requirements, input.previous.as_ref());
    let resolved = dx_pkg_resolve::resolve(requirements, previous, provider, &input.options);
    let trouble = provider.trouble();
    if let Some(message) = trouble.failed {
        return Err(refusal(Trouble::Unavailable, message));
    }
    if let Some(message) = trouble.unsupported {
        return Err(refusal(Trouble::Unsupported, message));
    }
    let resolution = resolved
        .map_err(|error| refusal(Trouble::Unsupported, format!("{} ({})", error, error.code())))?;
    if !resolution.moves.is_empty() {
        // The client tells which versions were moved, which no lock shows.
        let message = "peer requirements contradict each other and can be solved: only the client \
                       tells how";
        return Err(refusal(Trouble::Unsupported, message));
    }
    let is_endless = |one: &Explanation| matches!(one.statement, Statement::Endless { .. });
    if resolution.explanations.iter().any(is_endless) {
        // It is resolved by other rules then, which the client has to know.
        let message = "npm's rules do not come to an end with these requirements";
        return Err(refusal(Trouble::Unsupported, message));
    }
    if input.options.engine_strict && resolution.unfit.iter().any(|unfit| !unfit.platform) {
        let message = "a package is for another Node.js: only the client decides about that";
        return Err(refusal(Trouble::Unsupported, message));
    }
    planned(&resolution, provider, &input.options.platform)
}

/// Returns the plan of a resolution.
fn planned(
    resolution: &Resolution,
    provider: &Registry,
    platform: &Platform,
) -> Result<Planned, Refusal> {
    let needed = needed::paths(&resolution.lock, platform);
    let is_needed = |package: &LockPackage| needed.contains(package.path.as_str());
    let lock = with_licenses(&resolution.lock, is_needed, provider);
    let encoded = dxl::encode(&lock, [0; 32]);
    let unavailable = |message: &str| refusal(Trouble::Unavailable, message);
    let view = dxl::DxlView::open(&encoded).map_err(|_| unavailable("the plan is too large"))?;
    let unpacked =
        u32::try_from(encoded.len()).map_err(|_| unavailable("the plan is too large"))?;
    let packages = view.to_lock().packages;
    let published = packages.iter().map(|package| published(package, provider)).collect();
    let lock = zstd::bulk::compress(&encoded, LEVEL);
    let lock = lock.map_err(|_| unavailable("the plan cannot be compressed"))?;
    let plan = Plan { computed_ms: now_ms(), published_ms: published, unpacked, lock };
    let is_needed: Vec<bool> = packages.iter().map(is_needed).collect();
    let planned =
        planned_of(&encoded, &plan.encode(), |at| is_needed.get(at).copied().unwrap_or(true));
    planned.ok_or_else(|| unavailable("the plan is too large"))
}

/// Returns the lock with the licences of packages that the client does not get, and so cannot read
/// them from.
fn with_licenses(
    lock: &Lock,
    is_needed: impl Fn(&LockPackage) -> bool,
    provider: &Registry,
) -> Lock {
    let mut lock = lock.clone();
    let is_open = |package: &&mut LockPackage| {
        let is_own = package.path.is_empty() || package.link || package.in_bundle;
        !is_own && package.license.is_none() && !is_needed(package)
    };
    let mut open: Vec<&mut LockPackage> = lock.packages.iter_mut().filter(is_open).collect();
    let versions = open.iter().map(|package| {
        (real_name(package).to_owned(), package.version.clone().unwrap_or_default())
    });
    let licenses = provider.licenses(versions.collect());
    for (package, license) in open.iter_mut().zip(licenses) {
        package.license = license;
    }
    lock
}

/// Returns a plan from its lock in the form DXL and its message; `None` for what is no lock.
pub(super) fn planned_of(
    lock: &[u8],
    payload: &[u8],
    is_installed: impl Fn(usize) -> bool,
) -> Option<Planned> {
    let packages = dxl::DxlView::open(lock).ok()?.to_lock().packages;
    let entries = entries_of(&packages, is_installed);
    if payload.len() as u64 > Kind::Plan.most() {
        return None;
    }
    let frames = encode_message(Kind::Plan, payload).into();
    Some(Planned { frames, lock: *blake3::hash(lock).as_bytes(), entries })
}

fn entries_of(packages: &[LockPackage], is_installed: impl Fn(usize) -> bool) -> Vec<Entry> {
    let entry = |(at, package): (usize, &LockPackage)| {
        let asked = || {
            let is_own = package.path.is_empty() || package.link || package.in_bundle;
            let id = package.package_id().filter(|_| !is_own)?;
            let name = PackageName::parse(real_name(package)).ok()?;
            Some(Asked { id, name, version: package.version.clone()? })
        };
        Entry { package: asked(), is_installed: is_installed(at) }
    };
    packages.iter().enumerate().map(entry).collect()
}

/// Returns when the version of an entry was published, in milliseconds since 1970; 0 where that is
/// unknown.
fn published(package: &LockPackage, provider: &Registry) -> u64 {
    let time = || {
        let loaded = provider.given(real_name(package))?;
        let packument = &loaded.packument;
        packument.version(packument.find_str(package.version.as_deref()?)?).published()
    };
    if package.path.is_empty() || package.link { 0 } else { time().unwrap_or(0) }
}
