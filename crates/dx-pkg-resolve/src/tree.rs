//! The dependency tree: nodes as they will be on disk, and edges that follow Node's lookup rule.
//!
//! Nodes and edges are in one arena, which holds several trees: the project's, and the small
//! scratch trees in which peer sets are gathered before they are placed. A detached node keeps its
//! subtree and becomes the root of its own tree.

mod attach;
mod edges;
mod folders;
mod ordered;
mod queries;
mod sets;

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::exceptions::Exceptions;
use crate::intern::{Interner, NameId, SpecId, index};
use crate::manifest::{Declared, EdgeKind, ManifestId, Manifests};
use crate::overrides::{RuleId, Rules};
use crate::places::Places;

/// A node of a tree: a package or link at its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct NodeId(u32);

/// A set of nodes.
pub(crate) struct NodeSet(Vec<bool>);

impl NodeSet {
    /// Adds a node; returns whether it was not there. One that the tree got since the set was made
    /// is not taken.
    pub(crate) fn insert(&mut self, node: NodeId) -> bool {
        let place = self.0.get_mut(node.0 as usize);
        place.is_some_and(|place| !std::mem::replace(place, true))
    }

    pub(crate) fn contains(&self, node: NodeId) -> bool {
        self.0.get(node.0 as usize).copied().unwrap_or(false)
    }
}

/// An edge: a requirement of one node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct EdgeId(u32);

/// The state of an edge, calculated on demand and cached until the edge finds another node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EdgeState {
    Unknown,
    Valid,
    Missing,
    /// A peer that is nested in its dependent.
    PeerLocal,
    Invalid,
    Detached,
}

pub(crate) struct Edge {
    pub(crate) from: NodeId,
    pub(crate) name: NameId,
    /// The name in lower case, by which nodes are looked up.
    key: NameId,
    /// The requirement as declared; [`DependencyTree::spec`] gives it with overrides applied.
    pub(crate) declared: SpecId,
    /// Whether a pin put the requirement there.
    pub(crate) is_pinned: bool,
    /// Another requirement that what is there may meet.
    pub(crate) accept: Option<SpecId>,
    pub(crate) kind: EdgeKind,
    pub(crate) to: Option<NodeId>,
    pub(crate) rules: Option<RuleId>,
    /// Whether this unmet peer requirement is accepted.
    pub(crate) peer_conflicted: bool,
    /// Whether it does not count for the flags of the package it finds.
    pub(crate) is_without_effect: bool,
    state: std::cell::Cell<EdgeState>,
}

/// The lockfile's flags of a node; see [`crate::flags`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Flags {
    pub(crate) dev: bool,
    pub(crate) optional: bool,
    pub(crate) dev_optional: bool,
    pub(crate) peer: bool,
    pub(crate) extraneous: bool,
}

impl Flags {
    pub(crate) const ALL: Flags =
        Flags { dev: true, optional: true, dev_optional: true, peer: true, extraneous: true };
    pub(crate) const NONE: Flags =
        Flags { dev: false, optional: false, dev_optional: false, peer: false, extraneous: false };
}

pub(crate) struct Node {
    /// The name of its folder in `node_modules`; for an alias not the package's name.
    pub(crate) name: NameId,
    pub(crate) manifest: ManifestId,
    pub(crate) parent: Option<NodeId>,
    /// For a workspace or linked folder: the project whose folder contains it.
    pub(crate) folder_parent: Option<NodeId>,
    pub(crate) folder_children: Vec<NodeId>,
    pub(crate) root: NodeId,
    /// By name in lower case.
    children: FxHashMap<NameId, NodeId>,
    pub(crate) edges_out: Vec<EdgeId>,
    pub(crate) edges_in: Vec<EdgeId>,
    /// For a link: the node of the linked folder.
    pub(crate) target: Option<NodeId>,
    pub(crate) links_in: Vec<NodeId>,
    /// For the root of a scratch tree: the node that it stands for.
    pub(crate) source: Option<NodeId>,
    pub(crate) rules: Option<RuleId>,
    pub(crate) flags: Flags,
    /// Whether it is in the lockfile but not installed here: an optional package for another
    /// platform, or one that could not be loaded.
    pub(crate) inert: bool,
    /// Index of the load failure, for a package that could not be loaded.
    pub(crate) failure: Option<u32>,
    /// Whether it comes inside another package's tarball.
    pub(crate) in_bundle: bool,
    /// For a node outside `node_modules`: its folder, relative to the project root.
    pub(crate) folder: Option<Box<str>>,
    /// The position in the order of attachment.
    attached: u32,
}

/// The arena of nodes and edges, with the manifests, names and rules they refer to.
pub(crate) struct DependencyTree<'l> {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    /// Edges of the project's tree by their name in lower case.
    edges_by_name: Vec<Vec<EdgeId>>,
    /// Nodes of the project's tree by name, in the order they were attached.
    nodes_by_name: Vec<Vec<NodeId>>,
    pub(crate) manifests: Manifests<'l>,
    pub(crate) interner: Interner,
    pub(crate) rules: Rules,
    pub(crate) legacy_peer_deps: bool,
    /// Whether a package stays where what its predecessor required leads back to it.
    pub(crate) keeps_replacements: bool,
    /// Whether folders outside the project are copied.
    pub(crate) install_links: bool,
    /// The exceptions that the project makes from requirements.
    pub(crate) exceptions: Exceptions,
    pub(crate) places: Places,
    /// The folders of workspaces and links that are or were part of the tree.
    folders: BTreeSet<Box<str>>,
    /// The names, in lower case, that edges to workspaces have or had.
    workspace_names: FxHashSet<NameId>,
    /// Dependencies on folders of their authors' machines, which have no edges.
    pub(crate) authors_folders: Vec<(NodeId, Declared)>,
    /// The branches, tags and commits of git repositories that the lockfile's entries of the
    /// project and its folders name, by dependent and name; the default branch is the empty text.
    pub(crate) locked_revisions: FxHashMap<(NodeId, NameId), Box<str>>,
    /// The project.
    pub(crate) root: NodeId,
    /// An override's `$name` reference to a dependency that does not exist.
    pub(crate) bad_reference: std::cell::RefCell<Option<String>>,
    /// The number of packages that rules are being passed on through, one below the other.
    rules_depth: usize,
    /// A package at which overrides of its dependents displace each other endlessly.
    pub(crate) endless_rules: Option<NodeId>,
    attachments: u32,
    /// Whether duplicates of all names were removed below some node.
    pub(crate) swept: bool,
    /// Names of packages with versions that are to be replaced where that is possible.
    pub(crate) avoided: Vec<(String, dx_pkg_core::Version)>,
}

impl std::ops::Index<NodeId> for DependencyTree<'_> {
    type Output = Node;
    fn index(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }
}

impl std::ops::IndexMut<NodeId> for DependencyTree<'_> {
    fn index_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }
}

impl std::ops::Index<EdgeId> for DependencyTree<'_> {
    type Output = Edge;
    fn index(&self, id: EdgeId) -> &Edge {
        &self.edges[id.0 as usize]
    }
}

impl std::ops::IndexMut<EdgeId> for DependencyTree<'_> {
    fn index_mut(&mut self, id: EdgeId) -> &mut Edge {
        &mut self.edges[id.0 as usize]
    }
}

impl<'l> DependencyTree<'l> {
    /// Makes a tree of the project alone, without edges: [`DependencyTree::load_edges`] adds them
    /// once the rules are set.
    pub(crate) fn new(
        interner: Interner,
        manifests: Manifests<'l>,
        rules: Rules,
        root: ManifestId,
        name: NameId,
    ) -> Self {
        let mut tree = DependencyTree {
            nodes: Vec::new(),
            edges: Vec::new(),
            edges_by_name: Vec::new(),
            nodes_by_name: Vec::new(),
            manifests,
            interner,
            rules,
            legacy_peer_deps: false,
            keeps_replacements: false,
            install_links: false,
            exceptions: Exceptions::default(),
            places: Places::default(),
            folders: BTreeSet::new(),
            workspace_names: FxHashSet::default(),
            authors_folders: Vec::new(),
            locked_revisions: FxHashMap::default(),
            root: NodeId(0),
            bad_reference: std::cell::RefCell::new(None),
            rules_depth: 0,
            endless_rules: None,
            attachments: 0,
            swept: false,
            avoided: Vec::new(),
        };
        tree.root = tree.add_node(name, root);
        let project = tree.root;
        tree[project].flags = Flags::NONE;
        tree[project].folder = Some("".into());
        tree
    }

    /// Makes room for so many nodes, and for their edges, which are some four for each.
    pub(crate) fn reserve(&mut self, nodes: usize) {
        self.nodes.reserve(nodes);
        self.edges.reserve(4 * nodes);
    }

    /// Adds a node without edges that is the root of its own tree.
    pub(crate) fn add_node(&mut self, name: NameId, manifest: ManifestId) -> NodeId {
        let id = NodeId(index(self.nodes.len()));
        self.nodes.push(Node {
            name,
            manifest,
            parent: None,
            folder_parent: None,
            folder_children: Vec::new(),
            root: id,
            children: FxHashMap::default(),
            edges_out: Vec::new(),
            edges_in: Vec::new(),
            target: None,
            links_in: Vec::new(),
            source: None,
            rules: None,
            flags: Flags::ALL,
            inert: false,
            failure: None,
            in_bundle: false,
            folder: None,
            attached: 0,
        });
        id
    }

    pub(crate) fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..index(self.nodes.len())).map(NodeId)
    }

    /// Returns an empty set of the nodes that there are now.
    pub(crate) fn no_nodes(&self) -> NodeSet {
        NodeSet(vec![false; self.nodes.len()])
    }

    /// Returns every node of the project's tree.
    pub(crate) fn project_nodes(&self) -> Vec<NodeId> {
        self.node_ids().filter(|node| self[*node].root == self.root).collect()
    }

    pub(crate) fn child(&self, node: NodeId, name: NameId) -> Option<NodeId> {
        self[node].children.get(&self.interner.fold(name)).copied()
    }

    /// Returns the children in the order they were attached.
    pub(crate) fn children(&self, node: NodeId) -> Vec<NodeId> {
        let mut children: Vec<NodeId> = self[node].children.values().copied().collect();
        children.sort_unstable_by_key(|child| self[*child].attached);
        children
    }

    pub(crate) fn has_children(&self, node: NodeId) -> bool {
        !self[node].children.is_empty()
    }

    pub(crate) fn text(&self, name: NameId) -> &str {
        self.interner.name_text(name)
    }
}
