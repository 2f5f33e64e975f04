//! The outcome of working an install out: everything that is to be written, none of it written yet.

use std::collections::HashMap;

use dx_pkg_acquire::metadata::MetadataBasis;
use dx_pkg_core::{PackageId, Version};
use dx_pkg_link::{Built, Tree};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_store::preparation::{PreparedKey, PreparedTree};

use crate::Summary;
use crate::cached_install::CacheKey;
use crate::installed::Diagnostics;
use crate::plan::Plan;
use crate::scripts::Lifecycle;
use crate::visits::Visit;

/// What an install will write.
#[derive(Default)]
pub(super) struct Outcome {
    /// The change of `node_modules`.
    pub(super) tree: TreeChange,
    /// The lock to be rendered as the lockfile's text.
    pub(super) lock: Option<Lock>,
    /// The lockfile's new text, where it was worked out without a lock; `None` where it stays.
    pub(super) lockfile: Option<String>,
    /// The compiled form of that text, with its digest.
    pub(super) compiled: Option<([u8; 32], Vec<u8>)>,
    /// The new texts of the manifests that may change, each with its importer's folder.
    pub(super) manifests: Vec<(String, String)>,
    /// The result to be shown, without the counts of linking.
    pub(super) summary: Summary,
    /// Whether nothing was left out.
    pub(super) is_complete: bool,
    /// The version of Node.js that packages were chosen for.
    pub(super) node: Option<Version>,
    /// The messages of the tree, where it is a baseline of incremental installs.
    pub(super) diagnostics: Option<Diagnostics>,
    /// The key under which the result is cached, with the metadata it depends on.
    pub(super) cache: Option<(CacheKey, Option<MetadataBasis>)>,
}

/// The change of `node_modules`.
#[derive(Default)]
pub(super) enum TreeChange {
    /// None: only the lockfile is written.
    #[default]
    LockfileOnly,
    /// A prepared tree takes the place of a missing one.
    Prepared(Prepared),
    /// Some packages of the tree in place are changed.
    Difference(Box<Difference>),
    /// The tree is built anew, or changed into another as a whole.
    Whole(Box<Whole>),
}

/// A prepared tree that was claimed.
pub(super) struct Prepared {
    pub(super) tree: PreparedTree,
    /// The folders whose `node_modules` it has, relative to the project.
    pub(super) importers: Vec<String>,
    /// The paths that visit its folders.
    pub(super) visits: Vec<Visit>,
}

/// The affected part of a tree.
pub(super) struct Difference {
    pub(super) before: Tree,
    pub(super) after: Tree,
    /// The changed entries as the record of the tree has them.
    pub(super) entries: Lock,
    /// The versions of the changed and removed packages before.
    pub(super) versions: HashMap<String, Option<String>>,
    /// The project's own entry in the lockfile before.
    pub(super) own: Option<LockPackage>,
    /// The files that describe the tree.
    pub(super) files: [(String, Vec<u8>); 2],
    /// Packages that this command put into the store.
    pub(super) inserted: Vec<PackageId>,
    /// The key of the whole tree, and the number of packages and links in it.
    pub(super) key: PreparedKey,
    pub(super) placed: usize,
    /// The folders whose `node_modules` the whole tree has.
    pub(super) importers: Vec<String>,
    /// Whether it depends on nothing but what the key of a cached install covers.
    pub(super) is_self_contained: bool,
}

/// A whole tree.
pub(super) struct Whole {
    pub(super) plan: Plan,
    /// The scripts that run once it is linked.
    pub(super) lifecycle: Lifecycle,
    /// Packages that this command put into the store.
    pub(super) inserted: Vec<PackageId>,
    /// The tree, where it was built while packages arrived.
    pub(super) built: Option<Built>,
}
