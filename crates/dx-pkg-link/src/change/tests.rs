use dx_pkg_core::PackageId;

use super::difference::Difference;
use crate::tree::Sites;
use crate::{Placement, PlacementSource, Tree};

/// `"a=1 b/a=2 l>w"`: packages by version and links, below `node_modules`.
fn tree(text: &str) -> Tree {
    let placement = |word: &str| {
        let (path, source) = if let Some((path, target)) = word.split_once('>') {
            (path, PlacementSource::Symlink { target: target.to_owned() })
        } else {
            let (path, version) = word.split_once('=').unwrap();
            (path, PlacementSource::Package(PackageId::from_bytes([version.parse().unwrap(); 32])))
        };
        let path = format!("node_modules/{}", path.replace('/', "/node_modules/"));
        Placement { path, source, bins: Vec::new(), private_copy: false }
    };
    Tree::new(text.split_whitespace().map(placement).collect())
}

/// Returns the change at each path of `after`, then the removed paths, such as `"a:Kept b:Added
/// -c"`.
fn difference(before: &str, after: &str) -> String {
    let (before, after) = (tree(before), tree(after));
    let (previous, next) = (Sites::of(&before, false).unwrap(), Sites::of(&after, false).unwrap());
    let difference = Difference::of(&previous, &next);
    let short =
        |path: &str| path.trim_start_matches("node_modules/").replace("/node_modules/", "/");
    let fates = next
        .0
        .iter()
        .zip(&difference.fates)
        .map(|(site, fate)| format!("{}:{fate:?}", short(&site.placement.path)));
    let removed = difference.removed.iter().map(|site| format!("-{}", short(&site.placement.path)));
    assert_eq!(difference.paths(&previous, &next).replaced.len(), difference.replaced.len());
    fates.chain(removed).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_unchanged_package_is_kept() {
    assert_eq!(difference("a=1 a/b=2 l>w", "a=1 a/b=2 l>w"), "a:Kept a/b:Kept l:Kept");
}

#[test]
fn another_source_replaces_and_nested_packages_stay() {
    assert_eq!(
        difference("a=1 a/b=2 a/c=3", "a=2 a/b=2 a/c=4"),
        "a:Replaced a/b:Kept a/c:Replaced"
    );
}

#[test]
fn packages_in_a_removed_package_are_removed_with_it() {
    assert_eq!(difference("a=1 a/b=2 a-b=1 z=1 z/y=1", "a-b=1"), "a-b:Kept -a -z");
}

#[test]
fn a_package_replaced_by_a_link_is_removed_with_its_contents() {
    assert_eq!(difference("a=1 a/b=2", "a>w"), "a:Replaced");
    assert_eq!(difference("a>w", "a=1 a/b=2"), "a:Replaced a/b:Added");
}

#[test]
fn a_kept_package_below_a_removed_one_is_built_anew() {
    assert_eq!(difference("a=1 a/b=2 a/b/c=3", "a=1 a/b/c=3"), "a:Kept a/b/c:Added -a/b");
}
