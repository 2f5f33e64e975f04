use super::{Places, is_below};

fn places() -> Places {
    Places { project: Some("/home/u/app".into()), home: Some("/home/u".into()) }
}

#[test]
fn an_absolute_path_becomes_relative_to_the_project() {
    for (path, expected) in [
        ("/home/u/app/lib", "lib"),
        ("/home/u/app", ""),
        ("/home/u/app/", ""),
        ("/home/u/b", "../b"),
        ("/opt/b/", "../../../opt/b"),
        ("/home/u/app/a/../lib/.", "lib"),
        ("/", "../../.."),
    ] {
        assert_eq!(places().relative("packages/a", path), expected, "{path}");
    }
}

#[test]
fn a_tilde_is_the_users_home() {
    for (path, expected) in
        [("~/lib", "../lib"), ("~", ".."), ("~//lib/", "../lib"), ("~/app/x", "x")]
    {
        assert_eq!(places().relative("", path), expected, "{path}");
    }
    assert_eq!(Places::default().relative("a", "~/lib"), "a/~/lib");
    assert_eq!(places().relative("", "~lib"), "~lib");
}

#[test]
fn a_relative_path_starts_at_its_dependent() {
    for (base, path, expected) in [
        ("", "./a/../lib", "lib"),
        ("packages/a", "../b", "packages/b"),
        ("packages/a", "../../../b", "../b"),
        ("../b", "../c", "../c"),
        ("", "a b/", "a b"),
    ] {
        assert_eq!(places().relative(base, path), expected, "{base} {path}");
    }
}

#[test]
fn only_a_folder_in_the_package_itself_is_published_with_it() {
    for path in ["lib/q", "./lib/q", "a/../b", "a/./"] {
        assert!(is_below(path), "{path}");
    }
    for path in ["../q", ".", "", "a/../..", "a/../../q", "/q", "~/q", "~", "C:/q", "c:q"] {
        assert!(!is_below(path), "{path}");
    }
}
