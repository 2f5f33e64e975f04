//! The order in which npm runs lifecycle scripts.

use dx_pkg_compat::manifest::Manifest;

#[cfg(test)]
mod tests;

/// Events of the project itself that come before anything is installed.
pub const ROOT_EVENTS_BEFORE: [&str; 1] = ["preinstall"];

/// Events of a dependency. Each is over for all packages before the next begins; commands are
/// linked after the first.
pub const DEPENDENCY_EVENTS: [&str; 3] = ["preinstall", "install", "postinstall"];

/// Events of a linked folder: those of a dependency, with `prepare` before the commands are linked.
pub const LINKED_EVENTS: [&str; 4] = ["preinstall", "prepare", "install", "postinstall"];

/// Events of the project itself after any command that has changed the tree.
pub const TREE_EVENTS: [&str; 3] = ["predependencies", "dependencies", "postdependencies"];

/// Events of the project itself once its dependencies are complete.
pub const ROOT_EVENTS_AFTER: [&str; 6] =
    ["install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"];

/// Sorts the paths of packages into the order in which one event's scripts are started: by depth in
/// the tree, then by npm's collation. It does not depend on dependencies.
pub fn order<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut paths: Vec<&str> = paths.into_iter().collect();
    paths.sort_by(|a, b| depth(a).cmp(&depth(b)).then_with(|| dx_pkg_lock::locale_compare(a, b)));
    paths
}

/// Returns the depth of a path in packages; workspaces count as roots.
fn depth(path: &str) -> usize {
    path.split('/').filter(|segment| *segment == "node_modules").count()
}

/// Returns the `install` script that npm implies for a package with a `binding.gyp` and none of its
/// own.
#[must_use]
pub fn implied_install(manifest: &Manifest, has_binding_gyp: bool) -> Option<&'static str> {
    (has_binding_gyp && manifest.implies_gyp()).then_some("node-gyp rebuild")
}

/// The events that npm has a meaning for; most have pre and post scripts.
const EVENTS: [&str; 12] = [
    "dependencies",
    "install",
    "prepare",
    "prepublishOnly",
    "publish",
    "restart",
    "start",
    "stop",
    "test",
    "uninstall",
    "version",
    "prepack",
];

/// Returns whether npm runs a script by itself or has a command for it.
#[must_use]
pub fn is_lifecycle(name: &str) -> bool {
    let event = ["pre", "post"].iter().find_map(|prefix| name.strip_prefix(prefix));
    let has_hooks = |event: &&str| {
        EVENTS.contains(event) && !matches!(*event, "dependencies" | "prepublishOnly" | "prepack")
    };
    EVENTS.contains(&name)
        || event.filter(has_hooks).is_some()
        || matches!(name, "prepublish" | "postpack")
}
