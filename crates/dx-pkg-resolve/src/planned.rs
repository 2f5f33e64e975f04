//! Plans: locks that somebody else has resolved, taken as they are where they satisfy.
//!
//! A plan is what [`crate::resolve`] returns. It is not resolved again from itself, because npm's
//! rules look at a lockfile's peer conflicts once more, and change trees that they have made. What
//! is checked is that every requirement is met in the plan's tree, or is a peer that contradicts
//! another; that nothing is there without a reason; and that all entries say what follows from the
//! tree. Packages that it lacks are looked for: they must be optional, and not to be had.

use dx_pkg_lock::{Lock, LockPackage};
use rustc_hash::FxHashSet;

use crate::build::{self, Builder, split_path};
use crate::entry::same_entry;
use crate::finish;
use crate::tree::NodeId;
use crate::{Options, Provider, Requirements, Resolution, ResolveError};

/// The reason why a plan is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanRefusal {
    /// What it lacks cannot be completed, or its conflicts are an error.
    #[error(transparent)]
    Unresolved(ResolveError),
    /// Its entry of this path is another one, missing, or needless.
    #[error("its entry of {path:?} is missing, needless, or not what is required")]
    Differs {
        /// The path.
        path: String,
    },
}

/// Returns the resolution whose lock is `plan`, apart from the order of its entries; `previous` is
/// the lockfile that it is to start from.
///
/// # Errors
/// The plan does not satisfy the requirements, or has something that they do not lead to.
pub fn accept(
    requirements: &Requirements,
    (previous, plan): (Option<&Lock>, &Lock),
    provider: &dyn Provider,
    options: &Options,
) -> Result<Resolution, PlanRefusal> {
    // What was chosen anew is in the plan.
    let options = Options {
        update: Vec::new(),
        explicit: Vec::new(),
        explicit_in: Vec::new(),
        ..options.clone()
    };
    let start = (previous.is_some(), plan);
    let mut builder = build::start_planned(requirements, start, provider, &options)
        .map_err(PlanRefusal::Unresolved)?;
    builder.run().map_err(PlanRefusal::Unresolved)?;
    if let Some(path) = needless(&builder) {
        return Err(PlanRefusal::Differs { path });
    }
    let taken = finish_planned(builder, requirements, previous, &options);
    let resolution = taken.map_err(PlanRefusal::Unresolved)?;
    match first_difference(plan, &resolution.lock) {
        Some(path) => Err(PlanRefusal::Differs { path }),
        None => Ok(resolution),
    }
}

/// Returns the path of a package that nothing leads to from the project, not even an optional peer,
/// and that no other package brings.
fn needless(builder: &Builder<'_, '_>) -> Option<String> {
    let tree = &builder.tree;
    let mut reached: FxHashSet<NodeId> = FxHashSet::default();
    let mut waiting = vec![tree.root];
    while let Some(node) = waiting.pop() {
        if reached.insert(node) {
            waiting.extend(tree[node].edges_out.iter().filter_map(|edge| tree[*edge].to));
            waiting.extend(tree[node].target);
        }
    }
    let is_needless =
        |node: &NodeId| !reached.contains(node) && !tree[*node].in_bundle && !tree.is_top(*node);
    tree.project_nodes().into_iter().find(is_needless).map(|node| tree.path(node))
}

fn finish_planned(
    builder: Builder<'_, '_>,
    requirements: &Requirements,
    previous: Option<&Lock>,
    options: &Options,
) -> Result<Resolution, ResolveError> {
    let resolution = finish::finish(builder, requirements, previous, options)?;
    // Whether they stand in every further resolution takes packuments that a plan saves.
    let is_whole = resolution.accepted_conflicts.as_ref().is_some_and(Vec::is_empty);
    let accepted_conflicts = resolution.accepted_conflicts.filter(|_| is_whole);
    Ok(Resolution { accepted_conflicts, ..resolution })
}

/// Returns the first path at which two locks differ, apart from the order of keys. Of folders their
/// own manifests tell everything.
fn first_difference(plan: &Lock, found: &Lock) -> Option<String> {
    fn sorted(lock: &Lock) -> Vec<&LockPackage> {
        let mut packages: Vec<&LockPackage> = lock.packages.iter().collect();
        packages.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        packages
    }
    let (plan, found) = (sorted(plan), sorted(found));
    let is_folder = |package: &LockPackage| split_path(&package.path).is_none();
    let differs = |(a, b): &(&&LockPackage, &&LockPackage)| {
        a.path != b.path || !is_folder(a) && !same_entry(a, b)
    };
    let different = plan.iter().zip(&found).find(differs);
    let different = different.map(|(a, b)| a.path.as_str().min(&b.path));
    let further = || plan.get(found.len()).or_else(|| found.get(plan.len()));
    different.or_else(|| further().map(|package| package.path.as_str())).map(str::to_owned)
}
