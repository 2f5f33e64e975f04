//! Edges: adding them, resolving them, and checking whether they are satisfied.

use dx_pkg_core::Spec;
use dx_pkg_core::spec::GitSpec;

use crate::engines::value_of;
use crate::intern::{NameId, SpecId, index, registry_range};
use crate::manifest::{Declared, EdgeKind};
use crate::overrides::RuleId;

use super::{DependencyTree, Edge, EdgeId, EdgeState, NodeId};

/// The most packages through which rules are passed on at once.
const MOST_RULES_DEPTH: usize = 500;

impl DependencyTree<'_> {
    /// Adds the edges of `node` from its manifest, those of development dependencies only with
    /// `with_dev`.
    pub(crate) fn load_edges(&mut self, node: NodeId, with_dev: bool) {
        let id = self[node].manifest;
        let manifest = &self.manifests[id];
        let accepted = manifest.accepted();
        let dev = if with_dev { manifest.dev.len() } else { 0 };
        let count = manifest.declared.len() + dev;
        self[node].edges_out.reserve(count);
        for at in 0..count {
            let Some(item) = self.manifests[id].declared_at(at) else { break };
            if self.legacy_peer_deps && item.kind.is_peer() {
                continue;
            }
            if !with_dev && self.is_authors_folder(node, item) {
                self.authors_folders.push((node, item));
                continue;
            }
            let is_optional = item.kind == EdgeKind::Optional;
            if is_optional && self.exceptions.leaves_out(self.text(item.name)) {
                continue;
            }
            let edge = self.add_edge(node, item);
            let accept = accepted.as_deref().and_then(|json| value_of(json, self.text(item.name)));
            let dependent = self.manifest(node).name.map_or("", |name| self.text(name));
            let accept = accept.or_else(|| {
                let peer = self.text(item.name);
                item.kind.is_peer().then(|| self.exceptions.accepted(dependent, peer)).flatten()
            });
            if let Some(accept) = accept {
                self[edge].accept = Some(self.interner.spec(&accept));
                self[edge].state.set(EdgeState::Unknown);
            }
        }
    }

    /// Adds an edge in place of an earlier one of that name; a workspace's edge stays instead.
    pub(crate) fn add_edge(&mut self, from: NodeId, declared: Declared) -> EdgeId {
        if let Some(old) = self.edge_named(from, declared.name) {
            if self[old].kind == EdgeKind::Workspace {
                return old;
            }
            self.drop_edge(old);
        }
        let id = EdgeId(index(self.edges.len()));
        let key = self.interner.fold(declared.name);
        if declared.kind == EdgeKind::Workspace {
            self.workspace_names.insert(key);
        }
        self.edges.push(Edge {
            from,
            name: declared.name,
            key,
            declared: declared.spec,
            is_pinned: declared.is_pinned,
            accept: None,
            kind: declared.kind,
            to: None,
            rules: None,
            peer_conflicted: false,
            is_without_effect: false,
            state: std::cell::Cell::new(EdgeState::Unknown),
        });
        self[from].edges_out.push(id);
        if self[from].root == self.root {
            self.edges_of_key_mut(key).push(id);
        }
        self.reload(id, true);
        id
    }

    /// Removes an edge.
    pub(crate) fn drop_edge(&mut self, edge: EdgeId) {
        let Edge { from, key, to, .. } = self[edge];
        if let Some(to) = to {
            self.leave(to, edge);
        }
        self[from].edges_out.retain(|other| *other != edge);
        if self[from].root == self.root {
            self.edges_of_key_mut(key).retain(|other| *other != edge);
        }
        self[edge].to = None;
        self[edge].state.set(EdgeState::Detached);
    }

    /// Returns the edge of `from` with this name.
    pub(crate) fn edge_named(&self, from: NodeId, name: NameId) -> Option<EdgeId> {
        let key = self.interner.fold(name);
        self[from].edges_out.iter().copied().find(|edge| self[*edge].key == key)
    }

    /// Resolves `edge` again; `hard` also clears its cached state where it finds the same node.
    pub(crate) fn reload(&mut self, edge: EdgeId, hard: bool) {
        if self[edge].state.get() == EdgeState::Detached {
            return;
        }
        let Edge { from, name, declared, to: old, rules: old_rules, .. } = self[edge];
        let rules = self[from]
            .rules
            .map(|rules| self.rules.for_edge(rules, name, declared, &self.interner));
        let rules_changed = rules.is_some() && rules != old_rules;
        self[edge].rules = rules;
        let new = self.resolve(from, name);
        if new != old {
            if let Some(old) = old {
                self.leave(old, edge);
            }
            self[edge].to = new;
            self[edge].state.set(EdgeState::Unknown);
            if let Some(new) = new {
                self.enter(new, edge);
            }
        } else if hard {
            self[edge].state.set(EdgeState::Unknown);
        } else if rules_changed && let Some(to) = new {
            self.rules_left(to, old_rules);
            self.rules_entered(to, rules);
        }
    }

    /// Adds `edge` to the incoming edges of `node`, with its rules.
    fn enter(&mut self, node: NodeId, edge: EdgeId) {
        let rules = self[edge].rules;
        if self[node].rules.is_none() || self[node].rules != rules {
            self.rules_entered(node, rules);
        }
        self[node].edges_in.push(edge);
    }

    /// Removes `edge` from the incoming edges of `node`, with its rules.
    fn leave(&mut self, node: NodeId, edge: EdgeId) {
        if let Some(at) = self[node].edges_in.iter().position(|other| *other == edge) {
            self[node].edges_in.remove(at);
        }
        if self[edge].rules.is_some() {
            self.rules_left(node, self[edge].rules);
        }
    }

    /// Combines the rules of a new incoming edge with those of `node`.
    fn rules_entered(&mut self, node: NodeId, rules: Option<RuleId>) {
        let Some(added) = rules else { return };
        let combined = match self[node].rules {
            None => Some(added),
            Some(own) if own == added => return,
            Some(own) => self.rules.combine(own, added, &self.interner),
        };
        if let Some(combined) = combined
            && self[node].rules != Some(combined)
        {
            self[node].rules = Some(combined);
            self.pass_rules_below(node);
        }
    }

    /// Passes the rules of `node` on, unless they have come through too many packages: where
    /// dependents in a circle bring different rules these displace each other for ever, and npm
    /// ends with an exhausted stack.
    fn pass_rules_below(&mut self, node: NodeId) {
        if self.rules_depth == MOST_RULES_DEPTH {
            self.endless_rules.get_or_insert(node);
        }
        if self.endless_rules.is_none() {
            self.rules_depth += 1;
            self.renew_rules_below(node);
            self.rules_depth -= 1;
        }
    }

    /// Recalculates the rules of `node` from its incoming edges, if an edge with its rules was
    /// removed.
    fn rules_left(&mut self, node: NodeId, rules: Option<RuleId>) {
        if self[node].rules.is_none() || self[node].rules != rules {
            return;
        }
        let mut remaining: Option<RuleId> = None;
        for edge in &self[node].edges_in {
            let incoming = self[*edge].rules;
            remaining = match (incoming, remaining) {
                (Some(incoming), Some(known)) => {
                    self.rules.combine(incoming, known, &self.interner)
                }
                (incoming, _) => incoming,
            };
        }
        if self[node].rules != remaining {
            self[node].rules = remaining;
            if remaining.is_some() {
                self.pass_rules_below(node);
            }
        }
    }

    /// Applies the rules of `link` to its target.
    pub(crate) fn pass_rules_on(&mut self, link: NodeId) {
        if let Some(target) = self[link].target {
            self.rules_entered(target, self[link].rules);
        }
    }

    /// Returns the rules of a workspace that has no link yet.
    pub(crate) fn rules_for_folder(&self, folder: NodeId) -> Option<RuleId> {
        let manifest = &self.manifests[self[folder].manifest];
        let root = self[self.root].rules?;
        let (Some(name), Some(version)) = (manifest.name, &manifest.version) else {
            return Some(root);
        };
        Some(self.rules.for_package(root, name, version, &self.interner))
    }

    /// Returns whether a rule of `link` applies to a direct or indirect dependency of its target.
    /// Until the target itself is processed, npm passes rules on to it only in this case.
    fn rules_reach_below(&self, link: NodeId) -> bool {
        let Some(rules) = self[link].rules.filter(|_| self[link].root == self.root) else {
            return false;
        };
        let mut walk: Vec<NodeId> = self[link].target.into_iter().collect();
        let mut next = 0;
        while next < walk.len() {
            for edge in &self[walk[next]].edges_out {
                let Edge { name, declared, to, .. } = self[*edge];
                if self.rules.name(self.rules.for_edge(rules, name, declared, &self.interner))
                    == Some(name)
                {
                    return true;
                }
                let found = to.map(|to| self[to].target.unwrap_or(to));
                if let Some(found) = found.filter(|found| !walk.contains(found)) {
                    walk.push(found);
                }
            }
            next += 1;
        }
        false
    }

    /// Passes the rules of `node` on to its dependencies.
    pub(crate) fn renew_rules_below(&mut self, node: NodeId) {
        if self[node].target.is_some() {
            if self.rules_reach_below(node) {
                self.pass_rules_on(node);
            }
            return;
        }
        for edge in self[node].edges_out.clone() {
            self.reload(edge, true);
            if let Some(to) = self[edge].to {
                self.rules_entered(to, self[edge].rules);
            }
        }
    }

    /// Returns the requirement of an edge with overrides applied.
    pub(crate) fn spec(&self, edge: EdgeId) -> SpecId {
        let Edge { name, declared, rules, from, .. } = self[edge];
        let Some(rules) = rules else { return declared };
        let value = self.rules.value(rules);
        if self.rules.name(rules) != Some(name) || self.interner.spec_text(value) == "*" {
            return declared;
        }
        let Some(reference) = self.interner.spec_text(value).strip_prefix('$') else {
            return value;
        };
        let reference_name = self.interner.find_name(reference);
        // Of a package that is gathered as a peer, npm asks the one that it is gathered for.
        let gathered_for = self[self.source_or_self(from)].root;
        let project = self[self.source_or_self(self[from].root)].root;
        [gathered_for, from, project]
            .into_iter()
            .find_map(|node| self.declared_by(node, reference_name?))
            .unwrap_or_else(|| {
                *self.bad_reference.borrow_mut() = Some(format!("${reference}"));
                declared
            })
    }

    /// Returns the requirement for `name` in a manifest, from the section that counts.
    fn declared_by(&self, node: NodeId, name: NameId) -> Option<SpecId> {
        let manifest = &self.manifests[self[node].manifest];
        let of = |kinds: &[EdgeKind]| {
            manifest.declared.iter().find(|item| item.name == name && kinds.contains(&item.kind))
        };
        manifest
            .dev
            .iter()
            .find(|item| item.name == name)
            .or_else(|| of(&[EdgeKind::Optional]))
            .or_else(|| of(&[EdgeKind::Prod]))
            .or_else(|| of(&[EdgeKind::Peer, EdgeKind::PeerOptional]))
            .map(|item| item.spec)
    }

    /// Returns whether `edge` is satisfied: by the node it finds, or by finding none if it is
    /// optional.
    pub(crate) fn is_valid(&self, edge: EdgeId) -> bool {
        self.edge_state(edge) == EdgeState::Valid
    }

    /// Returns the state of an edge, from the cache or calculated.
    pub(crate) fn edge_state(&self, edge: EdgeId) -> EdgeState {
        let this = &self[edge];
        if this.state.get() != EdgeState::Unknown {
            return this.state.get();
        }
        let state = match this.to {
            None if this.kind.is_optional() => EdgeState::Valid,
            None => EdgeState::Missing,
            Some(to)
                if this.kind.is_peer()
                    && self[to].parent == Some(this.from)
                    && !self.is_top(this.from) =>
            {
                EdgeState::PeerLocal
            }
            Some(to) if !self.satisfied_by(edge, to) || self.rules_conflict(edge, to) => {
                EdgeState::Invalid
            }
            Some(_) => EdgeState::Valid,
        };
        this.state.set(state);
        state
    }

    /// Returns whether the rules of an edge and its node contradict each other.
    fn rules_conflict(&self, edge: EdgeId, to: NodeId) -> bool {
        match (self[edge].rules, self[to].rules) {
            (Some(a), Some(b)) if !self[to].edges_out.is_empty() => {
                self.rules.combine(a, b, &self.interner).is_none()
            }
            _ => false,
        }
    }

    /// Returns whether `node` satisfies the requirement of `edge`.
    pub(crate) fn satisfied_by(&self, edge: EdgeId, node: NodeId) -> bool {
        let this = &self[edge];
        if self[node].name != this.name {
            return false;
        }
        // npm's `acceptDependencies`: what is there may be another version than is installed anew.
        let is_accepted = this.accept.is_some_and(|accept| self.fits(node, accept, this.from));
        let fits = |spec, from| is_accepted || self.fits(node, spec, from);
        let rules = this.rules.filter(|rules| !self.rules.is_root(*rules));
        let Some(rules) = rules.filter(|_| !self[node].in_bundle) else {
            let spec = if self[node].in_bundle { this.declared } else { self.spec(edge) };
            return fits(spec, if this.is_pinned { self.root } else { this.from });
        };
        let spec = self.spec(edge);
        if fits(spec, self.base_of(edge)) {
            return spec == this.declared || self.is_package_of(node, spec);
        }
        fits(this.declared, this.from) && !fits(self.rules.key_spec(rules), this.from)
    }

    /// Returns whether `node` is the package that an alias names; true for any other requirement.
    /// npm compares versions only, so its override by another package does nothing where a lockfile
    /// has such a version.
    fn is_package_of(&self, node: NodeId, spec: SpecId) -> bool {
        match self.interner.parsed(spec) {
            Ok(Spec::Alias { name, .. }) => {
                self.manifest(node).name.is_some_and(|own| self.text(own) == name.as_str())
            }
            _ => true,
        }
    }

    /// Returns whether `node` satisfies `spec` as a requirement of `from`.
    fn fits(&self, node: NodeId, spec: SpecId, from: NodeId) -> bool {
        let Ok(parsed) = self.interner.parsed(spec) else { return false };
        if let (Spec::Directory(path), true, None) = (parsed, self.install_links, self[node].target)
        {
            // As for npm, a copy that is there already does where a link would be made, too.
            let copied = self.manifest(node).resolved.as_deref();
            let copied = copied.and_then(|resolved| resolved.strip_prefix("file:"));
            return copied.is_some_and(|held| held == self.relative_to_root(path, from));
        }
        if let (Spec::Directory(path), true) = (parsed, self.install_links)
            && self.is_copied(self[node].name, spec, path, from)
        {
            return false;
        }
        self.fits_parsed(node, parsed, from)
    }

    fn fits_parsed(&self, node: NodeId, spec: &Spec, from: NodeId) -> bool {
        let manifest = &self.manifests[self[node].manifest];
        if let Some(range) = registry_range(spec) {
            return match &manifest.version {
                Some(version) => range.satisfied_by(version),
                None => range.is_star(),
            };
        }
        match spec {
            Spec::Alias { spec, .. } => self.fits_parsed(node, spec, from),
            // A link is from no registry, also one that breaks a circle.
            Spec::Tag(_) if self[node].target.is_some() => false,
            Spec::Tag(_) => match manifest.resolved.as_deref() {
                Some(url) => url.starts_with("http"),
                None => manifest.version.is_some(),
            },
            Spec::Remote(url) => manifest.resolved.as_deref() == Some(&**url),
            Spec::Tarball(path) => manifest.resolved.as_deref().is_some_and(|url| {
                let wanted = self.relative_to_root(path, from);
                // Some versions of npm escape the `#` of a path.
                let is_wanted = |held: &str| held == wanted || held.replace("%23", "#") == wanted;
                url.strip_prefix("file:").is_some_and(is_wanted)
            }),
            Spec::Directory(path) => self[node]
                .target
                .is_some_and(|target| self.path(target) == self.relative_to_root(path, from)),
            Spec::Git(git) => {
                let same =
                    manifest.resolved.as_deref().is_some_and(|held| same_repository(git, held))
                        && self.is_locked_revision(git, from, self[node].name);
                // The versions of a repository's tags are not those of a package in a folder of it.
                let range = git.semver.as_ref().filter(|_| git.subdirectory.is_none());
                let in_range = range.is_none_or(|range| {
                    manifest.version.as_ref().is_some_and(|version| range.satisfies(version))
                });
                same && in_range
            }
            _ => false,
        }
    }

    /// Returns whether `git`, a requirement of `from` for `name`, names the branch or tag that it
    /// named in the lockfile. Of a commit or a range of versions the locked package itself tells.
    fn is_locked_revision(&self, git: &GitSpec, from: NodeId, name: NameId) -> bool {
        if git.semver.is_some() || git.named_commit().is_some() {
            return true;
        }
        let before = self.locked_revisions.get(&(from, name));
        before.is_none_or(|before| **before == *git.committish.as_deref().unwrap_or_default())
    }

    /// Forgets what the lockfile's entries require of git repositories.
    pub(crate) fn forget_locked_revisions(&mut self) {
        for (from, name) in std::mem::take(&mut self.locked_revisions).into_keys() {
            if let Some(edge) = self.edge_named(from, name) {
                self[edge].state.set(EdgeState::Unknown);
            }
        }
    }
}

/// Returns whether the lockfile's `held` is the repository of `wanted`, at its commit if it names
/// one.
fn same_repository(wanted: &GitSpec, held: &str) -> bool {
    let Ok(Spec::Git(held)) = Spec::parse(held) else { return false };
    let is_wanted = |commit| held.committish.as_deref() == Some(commit);
    wanted.named_commit().is_none_or(is_wanted) && held.is_same_place(wanted)
}
