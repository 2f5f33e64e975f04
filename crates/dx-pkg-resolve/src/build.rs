//! The main loop of a resolution, Arborist's `buildIdealTree`.
//!
//! It takes the shallowest queued node, finds a package for each of its unmet edges, places it, and
//! repeats until the queue is empty. The order, by depth and then by path, is one of npm's rules:
//! it decides which version is hoisted.

mod bundles;
mod conflicts;
mod extended;
mod folders;
mod frozen;
mod locked;
mod manifests;
mod ordered;
mod peers;
mod queue;
mod revisions;
mod start;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::can_place::Outcome;
use crate::explain::{Clash, label};
use crate::extensions::Extension;
use crate::growth::Growth;
use crate::intern::{NameId, SpecId};
use crate::manifest::{EdgeKind, ManifestId};
use crate::pick::Picker;
use crate::place::{Placed, Placer, Request};
use crate::provider::Provider;
use crate::tree::{DependencyTree, EdgeId, NodeId};
use crate::{Options, ResolveError};

use queue::Queue;

pub(crate) use frozen::compare;
pub(crate) use locked::split_path;
pub(crate) use start::{
    load_unchanged, load_unchanged_compiled, start, start_compiled, start_planned, start_upgraded,
};

/// The state of one resolution.
pub(crate) struct Builder<'a, 'l> {
    pub(crate) tree: DependencyTree<'l>,
    provider: &'a dyn Provider,
    pub(crate) picker: Picker,
    options: &'a Options,
    /// The project's additions to manifests.
    extensions: Vec<Extension>,
    queue: Queue,
    seen: FxHashSet<NodeId>,
    /// Edges of the project to packages that the user named on the command line.
    explicit: FxHashSet<EdgeId>,
    /// Names whose versions are chosen anew everywhere.
    update: Vec<NameId>,
    /// The latest scratch tree of each node.
    scratch: FxHashMap<NodeId, NodeId>,
    /// The manifests of requirements; of a path with the node whose folder it is relative to.
    manifests: FxHashMap<(NameId, SpecId, Option<NodeId>), Result<ManifestId, u32>>,
    registry: FxHashMap<(NameId, u32), ManifestId>,
    pub(crate) failures: Vec<Failure>,
    growth: Growth,
    /// An error that ends the resolution at once, whatever becomes of the package it is about: a
    /// limit on packages that was passed, or a rule that cannot be applied to one.
    fatal: Option<ResolveError>,
    /// The depth of peers of peers at which packages are being gathered.
    peer_depth: usize,
    /// The package at which gathering peers of peers was given up.
    peer_depth_exceeded: Option<NodeId>,
    pub(crate) failed: Vec<NodeId>,
    /// The requirements that a frozen lockfile does not meet, each with the package that it has.
    unmet: Vec<(EdgeId, Option<NodeId>)>,
    /// The peer requirements that could not be met when the build came to them.
    pub(crate) clashes: Vec<Clash>,
    /// Nodes of folders on disk by path: the project itself, workspaces, linked folders.
    folders: FxHashMap<String, NodeId>,
    links: Vec<NodeId>,
    /// Nodes that npm comes to through links, if at all, and that have unmet edges.
    last: Vec<NodeId>,
    /// Packages for other platforms, and packages placed for these alone.
    other_platform: FxHashSet<NodeId>,
}

/// The failure to load a package.
pub(crate) struct Failure {
    pub(crate) error: ResolveError,
    /// The empty manifest that stands for the package in the tree.
    manifest: ManifestId,
    /// Whether the tree stays as the lockfile has it instead.
    pub(crate) is_excused: bool,
    /// Whether a bundled package requires it, whose tarball lacks it.
    pub(crate) is_of_bundle: bool,
}

impl Builder<'_, '_> {
    /// Places packages until the queue is empty.
    pub(crate) fn run(&mut self) -> Result<(), ResolveError> {
        let root = self.tree.root;
        self.queue.push(&self.tree, root);
        let mut steps = 0;
        loop {
            while let Some(node) = self.queue.pop() {
                if self.tree[node].root == root && self.seen.insert(node) {
                    steps += 1;
                    if steps > self.max_steps() {
                        return Err(self.endless(node));
                    }
                    if self.options.frozen {
                        self.record_unmet(node)?;
                    }
                    self.step(node);
                    if let Some(error) = self.fatal.take() {
                        return Err(error);
                    }
                    if let Some(node) = self.peer_depth_exceeded.or(self.tree.endless_rules) {
                        return Err(self.endless(node));
                    }
                }
            }
            if !self.follow_links() && !self.queue_last() {
                break;
            }
        }
        // What was looked up now stands for what is required now.
        self.tree.forget_locked_revisions();
        match self.tree.bad_reference.take() {
            Some(reference) => Err(ResolveError::OverrideReference { reference }),
            None => Ok(()),
        }
    }

    /// Returns the error for a resolution that does not end; `node` was processed last.
    fn endless(&self, node: NodeId) -> ResolveError {
        if self.options.strict_peer_deps && self.clashes.iter().any(|clash| clash.is_refused) {
            return ResolveError::PeerConflict(Clash::in_words(&self.tree, &self.clashes));
        }
        ResolveError::Endless { package: label(&self.tree, node) }
    }

    /// Returns how many nodes may be processed. Two packages can displace each other for ever, in
    /// npm too; real projects of any size need less than two steps for each of their packages.
    fn max_steps(&self) -> usize {
        1_000 + 50 * self.tree.manifests.len()
    }

    /// Finds and places a package for each unmet edge of `node`.
    fn step(&mut self, node: NodeId) {
        let mut tasks = Vec::new();
        for edge in self.problem_edges(node) {
            if self.tree[edge].peer_conflicted || self.keeps_conflict(edge) {
                continue;
            }
            let dep = self.find_package(node, edge);
            if !self.keeps_unloadable(edge, dep) {
                tasks.push((edge, dep));
            }
        }
        tasks.sort_by(|(a, _), (b, _)| {
            let name = |edge: &EdgeId| self.tree.text(self.tree[*edge].name);
            dx_pkg_lock::locale_compare(name(a), name(b))
        });
        for (edge, dep) in tasks {
            let explicit = self.explicit.contains(&edge);
            let mut placer = Placer {
                tree: &mut self.tree,
                prefer_dedupe: self.options.prefer_dedupe,
                strict_peers: self.options.strict_peer_deps,
                placing: self.options.placing,
                update: &self.update,
                clashes: &mut self.clashes,
                too_deep: &mut self.peer_depth_exceeded,
            };
            let placed = placer.place(Request {
                dep,
                edge,
                explicit,
                prefer_dedupe: self.options.prefer_dedupe,
            });
            for item in placed {
                self.after_placing(item);
            }
        }
        for edge in self.tree[node].edges_out.clone() {
            if let Some(to) = self.tree[edge].to.filter(|to| self.tree[*to].target.is_some()) {
                self.links.push(to);
            }
        }
    }

    /// Returns a package for `edge`: one gathered for `node` before, one further down that hoisting
    /// can reach (for an optional peer), or a new one.
    fn find_package(&mut self, node: NodeId, edge: EdgeId) -> NodeId {
        let name = self.tree[edge].name;
        let kind = self.tree[edge].kind;
        if let Some(dep) = self.gathered(node, edge) {
            return dep;
        }
        let renewed = self.update.contains(&name)
            || self.explicit.contains(&edge)
            || self.tree[edge].to.is_some_and(|to| self.tree.is_avoided(to));
        if kind == EdgeKind::PeerOptional && !renewed {
            let from = self.tree[edge].from;
            let start = self.tree.above(from).unwrap_or(from);
            if let Some(dep) = self.hoistable(start, edge) {
                return dep;
            }
        }
        let parent = kind.is_peer().then(|| self.scratch_of(node));
        let mut required = FxHashSet::from_iter([self.tree[edge].from]);
        self.package_for_edge(edge, parent, None, &mut required)
    }

    /// Returns a package that was gathered for `node` before and satisfies `edge`. Where none of
    /// the name was, its scratch tree is not filled: that takes as long as the node has edges, and
    /// is asked for each of them.
    fn gathered(&mut self, node: NodeId, edge: EdgeId) -> Option<NodeId> {
        let name = self.tree[edge].name;
        let known = self.scratch.get(&node)?;
        self.tree.child(*known, name)?;
        let scratch = self.scratch_of(node);
        let own = self.tree.edge_named(scratch, name).filter(|own| self.tree.is_valid(*own))?;
        self.tree[own].to.filter(|dep| self.tree.satisfied_by(edge, *dep))
    }

    /// Returns the nearest package below `start` that satisfies `edge`.
    fn hoistable(&self, start: NodeId, edge: EdgeId) -> Option<NodeId> {
        let mut queue = self.tree.children(start);
        let mut next = 0;
        while next < queue.len() {
            let node = queue[next];
            if self.tree[node].name == self.tree[edge].name
                && !self.tree[node].in_bundle
                && self.tree.satisfied_by(edge, node)
            {
                return Some(node);
            }
            queue.extend(self.tree.children(node));
            next += 1;
        }
        None
    }

    /// Queues a placed package, and every dependent whose edge it no longer satisfies.
    fn after_placing(&mut self, placed: Placed) {
        let Placed { node, edge, alone, to_requeue } = placed;
        if self.tree[node].failure.is_some() {
            self.failed.push(node);
        } else if self.tree[node].target.is_none() {
            self.report_placed(node, self.tree[edge].from);
        }
        if matches!(alone, Outcome::Ok | Outcome::Replace) {
            for other in self.tree[node].edges_in.clone() {
                if other != edge && !self.tree[other].peer_conflicted && !self.tree.is_valid(other)
                {
                    let from = self.tree[other].from;
                    if self.options.frozen && alone == Outcome::Ok {
                        self.queue.push(&self.tree, from);
                    } else {
                        self.requeue(from);
                    }
                }
            }
        }
        self.queue.push(&self.tree, node);
        for node in to_requeue {
            self.requeue(node);
        }
    }

    /// Reports a placed package to the provider, unless it or its dependent is for another
    /// platform.
    fn report_placed(&mut self, node: NodeId, dependent: NodeId) {
        let manifest = self.tree.manifest(node);
        let runs_here = manifest.platform(|os, cpu, libc| self.options.accepts(os, cpu, libc));
        if runs_here && !self.other_platform.contains(&dependent) {
            self.provider.placed(&manifest.source_record(&self.tree.interner));
        } else {
            self.other_platform.insert(node);
        }
    }

    /// Queues a node even if it was processed before.
    fn requeue(&mut self, node: NodeId) {
        self.seen.remove(&node);
        self.queue.push(&self.tree, node);
    }

    /// Returns the edges of `node` that need a package.
    fn problem_edges(&self, node: NodeId) -> Vec<EdgeId> {
        let tree = &self.tree;
        let bundled: &[NameId] =
            if tree.is_importer(node) { &[] } else { &tree.manifest(node).bundled };
        tree[node]
            .edges_out
            .iter()
            .copied()
            .filter(|edge| {
                let this = &tree[*edge];
                if self.is_trusted(*edge) {
                    return false;
                }
                if bundled.contains(&this.name) {
                    return false;
                }
                let Some(to) = this.to else {
                    return this.kind != EdgeKind::PeerOptional || self.explicit.contains(edge);
                };
                if tree[to].failure.is_some() && self.failed.contains(&to) {
                    return false;
                }
                if !tree.is_valid(*edge) {
                    return true;
                }
                (self.update.contains(&this.name)
                    || self.explicit.contains(edge)
                    || tree.is_avoided(to))
                    && !tree.is_workspace(to)
            })
            .collect()
    }

    /// Queues the nodes that are left for the end; returns whether the queue has nodes again.
    fn queue_last(&mut self) -> bool {
        let last = std::mem::take(&mut self.last);
        self.queue_all(last);
        !self.queue.is_empty()
    }

    /// Queues the targets of links placed so far; returns whether the queue has nodes again.
    fn follow_links(&mut self) -> bool {
        for link in std::mem::take(&mut self.links) {
            let Some(target) = self.tree[link].target else { continue };
            let reachable =
                self.tree[link].root == self.tree.root && self.tree[target].root == self.tree.root;
            if reachable && self.tree.above(target).is_some() && !self.seen.contains(&target) {
                self.tree.pass_rules_on(link);
                self.queue.push(&self.tree, target);
            }
        }
        !self.queue.is_empty()
    }
}
