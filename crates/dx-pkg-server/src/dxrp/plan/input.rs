//! The resolver's input, from a client's question.

use super::super::request::refusal;
use super::now_ms;
use dx_pkg_acquire::input::NPM_VERSION;
use dx_pkg_compat::lockfile::npm::is_safe;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_core::{Platform, Version};
use dx_pkg_format::dxrp::{PlanChange, PlanQuestion, Refusal, Trouble, unpack};
use dx_pkg_lock::dxl::DxlView;
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::pick::PickOptions;
use dx_pkg_resolve::{Options, Placing, Requirements};
use std::collections::HashSet;

/// The most importers of a question, and the most requirements of all of them.
const MOST_IMPORTERS: usize = 10_000;
const MOST_REQUIREMENTS: usize = 100_000;

/// The most bytes of a lock that a plan starts from.
const MOST_LOCK: u32 = 64 << 20;

/// What is resolved, and how.
pub(super) struct Input {
    pub(super) requirements: Requirements,
    /// The lock that is resolved from.
    pub(super) previous: Option<Lock>,
    pub(super) options: Options,
    /// Whether the answer depends on the time of the question.
    pub(super) is_timed: bool,
}

impl Input {
    /// Reads a question.
    ///
    /// # Errors
    /// It cannot be read, or asks for what is not planned here.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let malformed = |reason: &str| {
            refusal(Trouble::Malformed, format!("the question for a plan cannot be read: {reason}"))
        };
        let question =
            PlanQuestion::decode(bytes).map_err(|error| malformed(&error.to_string()))?;
        let view = DxlView::open(&question.importers);
        let view = view.map_err(|error| malformed(&error.to_string()))?;
        if view.packages().len() > MOST_IMPORTERS {
            let message = format!("a plan is for at most {MOST_IMPORTERS} workspaces");
            return Err(refusal(Trouble::TooMuch, message));
        }
        let mut importers = view.to_lock().packages;
        let required: usize =
            importers.iter().map(|importer| importer.requirements().count()).sum();
        if required > MOST_REQUIREMENTS {
            let message = format!("a plan is for at most {MOST_REQUIREMENTS} requirements");
            return Err(refusal(Trouble::TooMuch, message));
        }
        let root = importers.iter().position(|package| package.path.is_empty());
        let root = root.ok_or_else(|| malformed("it has no project"))?;
        let root = importers.remove(root);
        if importers.iter().any(LockPackage::is_outside) {
            let message = "folders outside the project are not planned here";
            return Err(refusal(Trouble::Unsupported, message));
        }
        let overrides = match question.overrides.as_str() {
            "" => Vec::new(),
            text => {
                let manifest = Manifest::parse(&format!("{{\"overrides\":{text}}}"));
                let rules = manifest.and_then(|manifest| manifest.override_rules());
                rules.map_err(|error| malformed(&error.to_string()))?
            }
        };
        let rules = &question.rules;
        let node = match rules.node.as_str() {
            "" => None,
            text => Some(Version::parse(text).map_err(|error| malformed(&error.to_string()))?),
        };
        let change = question.change.unwrap_or_default();
        let previous = locked(&change)?;
        let now = now_ms();
        let aged = (rules.release_age_ms > 0).then(|| now.saturating_sub(rules.release_age_ms));
        let before = (rules.before_ms > 0).then_some(rules.before_ms);
        let libc = Some(&*rules.libc).filter(|libc| !libc.is_empty()).map(Into::into);
        let options = Options {
            pick: PickOptions {
                default_tag: rules.default_tag.clone(),
                node,
                npm: Version::parse(NPM_VERSION).ok(),
                before: aged.into_iter().chain(before).min(),
                before_excluded: rules.release_age_exclude.clone(),
                ..PickOptions::default()
            },
            platform: Platform { os: (&*rules.os).into(), cpu: (&*rules.cpu).into(), libc },
            more_platforms: Vec::new(),
            legacy_peer_deps: rules.legacy_peer_deps,
            strict_peer_deps: rules.strict_peer_deps,
            // As dx does unless it is told otherwise.
            solves_conflicts: true,
            explains_conflicts: false,
            engine_strict: rules.engine_strict,
            known_conflicts: Vec::new(),
            prefer_dedupe: rules.prefer_dedupe,
            placing: match rules.placing {
                1 => Placing::Shallow,
                2 => Placing::Nested,
                _ => Placing::Hoisted,
            },
            update: change.update,
            explicit: change.explicit,
            explicit_in: change.explicit_in,
            removed: Vec::new(),
            workspaces: importers.iter().map(|package| package.path.clone()).collect(),
            frozen: false,
            install_links: false,
            max_packages: Options::MAX_PACKAGES,
        };
        let requirements =
            Requirements { root, workspaces: importers, overrides, ..Requirements::default() };
        Ok(Self { requirements, previous, options, is_timed: aged.is_some() })
    }

    /// Returns what the importers require and the lock does not have of them.
    pub(super) fn open_requirements(&self) -> Vec<(String, String)> {
        fn sections(package: &LockPackage) -> impl Iterator<Item = &(String, String)> {
            let own = [&package.dependencies, &package.dev_dependencies];
            let others = [&package.optional_dependencies, &package.peer_dependencies];
            own.into_iter().chain(others).flatten()
        }
        let own = &self.requirements;
        let importers = std::iter::once(&own.root).chain(&own.workspaces);
        let open = importers.flat_map(|importer| {
            let before = self.previous.as_ref().and_then(|lock| lock.get(&importer.path));
            let known: HashSet<_> = before.into_iter().flat_map(sections).collect();
            sections(importer).filter(move |asked| !known.contains(asked)).cloned()
        });
        open.collect()
    }
}

/// Returns the lock that a change starts from.
fn locked(change: &PlanChange) -> Result<Option<Lock>, Refusal> {
    if change.unpacked == 0 {
        return Ok(None);
    }
    let malformed = || refusal(Trouble::Malformed, "the lock of the question cannot be read");
    if change.unpacked > MOST_LOCK {
        return Err(refusal(Trouble::TooMuch, "the lock of the question is too large"));
    }
    let bytes = unpack(&change.lock, change.unpacked as usize).ok_or_else(malformed)?;
    let view = DxlView::open(&bytes).map_err(|_| malformed())?;
    if view.packages().len() > Options::MAX_PACKAGES {
        return Err(refusal(Trouble::TooMuch, "the lock of the question is too large"));
    }
    let mut lock = view.to_lock();
    lock.format_version = 3;
    if is_safe(&lock) { Ok(Some(lock)) } else { Err(malformed()) }
}
