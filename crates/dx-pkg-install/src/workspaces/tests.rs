use std::path::Path;

use super::{Candidates, Patterns};

fn project(folders: &[&str]) -> std::path::PathBuf {
    let root = std::env::temp_dir().join(dx_pkg_os::files::unique_name("dx-workspaces-"));
    for folder in folders {
        std::fs::create_dir_all(root.join(folder)).unwrap();
        std::fs::write(root.join(folder).join("package.json"), "{}").unwrap();
    }
    root
}

fn found(folders: &[&str], patterns: &[&str]) -> Vec<String> {
    let root = project(folders);
    let found = find(&root, patterns);
    std::fs::remove_dir_all(root).unwrap();
    found
}

fn find(root: &Path, patterns: &[&str]) -> Vec<String> {
    let candidates = candidates(root, patterns);
    let has_manifest = |folder: &String| root.join(folder).join("package.json").is_file();
    candidates.folders.into_iter().filter(has_manifest).collect()
}

fn candidates(root: &Path, patterns: &[&str]) -> Candidates {
    let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    Candidates::find(root, &Patterns::parse(&patterns).unwrap())
}

#[test]
fn a_star_matches_one_folder() {
    let folders = ["packages/b", "packages/a", "packages/a/deep", "other"];
    assert_eq!(found(&folders, &["packages/*"]), ["packages/a", "packages/b"]);
    assert_eq!(found(&folders, &["./packages/a/"]), ["packages/a"]);
    assert_eq!(found(&folders, &["pack*s/a*"]), ["packages/a"]);
}

#[test]
fn two_stars_match_any_depth_but_not_node_modules() {
    let folders = ["a", "a/b/c", "a/node_modules/d"];
    assert_eq!(found(&folders, &["a/**"]), ["a", "a/b/c"]);
}

#[test]
fn an_exclamation_mark_excludes() {
    assert_eq!(found(&["p/a", "p/b"], &["p/*", "!p/b"]), ["p/a"]);
    assert_eq!(found(&["p/a", "p/b/c"], &["p/**", "!**/c"]), ["p/a"]);
}

#[test]
fn what_the_walk_finds_is_what_the_patterns_match() {
    let folders = [
        "apps/web",
        "apps/.hidden",
        "libs/a",
        "libs/a/b",
        "libs/c1",
        "libs/c2",
        "libs/node_modules/x",
        "node_modules/y",
        "tools",
        "tools/@s/t",
    ];
    let root = project(&folders);
    for patterns in [
        &["{apps,libs}/*"][..],
        &["*"],
        &["**"],
        &["**", "!libs/**"],
        &["libs/c?", "tools/@*/*"],
        &["libs/c[!2]"],
        &["libs/!(a|c1)"],
        &["libs/+(a|c1)", "apps/.*"],
        &["!libs/a", "libs/**"],
        &["node_modules/y", "libs/node_modules/*"],
        &["nothing/*", "tools"],
    ] {
        let texts: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let matcher = Patterns::parse(&texts).unwrap();
        let mut expected: Vec<&str> =
            folders.iter().copied().filter(|folder| matcher.matches(folder)).collect();
        expected.sort_unstable();
        assert_eq!(find(&root, patterns), expected, "{patterns:?}");
    }
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn listed_folders_are_those_that_a_new_workspace_changes() {
    let root = project(&["p/a", "p/b/c", "q/d"]);
    for (patterns, expected) in [
        (&["p/*"][..], &["p"][..]),
        (&["p/**"], &["p", "p/a", "p/b", "p/b/c"]),
        (&["p/**", "!p/b/**"], &["p", "p/a"]),
        (&["p/a", "nothing"], &[]),
        (&["*/d"], &[""]),
        (&["nothing/*"], &["nothing"]),
    ] {
        let listed = candidates(&root, patterns).listed;
        assert_eq!(listed.into_iter().collect::<Vec<_>>(), expected, "{patterns:?}");
    }
    std::fs::remove_dir_all(root).unwrap();
}

#[cfg(unix)]
#[test]
fn a_link_to_a_folder_is_followed_but_not_by_two_stars() {
    let root = project(&["p/b", "elsewhere/a", "elsewhere/a/deep/er"]);
    std::os::unix::fs::symlink("../elsewhere/a", root.join("p/a")).unwrap();
    std::os::unix::fs::symlink("..", root.join("p/round")).unwrap();
    std::os::unix::fs::symlink("nowhere", root.join("p/broken")).unwrap();
    assert_eq!(find(&root, &["p/*"]), ["p/a", "p/b"]);
    assert_eq!(find(&root, &["p/**"]), ["p/a", "p/b"]);
    assert_eq!(find(&root, &["p/*/deep/*"]), ["p/a/deep/er"]);
    assert_eq!(find(&root, &["p/a/**"]), ["p/a", "p/a/deep/er"]);
    std::fs::remove_dir_all(root).unwrap();
}
