use super::*;

/// A project in a folder that another user may own.
struct Folders {
    _keep: tempfile::TempDir,
    above: PathBuf,
    inner: PathBuf,
}

fn folders(above: &str) -> Folders {
    let keep = tempfile::tempdir().unwrap();
    let above_folder = keep.path().canonicalize().unwrap().join("above");
    let inner = above_folder.join("packages/a");
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(above_folder.join("package.json"), above).unwrap();
    Folders { _keep: keep, above: above_folder, inner }
}

#[test]
fn a_workspace_belongs_to_the_project_that_names_it() {
    let folders = folders(r#"{"workspaces": ["packages/*"]}"#);
    std::fs::write(folders.inner.join("package.json"), "{}").unwrap();
    let found = find_root(&folders.inner);
    assert_eq!(found, ProjectRoot { folder: folders.above.clone(), foreign: None });
    assert_eq!(found.warning(), None);
}

#[cfg(unix)]
mod of_another_user {
    use std::os::unix::fs::chown;

    use super::*;

    /// Gives a file to another user, which only root may; `false` where the tests are not root's.
    fn give_away(file: &Path) -> bool {
        let is_root = dx_pkg_testkit::require::root();
        if is_root {
            chown(file, Some(65534), None).unwrap();
        }
        is_root
    }

    #[test]
    fn a_manifest_above_decides_nothing_and_is_named() {
        let folders = folders(r#"{"workspaces": ["packages/*"], "scripts": {"x": "true"}}"#);
        let manifest = folders.above.join("package.json");
        if !give_away(&manifest) {
            return;
        }
        // Without a manifest of its own, and with one.
        for own in [None, Some("{}")] {
            own.iter().for_each(|own| {
                std::fs::write(folders.inner.join("package.json"), own).unwrap();
            });
            let found = find_root(&folders.inner);
            assert_eq!(found.folder, folders.inner);
            assert_eq!(found.foreign.as_ref(), Some(&manifest));
            assert!(found.warning().unwrap().contains("belongs to another user"));
        }
        std::fs::remove_file(folders.inner.join("package.json")).unwrap();
        assert_eq!(folders_with_manifest(&folders.inner).next(), None);
        // In the folder itself it is what the user has chosen.
        assert_eq!(
            find_root(&folders.above),
            ProjectRoot { folder: folders.above.clone(), foreign: None }
        );
    }

    #[test]
    fn a_tree_above_decides_nothing() {
        let folders = folders("{}");
        std::fs::remove_file(folders.above.join("package.json")).unwrap();
        let modules = folders.above.join("node_modules");
        std::fs::create_dir(&modules).unwrap();
        assert_eq!(find_root(&folders.inner).folder, folders.above);
        if give_away(&modules) {
            assert_eq!(find_root(&folders.inner).folder, folders.inner);
        }
    }

    #[test]
    fn a_mounted_project_is_all_of_one_user() {
        let folders = folders(r#"{"workspaces": ["packages/*"]}"#);
        let own = folders.inner.join("package.json");
        std::fs::write(&own, "{}").unwrap();
        let all =
            [folders.above.join("package.json"), folders.above.clone(), folders.inner.clone(), own];
        if all.iter().all(|file| give_away(file)) {
            let expected = ProjectRoot { folder: folders.above.clone(), foreign: None };
            assert_eq!(find_root(&folders.inner), expected);
        }
    }
}
