//! Loading of manifests: from a requirement to a node.

use dx_pkg_core::Spec;
use dx_pkg_lock::LockPackage;

use crate::choice::choice;
use crate::explain::label;
use crate::growth::Exceeded;
use crate::intern::{NameId, SpecId};
use crate::manifest::{EdgeKind, Manifest, ManifestId, registry_record};
use crate::tree::{EdgeId, NodeId};
use crate::{ResolveError, provider::External};

use super::{Builder, Failure};

impl Builder<'_, '_> {
    /// Adds a node to `parent`, named as `edge` is, for the requirement of the edge `asked`.
    pub(super) fn package_for_spec(
        &mut self,
        edge: EdgeId,
        asked: EdgeId,
        parent: NodeId,
    ) -> NodeId {
        let name = self.tree[edge].name;
        let spec = self.tree.spec(asked);
        if self.is_linked(name, spec, asked) {
            return self.link_for_spec(name, spec, asked, parent);
        }
        match self.manifest_for(name, spec, asked) {
            Ok(manifest) => {
                let node = self.tree.add_node(name, manifest);
                self.tree.attach(node, parent);
                self.tree.load_edges(node, false);
                node
            }
            Err(failure) => self.failed_node(name, failure, parent),
        }
    }

    /// Adds a node for a package that could not be loaded.
    pub(super) fn failed_node(&mut self, name: NameId, failure: u32, parent: NodeId) -> NodeId {
        let node = self.tree.add_node(name, self.failures[failure as usize].manifest);
        self.tree[node].failure = Some(failure);
        self.tree.attach(node, parent);
        node
    }

    /// Returns whether `spec`, the requirement of `edge`, means a folder that is linked.
    fn is_linked(&self, name: NameId, spec: SpecId, edge: EdgeId) -> bool {
        let Ok(Spec::Directory(path)) = self.tree.interner.parsed(spec) else { return false };
        self.tree[edge].kind == EdgeKind::Workspace
            || !self.tree.is_copied(name, spec, path, self.tree.base_of(edge))
    }

    /// Returns the node whose folder a path in the requirement of `edge` is relative to; `None`
    /// where the requirement is no path.
    fn base_of_path(&self, spec: SpecId, edge: EdgeId) -> Option<NodeId> {
        let parsed = self.tree.interner.parsed(spec);
        matches!(parsed, Ok(Spec::Directory(_) | Spec::Tarball(_))).then(|| self.tree.base_of(edge))
    }

    /// Records the failure to load a package; returns its index.
    pub(super) fn fail(&mut self, name: NameId, error: ResolveError) -> u32 {
        let name = self.tree.text(name).to_owned();
        let manifest =
            Manifest::from_record(LockPackage::default(), Some(&name), &mut self.tree.interner);
        let manifest = self.tree.manifests.push(manifest, &self.tree.interner);
        self.failures.push(Failure { error, manifest, is_excused: false, is_of_bundle: false });
        crate::intern::index(self.failures.len() - 1)
    }

    pub(super) fn required_by(&self, edge: EdgeId) -> String {
        label(&self.tree, self.tree.source_or_self(self.tree[edge].from))
    }

    /// Loads the manifest for a requirement, or returns the one loaded before.
    pub(super) fn manifest_for(
        &mut self,
        name: NameId,
        spec: SpecId,
        edge: EdgeId,
    ) -> Result<ManifestId, u32> {
        let key = (name, spec, self.base_of_path(spec, edge));
        if let Some(known) = self.manifests.get(&key) {
            return *known;
        }
        let found = match &self.fatal {
            // The resolution ends here.
            Some(error) => Err(error.clone()),
            None => self.load_manifest(name, spec, edge),
        };
        if let Err(error @ ResolveError::Extension { .. }) = &found {
            self.fatal.get_or_insert_with(|| error.clone());
        }
        let counted = found.and_then(|manifest| self.count(manifest, edge).map(|()| manifest));
        let found = counted.map_err(|error| self.fail(name, error));
        self.manifests.insert(key, found);
        found
    }

    /// Counts a manifest that was loaded for `edge`; fails where that passes a limit.
    fn count(&mut self, manifest: ManifestId, edge: EdgeId) -> Result<(), ResolveError> {
        let dependent = self.tree.source_or_self(self.tree[edge].from);
        let dependent = self.tree[dependent].manifest;
        let measure = || {
            let manifest = &self.tree.manifests[manifest];
            (manifest.declared.len(), manifest.weight())
        };
        let Err(exceeded) = self.growth.add(manifest, dependent, measure) else { return Ok(()) };
        let excess = match exceeded {
            Exceeded::Packages(limit) => {
                format!("the dependencies are more than {limit} packages")
            }
            Exceeded::Chain(limit) => {
                format!("more than {limit} packages require one another in turn")
            }
            Exceeded::Declared(limit) => {
                format!("one package declares more than {limit} dependencies")
            }
            Exceeded::Weight(limit) => {
                format!("the manifests of the dependencies hold more than {} MB", limit >> 20)
            }
        };
        let name = self.tree.text(self.tree[edge].name).to_owned();
        let required_by = self.required_by(edge);
        let error = ResolveError::TooManyPackages { excess, name, required_by };
        self.fatal.get_or_insert_with(|| error.clone());
        Err(error)
    }

    /// Loads the manifest for a requirement: a registry's packument is loaded and a version picked,
    /// any other manifest comes from the provider as it is.
    fn load_manifest(
        &mut self,
        name: NameId,
        spec: SpecId,
        edge: EdgeId,
    ) -> Result<ManifestId, ResolveError> {
        let text = |id: SpecId| self.tree.interner.spec_text(id).to_owned();
        let foreign = || {
            let reason = Spec::foreign_protocol(self.tree.interner.spec_text(spec))?;
            let (name, required_by) = (self.tree.text(name).to_owned(), self.required_by(edge));
            let from = self.tree.source_or_self(self.tree[edge].from);
            let is_own = self.tree.is_importer(from);
            Some(ResolveError::ForeignProtocol { name, required_by, is_own, reason })
        };
        let parsed = self.tree.interner.parsed(spec);
        if !parsed.is_ok_and(Spec::is_registry)
            && let Some(error) = foreign()
        {
            return Err(error);
        }
        let parsed = match parsed {
            Ok(parsed) => parsed.clone(),
            Err(reason) => {
                return Err(ResolveError::BadSpec {
                    name: self.tree.text(name).to_owned(),
                    spec: text(spec),
                    required_by: self.required_by(edge),
                    reason: reason.to_string(),
                });
            }
        };
        let package_name = match &parsed {
            Spec::Alias { name, .. } => name.as_str().to_owned(),
            _ => self.tree.text(name).to_owned(),
        };
        let load_error = |source| ResolveError::Load {
            name: self.tree.text(name).to_owned(),
            spec: text(spec),
            required_by: self.required_by(edge),
            source,
        };
        if !matches!(parsed, Spec::Alias { .. } | Spec::Range(_) | Spec::Version(_) | Spec::Tag(_))
        {
            let base = self.tree.base_of(edge);
            let from = self.tree.base_path(base);
            let External { mut package, .. } =
                self.provider.manifest(&package_name, &text(spec), &from).map_err(load_error)?;
            if let Spec::Directory(path) = &parsed {
                package.resolved = Some(format!("file:{}", self.tree.relative_to_root(path, base)));
            }
            let own_name = package.name.clone().unwrap_or_else(|| package_name.clone());
            self.extended(&own_name, &mut package)?;
            let manifest =
                Manifest::from_record(package, Some(&package_name), &mut self.tree.interner);
            return Ok(self.tree.manifests.push(manifest, &self.tree.interner));
        }
        let packument = self.provider.packument(&package_name).map_err(load_error)?;
        let Some(version) = self.picker.pick(&packument, &parsed) else {
            return Err(ResolveError::NoVersion {
                name: package_name,
                spec: text(spec),
                required_by: self.required_by(edge),
                choice: choice(&packument, &parsed),
                too_new: self
                    .picker
                    .too_new(&packument, &parsed)
                    .map(|v| packument.version(v).version_str().to_owned()),
                lacks_time: self.picker.lacks_time(&packument, &parsed),
            });
        };
        let package_name = self.tree.interner.name(&package_name);
        let position = version.0;
        if let Some(known) = self.registry.get(&(package_name, position)) {
            return Ok(*known);
        }
        let own_name = packument.name();
        let manifest = if self.extensions.iter().any(|extension| extension.name == own_name) {
            let mut record = registry_record(packument.version(version));
            self.extended(own_name, &mut record)?;
            Manifest::from_record(record, Some(own_name), &mut self.tree.interner)
        } else {
            Manifest::from_registry(&packument, version, &mut self.tree.interner)
        };
        let id = self.tree.manifests.push(manifest, &self.tree.interner);
        self.registry.insert((package_name, position), id);
        Ok(id)
    }
}
