//! The graph of a tree that is installed or locked, as data: its packages, what they require, and
//! which package meets each requirement. Nothing is chosen or placed.

use dx_pkg_core::Platform;
use dx_pkg_format::packument::Packument;
use dx_pkg_lock::dxl::DxlView;
use dx_pkg_lock::{Lock, LockPackage};
use rustc_hash::FxHashMap;

use crate::build::{load_unchanged, load_unchanged_compiled};
use crate::entry::entry;
use crate::flags;
use crate::manifest::EdgeKind;
use crate::pick::PickOptions;
use crate::tree::{DependencyTree, EdgeId, EdgeState, NodeId};
use crate::{External, Options, Placing, Provider, ProviderError};
use crate::{Requirements, ResolveError};

/// The packages of a tree and what they require of each other. The first package is the project.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// The packages, links and folders, each once.
    pub packages: Vec<Package>,
    /// The requirements of all of them.
    pub requirements: Vec<Requirement>,
}

/// A package, link or folder of a [`Graph`]. Positions are those in the graph.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its path relative to the project, `/`-separated; empty for the project.
    pub path: String,
    /// The name of its folder in `node_modules`; of an alias not the package's name.
    pub name: String,
    /// Its entry of a lockfile; that of a link has only the folder it leads to.
    pub entry: LockPackage,
    /// For a link: the folder it leads to.
    pub target: Option<usize>,
    /// The links that lead to it.
    pub links: Vec<usize>,
    /// The package in whose `node_modules` it is.
    pub parent: Option<usize>,
    /// The packages in its `node_modules`.
    pub children: Vec<usize>,
    /// What it requires.
    pub requires: Vec<usize>,
    /// The requirements that find it.
    pub required_by: Vec<usize>,
    /// Whether only development needs it.
    pub dev: bool,
    /// Whether only optional dependencies need it.
    pub optional: bool,
    /// Whether only development and optional dependencies need it.
    pub dev_optional: bool,
    /// Whether it is needed as a peer only.
    pub peer: bool,
    /// Whether nothing needs it.
    pub extraneous: bool,
    /// Whether it came inside another package's tarball.
    pub in_bundle: bool,
    /// Whether it is a workspace, or a link to one.
    pub is_workspace: bool,
    /// Whether an override chose its version.
    pub is_overridden: bool,
}

/// The section of a manifest that a requirement is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `dependencies`.
    Production,
    /// `devDependencies`.
    Development,
    /// `optionalDependencies`.
    Optional,
    /// `peerDependencies`.
    Peer,
    /// `peerDependencies`, and optional by `peerDependenciesMeta`.
    OptionalPeer,
    /// A workspace of the project.
    Workspace,
}

/// Whether a requirement is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is, or it is optional and finds nothing.
    Met,
    /// It finds nothing.
    Missing,
    /// What it finds is another version than it allows.
    Invalid,
    /// It is a peer, and what it finds is below its dependent.
    PeerLocal,
}

/// A requirement of a package. Positions are those in the graph.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// The package that has it.
    pub from: usize,
    /// The package that it finds.
    pub to: Option<usize>,
    /// The name that is required.
    pub name: String,
    /// The specifier that applies, with overrides.
    pub spec: String,
    /// The specifier as it is declared.
    pub declared: String,
    /// The section that it is in.
    pub kind: Kind,
    /// Whether it is met.
    pub state: State,
}

impl Graph {
    /// Reads the graph of `lock`, whose `workspaces` are these folders; requirements of the project
    /// and of folders are those of `requirements`.
    ///
    /// # Errors
    /// A link of the lock that leads to nothing in it.
    pub fn of(
        requirements: &Requirements,
        lock: &Lock,
        workspaces: Vec<String>,
        legacy_peer_deps: bool,
    ) -> Result<Self, ResolveError> {
        let options = options(workspaces, legacy_peer_deps);
        let mut tree = load_unchanged(requirements, lock, &Nothing, &options)?.tree;
        flags::calculate(&mut tree);
        Ok(Self::of_tree(&tree))
    }

    /// Reads the graph of a compiled lock as [`Graph::of`] does.
    ///
    /// # Errors
    /// A link of the lock that leads to nothing in it.
    pub fn of_compiled(
        requirements: &Requirements,
        lock: DxlView<'_>,
        workspaces: Vec<String>,
        legacy_peer_deps: bool,
    ) -> Result<Self, ResolveError> {
        let options = options(workspaces, legacy_peer_deps);
        let mut tree = load_unchanged_compiled(requirements, lock, &Nothing, &options)?.tree;
        flags::calculate(&mut tree);
        Ok(Self::of_tree(&tree))
    }

    fn of_tree(tree: &DependencyTree<'_>) -> Self {
        let mut nodes = tree.project_nodes();
        nodes.sort_by_key(|node| (*node != tree.root, *node));
        let places: FxHashMap<NodeId, usize> =
            nodes.iter().enumerate().map(|(place, node)| (*node, place)).collect();
        let place = |node: NodeId| places.get(&node).copied();
        let mut graph = Graph::default();
        let mut edges: FxHashMap<EdgeId, usize> = FxHashMap::default();
        for (from, node) in nodes.iter().enumerate() {
            for edge in &tree[*node].edges_out {
                edges.insert(*edge, graph.requirements.len());
                graph.requirements.push(requirement(tree, *edge, from, place));
            }
        }
        let known = |list: &[EdgeId]| -> Vec<usize> {
            list.iter().filter_map(|edge| edges.get(edge).copied()).collect()
        };
        for node in &nodes {
            let this = &tree[*node];
            let flags = this.flags;
            graph.packages.push(Package {
                path: tree.path(*node),
                name: tree.text(this.name).to_owned(),
                entry: entry(tree, *node),
                target: this.target.and_then(place),
                links: this.links_in.iter().copied().filter_map(place).collect(),
                parent: this.parent.and_then(place),
                children: tree.children(*node).into_iter().filter_map(place).collect(),
                requires: known(&this.edges_out),
                required_by: known(&this.edges_in),
                dev: flags.dev,
                optional: flags.optional,
                dev_optional: flags.dev_optional,
                peer: flags.peer,
                extraneous: flags.extraneous,
                in_bundle: this.in_bundle,
                is_workspace: tree.is_workspace(*node),
                is_overridden: tree.is_overridden(*node),
            });
        }
        graph
    }
}

/// Returns the options of a resolution that chooses and places nothing.
pub(crate) fn options(workspaces: Vec<String>, legacy_peer_deps: bool) -> Options {
    Options {
        pick: PickOptions::default(),
        platform: Platform { os: "".into(), cpu: "".into(), libc: None },
        more_platforms: Vec::new(),
        legacy_peer_deps,
        strict_peer_deps: false,
        solves_conflicts: false,
        explains_conflicts: false,
        engine_strict: false,
        known_conflicts: Vec::new(),
        prefer_dedupe: false,
        placing: Placing::Hoisted,
        update: Vec::new(),
        explicit: Vec::new(),
        explicit_in: Vec::new(),
        removed: Vec::new(),
        workspaces,
        frozen: false,
        install_links: false,
        max_packages: Options::MAX_PACKAGES,
    }
}

fn requirement(
    tree: &DependencyTree<'_>,
    edge: EdgeId,
    from: usize,
    place: impl Fn(NodeId) -> Option<usize>,
) -> Requirement {
    let this = &tree[edge];
    Requirement {
        from,
        to: this.to.and_then(place),
        name: tree.text(this.name).to_owned(),
        spec: tree.interner.spec_text(tree.spec(edge)).to_owned(),
        declared: tree.interner.spec_text(this.declared).to_owned(),
        kind: match this.kind {
            EdgeKind::Prod => Kind::Production,
            EdgeKind::Dev => Kind::Development,
            EdgeKind::Optional => Kind::Optional,
            EdgeKind::Peer => Kind::Peer,
            EdgeKind::PeerOptional => Kind::OptionalPeer,
            EdgeKind::Workspace => Kind::Workspace,
        },
        state: match tree.edge_state(edge) {
            EdgeState::Valid => State::Met,
            EdgeState::Missing => State::Missing,
            EdgeState::PeerLocal => State::PeerLocal,
            EdgeState::Invalid | EdgeState::Unknown | EdgeState::Detached => State::Invalid,
        },
    }
}

/// Knows no package: a graph has what is there.
struct Nothing;

impl Nothing {
    fn error(name: &str) -> ProviderError {
        let message = format!("{name} is not part of the tree");
        ProviderError::new("DX_PACKAGE_NOT_FOUND", message)
    }
}

impl Provider for Nothing {
    fn packument(&self, name: &str) -> Result<Packument, ProviderError> {
        Err(Self::error(name))
    }

    fn manifest(&self, name: &str, _: &str, _: &str) -> Result<External, ProviderError> {
        Err(Self::error(name))
    }

    fn bundled(&self, package: &LockPackage) -> Result<Vec<LockPackage>, ProviderError> {
        Err(Self::error(package.package_name()))
    }
}
