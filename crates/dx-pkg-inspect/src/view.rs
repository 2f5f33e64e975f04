//! A project with the graph of its packages.

use std::borrow::Cow;
use std::collections::HashSet;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use dx_pkg_acquire::files::read_text;
use dx_pkg_compat::lockfile::npm;
use dx_pkg_compat::npmrc::RawValue;
use dx_pkg_core::Spec;
use dx_pkg_install::importers::words as importer_words;
use dx_pkg_install::project::{Project, find_root, workspaces};
use dx_pkg_install::session::global::Global;
use dx_pkg_install::upkeep::recorded::RecordedTree;
use dx_pkg_install::{Environment, Session};
use dx_pkg_lock::Lock;
use dx_pkg_os::files::normal_path;
use dx_pkg_resolve::graph::{Graph, Kind, Package, Requirement};
use serde_json::Value;

use crate::InspectError;
use crate::installed::installed;
use crate::whole::is_whole;

/// The most packages that require one another in turn, from the project on.
pub(crate) const DEEPEST: usize = 1000;

/// Where the packages of a [`View`] are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// In `node_modules`.
    Installed,
    /// In the lockfile.
    Locked,
}

/// A project with the graph of its packages.
pub struct View {
    /// Its folder.
    pub root: PathBuf,
    /// Its packages; the first is the project.
    pub graph: Graph,
    /// Whether the project has a `package.json` that says anything.
    pub has_manifest: bool,
    /// Whether it stands for the globally installed packages.
    pub is_global: bool,
    /// The folder that words which are paths are relative to.
    pub asked_from: PathBuf,
    /// The workspaces that were selected, as positions of their folders in the graph.
    pub selected: Vec<usize>,
    /// Where it was read from.
    pub(crate) source: Source,
    /// Whether npm's record of the tree holds for all of it.
    pub(crate) is_recorded: bool,
    /// The name of the project's lockfile.
    pub(crate) lockfile: String,
    /// The folders of the workspaces in npm's order, once somebody wants it.
    order: OnceLock<Vec<String>>,
}

impl View {
    /// Reads the project that the environment's folder is in. `workspaces` are names or folders;
    /// where none is given and the folder is in a workspace, that one is selected.
    ///
    /// # Errors
    /// A file of the project that cannot be read, or a word that names no workspace.
    pub fn read(
        environment: &Environment,
        source: Source,
        workspaces: &[String],
        legacy_peer_deps: bool,
    ) -> Result<Self, InspectError> {
        let folder = environment.folder.as_path();
        let root = find_root(folder).folder;
        let mut project = Project::read_or_new(root.clone(), folder)?;
        let (graph, is_recorded) = match source {
            Source::Installed => installed_graph(environment, &mut project, legacy_peer_deps)?,
            Source::Locked => match read_text(&root.join(project.lockfile))? {
                Some(text) => {
                    let lock = read_lock(&root, project.lockfile, &text)?;
                    (graph_of(&mut project, lock, legacy_peer_deps)?, false)
                }
                None => return Err(InspectError::NoLockfile { folder: shown(&root) }),
            },
        };
        check_depth(&graph)?;
        let members: Option<Value> = serde_json::from_str(&project.manifest_text).ok();
        let has_manifest =
            members.is_some_and(|members| members.as_object().is_some_and(|all| !all.is_empty()));
        let asked_from = folder.to_owned();
        let lockfile = project.lockfile.to_owned();
        let selected = Vec::new();
        let is_global = false;
        let mut view = View {
            root,
            graph,
            has_manifest,
            is_global,
            asked_from,
            selected,
            source,
            is_recorded,
            lockfile,
            order: OnceLock::new(),
        };
        view.select(&project, folder, workspaces)?;
        Ok(view)
    }

    /// Reads the globally installed packages, as a project that requires each of them.
    ///
    /// # Errors
    /// The settings or a package cannot be read.
    pub fn read_global(
        environment: &Environment,
        flags: &[(String, String)],
    ) -> Result<Self, InspectError> {
        let global = Global::find(environment, flags)?;
        let root = global.folder();
        let mut project = Project::of_global(root.clone())?;
        let found = installed(&root, project.lockfile, None)?;
        let (mut lock, is_recorded) = (found.lock, found.is_recorded);
        // As for npm, which keeps no record of them, nothing tells where they came from.
        let packages = lock.packages.iter_mut().filter(|entry| !entry.link);
        packages.for_each(|entry| entry.resolved = None);
        let required = global.packages().into_iter().map(|package| {
            let entry = lock.get(&format!("node_modules/{}", package.name));
            let target = entry.and_then(|entry| entry.resolved.as_deref().filter(|_| entry.link));
            let spec = target.map_or_else(|| "*".to_owned(), |target| format!("file:{target}"));
            (package.name, Value::from(spec))
        });
        let required: serde_json::Map<String, Value> = required.collect();
        project.set_manifest(&serde_json::json!({ "dependencies": required }).to_string())?;
        project.locked = Some((String::new(), lock));
        let requirements = project.requirements()?;
        let lock = project.locked.take().map(|(_, lock)| lock).unwrap_or_default();
        let graph = Graph::of(&requirements, &lock, Vec::new(), false)?;
        check_depth(&graph)?;
        Ok(View {
            graph,
            has_manifest: false,
            is_global: true,
            asked_from: root.clone(),
            selected: Vec::new(),
            source: Source::Installed,
            is_recorded,
            lockfile: project.lockfile.to_owned(),
            order: OnceLock::new(),
            root,
        })
    }

    /// Reads a project as [`View::read`] does, and selects no workspace that the folder is in.
    ///
    /// # Errors
    /// As [`View::read`].
    pub fn read_whole(
        environment: &Environment,
        source: Source,
        workspaces: &[String],
        legacy_peer_deps: bool,
    ) -> Result<Self, InspectError> {
        let mut view = Self::read(environment, source, workspaces, legacy_peer_deps)?;
        if workspaces.is_empty() {
            view.selected.clear();
        }
        Ok(view)
    }

    /// Keeps the view until the process ends, which costs less than to take it apart.
    #[must_use]
    pub fn kept(self) -> ManuallyDrop<Self> {
        ManuallyDrop::new(self)
    }

    /// Selects all workspaces.
    ///
    /// # Errors
    /// The project has none.
    pub fn select_all(&mut self) -> Result<(), InspectError> {
        let packages = self.graph.packages.iter().enumerate();
        let folders = packages.filter(|(_, one)| one.is_workspace && one.target.is_none());
        self.selected = folders.map(|(place, _)| place).collect();
        match self.selected.is_empty() {
            true => Err(InspectError::NoWorkspaces { folder: shown(&self.root) }),
            false => Ok(()),
        }
    }

    /// Returns the folders of the workspaces in the order in which npm knows them: by the patterns
    /// of `workspaces`.
    pub(crate) fn workspace_order(&self) -> &[String] {
        self.order.get_or_init(|| {
            let found = workspaces(&self.root).unwrap_or_default();
            found.into_iter().map(|(path, _)| path).collect()
        })
    }

    /// Returns where a package came from, as npm tells it: a tarball of the project by its absolute
    /// path.
    pub(crate) fn resolved(&self, place: usize) -> Option<Cow<'_, str>> {
        let resolved = self.graph.packages[place].entry.resolved.as_deref()?;
        Some(self.absolute(resolved))
    }

    /// Returns what is required, as npm tells it: a workspace by its absolute path.
    pub(crate) fn required_spec<'r>(&self, required: &'r Requirement) -> Cow<'r, str> {
        match required.kind {
            Kind::Workspace => self.absolute(&required.spec),
            _ => required.spec.as_str().into(),
        }
    }

    /// Returns a specifier with the path of a file or folder of the project made absolute.
    fn absolute<'a>(&self, spec: &'a str) -> Cow<'a, str> {
        match spec.strip_prefix("file:") {
            Some(path) if !path.starts_with('/') => {
                let path = normal_path(&self.root.join(path));
                format!("file:{}", path.display()).into()
            }
            _ => spec.into(),
        }
    }

    /// Selects workspaces.
    fn select(
        &mut self,
        project: &Project,
        folder: &Path,
        words: &[String],
    ) -> Result<(), InspectError> {
        let mut folders: Vec<&str> = Vec::new();
        let places = (self.root.as_path(), importer_words::base(&self.root, folder));
        for word in words {
            let meant = importer_words::meant(&project.workspaces, places, word);
            if meant.is_empty() {
                return Err(InspectError::NoWorkspace { name: word.clone() });
            }
            folders.extend(meant.into_iter().map(|at| project.workspaces[at].0.as_str()));
        }
        if words.is_empty() {
            let around = project
                .workspaces
                .iter()
                .filter(|(path, _)| folder.starts_with(self.root.join(path)));
            folders.extend(around.map(|(path, _)| path.as_str()).max_by_key(|path| path.len()));
        }
        let places = folders.iter().filter_map(|path| self.at(path));
        self.selected = places.collect();
        Ok(())
    }

    /// Returns the selected workspaces with everything that they need; `None` where none is
    /// selected.
    #[must_use]
    pub fn needed_by_selected(&self) -> Option<HashSet<usize>> {
        (!self.selected.is_empty()).then(|| self.needed_by(self.selected.clone()))
    }

    /// Returns these packages with everything that they need.
    pub(crate) fn needed_by(&self, mut queue: Vec<usize>) -> HashSet<usize> {
        let mut found: HashSet<usize> = queue.iter().copied().collect();
        while let Some(place) = queue.pop() {
            let package = &self.graph.packages[place];
            let extraneous = |child: &&usize| self.graph.packages[**child].extraneous;
            let needed = package.requires.iter().filter_map(|at| self.graph.requirements[*at].to);
            let needed = needed.chain(package.target);
            for next in needed.chain(package.children.iter().filter(extraneous).copied()) {
                if found.insert(next) {
                    queue.push(next);
                }
            }
        }
        found
    }

    /// Returns the package above all others whose folders a package is in: the project, a
    /// workspace, or a folder that a link leads to.
    pub(crate) fn top(&self, mut place: usize) -> usize {
        while let Some(parent) = self.graph.packages[place].parent {
            place = parent;
        }
        place
    }

    /// Returns the requirements that a package has itself; a link has none.
    pub(crate) fn requirements_of(&self, place: usize) -> impl Iterator<Item = &Requirement> {
        self.graph.packages[place].requires.iter().map(|at| &self.graph.requirements[*at])
    }

    /// Returns the requirements that find a package.
    pub(crate) fn dependents_of(&self, place: usize) -> impl Iterator<Item = &Requirement> {
        self.graph.packages[place].required_by.iter().map(|at| &self.graph.requirements[*at])
    }

    /// Returns the package at `path`.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<usize> {
        self.graph.packages.iter().position(|package| package.path == path)
    }

    /// Returns what is known of a package; of a link, what is known of the folder it leads to.
    #[must_use]
    pub fn facts(&self, place: usize) -> &Package {
        let package = &self.graph.packages[place];
        package.target.map_or(package, |target| &self.graph.packages[target])
    }

    /// Returns the name in a package's own manifest.
    #[must_use]
    pub fn package_name(&self, place: usize) -> &str {
        let facts = self.facts(place);
        match &facts.entry.name {
            Some(name) => name,
            None if facts.path.is_empty() => "",
            None => &facts.name,
        }
    }

    /// Returns the project's name, which is that of its folder where it has none.
    #[must_use]
    pub fn project_name(&self) -> Cow<'_, str> {
        match &self.graph.packages[0].entry.name {
            Some(name) => name.into(),
            None => self.root.file_name().unwrap_or_default().to_string_lossy(),
        }
    }

    /// Returns `name@version`; an alias also tells which package it is.
    #[must_use]
    pub fn label(&self, place: usize) -> String {
        let version = self.facts(place).entry.version.as_deref().unwrap_or_default();
        let own = self.package_name(place);
        let name = &self.graph.packages[place].name;
        if place == 0 {
            return format!("{}@{version}", self.project_name());
        }
        if own.is_empty() || own == name {
            return format!("{name}@{version}");
        }
        format!("{name}@npm:{own}@{version}")
    }

    /// Returns the requirements of a package; of a link, those of its folder.
    pub fn requirements(&self, place: usize) -> impl Iterator<Item = &Requirement> {
        let graph = &self.graph;
        self.facts(place).requires.iter().map(|requirement| &graph.requirements[*requirement])
    }

    /// Returns the absolute path of a package.
    #[must_use]
    pub fn folder(&self, place: usize) -> PathBuf {
        let mut folder = self.root.clone();
        for part in self.graph.packages[place].path.split('/') {
            match part {
                "" => {}
                ".." => {
                    folder.pop();
                }
                part => folder.push(part),
            }
        }
        folder
    }

    /// Returns whether a package is what `asked` names: a name, or a name with a range.
    #[must_use]
    pub fn matches(&self, place: usize, asked: &str) -> bool {
        let Ok(argument) = Spec::parse_argument(asked) else { return false };
        let name = argument.name.as_ref().map(|name| name.as_str());
        if name.is_some_and(|name| name != self.graph.packages[place].name) {
            return false;
        }
        let version = self.facts(place).entry.version.as_deref();
        let version = version.and_then(|text| dx_pkg_core::Version::parse_loose(text).ok());
        match &argument.spec {
            _ if &*argument.raw == "*" => true,
            Spec::Range(range) => version.is_some_and(|version| range.satisfies(&version)),
            Spec::Version(wanted) => version.is_some_and(|version| *wanted == version),
            Spec::Tag(_) => true,
            _ => false,
        }
    }
}

/// Returns a setting that is written as text and that no install depends on; `None` where it is not
/// set.
#[must_use]
pub fn text_setting(session: &Session, key: &str) -> Option<String> {
    match session.config().raw(key)?.0 {
        RawValue::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// Checks that each package is near enough to the project for lists and trees of them.
fn check_depth(graph: &Graph) -> Result<(), InspectError> {
    let mut seen = vec![false; graph.packages.len()];
    let mut level: Vec<usize> = (0..graph.packages.len().min(1)).collect();
    for _ in 0..=DEEPEST {
        let mut next = Vec::new();
        for package in level.iter().map(|place| &graph.packages[*place]) {
            let needed = package.requires.iter().filter_map(|at| graph.requirements[*at].to);
            let extraneous = |child: &usize| graph.packages[*child].extraneous;
            let others = package.children.iter().copied().filter(extraneous);
            for place in needed.chain(package.target).chain(others) {
                if !std::mem::replace(&mut seen[place], true) {
                    next.push(place);
                }
            }
        }
        level = next;
    }
    let furthest = level.first().map(|place| graph.packages[*place].name.clone());
    furthest.map_or(Ok(()), |package| Err(InspectError::TooDeep { package, limit: DEEPEST }))
}

/// Reads the graph of what is installed, and whether npm's record of the tree holds for all of it.
/// Where dx's record of the tree holds, that is read in place, while the tree is compared with it.
fn installed_graph(
    environment: &Environment,
    project: &mut Project,
    legacy_peer_deps: bool,
) -> Result<(Graph, bool), InspectError> {
    let root = project.root.clone();
    let record = RecordedTree::read(environment, &root);
    let record = record.as_ref().and_then(RecordedTree::entries);
    if let Some(record) = record {
        let requirements = project.requirements()?;
        let (is_whole, graph) = std::thread::scope(|scope| {
            let compared = scope.spawn(|| is_whole(&root, record));
            let folders = workspace_folders(project);
            let graph = Graph::of_compiled(&requirements, record, folders, legacy_peer_deps);
            (compared.join().unwrap_or(false), graph)
        });
        if let Ok(mut graph) = graph
            && is_whole
        {
            let entries = graph.packages.iter_mut().map(|package| &mut package.entry);
            entries.for_each(RecordedTree::as_hidden);
            return Ok((graph, true));
        }
    }
    let found = installed(&root, project.lockfile, record)?;
    Ok((graph_of(project, found.lock, legacy_peer_deps)?, found.is_recorded))
}

/// Reads the graph of a lock.
fn graph_of(
    project: &mut Project,
    lock: Lock,
    legacy_peer_deps: bool,
) -> Result<Graph, InspectError> {
    project.locked = Some((String::new(), lock));
    let requirements = project.requirements()?;
    let lock = project.locked.take().map(|(_, lock)| lock).unwrap_or_default();
    Ok(Graph::of(&requirements, &lock, workspace_folders(project), legacy_peer_deps)?)
}

fn workspace_folders(project: &Project) -> Vec<String> {
    project.workspaces.iter().map(|(path, _)| path.clone()).collect()
}

fn read_lock(root: &Path, name: &str, text: &str) -> Result<Lock, InspectError> {
    npm::read(text).map_err(|source| InspectError::Lockfile { path: root.join(name), source })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Returns the path of `target` as seen from `folder`, both relative to one root.
pub(crate) fn relative_to(folder: &str, target: &str) -> String {
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (folder, target) = (parts(folder), parts(target));
    let common = folder.iter().zip(&target).take_while(|(a, b)| a == b).count();
    let up = folder.iter().skip(common).map(|_| "..".to_owned());
    up.chain(target.iter().skip(common).cloned()).collect::<Vec<_>>().join("/")
}
