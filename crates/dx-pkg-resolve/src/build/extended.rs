//! Packages whose manifests the project alters (see [`crate::extensions`]), in a lockfile that was
//! written under other rules.

use dx_pkg_lock::LockPackage;

use crate::extensions::{self, APPLIED};
use crate::manifest::Origin;
use crate::tree::NodeId;
use crate::{Requirements, ResolveError};

use super::Builder;
use super::locked::Locked;

/// The member of a lockfile's entry that tells of a program of npm's that altered its manifest.
const APPLIED_BY_PROGRAM: &str = "npmExtensionApplied";
/// The members of the project's entry that tell of the rules, and of the program.
const HASHES: [&str; 2] = ["packageExtensionsHash", "npmExtensionHash"];

impl<'l> Builder<'_, 'l> {
    /// Removes the packages that the rules of the lockfile or of the project are for, where these
    /// differ: they are resolved anew.
    ///
    /// # Errors
    /// The lockfile must not change, or has packages that two rules are for.
    pub(super) fn apply_changed_extensions(
        &mut self,
        requirements: &Requirements,
        previous: Locked<'_, 'l>,
    ) -> Result<(), ResolveError> {
        let now = HASHES.map(|key| member(&requirements.root, key).map(str::to_owned));
        let before = HASHES.map(|key| previous.project_member(key));
        let [rules_differ, program_differs] = [0, 1].map(|which| now[which] != before[which]);
        if self.options.frozen {
            let refuse = |what| Err(ResolveError::FrozenExtensions { what });
            if rules_differ {
                return refuse("packageExtensions");
            } else if program_differs {
                return refuse(".npm-extension");
            }
            return self.check_extensions();
        }
        if !rules_differ && !program_differs {
            return Ok(());
        }
        let mut nodes = self.tree.project_nodes();
        nodes.retain(|node| {
            !self.tree.is_top(*node)
                && self.tree[*node].target.is_none()
                && (rules_differ && (self.has_member(*node, APPLIED) || self.is_extended(*node))
                    || program_differs && self.has_member(*node, APPLIED_BY_PROGRAM))
        });
        for node in nodes {
            let dependents: Vec<NodeId> =
                self.tree.dependents(node).map(|edge| self.tree[edge].from).collect();
            self.tree.detach(node);
            for dependent in dependents {
                self.queue.push(&self.tree, dependent);
            }
        }
        Ok(())
    }

    /// Checks the packages of a frozen lockfile as their manifests would be.
    fn check_extensions(&self) -> Result<(), ResolveError> {
        if self.extensions.is_empty() {
            return Ok(());
        }
        for node in self.tree.project_nodes() {
            if !self.tree.is_top(node)
                && let Some(name) = self.tree.manifest(node).name
            {
                let (name, version) = (self.tree.text(name), self.tree.version(node));
                extensions::check(&self.extensions, name, version)
                    .map_err(|reason| ResolveError::Extension { reason })?;
            }
        }
        Ok(())
    }

    fn is_extended(&self, node: NodeId) -> bool {
        let Some(name) = self.tree.manifest(node).name else { return false };
        let (name, version) = (self.tree.text(name), self.tree.version(node));
        self.extensions.iter().any(|extension| extension.matches(name, version))
    }

    fn has_member(&self, node: NodeId, key: &str) -> bool {
        match &self.tree.manifest(node).origin {
            Origin::Record(record) => member(record, key).is_some(),
            Origin::Locked(package) => package.extra().any(|(known, _)| known == key),
            Origin::Registry { .. } => false,
        }
    }

    /// Applies the project's rules to a manifest that was loaded for `node`'s requirement.
    pub(super) fn extended(
        &self,
        name: &str,
        record: &mut LockPackage,
    ) -> Result<(), ResolveError> {
        let version = record.version.as_deref();
        let version = version.and_then(|text| dx_pkg_core::Version::parse_loose(text).ok());
        extensions::apply(&self.extensions, name, version.as_ref(), record)
            .map_err(|reason| ResolveError::Extension { reason })
    }
}

fn member<'p>(package: &'p LockPackage, key: &str) -> Option<&'p str> {
    package.extra.iter().find(|(known, _)| known == key).map(|(_, json)| json.as_str())
}
