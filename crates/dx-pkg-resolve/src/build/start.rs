//! The tree that a resolution starts from: the project, its folders and the lockfile's entries.

use rustc_hash::{FxHashMap, FxHashSet};

use dx_pkg_lock::dxl::DxlView;
use dx_pkg_lock::{Lock, LockPackage, name_of_path};

use crate::growth::Growth;
use crate::intern::Interner;
use crate::manifest::{Declared, EdgeKind, Manifest, Manifests, Record};
use crate::overrides::Rules;
use crate::pick::Picker;
use crate::pins::PinTable;
use crate::provider::Provider;
use crate::tree::{DependencyTree, EdgeId, NodeId, NodeSet};
use crate::{Options, Requirements, ResolveError};

use super::locked::{Entry, Locked, Places, split_path};
use super::{Builder, Queue};

/// Prepares a resolution of `requirements` that starts from the lock `previous`.
pub(crate) fn start<'a, 'l>(
    requirements: &'l Requirements,
    previous: Option<&Lock>,
    provider: &'a dyn Provider,
    options: &'a Options,
) -> Result<Builder<'a, 'l>, ResolveError> {
    start_from(requirements, previous.map(Locked::Parsed), provider, options)
}

/// Prepares a resolution as [`start`] does from the lock that `previous` was compiled from.
pub(crate) fn start_compiled<'a, 'l>(
    requirements: &'l Requirements,
    previous: DxlView<'l>,
    provider: &'a dyn Provider,
    options: &'a Options,
) -> Result<Builder<'a, 'l>, ResolveError> {
    start_from(requirements, Some(Locked::Compiled(previous)), provider, options)
}

fn start_from<'a, 'l>(
    requirements: &'l Requirements,
    previous: Option<Locked<'_, 'l>>,
    provider: &'a dyn Provider,
    options: &'a Options,
) -> Result<Builder<'a, 'l>, ResolveError> {
    let mut builder = load(requirements, previous, provider, options)?;
    builder.request_explicit();
    if previous.is_some() {
        builder.trust_when_frozen();
        let unfinished = builder.unfinished();
        let from_project = builder.reached(vec![builder.tree.root]);
        let is_first = |node: &NodeId| {
            let mut edges = builder.tree[*node].edges_out.iter();
            from_project.contains(*node) || edges.any(|edge| builder.is_renewed(*edge))
        };
        let (first, last) = unfinished.into_iter().partition(is_first);
        builder.queue_all(first);
        builder.last = last;
    }
    Ok(builder)
}

/// Prepares to take the lock `plan` as it is: its peer conflicts stay, and only what is missing is
/// looked for; of a change of a lock, where a resolution from that would look.
pub(crate) fn start_planned<'a, 'l>(
    requirements: &'l Requirements,
    (is_change, plan): (bool, &Lock),
    provider: &'a dyn Provider,
    options: &'a Options,
) -> Result<Builder<'a, 'l>, ResolveError> {
    let mut builder = load(requirements, Some(Locked::Parsed(plan)), provider, options)?;
    builder.keep_conflicts();
    let nodes = if is_change { builder.unfinished() } else { builder.tree.project_nodes() };
    let lacks = |node: &NodeId| !builder.problem_edges(*node).is_empty();
    let nodes = nodes.into_iter().filter(lacks).collect();
    builder.queue_all(nodes);
    Ok(builder)
}

/// Prepares a resolution that starts from the lock `upgraded`, in which entries of `previous` were
/// completed. Requirements that only the completion brought are not looked at, as npm does not.
pub(crate) fn start_upgraded<'a, 'l>(
    requirements: &'l Requirements,
    (previous, upgraded): (&Lock, &Lock),
    provider: &'a dyn Provider,
    options: &'a Options,
) -> Result<Builder<'a, 'l>, ResolveError> {
    let before = load(requirements, Some(Locked::Parsed(previous)), provider, options)?;
    let unfinished: FxHashSet<String> =
        before.unfinished().into_iter().map(|node| before.tree.path(node)).collect();
    let mut builder = load(requirements, Some(Locked::Parsed(upgraded)), provider, options)?;
    builder.request_explicit();
    builder.trust_when_frozen();
    let mut nodes = builder.tree.project_nodes();
    nodes.retain(|node| unfinished.contains(&builder.tree.path(*node)));
    builder.queue_all(nodes);
    Ok(builder)
}

/// Loads the tree of the lock `previous`, as the project's rules leave it.
fn load<'a, 'l>(
    requirements: &'l Requirements,
    previous: Option<Locked<'_, 'l>>,
    provider: &'a dyn Provider,
    options: &'a Options,
) -> Result<Builder<'a, 'l>, ResolveError> {
    let mut builder = load_tree(requirements, previous, provider, options)?;
    if let Some(previous) = previous {
        builder.apply_changed_extensions(requirements, previous)?;
    }
    builder.check_root_overrides()?;
    Ok(builder)
}

/// Loads the tree of `lock` as it is, whatever the project's rules say of it now.
pub(crate) fn load_unchanged<'a, 'l>(
    requirements: &'l Requirements,
    lock: &Lock,
    provider: &'a dyn Provider,
    options: &'a Options,
) -> Result<Builder<'a, 'l>, ResolveError> {
    load_tree(requirements, Some(Locked::Parsed(lock)), provider, options)
}

/// Loads the tree of a compiled lock as [`load_unchanged`] does.
pub(crate) fn load_unchanged_compiled<'a, 'l>(
    requirements: &'l Requirements,
    lock: DxlView<'l>,
    provider: &'a dyn Provider,
    options: &'a Options,
) -> Result<Builder<'a, 'l>, ResolveError> {
    load_tree(requirements, Some(Locked::Compiled(lock)), provider, options)
}

fn load_tree<'a, 'l>(
    requirements: &'l Requirements,
    previous: Option<Locked<'_, 'l>>,
    provider: &'a dyn Provider,
    options: &'a Options,
) -> Result<Builder<'a, 'l>, ResolveError> {
    let mut interner = Interner::default();
    let mut manifests = Manifests::with_pins(PinTable::new(&requirements.pins, &mut interner));
    let expected = previous.map_or(0, Locked::len) + requirements.workspaces.len() + 1;
    manifests.reserve(expected);
    let (rules, root_rules) = Rules::new(&requirements.overrides, &mut interner);
    let root_name = requirements.root.name.as_deref().unwrap_or_default();
    let name = interner.name(root_name);
    let root = Manifest::from_record(&requirements.root, None, &mut interner);
    let root = manifests.push_folder(root, "", &interner);
    let mut tree = DependencyTree::new(interner, manifests, rules, root, name);
    tree.reserve(expected);
    tree.legacy_peer_deps = options.legacy_peer_deps;
    tree.install_links = options.install_links;
    tree.exceptions = requirements.exceptions.clone();
    tree.avoided.clone_from(&options.pick.avoided);
    tree.places = provider.places();
    let project = tree.root;
    tree[project].rules = root_rules;
    let update = options.update.iter().map(|name| tree.interner.name(name)).collect();
    let mut builder = Builder {
        tree,
        provider,
        picker: Picker::new(options.pick.clone()),
        options,
        extensions: requirements.extensions.clone(),
        queue: Queue::default(),
        seen: FxHashSet::default(),
        explicit: FxHashSet::default(),
        update,
        scratch: FxHashMap::default(),
        manifests: FxHashMap::default(),
        registry: FxHashMap::default(),
        failures: Vec::new(),
        growth: Growth::new(options.max_packages),
        fatal: None,
        peer_depth: 0,
        peer_depth_exceeded: None,
        failed: Vec::new(),
        unmet: Vec::new(),
        clashes: Vec::new(),
        folders: FxHashMap::from_iter([(String::new(), project)]),
        links: Vec::new(),
        last: Vec::new(),
        other_platform: FxHashSet::default(),
    };
    builder.load_folders(requirements, previous.is_none());
    match previous {
        Some(lock) if root_rules.is_some() => {
            builder.load_revisions(lock);
            builder.load_in_order(lock)?;
        }
        Some(lock) => {
            let loaded = builder.load_lock(lock)?;
            builder.load_revisions(lock);
            builder.load_all_edges(project, &loaded);
        }
        None => builder.load_all_edges(project, &[]),
    }
    Ok(builder)
}

impl<'l> Builder<'_, 'l> {
    /// Adds the nodes of workspaces and linked folders. Without a lockfile they are part of the
    /// tree at once, because npm starts from the folders on disk; with one, each joins the tree
    /// with the first link to it.
    fn load_folders(&mut self, requirements: &'l Requirements, attach: bool) {
        let mut folders: Vec<&'l LockPackage> = requirements.workspaces.iter().collect();
        folders.sort_by(|a, b| a.path.cmp(&b.path));
        for folder in folders {
            let node = self.add_folder(&folder.path, folder, true);
            if attach {
                self.tree[node].rules = self.tree.rules_for_folder(node);
                self.tree.attach_folder(node);
            }
        }
    }

    /// Adds the node of the folder `path`, relative to the root, which joins the tree with the
    /// first link to it. A workspace gets its edges later, together with the rest of the tree.
    pub(super) fn add_folder(
        &mut self,
        path: &str,
        package: impl Into<Record<'l>>,
        workspace: bool,
    ) -> NodeId {
        let package: Record<'l> = package.into();
        let folder_name = name_of_path(path);
        let name = self.tree.interner.name(package.name.as_deref().unwrap_or(folder_name));
        let manifest = Manifest::from_record(package, Some(folder_name), &mut self.tree.interner);
        let manifest = self.tree.manifests.push_folder(manifest, path, &self.tree.interner);
        let node = self.tree.add_node(name, manifest);
        self.tree[node].folder = Some(path.into());
        self.folders.insert(path.to_owned(), node);
        if !workspace {
            self.tree.load_edges(node, true);
        }
        node
    }

    /// Adds an edge to each declared workspace, if `node` is the project.
    pub(super) fn load_workspace_edges(&mut self, node: NodeId, edges_of: NodeId) {
        if node != self.tree.root {
            return;
        }
        let mut folders: Vec<(&str, NodeId)> =
            self.folders.iter().map(|(path, node)| (path.as_str(), *node)).collect();
        folders.sort_unstable();
        let declared: FxHashSet<&str> =
            self.options.workspaces.iter().map(String::as_str).collect();
        for (path, folder) in folders {
            if declared.contains(path) {
                let spec = self.tree.interner.spec(&format!("file:{path}"));
                let name = self.tree[folder].name;
                let kind = EdgeKind::Workspace;
                let declared = Declared { name, spec, kind, is_pinned: false };
                self.tree.add_edge(edges_of, declared);
            }
        }
    }

    /// Adds a node, without edges, for every entry of the lockfile; returns these nodes.
    fn load_lock(&mut self, lock: Locked<'_, 'l>) -> Result<Vec<NodeId>, ResolveError> {
        let entries = lock.entries();
        let outline = lock.outline();
        let mut places = Places::new(&outline, self.tree.root);
        let mut loaded = Vec::new();
        for entry in entries.clone().filter(|entry| places.is_folder(*entry)) {
            let (node, is_new) = self.folder_of(entry);
            loaded.extend(is_new.then_some(node));
            self.tree.attach_folder(node);
        }
        for entry in entries {
            if let Some(node) = self.folders.get(entry.path()) {
                places.nodes.insert(entry.path(), *node);
            } else {
                loaded.extend(self.load_entry((entry.path(), entry), &mut places)?);
            }
        }
        Ok(loaded)
    }

    /// Returns the node of the folder that an entry is about, and whether it was not there.
    pub(super) fn folder_of(&mut self, entry: Entry<'_, 'l>) -> (NodeId, bool) {
        match self.folders.get(entry.path()) {
            Some(node) => (*node, false),
            None => (self.add_folder(entry.path(), entry.to_package(), true), true),
        }
    }

    /// Adds the node of a package or link, without edges; `None` where the entry is not one.
    pub(super) fn load_entry<'p>(
        &mut self,
        (path, entry): (&'p str, Entry<'p, 'l>),
        places: &mut Places<'_, 'p>,
    ) -> Result<Option<NodeId>, ResolveError> {
        let Some((parent, name)) = split_path(path) else { return Ok(None) };
        // A workspace that the lockfile lacks joins the tree with what the lockfile has below it.
        let known = places.nodes.get(parent).or_else(|| self.folders.get(parent)).copied();
        let Some(parent) = known else { return Ok(None) };
        if !self.options.frozen && entry.stands_for_failure() {
            return Ok(None);
        }
        let Some(in_bundle) = places.in_bundle(path) else { return Ok(None) };
        let name_id = self.tree.interner.name(name);
        let node = if entry.is_link() {
            let target = entry.resolved().unwrap_or_default();
            let known = places.nodes.get(target).copied();
            let Some(target_node) = known.or_else(|| self.folders.get(target).copied()) else {
                return Err(ResolveError::LockLink {
                    path: path.to_owned(),
                    target: target.to_owned(),
                });
            };
            let node = self.tree.add_node(name_id, self.tree[target_node].manifest);
            self.tree[node].target = Some(target_node);
            self.tree[target_node].links_in.push(node);
            node
        } else {
            let manifest = entry.manifest(name, &mut self.tree.interner);
            let manifest = self.tree.manifests.push(manifest, &self.tree.interner);
            self.tree.add_node(name_id, manifest)
        };
        self.tree[node].in_bundle = in_bundle;
        self.tree.attach(node, parent);
        places.nodes.insert(path, node);
        Ok(Some(node))
    }

    fn load_all_edges(&mut self, project: NodeId, loaded: &[NodeId]) {
        self.load_workspace_edges(project, project);
        self.tree.load_edges(project, true);
        let folders: FxHashSet<NodeId> = self.folders.values().copied().collect();
        let mut in_order: Vec<NodeId> =
            folders.iter().copied().filter(|node| *node != project).collect();
        in_order.sort_unstable();
        for node in in_order {
            self.tree.load_edges(node, true);
        }
        for node in loaded {
            if self.tree[*node].target.is_none() && !folders.contains(node) {
                self.tree.load_edges(*node, false);
            }
        }
        for node in loaded {
            if self.tree[*node].target.is_some() {
                self.tree.renew_rules_below(*node);
            }
        }
    }

    /// Returns an error if an override changes the requirement of a direct dependency.
    fn check_root_overrides(&self) -> Result<(), ResolveError> {
        let tree = &self.tree;
        for edge in &tree[tree.root].edges_out {
            let declared = tree[*edge].declared;
            let applied = tree.spec(*edge);
            if applied != declared {
                return Err(ResolveError::Override {
                    name: tree.text(tree[*edge].name).to_owned(),
                    spec: tree.interner.spec_text(declared).to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Marks the importers' edges to packages that the user named on the command line.
    fn request_explicit(&mut self) {
        let folders = &self.options.explicit_in;
        let importers: Vec<NodeId> = match folders.as_slice() {
            [] => vec![self.tree.root],
            folders => folders.iter().filter_map(|path| self.folders.get(path)).copied().collect(),
        };
        for name in &self.options.explicit {
            let name = self.tree.interner.name(name);
            let edges = importers.iter().filter_map(|from| self.tree.edge_named(*from, name));
            self.explicit.extend(edges.collect::<Vec<_>>());
        }
        if !folders.is_empty() {
            importers.into_iter().for_each(|importer| self.queue.push(&self.tree, importer));
        }
    }

    /// Returns the nodes of the lockfile's tree that have unmet edges or edges to update.
    fn unfinished(&self) -> Vec<NodeId> {
        let mut nodes = self.tree.project_nodes();
        let importers: Vec<NodeId> =
            nodes.iter().copied().filter(|node| self.tree.is_importer(*node)).collect();
        let reached = self.reached(vec![self.tree.root]);
        // Without overrides every requirement is as it was declared.
        let by_importers = (!self.tree.rules.is_empty()).then(|| self.reached(importers));
        nodes.retain(|node| {
            let is_reached = reached.contains(*node);
            self.tree[*node].edges_out.iter().any(|edge| {
                let is_left = by_importers.as_ref().is_some_and(|reached| reached.contains(*node))
                    && self.tree.spec(*edge) != self.tree[*edge].declared;
                (is_reached || is_left) && !self.is_trusted(*edge) && !self.tree.is_valid(*edge)
                    || is_reached && self.lacks_optional(*edge)
                    || self.is_renewed(*edge)
            })
        });
        nodes
    }

    /// Returns whether the edge is optional and the lockfile has nothing for it, as one that was
    /// written on another system or from an incomplete tree.
    pub(super) fn lacks_optional(&self, edge: EdgeId) -> bool {
        let this = &self.tree[edge];
        this.kind == EdgeKind::Optional && this.to.is_none()
    }

    /// Returns whether a package of the lockfile is chosen anew for the edge. Only where one is
    /// there, as for npm, and not where another package brings it, or a folder is meant.
    fn is_renewed(&self, edge: EdgeId) -> bool {
        let is_chosen = |to: NodeId| !self.tree[to].in_bundle && !self.tree.is_top(to);
        let is_named = self.update.contains(&self.tree[edge].name);
        self.tree[edge].to.is_some_and(|to| (is_named || self.tree.is_avoided(to)) && is_chosen(to))
    }

    /// Queues nodes of the lockfile's tree, and reports the optional packages that they lack.
    pub(super) fn queue_all(&mut self, nodes: Vec<NodeId>) {
        let mut expected = Vec::new();
        for node in nodes {
            self.queue.push(&self.tree, node);
            let lacking = self.problem_edges(node).into_iter();
            expected.extend(lacking.filter(|edge| self.lacks_optional(*edge)).map(|edge| {
                let spec = self.tree.interner.spec_text(self.tree.spec(edge)).to_owned();
                (self.tree.text(self.tree[edge].name).to_owned(), spec)
            }));
        }
        if !expected.is_empty() {
            self.provider.expected(&expected);
        }
    }
}

impl Builder<'_, '_> {
    /// Returns these nodes and the packages that they depend on, directly or not, without those
    /// behind links. Of what only workspaces and other linked folders depend on, npm checks the
    /// direct dependencies of folders in the project only, once it follows the links to them: what
    /// a lockfile lacks further down, or below a folder outside the project, stays as it is. An
    /// override of a workspace's dependencies would do nothing then, so it is checked here.
    fn reached(&self, from: Vec<NodeId>) -> NodeSet {
        let mut reached = self.tree.no_nodes();
        let mut waiting = from;
        while let Some(node) = waiting.pop() {
            if reached.insert(node) {
                waiting.extend(
                    self.tree[node].edges_out.iter().filter_map(|edge| self.tree[*edge].to),
                );
            }
        }
        reached
    }
}
