use dx_pkg_core::Coded;

use super::*;

fn package(path: &str) -> Placement {
    let source = PlacementSource::Package(PackageId::from_bytes([1; 32]));
    Placement { path: path.into(), source, bins: Vec::new(), private_copy: false }
}

fn link(path: &str, target: &str) -> Placement {
    let source = PlacementSource::Symlink { target: target.into() };
    Placement { path: path.into(), source, bins: Vec::new(), private_copy: false }
}

fn code(placements: Vec<Placement>, links_outside: bool) -> &'static str {
    let tree = Tree::new(placements);
    Sites::of(&tree, links_outside).map_or_else(|error| error.code(), |_| "fine")
}

#[test]
fn paths_are_node_modules_folders_and_package_names() {
    for path in [
        "node_modules/a",
        "node_modules/@s/a",
        "node_modules/a/node_modules/@s/b/node_modules/c",
        "packages/w/node_modules/a",
        "packages/w x/[y]/node_modules/a",
    ] {
        assert_eq!(code(vec![package(path)], false), "fine", "{path}");
    }
}

#[test]
fn every_other_path_is_refused() {
    for path in [
        "",
        "a",
        "node_modules",
        "node_modules/",
        "/node_modules/a",
        "./node_modules/a",
        "../node_modules/a",
        "packages/../node_modules/a",
        "packages//node_modules/a",
        "C:/node_modules/a",
        "C:node_modules/a",
        "packages\\w/node_modules/a",
        "node_modules/a\\b",
        "node_modules/a\0b",
        "node_modules/..",
        "node_modules/../a",
        "node_modules/.bin",
        "node_modules/.hidden",
        "node_modules/node_modules",
        "node_modules/node_modules/a",
        "node_modules/@s",
        "node_modules/@/a",
        "node_modules/a/b",
        "node_modules/@s/a/b",
        "node_modules/a/node_modules",
        "node_modules/a/node_modules/.bin",
        "node_modules/a/node_modules/../b",
        "node_modules/a/lib/node_modules/b",
    ] {
        assert_eq!(code(vec![package(path)], true), "DX_UNSAFE_PATH", "{path:?}");
    }
}

#[test]
fn links_stay_in_the_project_unless_they_may_leave() {
    for target in ["packages/w", "", "packages/..w"] {
        assert_eq!(code(vec![link("node_modules/w", target)], false), "fine", "{target}");
    }
    for target in ["../w", "../../w", ".."] {
        assert_eq!(
            code(vec![link("node_modules/w", target)], false),
            "DX_UNSAFE_LINK_TARGET",
            "{target}"
        );
        assert_eq!(code(vec![link("node_modules/w", target)], true), "fine", "{target}");
    }
    for target in
        ["/etc", "packages/../..", "./w", "w/", "a\\b", "a\0", "C:/x", "..//x", "../a/../b"]
    {
        assert_eq!(
            code(vec![link("node_modules/w", target)], true),
            "DX_UNSAFE_LINK_TARGET",
            "{target:?}"
        );
    }
}

#[test]
fn a_path_is_used_once_and_never_below_a_link() {
    assert_eq!(
        code(vec![package("node_modules/a"), package("node_modules/a")], false),
        "DX_DUPLICATE_PATH"
    );
    let below = vec![
        link("node_modules/a", "packages/a"),
        package("node_modules/a-b"),
        package("node_modules/a/node_modules/b/node_modules/c"),
    ];
    assert_eq!(code(below, false), "DX_PATH_BELOW_LINK");
    let beside = vec![link("node_modules/a", "packages/a"), package("node_modules/a-b")];
    assert_eq!(code(beside, false), "fine");
}

#[test]
fn packages_in_a_package_follow_it() {
    let tree = Tree::new(
        [
            "node_modules/a-b",
            "node_modules/a/node_modules/c",
            "node_modules/a",
            "node_modules/@s/a",
        ]
        .map(package)
        .into(),
    );
    let paths: Vec<&str> =
        tree.placements.iter().map(|placement| placement.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "node_modules/@s/a",
            "node_modules/a",
            "node_modules/a/node_modules/c",
            "node_modules/a-b"
        ]
    );
}

#[test]
fn a_site_knows_its_parts() {
    let tree = Tree::new(vec![package("packages/w/node_modules/@s/a/node_modules/@t/b")]);
    let sites = Sites::of(&tree, false).unwrap();
    let site = sites.0[0];
    assert_eq!(site.importer, "packages/w");
    assert_eq!(site.inner, "@s/a/node_modules/@t/b");
    assert_eq!(site.name, "@t/b");
    assert_eq!(site.top(), "@s/a");
    assert_eq!(site.inner_folder(), "@s/a/node_modules");
    assert_eq!(site.folder(), "packages/w/node_modules/@s/a/node_modules");
}
