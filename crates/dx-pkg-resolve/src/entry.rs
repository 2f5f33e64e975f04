//! The lockfile's entry of a package of the tree.

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
