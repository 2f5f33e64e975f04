use super::find;

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
    let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    let found = find(&root, &patterns);
    std::fs::remove_dir_all(root).unwrap();
    found
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
