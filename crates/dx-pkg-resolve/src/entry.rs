//! The lockfile's entry of a package of the tree.

use dx_pkg_lock::{LockPackage, name_of_path};

use crate::tree::{DependencyTree, NodeId};

/// Returns whether two entries are equal, apart from the order of keys.
pub(crate) fn same_entry(a: &LockPackage, b: &LockPackage) -> bool {
    let normalised = |package: &LockPackage| {
        let mut package = package.clone();
        package.normalise();
        package
    };
    a == b || (a.path == b.path && normalised(a) == normalised(b))
}

/// Returns the lockfile's entry for `node`.
pub(crate) fn entry(tree: &DependencyTree, node: NodeId) -> LockPackage {
    let path = tree.path(node);
    if let Some(target) = tree[node].target {
        return LockPackage {
            path,
            link: true,
            resolved: Some(tree.path(target)),
            ..LockPackage::default()
        };
    }
    let mut record = tree.manifest(node).record();
    let package_name = tree.manifest(node).name.map(|name| tree.text(name).to_owned());
    let folder_name = tree[node].folder.as_deref().map(|folder| name_of_path(folder).to_owned());
    let is_renamed = package_name.as_deref() != Some(tree.text(tree[node].name))
        || folder_name.is_some_and(|folder| package_name.as_deref() != Some(folder.as_str()));
    let is_root = node == tree.root;
    record.name = package_name.filter(|_| is_root || is_renamed);
    if !tree.is_top(node) {
        record.remove_dev_dependencies();
    }
    record.path = path;
    record.in_bundle = tree[node].in_bundle;
    if !is_root {
        set_flags(&mut record, tree, node);
    }
    record
}

fn set_flags(record: &mut LockPackage, tree: &DependencyTree, node: NodeId) {
    let flags = tree[node].flags;
    record.extraneous = flags.extraneous;
    record.peer = flags.peer && !flags.extraneous;
    record.dev = flags.dev && !flags.extraneous;
    record.optional = flags.optional && !flags.extraneous;
    record.dev_optional = flags.dev_optional && !flags.dev && !flags.optional && !flags.extraneous;
}
