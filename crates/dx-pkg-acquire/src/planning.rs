//! Plans: the question for one, where a registry can plan what is resolved, and the check of what
//! it answers.
//!
//! A registry is asked only where nothing but manifests, settings and its own packuments decides. A
//! plan is a proposal: the resolver takes it as a lockfile, and what it must not take is refused
//! here.

use std::collections::HashMap;
use std::sync::Arc;

use dx_pkg_compat::lockfile::npm::is_safe;
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::npmrc::ReleaseCutoff;
use dx_pkg_core::{Platform, Spec};
use dx_pkg_format::dxrp::{Plan, PlanChange, PlanQuestion, PlanRules, unpack};
use dx_pkg_lock::dxl::{DxlView, encode};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::pick::PickOptions;
use dx_pkg_resolve::{Options, Placing};

use crate::dxrp::{Dxrp, DxrpError};
use crate::package::{label, lacks_manifests, needed, real_name};
use crate::{Context, ResolverInput};

/// The most bytes of a plan's lock before it was compressed.
const MOST_LOCK: u32 = 256 << 20;
/// The most bytes of a lock that is sent, before it is compressed: as many as a server takes.
const MOST_SENT: u32 = 64 << 20;
/// The level of Zstandard for locks that are sent.
const LEVEL: i32 = 3;

/// Returns the registry that may plan this, with the question; `None` where none is to be asked.
pub(crate) fn question(
    context: &Context,
    input: &ResolverInput,
    previous: Option<&Lock>,
) -> Option<(Arc<Dxrp>, PlanQuestion)> {
    let (dxrp, rules, overrides) = planner(context, input, previous)?;
    let own = &input.requirements;
    let packages = std::iter::once(&own.root).chain(&own.workspaces).map(asked_of).collect();
    let lock = Lock { packages, format_version: 3, ..Lock::default() };
    let importers = encode(&lock, [0; 32]);
    let change = change(context, input, previous)?;
    Some((dxrp, PlanQuestion { rules, overrides, importers, change }))
}

/// Returns what the resolution starts from, if it does from anything; `None` where a question has
/// no place for that.
#[expect(clippy::option_option, reason = "nothing to start from is no reason not to ask")]
fn change(
    context: &Context,
    input: &ResolverInput,
    previous: Option<&Lock>,
) -> Option<Option<PlanChange>> {
    let options = &input.options;
    if previous.is_none() && options.explicit.is_empty() && options.update.is_empty() {
        return Some(None);
    }
    let mut change = PlanChange {
        update: options.update.clone(),
        explicit: options.explicit.clone(),
        explicit_in: options.explicit_in.clone(),
        ..PlanChange::default()
    };
    if let Some(previous) = previous {
        let sources = context.sources().ok()?;
        let is_planned = |package: &LockPackage| {
            let is_version = |version| sources.is_version(package, real_name(package), version);
            !is_in_modules(package)
                || package.link
                || package.in_bundle
                || package.patched.is_none() && package.version.as_deref().is_some_and(is_version)
        };
        if lacks_manifests(previous) || !previous.packages.iter().all(is_planned) {
            return None;
        }
        let lock = encode(previous, [0; 32]);
        change.unpacked = u32::try_from(lock.len()).ok().filter(|length| *length < MOST_SENT)?;
        change.lock = zstd::bulk::compress(&lock, LEVEL).ok()?;
    }
    Some(Some(change))
}

/// Returns the registry that may plan this, with the rules and overrides of the question.
pub(crate) fn planner(
    context: &Context,
    input: &ResolverInput,
    previous: Option<&Lock>,
) -> Option<(Arc<Dxrp>, PlanRules, String)> {
    let config = &context.config;
    // What a lockfile leaves open is little, unless something is.
    let options = &input.options;
    let is_open =
        !input.open.is_empty() || !options.update.is_empty() || !options.explicit.is_empty();
    if config.scoped_registries().next().is_some()
        || !is_plain(input)
        || previous.is_some() && !is_open
    {
        return None;
    }
    let dxrp = context.dxrp_of(config.registry())?;
    let overrides = Manifest::overrides_text(&input.requirements.overrides)?;
    Some((dxrp, rules(context, input)?, overrides))
}

/// Returns whether the resolution depends on nothing that a question has no place for.
fn is_plain(input: &ResolverInput) -> bool {
    let (own, options, policy) = (&input.requirements, &input.options, &input.policy);
    let is_of_registry = |spec: &str| match Spec::parse(spec) {
        Ok(Spec::Alias { spec, .. }) => {
            matches!(*spec, Spec::Range(_) | Spec::Version(_) | Spec::Tag(_))
        }
        Ok(spec) => matches!(spec, Spec::Range(_) | Spec::Version(_) | Spec::Tag(_)),
        Err(_) => false,
    };
    let importers = || std::iter::once(&own.root).chain(&own.workspaces);
    let requirements = || {
        importers().flat_map(|importer| {
            let sections = [
                &importer.dependencies,
                &importer.dev_dependencies,
                &importer.optional_dependencies,
                &importer.peer_dependencies,
            ];
            sections.into_iter().flatten()
        })
    };
    own.pins.is_empty()
        && own.extensions.is_empty()
        && own.exceptions.allowed_peers.is_empty()
        && own.exceptions.any_peers.is_empty()
        && own.exceptions.ignored_optional.is_empty()
        && own.single.is_empty()
        && own.workspaces.iter().all(|workspace| !workspace.link && !workspace.is_outside())
        && own.workspaces.len() == options.workspaces.len()
        && input.aim.is_none()
        && options.more_platforms.is_empty()
        && !options.frozen
        && !options.install_links
        && options.max_packages == Options::MAX_PACKAGES
        && !policy.offline
        && !policy.prefer_offline
        && !policy.prefer_online
        && !policy.full
        && requirements().next().is_some()
        && requirements().all(|(_, spec)| is_of_registry(spec))
}

/// Returns the rules of a question; `None` where it has no place for one of them.
fn rules(context: &Context, input: &ResolverInput) -> Option<PlanRules> {
    let options = &input.options;
    let pick = &options.pick;
    // Exemptions from an age mean nothing where none is demanded.
    let exemptions = if pick.before.is_none() { pick.clone() } else { PickOptions::default() };
    let usual = PickOptions {
        before_only: exemptions.before_only,
        before_exempt: exemptions.before_exempt,
        allows_missing_times: exemptions.allows_missing_times,
        default_tag: options.pick.default_tag.clone(),
        node: options.pick.node.clone(),
        npm: options.pick.npm.clone(),
        before: options.pick.before,
        before_excluded: options.pick.before_excluded.clone(),
        ..PickOptions::default()
    };
    if !usual.is_same(&options.pick) {
        return None;
    }
    let cutoffs = context.config.release_cutoffs().ok()?;
    if cutoffs.is_empty() && options.pick.before.is_some() {
        return None;
    }
    let (mut age, mut before) = (0, u64::MAX);
    for cutoff in cutoffs {
        match cutoff {
            ReleaseCutoff::Before(moment) => before = before.min(moment),
            ReleaseCutoff::MinimumAge(wanted) => {
                age = age.max(u64::try_from(wanted.as_millis()).ok()?);
            }
        }
    }
    let platform = &options.platform;
    Some(PlanRules {
        legacy_peer_deps: options.legacy_peer_deps,
        strict_peer_deps: options.strict_peer_deps,
        prefer_dedupe: options.prefer_dedupe,
        engine_strict: options.engine_strict,
        placing: match options.placing {
            Placing::Hoisted => 0,
            Placing::Shallow => 1,
            Placing::Nested => 2,
        },
        release_age_ms: age,
        release_age_exclude: match pick.before {
            Some(_) => pick.before_excluded.clone(),
            None => Vec::new(),
        },
        before_ms: if before == u64::MAX { 0 } else { before },
        default_tag: options.pick.default_tag.clone(),
        node: options.pick.node.as_ref().map(ToString::to_string).unwrap_or_default(),
        os: platform.os.to_string(),
        cpu: platform.cpu.to_string(),
        libc: platform.libc.as_deref().unwrap_or_default().to_owned(),
    })
}

/// Returns what a resolution reads of a manifest.
fn asked_of(importer: &LockPackage) -> LockPackage {
    LockPackage {
        path: importer.path.clone(),
        name: importer.name.clone(),
        version: importer.version.clone(),
        dependencies: importer.dependencies.clone(),
        dev_dependencies: importer.dev_dependencies.clone(),
        optional_dependencies: importer.optional_dependencies.clone(),
        peer_dependencies: importer.peer_dependencies.clone(),
        peer_dependencies_meta: importer.peer_dependencies_meta.clone(),
        bundle_dependencies: importer.bundle_dependencies.clone(),
        ..LockPackage::default()
    }
}

/// Returns the lock of a plan.
///
/// # Errors
/// It cannot be read, or has something that the resolution must not start from.
pub(crate) fn checked(
    context: &Context,
    input: &ResolverInput,
    previous: Option<&Lock>,
    plan: &Plan,
) -> Result<Lock, DxrpError> {
    let refused = |reason: String| DxrpError::Plan { reason };
    if plan.unpacked > MOST_LOCK {
        return Err(refused(format!("its lock has {} bytes", plan.unpacked)));
    }
    let bytes = unpack(&plan.lock, plan.unpacked as usize)
        .ok_or_else(|| refused("its lock cannot be decompressed".to_owned()))?;
    let view = DxlView::open(&bytes).map_err(|error| refused(error.to_string()))?;
    let mut lock = view.to_lock();
    if !is_safe(&lock) {
        return Err(refused("its lock has paths or versions that no lockfile has".to_owned()));
    }
    if plan.published_ms.len() != lock.packages.len() {
        return Err(refused("it has not one time for each entry".to_owned()));
    }
    check_entries(context, input, previous, (&lock, &plan.published_ms))?;
    let own = &input.requirements;
    for package in lock.packages.iter_mut().filter(|package| !is_in_modules(package)) {
        let importers = std::iter::once(&own.root).chain(&own.workspaces);
        if let Some(importer) = { importers }.find(|importer| importer.path == package.path) {
            package.clone_from(importer);
        }
    }
    take_licenses(&mut lock, previous, &input.options.platform);
    lock.format_version = 3;
    Ok(lock)
}

/// Takes licences from the lock before and, of packages that are not installed here, from the plan.
/// Those of others are taken from the packages themselves, as without a plan.
fn take_licenses(lock: &mut Lock, previous: Option<&Lock>, platform: &Platform) {
    let known = previous.map(Lock::index);
    let needed = needed::paths(lock, platform);
    let is_needed: Vec<bool> =
        lock.packages.iter().map(|package| needed.contains(package.path.as_str())).collect();
    drop(needed);
    for (package, is_needed) in lock.packages.iter_mut().zip(is_needed) {
        if !is_in_modules(package) {
            continue;
        }
        let before = known.as_ref().and_then(|known| known.get(&package.path));
        let before = before.filter(|before| before.integrity == package.integrity);
        let planned = package.license.take().filter(|_| !is_needed);
        package.license = before.and_then(|before| before.license.clone()).or(planned);
    }
}

fn is_in_modules(package: &LockPackage) -> bool {
    package.path.starts_with("node_modules/") || package.path.contains("/node_modules/")
}

/// Returns the integrities of the packages that a lock has, by name and version.
fn locked_integrities(lock: Option<&Lock>) -> HashMap<(&str, &str), Option<&str>> {
    fn entry(package: &LockPackage) -> Option<((&str, &str), Option<&str>)> {
        let version = package.version.as_deref()?;
        Some(((real_name(package), version), package.integrity.as_deref()))
    }
    let packages = lock.into_iter().flat_map(|lock| &lock.packages);
    let packages = packages.filter(|package| is_in_modules(package) && !package.in_bundle);
    packages.filter_map(entry).collect()
}

fn check_entries(
    context: &Context,
    input: &ResolverInput,
    previous: Option<&Lock>,
    (lock, published): (&Lock, &[u64]),
) -> Result<(), DxrpError> {
    let sources =
        context.sources().map_err(|error| DxrpError::Plan { reason: error.to_string() })?;
    let own = &input.requirements;
    let folders: HashMap<&str, &LockPackage> =
        own.workspaces.iter().map(|workspace| (workspace.path.as_str(), workspace)).collect();
    let before = input.options.pick.before;
    let locked = locked_integrities(previous);
    for (package, published) in lock.packages.iter().zip(published) {
        let refused = |what: &str| {
            let reason = format!("{} at {:?} {what}", label(package), package.path);
            Err(DxrpError::Plan { reason })
        };
        if !is_in_modules(package) {
            if package.path.is_empty() || folders.contains_key(package.path.as_str()) {
                continue;
            }
            return refused("is no folder of the project");
        }
        if package.link {
            match package.resolved.as_deref() {
                Some(target) if folders.contains_key(target) => continue,
                _ => return refused("is a link to no workspace"),
            }
        }
        if package.in_bundle {
            continue;
        }
        let name = real_name(package);
        let (Some(version), Some(_)) = (package.version.as_deref(), package.package_id()) else {
            return refused("has no version or integrity");
        };
        if package.patched.is_some() || !sources.is_version(package, name, version) {
            return refused("does not come from the registry");
        }
        match locked.get(&(name, version)) {
            // What a lockfile has may be as young as it is.
            Some(integrity) if *integrity == package.integrity.as_deref() => continue,
            Some(_) => return refused("has another integrity than in the lockfile"),
            None => {}
        }
        let is_excluded = || {
            let scope = name.split_once('/').map(|(scope, _)| format!("{scope}/*"));
            let excluded = &input.options.pick.before_excluded;
            excluded.iter().any(|known| known == name || Some(known) == scope.as_ref())
        };
        if before.is_some_and(|before| *published == 0 || *published > before) && !is_excluded() {
            return refused("is too young, or nobody knows how old it is");
        }
    }
    Ok(())
}
