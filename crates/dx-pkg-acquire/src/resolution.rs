//! Resolves a project against the packument cache and the registries.

use std::cell::OnceCell;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dx_pkg_format::dxrp::Plan;
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_registry::PlanRequest;
use dx_pkg_resolve::dedupe::{Aim, Fewer, minimise};
use dx_pkg_resolve::{Resolution, ResolveError};

use crate::downloads::PlanError;
use crate::dxrp::{Carrier, Dxrp, DxrpError};
use crate::external::{Externals, is_same_revision};
use crate::metadata::{
    FirstRequests, LocalSources, MetadataBasis, MetadataPolicy, MetadataProvider,
};
use crate::notes::Note;
use crate::package::lacks_manifests;
use crate::prediction::History;
use crate::upgrade::upgrade;
use crate::{AcquireError, Context, Counters, Downloads, ResolverInput, local, planning};

/// A resolution with the part of the metadata cache it depends on.
#[derive(Debug)]
pub struct Resolved {
    /// The resolution.
    pub resolution: Resolution,
    /// The metadata it depends on; `None` where it is not repeatable.
    pub basis: Option<MetadataBasis>,
    /// The packages of a completed lockfile about which no registry knows anything:
    /// `name@version`.
    pub unknown: Vec<String>,
    /// What the search for fewer versions came to, where there was one.
    pub fewer: Option<Fewer>,
}

/// A share of the time after which the search for fewer versions ends with the best that it has
/// found; there are four.
const MOST_SEARCHING: Duration = Duration::from_secs(10);

/// The pause before a plan is asked for again whose stream broke off.
const PAUSE: Duration = Duration::from_millis(300);

/// Resolves the project in the folder `root`. `previous` is its lockfile, which is completed first
/// where it lacks manifests; `downloads` receives packages as they are placed. Without it only
/// packages that bundle others are fetched, as their tarballs alone tell what is in them.
///
/// # Errors
/// A package cannot be loaded, or the requirements have no solution.
pub fn resolve(
    context: &Arc<Context>,
    root: &Path,
    input: &ResolverInput,
    previous: Option<&Lock>,
    downloads: Option<&Downloads>,
    counters: &Arc<Counters>,
    first: Option<FirstRequests>,
) -> Result<Resolved, AcquireError> {
    let places = local::places(root, &context.config);
    let is_importer = |folder: &str| folder.is_empty() || input.has_workspace(folder);
    let locked = |from: &str, name: &str, spec: &str| {
        let dependent = previous?.get(from);
        let before = dependent.and_then(|dependent| dependent.requirement_for(name));
        is_same_revision(before, spec).then(|| previous?.resolve(from, name).cloned()).flatten()
    };
    let recorded = |url: &str| {
        let mut entries = previous?.packages.iter();
        entries.find(|entry| entry.resolved.as_deref() == Some(url))?.integrity.clone()
    };
    let sources = Externals::new(context, &places, downloads, counters, &is_importer, &locked)
        .demanding(&recorded)
        .renewing(&input.options.update, &input.options.explicit)
        .expecting(&input.open);
    let externals = |name: &str, spec: &str, from: &str| sources.load(name, spec, from);
    let bundles = |package: &LockPackage| local::bundled(context, downloads, counters, package);
    let history = History::new(&context.config, &context.store);
    let likely = || history.likely(&input.open, previous);
    let local = LocalSources {
        downloads,
        externals: &externals,
        bundles: &bundles,
        places: &places,
        likely: &likely,
    };
    let provider = |policy: MetadataPolicy| input.provider(context, policy, local, counters);
    if let Some(resolved) = by_plan(context, input, previous, downloads, &provider)? {
        return Ok(resolved);
    }
    let lacking = previous.filter(|lock| lacks_manifests(lock));
    let upgraded =
        lacking.map(|lock| upgrade(context, input, lock, &sources, counters)).transpose()?;
    let resolve_with = |provider: &MetadataProvider<'_>, previous: Option<&Lock>| {
        let (requirements, options) = (&input.requirements, &input.options);
        if let Some(aim) = input.aim {
            let previous = upgraded.as_ref().map(|upgraded| &upgraded.lock).or(previous);
            return search(context, input, aim, previous, provider)
                .map(|(resolution, found)| (resolution, Some(found)));
        }
        let resolution = match (previous, &upgraded) {
            (Some(previous), Some(upgraded)) => {
                let locks = (previous, &upgraded.lock);
                dx_pkg_resolve::resolve_upgraded(requirements, locks, provider, options)
            }
            _ => dx_pkg_resolve::resolve(requirements, previous, provider, options),
        };
        resolution.map(|resolution| (resolution, None))
    };
    let cached = match first {
        Some(first) => {
            first.provider(context, input.options.pick.clone(), input.open.clone(), local)
        }
        None => provider(input.policy),
    };
    let outcome = resolve_with(&cached, previous);
    counters.record_prefetched(cached.finish_prefetching());
    let ((resolution, fewer), basis) = match outcome {
        // The version may have been published since the packument was cached.
        Err(ResolveError::NoVersion { .. }) if cached.used_cache() && !input.policy.offline => {
            let current = provider(MetadataPolicy {
                prefer_offline: false,
                prefer_online: true,
                ..input.policy
            });
            (resolve_with(&current, previous)?, current.basis())
        }
        outcome => (outcome?, cached.basis()),
    };
    if input.policy.speculative && counters.packuments_requested.get() > 0 {
        history.learn(&resolution.lock);
    }
    mark_conflicts(context, input, &resolution);
    let unknown = upgraded.map(|upgraded| upgraded.unknown).unwrap_or_default();
    Ok(Resolved { resolution, basis, unknown, fewer })
}

/// Searches for the fewest versions, until the time for that is over.
fn search(
    context: &Context,
    input: &ResolverInput,
    aim: Aim,
    previous: Option<&Lock>,
    provider: &MetadataProvider<'_>,
) -> Result<(Resolution, Fewer), ResolveError> {
    // From the first question on: what is loaded before it may take any time.
    let began = OnceCell::new();
    let is_over = |shares| {
        let elapsed = began.get_or_init(Instant::now).elapsed();
        elapsed > shares * MOST_SEARCHING || context.cancel.is_cancelled()
    };
    minimise(&input.requirements, previous, provider, &input.options, aim, &is_over)
}

/// Takes the plan of a source that resolves by itself as it is; `None` where there is none, or it
/// does not satisfy.
fn by_plan<'a>(
    context: &Context,
    input: &ResolverInput,
    previous: Option<&Lock>,
    downloads: Option<&Downloads>,
    provider: &impl Fn(MetadataPolicy) -> MetadataProvider<'a>,
) -> Result<Option<Resolved>, AcquireError> {
    let Some(plan) = propose(context, input, previous, downloads)? else { return Ok(None) };
    // What a plan holds need not be asked for, but for what it leaves out.
    let policy = MetadataPolicy { speculative: false, follows: false, ..input.policy };
    let provider = provider(policy);
    let taken = dx_pkg_resolve::change::accept(
        &input.requirements,
        (previous, &plan),
        &provider,
        &input.options,
    );
    context.cancel.check()?;
    match taken {
        Ok(resolution) => {
            mark_conflicts(context, input, &resolution);
            // What a plan was made from is not known here.
            let (basis, unknown, fewer) = (None, Vec::new(), None);
            Ok(Some(Resolved { resolution, basis, unknown, fewer }))
        }
        Err(refusal) => {
            let plan = DxrpError::Plan { reason: refusal.to_string() };
            context.notes.add(Note::Detail(format!("dxrp: {plan}; the rest comes over HTTP")));
            Ok(None)
        }
    }
}

/// Requests a plan from a source that resolves by itself, where the network is in use already.
fn propose(
    context: &Context,
    input: &ResolverInput,
    previous: Option<&Lock>,
    downloads: Option<&Downloads>,
) -> Result<Option<Lock>, AcquireError> {
    if let Some((dxrp, question)) = planning::question(context, input, previous) {
        return by_dxrp(context, input, (previous, downloads), &dxrp, &question.encode());
    }
    let network = context.network_used().filter(|_| previous.is_none() && input.aim.is_none());
    let Some(network) = network else { return Ok(None) };
    let request = PlanRequest { requirements: &input.requirements, options: &input.options };
    let Some(plan) = network.source.plan(request) else { return Ok(None) };
    Ok(Some(network.runtime.block_on(plan)?))
}

/// Remembers the conflicts of which this machine is told now.
fn mark_conflicts(context: &Context, input: &ResolverInput, resolution: &Resolution) {
    if input.options.solves_conflicts && !input.options.frozen && resolution.refused_by_npm {
        // A mark that cannot be written costs a look at the next install.
        let told = resolution.conflicts.iter().map(ToString::to_string);
        told.for_each(|text| drop(context.store.mark_conflict(&text)));
    }
}

/// Requests a plan by DXRP. Whatever keeps a registry from planning keeps nobody from resolving,
/// but for another key.
fn by_dxrp(
    context: &Context,
    input: &ResolverInput,
    (previous, downloads): (Option<&Lock>, Option<&Downloads>),
    dxrp: &Arc<Dxrp>,
    question: &[u8],
) -> Result<Option<Lock>, AcquireError> {
    let network = context.network()?;
    match dxrp.carrier(&network) {
        Ok(Carrier::None) => return Ok(None),
        Ok(_) => {}
        Err(error) => {
            dxrp.explain(&error);
            return Ok(None);
        }
    }
    let check = |plan: &Plan| planning::checked(context, input, previous, plan);
    // Of a change, most packages are there, and others may come as differences from those.
    let takes_all = previous.is_none() && context.config.omit()?.is_empty();
    let ask = || match downloads.filter(|_| takes_all) {
        Some(downloads) => downloads.plan(dxrp, question, &input.options.platform, check),
        None => dxrp.plan(&network, question).and_then(|plan| check(&plan)).map_err(Into::into),
    };
    // A stream that breaks off before the plan has come says nothing about the plan.
    let lock = ask().or_else(|error| match error {
        PlanError::Dxrp(error) if error.is_broken() && dxrp.pause(PAUSE) => {
            dxrp.explain_repetition(&error);
            ask()
        }
        error => Err(error),
    });
    match lock {
        Ok(lock) => Ok(Some(lock)),
        Err(PlanError::Acquire(error)) => Err(error),
        Err(PlanError::Dxrp(error @ DxrpError::OtherKey { .. })) => {
            Err(AcquireError::Dxrp(Arc::new(error)))
        }
        Err(PlanError::Dxrp(error)) => {
            dxrp.explain(&error);
            Ok(None)
        }
    }
}

impl ResolverInput {
    fn has_workspace(&self, folder: &str) -> bool {
        self.options.workspaces.iter().any(|workspace| workspace == folder)
    }

    /// Sends the first requests of a resolution; see [`FirstRequests`]. `locked` is the project's
    /// lockfile.
    pub fn first_requests(
        &self,
        context: &Context,
        locked: Option<&Lock>,
        counters: &Arc<Counters>,
    ) -> Option<FirstRequests> {
        if let Some((dxrp, ..)) = planning::planner(context, self, locked)
            && let Ok(network) = context.network()
            // Whoever has not been asked yet is asked now: it costs one exchange.
            && dxrp.may_plan(&network)
        {
            // They would be in vain where there is a plan.
            dxrp.warm(network, crate::downloads::STREAMS);
            return None;
        }
        let likely = || History::new(&context.config, &context.store).likely(&self.open, locked);
        let pick = self.options.pick.clone();
        FirstRequests::send(context, self.policy, pick, &self.open, likely, counters)
    }

    /// Returns the resolver's provider for this input.
    pub fn provider<'a>(
        &self,
        context: &'a Context,
        policy: MetadataPolicy,
        local: LocalSources<'a>,
        counters: &Arc<Counters>,
    ) -> MetadataProvider<'a> {
        let (pick, seeds) = (self.options.pick.clone(), self.open.clone());
        MetadataProvider::new(context, policy, pick, seeds, local, counters.clone())
    }
}
