//! The check whether a package can be placed in a given `node_modules`, Arborist's `CanPlaceDep`.
//!
//! Nothing here changes the tree. The outcome at a place is *ok* (the name is free), *keep* (the
//! package there satisfies the edge), *replace* (the package there can be replaced) or *conflict*.
//! A package with peers can be placed only where each peer can be placed too, at the same place or
//! above.

use std::cell::OnceCell;

use crate::intern::NameId;
use crate::tree::{DependencyTree, EdgeId, NodeId};

/// The outcome of a check at one place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Ok,
    Keep,
    Replace,
    Conflict,
}

/// The placement to check: `dep` in the `node_modules` of `target`, to satisfy `edge`.
#[derive(Clone, Copy)]
pub(crate) struct Question {
    pub(crate) dep: NodeId,
    pub(crate) target: NodeId,
    pub(crate) edge: EdgeId,
    pub(crate) prefer_dedupe: bool,
    pub(crate) explicit: bool,
}

/// The result of a check.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) target: NodeId,
    /// The outcome for the package with its peers.
    pub(crate) with_peers: Outcome,
    /// The outcome for the package without its peers.
    pub(crate) alone: Outcome,
    /// The edges from the entry of the peer set to the checked one, which is last.
    pub(crate) chain: Vec<EdgeId>,
}

struct Check<'a> {
    tree: &'a DependencyTree<'a>,
    question: Question,
    /// The edges from the entry of the peer set to the checked one.
    chain: &'a [EdgeId],
    /// The packages whose peers are being checked, outermost first.
    peer_path: &'a [NodeId],
    name: NameId,
    current: Option<NodeId>,
    peers: OnceCell<bool>,
}

/// Checks `question`; `chain` holds the edges from the entry of the peer set to the dependent.
pub(crate) fn can_place(tree: &DependencyTree<'_>, question: Question, chain: &[EdgeId]) -> Answer {
    let mut chain = chain.to_vec();
    chain.push(question.edge);
    answer(tree, question, chain, &[])
}

/// Checks `question`. `chain` ends with its edge; `peer_path` has the packages whose peers are
/// being checked.
fn answer(
    tree: &DependencyTree<'_>,
    question: Question,
    chain: Vec<EdgeId>,
    peer_path: &[NodeId],
) -> Answer {
    let name = tree[question.edge].name;
    let prefer_dedupe = question.prefer_dedupe || tree[question.edge].kind.is_peer();
    let check = Check {
        tree,
        question: Question { prefer_dedupe, ..question },
        chain: &chain,
        peer_path,
        name,
        current: tree.child(question.target, name),
        peers: OnceCell::new(),
    };
    let (with_peers, alone) = check.outcome();
    Answer { target: question.target, with_peers, alone, chain }
}

impl Check<'_> {
    /// Returns the outcomes for the package with its peers and for the package alone.
    fn outcome(&self) -> (Outcome, Outcome) {
        let Question { dep, target, edge, .. } = self.question;
        let tree = self.tree;
        let plain = |outcome| (outcome, outcome);
        if tree[dep].failure.is_some() {
            return plain(if self.current.is_some() { Outcome::Replace } else { Outcome::Ok });
        }
        if let Some(target_edge) = tree.edge_named(target, self.name) {
            if tree[target_edge].kind.is_peer() && !tree.is_top(target) {
                return plain(Outcome::Conflict);
            }
            if self.current.is_none() && target_edge != edge && !tree.satisfied_by(target_edge, dep)
            {
                return plain(Outcome::Conflict);
            }
        }
        match self.current {
            Some(current) => self.in_occupied_place(current),
            None => self.in_free_place(),
        }
    }

    /// Returns the outcomes where the name is free. A package further up that it would shadow must
    /// not have a dependent below `target` that needs it and that the new package does not satisfy.
    fn in_free_place(&self) -> (Outcome, Outcome) {
        let Question { dep, target, .. } = self.question;
        let tree = self.tree;
        let entry_from = tree[self.chain[0]].from;
        if target != entry_from
            && let Some(current) = tree.resolve(target, self.name)
        {
            let shadows = tree[current].edges_in.iter().any(|edge| {
                tree.is_below(tree[*edge].from, target)
                    && tree.is_valid(*edge)
                    && !tree.satisfied_by(*edge, dep)
            });
            if shadows {
                return (Outcome::Conflict, Outcome::Conflict);
            }
        }
        self.with_peers(Outcome::Ok)
    }

    /// Returns the outcomes where `current` has the name: the same package is kept, an older one is
    /// replaced if all its dependents accept that, one that satisfies the edge is kept. At the
    /// deepest place possible `current` may also be replaced although dependents need it: they get
    /// copies of their own further down.
    fn in_occupied_place(&self, current: NodeId) -> (Outcome, Outcome) {
        let Question { dep, target, edge, prefer_dedupe, explicit } = self.question;
        let tree = self.tree;
        let current_fits = tree.satisfied_by(edge, current);
        let overridden = !tree.satisfied_by(edge, dep);
        if tree.same_package(dep, current) && (current_fits || overridden) {
            let outcome = if explicit { Outcome::Replace } else { Outcome::Keep };
            return (outcome, outcome);
        }
        let (new, old) = (tree.version(dep), tree.version(current));
        if new.is_some() && new != old && tree.same_package(dep, current) {
            // The lockfile tells another version than the package has, or none.
            return self.with_peers(Outcome::Replace);
        }
        let versions = new.zip(old);
        let not_older = versions.is_some_and(|(new, old)| new >= old);
        let replaceable = tree.can_replace(dep, current, &[]);
        let mut alone = None;
        let is_better = tree.is_avoided(current) && !tree.is_avoided(dep);
        if (not_older || is_better) && replaceable {
            let result = self.with_peers(Outcome::Replace);
            alone = Some(result.1);
            if result.0 != Outcome::Conflict {
                return result;
            }
        }
        if current_fits && (!explicit || prefer_dedupe) {
            return (Outcome::Keep, alone.unwrap_or(Outcome::Keep));
        }
        if prefer_dedupe && !not_older && replaceable {
            let result = self.with_peers(Outcome::Replace);
            alone = Some(result.1);
            if result.0 != Outcome::Conflict {
                return result;
            }
        }
        let conflict = (Outcome::Conflict, alone.unwrap_or(Outcome::Conflict));
        if target != self.deepest() {
            return conflict;
        }
        let is_peer = tree[edge].kind.is_peer();
        if !is_peer && target == tree[edge].from {
            return self.with_peers(Outcome::Replace);
        }
        if self.chain.len() == 1 && !is_peer {
            return conflict;
        }
        if self.can_replace_peer_sets(current) {
            self.with_peers(Outcome::Replace)
        } else {
            conflict
        }
    }

    /// Returns whether every peer set with `current` in it can be replaced by the new one, or be
    /// nested deeper.
    fn can_replace_peer_sets(&self, current: NodeId) -> bool {
        let Question { dep, target, edge, .. } = self.question;
        let tree = self.tree;
        let Some(scratch) = tree[dep].parent else { return false };
        let new_names: Vec<NameId> =
            tree.children(scratch).into_iter().map(|child| tree[child].name).collect();
        tree.peer_entry_sets(current).into_iter().all(|(entry, members)| {
            if entry == edge || entry == self.chain[0] {
                return true;
            }
            let Some(entry_node) = tree[entry].to else { return true };
            let replaced = match tree.child(scratch, tree[entry_node].name) {
                Some(replacement) => tree.can_replace(replacement, entry_node, &new_names),
                None => self.peers_satisfied_by_new(entry_node, scratch),
            };
            replaced
                || members.iter().all(|member| {
                    let deepest = tree.deepest_target(tree[entry].from, tree[*member].name);
                    deepest != target && !tree.is_below(target, deepest)
                })
        })
    }

    /// Returns whether the peer requirements from `entry` on are met by the packages in `scratch`,
    /// where it has them.
    fn peers_satisfied_by_new(&self, entry: NodeId, scratch: NodeId) -> bool {
        let tree = self.tree;
        let mut walk = vec![entry];
        let mut next = 0;
        while next < walk.len() {
            for edge in &tree[walk[next]].edges_out {
                if !tree[*edge].kind.is_peer() || !tree.is_valid(*edge) {
                    continue;
                }
                match (tree.child(scratch, tree[*edge].name), tree[*edge].to) {
                    (Some(new), _) if !tree.satisfied_by(*edge, new) => return false,
                    (Some(_), _) | (None, None) => {}
                    (None, Some(to)) => {
                        if !walk.contains(&to) {
                            walk.push(to);
                        }
                    }
                }
            }
            next += 1;
        }
        true
    }

    /// Returns the deepest place where the package could be put, following the chain of peers from
    /// its entry.
    fn deepest(&self) -> NodeId {
        let mut at = self.tree[self.chain[0]].from;
        for edge in self.chain {
            at = self.tree.deepest_target(at, self.tree[*edge].name);
        }
        at
    }

    /// Returns `outcome` if all peers can be placed and a conflict otherwise; then `outcome` for
    /// the package alone.
    fn with_peers(&self, outcome: Outcome) -> (Outcome, Outcome) {
        let conflict = *self.peers.get_or_init(|| self.peers_conflict());
        (if conflict { Outcome::Conflict } else { outcome }, outcome)
    }

    /// Returns whether a peer of the package conflicts at `target` or, where `target` has it as a
    /// peer itself, at the next place above.
    fn peers_conflict(&self) -> bool {
        let Question { dep, target, .. } = self.question;
        let tree = self.tree;
        let mut peer_path = self.peer_path.to_vec();
        peer_path.push(dep);
        tree[dep].edges_out.iter().any(|edge| {
            let Some(peer) = tree[*edge]
                .to
                .filter(|peer| tree[*edge].kind.is_peer() && !peer_path.contains(peer))
            else {
                return false;
            };
            let question = Question {
                dep: peer,
                target: tree.deepest_target(target, tree[peer].name),
                edge: *edge,
                prefer_dedupe: true,
                explicit: false,
            };
            let mut chain = self.chain.to_vec();
            chain.push(*edge);
            answer(tree, question, chain, &peer_path).with_peers == Outcome::Conflict
        })
    }
}
