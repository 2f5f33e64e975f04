//! Incremental resolution: the effect of changed requirements on a complete lock, at a cost that
//! depends on the change.
//!
//! A lock is *complete* when resolving the same requirements again would keep it as it is. The
//! resolution then runs in a tree reduced to the packages that the change can touch: all packages
//! of the names that may be placed, replaced or removed, their dependents, and the packages they
//! are nested in. When it comes upon further names, it runs again with these added. In any doubt
//! `whole` resolves everything, as [`crate::resolve`] does; all give the same lock.

mod scope;
mod whole;

use std::cmp::Ordering;

use dx_pkg_lock::dxl::DxlView;
use dx_pkg_lock::{LockPackage, locale_compare};
use rustc_hash::FxHashSet;

use crate::build::{self, Builder};
use crate::complete::is_left_open;
use crate::entry::{entry, same_entry};
use crate::peers::Conflict;
use crate::place::Placing;
use crate::tree::{DependencyTree, EdgeId, Flags, NodeId};
use crate::{Options, Provider, Requirements, Unfit, flags};

use scope::Scope;

pub use crate::planned::{PlanRefusal, accept};

/// The number of runs after which incremental resolution is given up.
const MAX_ROUNDS: usize = 12;

/// The lockfile entries that a change of requirements adds, changes or removes, apart from the
/// project's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// New and changed entries, in the lockfile's order; all of them are installed.
    pub entries: Vec<LockPackage>,
    /// Paths of removed entries.
    pub removed: Vec<String>,
    /// The findings about the whole tree; `None` where they are those of the lock.
    pub findings: Option<Findings>,
}

/// The findings of a resolution about the whole tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// See [`crate::Resolution::conflicts`].
    pub conflicts: Vec<Conflict>,
    /// See [`crate::Resolution::unfit`].
    pub unfit: Vec<Unfit>,
    /// See [`crate::Resolution::authors_folders`].
    pub authors_folders: Vec<String>,
    /// Whether the changed lock is complete, without any conflict.
    pub is_complete: bool,
}

/// Resolves `requirements` as [`crate::resolve`] would from the lock `locked`. `installed` are
/// those of its packages that are installed. If the lock is complete
/// ([`crate::Resolution::accepted_conflicts`]), `disputed` are the names of packages that it has
/// accepted conflicts about.
///
/// Returns `None` where the caller has to resolve.
pub fn change(
    requirements: &Requirements,
    locked: &DxlView<'_>,
    installed: &DxlView<'_>,
    disputed: Option<&[String]>,
    provider: &dyn Provider,
    options: &Options,
) -> Option<Change> {
    // A copied folder may be another one by now, and single versions are a matter of the whole.
    if options.install_links || !requirements.single.is_empty() {
        return None;
    }
    let part =
        disputed.and_then(|names| part(requirements, locked, installed, names, provider, options));
    let whole = || whole::change(requirements, locked, installed, provider, options);
    part.or_else(|| if options.frozen { None } else { whole() })
}

/// Resolves the part of a complete lock that the change can touch.
fn part(
    requirements: &Requirements,
    locked: &DxlView<'_>,
    installed: &DxlView<'_>,
    disputed: &[String],
    provider: &dyn Provider,
    options: &Options,
) -> Option<Change> {
    let is_simple = !options.frozen
        && options.update.is_empty()
        && options.explicit_in.is_empty()
        && options.pick.avoided.is_empty()
        && options.placing == Placing::Hoisted
        && options.workspaces.is_empty()
        && requirements.workspaces.is_empty()
        && requirements.overrides.is_empty()
        && requirements.pins.is_empty();
    let mut scope = is_simple
        .then(|| Scope::of(requirements, locked, installed, disputed, options))
        .flatten()?;
    for _ in 0..MAX_ROUNDS {
        let (reduced, lock) = scope.reduced(requirements)?;
        let (tree, is_plain) = {
            let provider = scope.provider(provider);
            let mut builder = build::start(&reduced, Some(&lock), &provider, options).ok()?;
            let known = builder.tree.node_ids().count();
            let is_plain = builder.clashes.is_empty()
                && builder.run().is_ok()
                && is_plain(&builder, known, options);
            ((builder.tree, known), is_plain)
        };
        let (mut tree, known) = tree;
        if scope.widen(&tree, known) {
            continue;
        }
        if !is_plain {
            return None;
        }
        if calculate_flags(&mut tree, &mut scope) {
            continue;
        }
        return outcome(&tree, &scope);
    }
    None
}

/// Returns whether the result concerns packages of the reduced tree only, and all of them run on
/// this platform.
fn is_plain(builder: &Builder<'_, '_>, known: usize, options: &Options) -> bool {
    let tree = &builder.tree;
    let runs_here = |node: &NodeId| {
        let manifest = tree.manifest(*node);
        let engines = manifest.engines();
        let fits = |name, range: &Option<String>| {
            range.as_deref().is_none_or(|range| builder.picker.engine_fits(name, range))
        };
        manifest.platform(|os, cpu, libc| options.accepts(os, cpu, libc))
            && fits("node", &engines.node)
            && fits("npm", &engines.npm)
    };
    // Removed packages count too: a warning about one would have to go.
    let mut packages =
        tree.node_ids().filter(|node| *node != tree.root && tree[*node].source.is_none());
    builder.clashes.is_empty()
        && builder.failures.is_empty()
        && tree.authors_folders.is_empty()
        && !tree.swept
        && tree.node_ids().all(|node| tree[node].target.is_none())
        && packages.all(|node| runs_here(&node))
        && tree.node_ids().skip(known).all(|node| tree.manifest(node).bundled.is_empty())
}

/// Calculates the flags of touched packages and detaches extraneous ones. Where the flags of other
/// packages would change too, their names become touched; returns whether that widens the reduced
/// lock.
fn calculate_flags(tree: &mut DependencyTree<'_>, scope: &mut Scope<'_>) -> bool {
    let nodes = tree.project_nodes();
    let mut fixed: FxHashSet<NodeId> = FxHashSet::default();
    for node in &nodes {
        let known = if *node == tree.root {
            Some(Flags::NONE)
        } else {
            scope.locked_flags(&tree.path(*node))
        };
        let known = known.filter(|_| *node == tree.root || !scope.is_touched(tree, *node));
        tree[*node].flags = known.unwrap_or(Flags::ALL);
        if known.is_some() {
            fixed.insert(*node);
        }
    }
    let mut wider = false;
    let mut seen: FxHashSet<NodeId> = FxHashSet::default();
    let mut queue: Vec<NodeId> = fixed.iter().copied().collect();
    while let Some(node) = queue.pop() {
        seen.insert(node);
        flags::keep_parents(tree, node);
        for edge in tree[node].edges_out.clone() {
            let Some(to) = tree[edge].to else { continue };
            let cleared = flags::cleared_by_edge(tree[node].flags, tree[edge].kind, tree[to].flags);
            if cleared == tree[to].flags {
                continue;
            }
            if fixed.contains(&to) {
                let name = tree.text(tree[to].name).to_owned();
                wider |= scope.touch(&name);
            } else {
                tree[to].flags = cleared;
                queue.push(to);
            }
        }
    }
    for node in seen.difference(&fixed) {
        let flags = &mut tree[*node].flags;
        flags.dev_optional &= !flags.dev && !flags.optional;
    }
    for node in nodes {
        if tree[node].flags.extraneous && tree[node].root == tree.root {
            tree.detach(node);
        }
    }
    wider
}

/// Returns the difference to the lock; `None` where an edge is unmet.
fn outcome(tree: &DependencyTree<'_>, scope: &Scope<'_>) -> Option<Change> {
    let mut change = Change::default();
    let mut present: FxHashSet<String> = FxHashSet::default();
    for node in tree.project_nodes() {
        let is_met = |edge: &EdgeId| tree.is_valid(*edge) && !is_left_open(tree, *edge);
        if !tree[node].edges_out.iter().all(is_met) {
            return None;
        }
        if node == tree.root || !scope.is_touched(tree, node) {
            continue;
        }
        let entry = entry(tree, node);
        present.insert(entry.path.clone());
        if !scope.locked(&entry.path).is_some_and(|before| same_entry(&before, &entry)) {
            change.entries.push(entry);
        }
    }
    change.entries.sort_by(in_order);
    let gone = scope.touched_paths().filter(|path| !present.contains(*path));
    change.removed = gone.map(str::to_owned).collect();
    change.removed.sort_unstable();
    Some(change)
}

/// Orders entries as a lockfile has them.
fn in_order(a: &LockPackage, b: &LockPackage) -> Ordering {
    locale_compare(&a.path, &b.path).then_with(|| a.path.cmp(&b.path))
}
