//! The placement of a package and its peers, Arborist's `PlaceDep`: as far up the tree as there is
//! no conflict.

use crate::can_place::{Answer, Outcome, Question, can_place};
use crate::explain::Clash;
use crate::growth::MAX_PEER_DEPTH;
use crate::intern::NameId;
use crate::tree::{DependencyTree, EdgeId, NodeId};

/// How far up the tree packages are placed, npm's `install-strategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placing {
    /// As far as there is no conflict.
    #[default]
    Hoisted,
    /// Not above the project's direct dependencies.
    Shallow,
    /// In the package that requires them.
    Nested,
}

/// Places packages in the tree.
pub(crate) struct Placer<'a, 'l> {
    pub(crate) tree: &'a mut DependencyTree<'l>,
    pub(crate) prefer_dedupe: bool,
    pub(crate) strict_peers: bool,
    pub(crate) placing: Placing,
    /// Names whose versions are chosen anew everywhere.
    pub(crate) update: &'a [NameId],
    pub(crate) clashes: &'a mut Vec<Clash>,
    /// The package at which the placement of peers of peers was given up: two displace each other
    /// without end.
    pub(crate) too_deep: &'a mut Option<NodeId>,
}

/// A package to place, and the edge to place it for.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    /// The package, in its scratch tree, beside its peers.
    pub(crate) dep: NodeId,
    pub(crate) edge: EdgeId,
    pub(crate) explicit: bool,
    pub(crate) prefer_dedupe: bool,
}

/// A placed package.
pub(crate) struct Placed {
    pub(crate) node: NodeId,
    pub(crate) edge: EdgeId,
    pub(crate) alone: Outcome,
    /// The dependents of removed packages, which go back into the queue.
    pub(crate) to_requeue: Vec<NodeId>,
}

/// The placement of a peer's dependent.
struct Dependent {
    start: NodeId,
    chain: Vec<EdgeId>,
    top: EdgeId,
    /// The number of dependents above it.
    depth: usize,
}

impl Placer<'_, '_> {
    /// Places `request.dep` and then its peers; returns all placed packages, dependents first.
    pub(crate) fn place(&mut self, request: Request) -> Vec<Placed> {
        let mut placed = Vec::new();
        self.place_one(request, None, &mut placed);
        placed
    }

    /// Places one package, then its peers. `dependent` is the placement that a peer follows from.
    fn place_one(
        &mut self,
        request: Request,
        dependent: Option<&Dependent>,
        placed: &mut Vec<Placed>,
    ) {
        let Request { edge, explicit, .. } = request;
        let name = self.tree[edge].name;
        let stands = self.tree[edge].to.is_some_and(|to| !self.tree.is_avoided(to))
            && self.tree.is_valid(edge);
        if stands && !explicit && !self.update.contains(&name) {
            return;
        }
        let start =
            self.tree.deepest_target(dependent.map_or(self.tree[edge].from, |d| d.start), name);
        let top = dependent.map_or(edge, |d| d.top);
        let Some(answer) = self.find_place(request, start, dependent, top) else { return };
        let outcome =
            if answer.with_peers == Outcome::Conflict { answer.alone } else { answer.with_peers };
        if outcome == Outcome::Keep {
            if self.tree[edge].kind.is_peer() && !self.tree.is_valid(edge) {
                self.accept_conflict(edge);
            }
            self.tree.swept = true;
            self.prune_duplicates(answer.target, explicit, true);
            return;
        }
        let Some(node) = self.put(request, &answer, placed) else { return };
        self.remove_redundant(edge, node, answer.target, explicit);
        let depth = dependent.map_or(0, |dependent| dependent.depth + 1);
        if depth > MAX_PEER_DEPTH {
            self.too_deep.get_or_insert(node);
        }
        if self.too_deep.is_some() {
            return;
        }
        let own = Dependent { start, chain: answer.chain, top, depth };
        self.place_peers(request, node, &own, placed);
    }

    /// Finds the last place before the first conflict on the way up from `start`. Where the peers
    /// fit nowhere, it is the last place for the package alone.
    fn find_place(
        &mut self,
        request: Request,
        start: NodeId,
        dependent: Option<&Dependent>,
        top: EdgeId,
    ) -> Option<Answer> {
        let Request { dep, edge, explicit, prefer_dedupe } = request;
        let tree = &*self.tree;
        let name = tree[edge].name;
        let chain = dependent.map_or(&[][..], |d| d.chain.as_slice());
        let (mut found, mut alone) = (None, None);
        for target in tree.ancestry(start) {
            let peer_here =
                tree.edge_named(target, name).is_some_and(|edge| tree[edge].kind.is_peer());
            if peer_here && !tree.is_top(target) {
                continue;
            }
            let answer =
                can_place(tree, Question { dep, target, edge, prefer_dedupe, explicit }, chain);
            if answer.alone != Outcome::Conflict {
                alone = Some(answer.clone());
            }
            if answer.with_peers == Outcome::Conflict {
                break;
            }
            found = Some(answer);
            let is_high_enough = match self.placing {
                Placing::Hoisted => false,
                Placing::Shallow => tree.above(target).is_some_and(|above| tree.is_project(above)),
                Placing::Nested => true,
            };
            if is_high_enough || tree[dep].failure.is_some() {
                break;
            }
        }
        if found.is_none() {
            let refused = is_mine(self.tree, top);
            if refused || self.strict_peers {
                Clash::record(self.clashes, edge, true);
            }
            if alone.is_none() {
                self.accept_conflict(edge);
            }
        }
        found.or(alone)
    }

    /// Puts a copy of the package in the place found. Where that is nested in the same package
    /// already, it puts a link to that package there and returns `None`.
    fn put(
        &mut self,
        request: Request,
        answer: &Answer,
        placed: &mut Vec<Placed>,
    ) -> Option<NodeId> {
        let Request { dep, edge, .. } = request;
        let target = answer.target;
        let looped = self
            .tree
            .ancestry(target)
            .find(|at| !self.tree.is_top(*at) && self.tree.same_package(*at, dep));
        if let Some(earlier) = looped {
            let link = self.tree.add_node(self.tree[dep].name, self.tree[dep].manifest);
            self.tree[link].target = Some(earlier);
            self.tree[earlier].links_in.push(link);
            self.tree.attach(link, target);
            return None;
        }
        let node = self.copy(dep);
        let mut to_requeue = Vec::new();
        match self.tree.child(target, self.tree[dep].name) {
            Some(old) => self.replace(node, old, &mut to_requeue),
            None => self.tree.attach(node, target),
        }
        if let Some(folder) =
            self.tree[node].target.filter(|folder| self.tree[*folder].root != self.tree.root)
        {
            self.tree.attach_folder(folder);
        }
        if self.tree[edge].kind.is_peer() && !self.tree.satisfied_by(edge, node) {
            self.accept_conflict(edge);
        }
        placed.push(Placed { node, edge, alone: answer.alone, to_requeue });
        Some(node)
    }

    /// Adds a copy of a gathered package, which gets its edges anew in the project's tree.
    fn copy(&mut self, dep: NodeId) -> NodeId {
        let (name, manifest) = (self.tree[dep].name, self.tree[dep].manifest);
        let node = self.tree.add_node(name, manifest);
        self.tree[node].failure = self.tree[dep].failure;
        self.tree[node].rules = self.tree[dep].rules;
        match self.tree[dep].target {
            Some(target) => {
                self.tree[node].target = Some(target);
                self.tree[target].links_in.push(node);
            }
            None => self.tree.load_edges(node, false),
        }
        node
    }

    /// Replaces `old` by `node`. Packages that only `old` needed are removed,
    /// and so are peer sets that needed it: their dependents are pushed to `to_requeue` and get
    /// them anew elsewhere. Peer sets of the project stay, with an accepted conflict.
    fn replace(&mut self, node: NodeId, old: NodeId, to_requeue: &mut Vec<NodeId>) {
        let tree = &*self.tree;
        let target = tree[old].parent;
        let mut old_deps = Vec::new();
        for edge in &tree[old].edges_out {
            if let Some(to) = tree[*edge].to
                && tree.edge_named(node, tree[*edge].name).is_none()
            {
                old_deps.extend(tree.dep_set(&[to], |tree, edge| tree[edge].to != Some(to)));
            }
        }
        let mut pruned = Vec::new();
        let mut conflicting = Vec::new();
        for edge in tree[old].edges_in.clone() {
            let this = &tree[edge];
            let met = tree.satisfied_by(edge, node);
            if met
                || !this.kind.is_peer()
                || tree[this.from].parent != target
                || this.peer_conflicted
            {
                continue;
            }
            for (entry, _) in tree.peer_entry_sets(this.from) {
                let Some(entry_node) = tree[entry].to else { continue };
                if tree.is_importer(tree[entry].from) {
                    conflicting.push(edge);
                } else {
                    pruned.extend(tree.dep_set(&[entry_node], |tree, edge| {
                        tree[edge].to != Some(entry_node) && !tree[edge].peer_conflicted
                    }));
                }
            }
        }
        for edge in conflicting {
            self.accept_conflict(edge);
        }
        self.tree.replace(node, old);
        self.prune_for_replacement(node, &old_deps);
        for member in pruned {
            to_requeue.extend(self.tree[member].edges_in.iter().map(|edge| self.tree[*edge].from));
            self.tree.detach(member);
        }
    }

    /// Removes the packages that only the replaced package needed.
    fn prune_for_replacement(&mut self, node: NodeId, old_deps: &[NodeId]) {
        let tree = &*self.tree;
        let mut redundant: Vec<NodeId> = tree[node]
            .edges_out
            .iter()
            .filter(|edge| !tree.is_valid(**edge))
            .filter_map(|edge| tree[*edge].to)
            // An alias may require a package of its own name, which npm removes then.
            .filter(|to| *to != node)
            .collect();
        for dep in old_deps {
            redundant.extend(
                tree.dep_set(&[*dep], |tree, edge| {
                    tree[edge].to != Some(*dep) && tree.is_valid(edge)
                }),
            );
        }
        let gone = tree.dep_set(&redundant, |tree, edge| {
            tree[edge].from != node && tree[edge].to != Some(node) && tree.is_valid(edge)
        });
        // What the old package required may lead back to its place. npm removes the new one then,
        // and whatever requires it lacks it; it comes back when the lock is resolved again.
        let keeps = self.tree.keeps_replacements;
        self.detach_all(gone.into_iter().filter(|member| !keeps || *member != node));
    }

    fn detach_all(&mut self, nodes: impl IntoIterator<Item = NodeId>) {
        let mut nodes: Vec<NodeId> = nodes.into_iter().collect();
        nodes.sort_unstable();
        for node in nodes {
            self.tree.detach(node);
        }
    }

    /// Removes the copies further down that a placed package makes redundant.
    fn remove_redundant(&mut self, edge: EdgeId, node: NodeId, target: NodeId, explicit: bool) {
        if self.tree.is_valid(edge)
            && let Some(to) = self.tree[edge].to
            && to != node
        {
            self.prune_duplicates(to, explicit, false);
        }
        let root = self.tree[target].root;
        for other in self.tree.nodes_of_name(self.tree[node].name).to_vec() {
            if self.tree[other].root != root || !self.tree.is_below(other, target) {
                continue;
            }
            // Of a folder that joined the tree with its link, what the lockfile has below it.
            if !self.tree.is_top(other) {
                self.prune_duplicates(other, explicit, false);
            }
            if self.tree[other].root == root {
                for child in self.tree.children(other) {
                    self.prune_duplicates(child, explicit, false);
                }
            }
        }
    }

    /// Removes `node` if a copy further up can replace it; otherwise, with `descend`, does the same
    /// below it.
    fn prune_duplicates(&mut self, node: NodeId, explicit: bool, descend: bool) {
        if self.tree.can_dedupe(node, self.prefer_dedupe, explicit) {
            let gone = self
                .tree
                .dep_set(&[node], |tree, edge| tree[edge].to != Some(node) && tree.is_valid(edge));
            self.detach_all(gone);
        } else if descend {
            let mut below = self.tree.children(node);
            for project in self.tree[node].folder_children.clone() {
                below.extend(self.tree.children(project));
            }
            below.sort_by_cached_key(|child| self.tree.path(*child));
            for child in below {
                if self.tree[child].root == self.tree[node].root {
                    self.prune_duplicates(child, explicit, true);
                }
            }
        }
    }

    /// Places the peers of `node` that were gathered beside it.
    fn place_peers(
        &mut self,
        request: Request,
        node: NodeId,
        own: &Dependent,
        placed: &mut Vec<Placed>,
    ) {
        let Some(scratch) = self.tree[request.dep].parent else { return };
        for edge in self.tree[node].edges_out.clone() {
            if self.too_deep.is_some() {
                return;
            }
            let this = &self.tree[edge];
            if !this.kind.is_peer() || this.peer_conflicted || self.tree.is_valid(edge) {
                continue;
            }
            let Some(peer) = self.tree.child(scratch, this.name) else { continue };
            if self.tree.satisfied_by(edge, peer) {
                let request = Request { dep: peer, edge, ..request };
                self.place_one(request, Some(own), placed);
            }
        }
    }

    /// Accepts that the peer edge `edge` is not met.
    fn accept_conflict(&mut self, edge: EdgeId) {
        self.tree[edge].peer_conflicted = true;
        Clash::record(self.clashes, edge, false);
    }
}

/// Returns whether the project itself requires the peer set entered by `top`, so npm refuses a
/// conflict in it.
pub(crate) fn is_mine(tree: &DependencyTree<'_>, top: EdgeId) -> bool {
    let from = tree[top].from;
    if tree.is_importer(from) {
        return true;
    }
    if !tree[top].kind.is_peer() {
        return false;
    }
    let incoming = || tree[from].edges_in.iter();
    if incoming().any(|edge| !tree[*edge].kind.is_peer() && tree.is_importer(tree[*edge].from)) {
        return true;
    }
    incoming().any(|edge| tree[*edge].kind.is_peer())
        && tree.peer_entry_sets(from).iter().any(|(edge, _)| tree.is_importer(tree[*edge].from))
}
