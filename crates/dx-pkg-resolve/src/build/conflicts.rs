//! Peer conflicts of the lockfile.
//!
//! The lockfile does not say whether a conflict was accepted when it was made, or came with a later
//! edit of one of its entries. So each is looked at again, as npm does: another package for the
//! peer is gathered and placed if there is room for it. The exceptions here keep a conflict as it
//! is, the first two to spare a request for what leads to nothing.
//!
//! - The package found is in the `node_modules` of an importer, whose own requirement has no
//!   version in common with the peer, and the dependent is beside it: nothing else can be placed
//!   there.
//! - The peer is optional and another package would be nested for the dependent alone. npm places
//!   it and removes it again, because nothing requires it; the dependent does not count for the
//!   flags of the package found.
//! - The other package cannot be loaded. So it is with what a bundled package lacks, peer or not.

use crate::explain::Clash;
use crate::manifest::{EdgeKind, Origin};
use crate::overrides::specs_meet;
use crate::place::is_mine;
use crate::tree::{EdgeId, NodeId};

use super::Builder;

impl Builder<'_, '_> {
    /// Keeps a locked conflict that needs no look; returns whether `edge` is one.
    pub(super) fn keeps_conflict(&mut self, edge: EdgeId) -> bool {
        let is_avoided = self.tree[edge].to.is_some_and(|to| self.tree.is_avoided(to));
        let is_renewed = is_avoided || self.update.contains(&self.tree[edge].name);
        if !self.is_locked_conflict(edge) || is_renewed {
            return false;
        }
        let is_nested = self.would_be_nested(edge);
        let keeps = is_nested || !self.options.strict_peer_deps && self.importer_excludes(edge);
        if keeps {
            self.tree[edge].is_without_effect = is_nested;
            self.keep(edge);
        }
        keeps
    }

    /// Takes the optional peers of a frozen lockfile, which are not looked at, as
    /// [`Self::keeps_conflict`] does.
    pub(super) fn trust_when_frozen(&mut self) {
        if !self.options.frozen {
            return;
        }
        for node in self.tree.project_nodes() {
            for edge in self.tree[node].edges_out.clone() {
                self.tree[edge].is_without_effect =
                    self.is_locked_conflict(edge) && self.would_be_nested(edge);
            }
        }
    }

    /// Keeps all peer conflicts of the tree.
    pub(super) fn keep_conflicts(&mut self) {
        for node in self.tree.project_nodes() {
            for edge in self.tree[node].edges_out.clone() {
                if self.tree[edge].kind.is_peer() && !self.tree.is_valid(edge) {
                    self.keep(edge);
                }
            }
        }
    }

    /// Keeps a locked conflict, or what a bundled package lacks, where `dep`, the package that
    /// could solve it, cannot be loaded; returns whether it does.
    pub(super) fn keeps_unloadable(&mut self, edge: EdgeId, dep: NodeId) -> bool {
        let Some(failure) = self.tree[dep].failure else { return false };
        let (from, kind) = (self.tree[edge].from, self.tree[edge].kind);
        let is_of_bundle = self.tree[from].in_bundle && !kind.is_optional() && !kind.is_peer();
        let is_conflict = self.is_locked_conflict(edge);
        if is_conflict {
            self.keep(edge);
        }
        let failure = &mut self.failures[failure as usize];
        failure.is_of_bundle |= is_of_bundle;
        failure.is_excused |= is_of_bundle || is_conflict;
        is_of_bundle || is_conflict
    }

    fn keep(&mut self, edge: EdgeId) {
        self.tree[edge].peer_conflicted = true;
        let is_refused = is_mine(&self.tree, edge);
        Clash::record(&mut self.clashes, edge, is_refused);
    }

    /// Returns whether a package of the lockfile has `edge` as a peer that is not met. A peer that
    /// an override changes does not count: the lockfile may be older than the override.
    fn is_locked_conflict(&self, edge: EdgeId) -> bool {
        let tree = &self.tree;
        let this = &tree[edge];
        this.kind.is_peer()
            && this.to.is_some()
            && !tree.is_valid(edge)
            && tree.spec(edge) == this.declared
            && !tree.is_importer(this.from)
            && matches!(tree.manifest(this.from).origin, Origin::Record(_) | Origin::Locked(_))
    }

    fn importer_excludes(&self, edge: EdgeId) -> bool {
        let tree = &self.tree;
        let this = &tree[edge];
        let Some(to) = this.to else { return false };
        let Some(holder) = tree[to].parent.filter(|holder| tree.is_importer(*holder)) else {
            return false;
        };
        let parsed = |edge: EdgeId| tree.interner.parsed(tree.spec(edge));
        let Some(own) = tree.edge_named(holder, this.name) else { return false };
        tree[this.from].parent == Some(holder)
            && tree[own].to == Some(to)
            && tree.is_valid(own)
            && matches!((parsed(own), parsed(edge)), (Ok(own), Ok(peer)) if !specs_meet(own, peer))
    }

    /// Returns whether another package for the optional peer `edge` would be nested where only its
    /// dependent finds it.
    fn would_be_nested(&self, edge: EdgeId) -> bool {
        let tree = &self.tree;
        let this = &tree[edge];
        let Some(to) = this.to.filter(|_| this.kind == EdgeKind::PeerOptional) else {
            return false;
        };
        let place = tree.deepest_target(this.from, this.name);
        let finds_it = |other: &EdgeId| *other != edge && tree.is_below(tree[*other].from, place);
        tree[to].parent != Some(place) && !tree[to].edges_in.iter().any(finds_it)
    }
}
