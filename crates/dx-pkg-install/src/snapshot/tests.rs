use std::fs;

use dx_pkg_store::Store;

use super::*;

#[test]
fn refreshed_state_changes_in_its_folders_only() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path();
    fs::create_dir_all(root.join("node_modules/.dx")).unwrap();
    fs::write(root.join("package.json"), "{}").unwrap();
    let seen = [see(&root.join("package.json")), (root.join("node_modules"), None)];
    let baseline = Baseline { node: "20.1.0".to_owned(), ..Baseline::default() };
    let known = State {
        frozen: true,
        folder: Some("demo".to_owned()),
        baseline: Some(baseline),
        ..State::new(root, [7; 32], seen)
    };
    let store = Store::open(&root.join("store")).unwrap();
    let seal = Seal::of_store(&store).unwrap();
    fs::write(root.join(state::PATH), known.encode(seal)).unwrap();

    refresh_state(root, seal).unwrap();
    let bytes = fs::read(root.join(state::PATH)).unwrap();
    let refreshed = State::decode(&bytes, seal).unwrap();
    let folder = see(&root.join("node_modules")).1;
    let files: Vec<_> = known
        .files
        .iter()
        .map(|(path, noted)| (path.clone(), if is_of_tree(path) { folder } else { *noted }))
        .collect();
    assert_eq!(refreshed, State { files, ..known });
}
