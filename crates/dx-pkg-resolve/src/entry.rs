//! The lockfile's entry of a package of the tree.

use dx_pkg_lock::dxl::Package;
use dx_pkg_lock::{LockPackage, name_of_path};

use crate::manifest::Origin;
use crate::tree::{DependencyTree, Flags, NodeId};

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
pub(crate) fn entry(tree: &DependencyTree<'_>, node: NodeId) -> LockPackage {
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
    let is_root = node == tree.root;
    record.name = recorded_name(tree, node).map(str::to_owned);
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

/// Returns the name in the entry of a node that is no link.
fn recorded_name<'t>(tree: &'t DependencyTree<'_>, node: NodeId) -> Option<&'t str> {
    let package_name = tree.manifest(node).name.map(|name| tree.text(name));
    let folder_name = tree[node].folder.as_deref().map(name_of_path);
    let is_renamed = package_name != Some(tree.text(tree[node].name))
        || folder_name.is_some_and(|folder| package_name != Some(folder));
    package_name.filter(|_| node == tree.root || is_renamed)
}

/// Returns whether the entry of a folder's node at `path` is certain to be `before`.
pub(crate) fn is_entry_of_folder(
    tree: &DependencyTree<'_>,
    node: NodeId,
    in_bundle: bool,
    (path, before): (&str, Package<'_>),
) -> bool {
    let Origin::Record(record) = &tree.manifest(node).origin else { return false };
    let is_folder = tree.is_top(node) && tree[node].target.is_none() && node != tree.root;
    if !is_folder || record.patched.is_some() || record.link || before.path() != path {
        return false;
    }
    let mut header = LockPackage {
        path: path.to_owned(),
        name: recorded_name(tree, node).map(str::to_owned),
        in_bundle,
        has_install_script: record.has_install_script,
        has_shrinkwrap: record.has_shrinkwrap,
        private_copy: record.private_copy,
        ..LockPackage::default()
    };
    set_flags(&mut header, tree, node);
    before.is_made_of(&header, record)
}

fn set_flags(record: &mut LockPackage, tree: &DependencyTree<'_>, node: NodeId) {
    let Flags { dev, optional, dev_optional, peer, extraneous } = recorded_flags(tree, node);
    (record.dev, record.optional, record.dev_optional) = (dev, optional, dev_optional);
    (record.peer, record.extraneous) = (peer, extraneous);
}

/// Returns the flags of a node as the lockfile has them: none that another one implies.
fn recorded_flags(tree: &DependencyTree<'_>, node: NodeId) -> Flags {
    let flags = tree[node].flags;
    if flags.extraneous {
        return Flags { extraneous: true, ..Flags::NONE };
    }
    Flags { dev_optional: flags.dev_optional && !flags.dev && !flags.optional, ..flags }
}

/// Returns whether the entry of the node `id` at `path` is certain to be the one that the node was
/// read from.
pub(crate) fn is_as_read(
    tree: &DependencyTree<'_>,
    id: NodeId,
    in_bundle: bool,
    path: &str,
) -> bool {
    let Origin::Locked(package) = tree.manifest(id).origin else { return false };
    let (name, node) = (tree.manifest(id).name, &tree[id]);
    let known = Flags {
        dev: package.dev(),
        optional: package.optional(),
        dev_optional: package.dev_optional(),
        peer: package.peer(),
        extraneous: package.extraneous(),
    };
    node.target.is_none()
        && node.folder.is_none()
        && package.path() == path
        && !package.link()
        && package.in_bundle() == in_bundle
        && package.explicit_name().is_some() == (name != Some(node.name))
        && known == recorded_flags(tree, id)
        && package.dev_dependencies().is_empty()
        && package.extra().all(|(key, _)| key != "devDependencies")
}
