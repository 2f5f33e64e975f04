//! The last stage of a resolution: from the tree to the lock, with flags and the packages not
//! installed here.

use dx_pkg_core::{Platform, Version};
use dx_pkg_lock::{Lock, LockPackage, Overridden, locale_compare};
use rustc_hash::FxHashSet;

use crate::build::Builder;
use crate::complete::{accepted_conflicts, has_unmet};
use crate::entry::{entry, same_entry};
use crate::explain::{Clash, Conflict, conflicts, label};
use crate::peers::Move;
use crate::pick::Picker;
use crate::tree::{DependencyTree, NodeId};
use crate::{Options, Requirements, Resolution, ResolveError, Unfit, flags};

/// Finishes a resolution: completes the tree and makes the lock.
pub(crate) fn finish(
    mut builder: Builder<'_, '_>,
    requirements: &Requirements,
    previous: Option<&Lock>,
    options: &Options,
) -> Result<Resolution, ResolveError> {
    let (refused_by_npm, unfit) = complete_tree(&mut builder, previous.is_some(), options)?;
    let skipped = builder.failures.iter().filter(|failure| !failure.is_excused);
    let skipped = skipped.map(|failure| failure.error.to_string()).collect();
    let bundles_lack = builder.failures.iter().filter(|failure| failure.is_of_bundle);
    let bundles_lack = bundles_lack.map(|failure| failure.error.to_string()).collect();
    let conflicts = conflicts(&builder.tree);
    let replaced = if refused_by_npm && conflicts.is_empty() && options.solves_conflicts {
        Clash::in_words(&builder.tree, &builder.clashes)
    } else {
        Vec::new()
    };
    let accepted_conflicts = accepted_conflicts(&builder, requirements, &conflicts);
    let has_unmet = has_unmet(&builder.tree);
    let authors_folders = authors_folders(&builder.tree);
    let (lock, installed) = to_lock(&builder.tree, requirements, previous);
    let changed = previous.is_none_or(|previous| differs(previous, &lock));
    let moves = moves(&lock, &replaced);
    Ok(Resolution {
        lock,
        installed,
        changed,
        conflicts,
        refused_by_npm,
        unfit,
        skipped,
        bundles_lack,
        authors_folders,
        accepted_conflicts,
        refused: None,
        has_unmet,
        moves,
        explanations: Vec::new(),
    })
}

/// Returns the packages that npm would have stopped at, and of which the tree has another version.
fn moves(lock: &Lock, replaced: &[Conflict]) -> Vec<Move> {
    let mut moves: Vec<Move> = Vec::new();
    for conflict in replaced {
        let Some((name, from)) = conflict.dependent.rsplit_once('@') else { continue };
        let entry = lock.get(&format!("node_modules/{name}"));
        let to = entry.and_then(|entry| entry.version.clone());
        let Some(to) = to.filter(|to| to != from) else { continue };
        let (name, from) = (name.to_owned(), Some(from.to_owned()));
        let one = Move { name, from, to, is_direct: false, reason: None };
        if !moves.contains(&one) {
            moves.push(one);
        }
    }
    moves
}

/// Completes the tree: calculates flags, drops extraneous and failed packages, loads bundles.
/// Returns whether npm refuses to install because of peers, and the packages that do not run here.
pub(crate) fn complete_tree(
    builder: &mut Builder<'_, '_>,
    is_from_lock: bool,
    options: &Options,
) -> Result<(bool, Vec<Unfit>), ResolveError> {
    flags::calculate(&mut builder.tree);
    if is_from_lock {
        prune_extraneous(&mut builder.tree);
    }
    let refused_by_npm = builder.clashes.iter().any(|clash| clash.is_refused);
    if options.strict_peer_deps && refused_by_npm {
        let told = conflicts(&builder.tree);
        let told =
            if told.is_empty() { Clash::in_words(&builder.tree, &builder.clashes) } else { told };
        return Err(ResolveError::PeerConflict(told));
    }
    drop_failed(builder)?;
    let mut unfit = Vec::new();
    mark_unfit(&mut builder.tree, &builder.picker, options, &mut unfit);
    builder.load_bundles()?;
    Ok((refused_by_npm, unfit))
}

/// Returns the dependencies of published packages on folders of their authors' machines, in words.
pub(crate) fn authors_folders(tree: &DependencyTree<'_>) -> Vec<String> {
    let mut found: Vec<String> = tree
        .authors_folders
        .iter()
        .filter(|(node, _)| tree[*node].root == tree.root && !tree[*node].inert)
        .map(|(node, item)| {
            let (name, spec) = (tree.text(item.name), tree.interner.spec_text(item.spec));
            format!(
                "{} requires {name}@{spec}, a folder of its author's machine",
                label(tree, *node)
            )
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Returns whether two locks differ, apart from the order of entries and keys.
pub(crate) fn differs(a: &Lock, b: &Lock) -> bool {
    let (a, b) = (by_path(a), by_path(b));
    a.len() != b.len() || !a.iter().zip(&b).all(|(a, b)| same_entry(a, b))
}

fn by_path(lock: &Lock) -> Vec<&LockPackage> {
    let mut packages: Vec<&LockPackage> = lock.packages.iter().collect();
    packages.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    packages
}

/// Detaches the packages that nothing needs.
fn prune_extraneous(tree: &mut DependencyTree<'_>) {
    for node in tree.project_nodes() {
        if tree[node].flags.extraneous && tree[node].root == tree.root && node != tree.root {
            tree.detach(node);
        }
    }
}

/// Makes optional packages that could not be loaded inert, with their dependents; returns the error
/// of any other.
fn drop_failed(builder: &mut Builder<'_, '_>) -> Result<(), ResolveError> {
    let tree = &mut builder.tree;
    for node in std::mem::take(&mut builder.failed) {
        if tree[node].root != tree.root {
            continue;
        }
        let Some(failure) = tree[node].failure else { continue };
        if !tree[node].flags.optional {
            return Err(builder.failures.swap_remove(failure as usize).error);
        }
        make_inert(tree, node);
    }
    match own_lack(builder) {
        Some(failure) => Err(builder.failures.swap_remove(failure).error),
        None => Ok(()),
    }
}

/// Returns the failure to load what the project or a workspace requires, neither as an option nor
/// as a peer, where nothing is there for it: what was placed for it was displaced. npm leaves it
/// out then, and stops at its second install.
fn own_lack(builder: &Builder<'_, '_>) -> Option<usize> {
    let tree = &builder.tree;
    if builder.failures.is_empty() {
        return None;
    }
    let importers = tree.project_nodes().into_iter().filter(|node| tree.is_importer(*node));
    let mut lacking = importers.flat_map(|node| &tree[node].edges_out).filter(|edge| {
        let this = &tree[**edge];
        this.to.is_none() && !this.kind.is_peer() && !this.kind.is_optional()
    });
    lacking.find_map(|edge| {
        let name = tree.text(tree[*edge].name);
        let spec = tree.interner.spec_text(tree.spec(*edge));
        builder.failures.iter().position(|failure| failure.error.is_about(name, spec))
    })
}

/// Makes an optional package inert, with the packages that must go with it.
fn make_inert(tree: &mut DependencyTree<'_>, node: NodeId) {
    for member in tree.optional_set(node) {
        tree[member].inert = true;
    }
}

/// Makes optional packages that do not run on this platform inert, and records required ones.
fn mark_unfit(
    tree: &mut DependencyTree<'_>,
    picker: &Picker,
    options: &Options,
    unfit: &mut Vec<Unfit>,
) {
    // Most packages say one of a few things of engines.
    let mut fitting: FxHashSet<&str> = FxHashSet::default();
    for node in tree.project_nodes() {
        let is_link = tree[node].target.is_some();
        let is_optional = tree[node].flags.optional;
        // What a package bundles is its author's affair, and known only once it is unpacked.
        if tree.is_importer(node) || (is_link || tree[node].in_bundle) && !is_optional {
            continue;
        }
        let manifest = tree.manifest(node);
        let runs_here = manifest.platform(|os, cpu, libc| options.accepts(os, cpu, libc));
        let said = manifest.locked_engines();
        if runs_here && said.is_some_and(|said| fitting.contains(said)) {
            continue;
        }
        let engines = manifest.engines();
        let engine_fits = |name: &str, range: &Option<String>| {
            range.as_deref().is_none_or(|range| picker.engine_fits(name, range))
        };
        let engines_fit = engine_fits("node", &engines.node) && engine_fits("npm", &engines.npm);
        if runs_here && engines_fit {
            fitting.extend(said);
            continue;
        }
        if is_optional {
            if !tree[node].inert {
                make_inert(tree, node);
            }
        } else {
            let current = |version: &Option<Version>| {
                version.as_ref().map(ToString::to_string).unwrap_or_default()
            };
            let pick = &options.pick;
            let (wants, current) = match (&engines.node, &engines.npm) {
                _ if !runs_here => {
                    (manifest.platform(Platform::required_in_words), options.platform.to_string())
                }
                (Some(range), _) if !picker.engine_fits("node", range) => {
                    (format!("Node {range}"), current(&pick.node))
                }
                (_, range) => {
                    (format!("npm {}", range.as_deref().unwrap_or_default()), current(&pick.npm))
                }
            };
            let (package, path) = (label(tree, node), tree.path(node));
            unfit.push(Unfit { package, path, wants, current, platform: !runs_here });
        }
    }
}

/// A node that the lockfile has an entry for.
#[derive(Clone, Copy)]
pub(crate) struct Recorded {
    pub(crate) node: NodeId,
    /// Whether it comes inside another package's tarball, or goes into the project's own.
    pub(crate) in_bundle: bool,
    /// Whether it is installed here.
    pub(crate) is_installed: bool,
}

impl Recorded {
    /// Returns the lockfile's entry.
    pub(crate) fn entry(self, tree: &DependencyTree<'_>) -> LockPackage {
        LockPackage { in_bundle: self.in_bundle, ..entry(tree, self.node) }
    }
}

/// Returns whether `node` is an entry that tells neither a version nor a place: in lockfiles of
/// version 1 it stands for an optional package that could not be loaded.
fn stands_for_failure(tree: &DependencyTree<'_>, node: NodeId) -> bool {
    let is_package = tree[node].target.is_none() && !tree.is_top(node);
    let manifest = tree.manifest(node);
    is_package
        && manifest.version.is_none()
        && manifest.resolved.is_none()
        && tree[node].flags.optional
}

/// Returns the nodes that the lockfile has entries for, in no order.
pub(crate) fn recorded<'t>(
    tree: &'t DependencyTree<'_>,
) -> impl Iterator<Item = Recorded> + use<'t> {
    let bundled = bundled_by_project(tree);
    tree.project_nodes().into_iter().filter_map(move |node| {
        let is_link = tree[node].target.is_some();
        let unused_folder =
            tree.is_top(node) && node != tree.root && tree[node].links_in.is_empty();
        let nothing = has_nothing_to_record(tree, node) || stands_for_failure(tree, node);
        if nothing || unused_folder && tree[node].flags.extraneous {
            return None;
        }
        // A bundle's package that nothing depends on stays what it is: files of the bundle.
        let is_stray = tree[node].in_bundle && tree[node].flags.extraneous;
        let in_bundle = (tree[node].in_bundle && !is_link || bundled.contains(&node)) && !is_stray;
        let is_installed = !is_stray && (!tree[node].inert || is_linked(tree, node));
        Some(Recorded { node, in_bundle, is_installed })
    })
}

/// Returns whether a link leads to the folder `node`, which then is there, whatever became of the
/// packages that it depends on.
fn is_linked(tree: &DependencyTree<'_>, node: NodeId) -> bool {
    tree[node].links_in.iter().any(|link| tree[*link].root == tree.root && !tree[*link].inert)
}

/// Makes the lock; returns with it whether each entry is installed here.
fn to_lock(
    tree: &DependencyTree<'_>,
    requirements: &Requirements,
    previous: Option<&Lock>,
) -> (Lock, Vec<bool>) {
    let mut entries: Vec<(LockPackage, bool)> =
        recorded(tree).map(|recorded| (recorded.entry(tree), recorded.is_installed)).collect();
    entries.sort_by(|(a, _), (b, _)| locale_compare(&a.path, &b.path));
    let (packages, installed) = entries.into_iter().unzip();
    let mut lock = Lock {
        name: requirements
            .root
            .name
            .clone()
            .or_else(|| previous.and_then(|lock| lock.name.clone())),
        version: requirements
            .root
            .version
            .clone()
            .or_else(|| previous.and_then(|lock| lock.version.clone())),
        packages,
        overridden: overridden(tree),
        left_out: left_out(tree),
        ..Lock::default()
    };
    lock.set_format_version(previous);
    (lock, installed)
}

/// Returns the places of optional packages that could not be loaded.
fn left_out(tree: &DependencyTree<'_>) -> Vec<LockPackage> {
    let nodes = tree.project_nodes().into_iter();
    nodes.filter(|node| has_nothing_to_record(tree, *node)).map(|node| entry(tree, node)).collect()
}

/// Returns whether a node is an optional package of which nothing is known.
fn has_nothing_to_record(tree: &DependencyTree<'_>, node: NodeId) -> bool {
    tree[node].inert && tree.version(node).is_none() && tree[node].target.is_none()
}

/// Returns the requirements that overrides replaced.
fn overridden(tree: &DependencyTree<'_>) -> Vec<Overridden> {
    let mut overridden = Vec::new();
    for node in tree.project_nodes() {
        for edge in &tree[node].edges_out {
            let spec = tree.spec(*edge);
            if spec != tree[*edge].declared {
                overridden.push(Overridden {
                    dependent: tree.path(node),
                    name: tree.text(tree[*edge].name).to_owned(),
                    spec: tree.interner.spec_text(spec).to_owned(),
                });
            }
        }
    }
    overridden
}

/// Returns the packages that go into the project's own tarball: those it bundles, with their
/// dependencies beside them and the packages nested in them.
fn bundled_by_project(tree: &DependencyTree<'_>) -> FxHashSet<NodeId> {
    let names = &tree.manifest(tree.root).bundled;
    let mut waiting: Vec<NodeId> =
        names.iter().filter_map(|name| tree.child(tree.root, *name)).collect();
    let mut bundled: FxHashSet<NodeId> = FxHashSet::default();
    while let Some(node) = waiting.pop() {
        if tree[node].target.is_some() || !bundled.insert(node) {
            continue;
        }
        let needed = tree[node].edges_out.iter().filter_map(|edge| tree[*edge].to);
        waiting.extend(needed.filter(|to| tree[*to].parent == Some(tree.root)));
        waiting.extend(tree.children(node));
    }
    bundled
}
