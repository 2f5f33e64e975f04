use dx_pkg_core::PackageId;

use super::difference::{Difference, Fate};
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

/// What becomes of each path of `after`, then what is removed, such as `"a:Kept b:Added -c"`.
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
    assert_eq!(difference.count(Fate::Replaced) as usize, difference.replaced.len());
    fates.chain(removed).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_the_same_is_kept() {
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
fn what_lies_in_a_removed_package_goes_with_it() {
    assert_eq!(difference("a=1 a/b=2 a-b=1 z=1 z/y=1", "a-b=1"), "a-b:Kept -a -z");
}

#[test]
fn what_a_link_takes_the_place_of_goes_with_its_contents() {
    assert_eq!(difference("a=1 a/b=2", "a>w"), "a:Replaced");
    assert_eq!(difference("a>w", "a=1 a/b=2"), "a:Replaced a/b:Added");
}

#[test]
fn what_stays_below_a_removed_package_is_made_anew() {
    assert_eq!(difference("a=1 a/b=2 a/b/c=3", "a=1 a/b/c=3"), "a:Kept a/b/c:Added -a/b");
}
