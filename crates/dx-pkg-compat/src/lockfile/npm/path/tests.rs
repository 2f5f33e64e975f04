use super::check;

fn is_taken(path: &str, is_extraneous: bool, links: &[&str]) -> bool {
    check(path, is_extraneous, |folder| links.contains(&folder)).is_ok()
}

#[test]
fn a_path_outside_the_project_is_linked_to_or_below_a_link_target() {
    for (path, links) in [
        ("../b", "../b"),
        ("../b/node_modules/ms", "../b"),
        ("../node_modules/b", "../node_modules/b"),
        ("../node_modules/b/node_modules/@s/ms", "../node_modules/b"),
        ("../../x/y", "../../x/y"),
    ] {
        assert!(is_taken(path, false, &[links]), "{path}");
        assert!(!is_taken(path, false, &[]), "{path} without a link");
        assert!(!is_taken(path, false, &["../c"]), "{path} with a link elsewhere");
    }
    assert!(!is_taken("../bad/node_modules/ms", false, &["../b"]));
}

#[test]
fn an_extraneous_folder_outside_needs_no_link() {
    assert!(is_taken("../x", true, &[]));
    assert!(is_taken("../x/node_modules/y", true, &[]));
    assert!(!is_taken("/x", true, &[]) && !is_taken("a/../../x", true, &[]));
}

#[test]
fn a_folder_in_a_package_is_linked_to() {
    assert!(is_taken("node_modules/m/lib/q", false, &["node_modules/m/lib/q"]));
    assert!(!is_taken("node_modules/m/lib/q", false, &[]));
}
