use super::*;

fn policy(keys: &[(&str, bool)]) -> Policy {
    Policy::new(
        Path::new("/x/y/p"),
        keys.iter().map(|(key, verdict)| ((*key).to_owned(), *verdict)),
    )
}

/// Stands for a registry that has every version where its entry says.
const VOUCHED: fn(&str, &str) -> bool = |_, _| true;

fn package(path: &str, version: &str, resolved: Option<&str>) -> LockPackage {
    LockPackage {
        path: path.to_owned(),
        version: Some(version.to_owned()),
        resolved: resolved.map(str::to_owned),
        ..LockPackage::default()
    }
}

/// Returns what one key says of `a@1.2.0` of a registry.
fn of_registry(key: &str) -> Option<bool> {
    let url = "https://r.test/a/-/a-1.2.0.tgz";
    policy(&[(key, true)]).of_package(&package("node_modules/a", "1.2.0", Some(url)), VOUCHED)
}

#[test]
fn registry_packages_are_named_by_name_or_exact_versions() {
    for key in ["a", "a@", "a@*", "a@1.2.0", "a@=1.2.0", "a@1.0.0 || 1.2.0", " a@1.2.0||3.0.0 "] {
        assert_eq!(of_registry(key), Some(true), "{key}");
    }
    for key in ["b", "a@1.0.0", "a@^1", "a@1", "a@>=1", "a@latest", "a@npm:a@1.2.0", "file:a", ""] {
        assert_eq!(of_registry(key), None, "{key}");
    }
}

#[test]
fn denial_wins() {
    let both = policy(&[("a", false), ("a@1.2.0", true)]);
    assert_eq!(both.of_package(&package("node_modules/a", "1.2.0", None), VOUCHED), Some(false));
}

#[test]
fn address_of_a_registry_tells_the_name_and_no_entry_can_claim_another() {
    let allows = |path: &str, url: &str| {
        policy(&[("trusted", true), ("@s/b", true)])
            .of_package(&package(path, "1.0.0", Some(url)), VOUCHED)
    };
    let trusted = "https://r.test/trusted/-/trusted-1.0.0.tgz";
    assert_eq!(allows("node_modules/alias", trusted), Some(true));
    assert_eq!(allows("node_modules/trusted", "https://r.test/x/-/x-1.0.0.tgz"), None);
    assert_eq!(allows("node_modules/@s/b", "https://r.test/@s/b/-/b-1.0.0.tgz"), Some(true));
    // An address of another form says nothing; the entry does.
    assert_eq!(allows("node_modules/trusted", "https://r.test/download/1"), Some(true));
    assert_eq!(allows("node_modules/trusted", "file:trusted.tgz"), None);
}

#[test]
fn tarballs_are_named_by_path_or_address() {
    let file = package("node_modules/t", "1.0.0", Some("file:lib/t.tgz"));
    for key in
        ["file:lib/t.tgz", "./lib/t.tgz", "file:/x/y/p/lib/t.tgz", "t@file:./lib/../lib/t.tgz"]
    {
        assert_eq!(policy(&[(key, true)]).of_package(&file, VOUCHED), Some(true), "{key}");
    }
    for key in ["t", "t@1.0.0", "file:t.tgz"] {
        assert_eq!(policy(&[(key, true)]).of_package(&file, VOUCHED), None, "{key}");
    }
    let remote = package("node_modules/t", "1.0.0", Some("https://h.test/t.tgz"));
    assert_eq!(policy(&[("https://h.test/t.tgz", true)]).of_package(&remote, VOUCHED), Some(true));
    assert_eq!(policy(&[("https://h.test/u.tgz", true)]).of_package(&remote, VOUCHED), None);
}

#[test]
fn folders_are_named_by_path_also_as_npm_writes_it() {
    let of_folder =
        |key: &str, link: &str| policy(&[(key, true)]).of_folder("lib", [link].into_iter());
    for key in ["file:lib", "file:./lib", "./lib", "lib@file:lib", "/x/y/p/lib", "file:../lib"] {
        assert_eq!(of_folder(key, "node_modules/lib"), Some(true), "{key}");
    }
    assert_eq!(of_folder("file:../../lib", "node_modules/@s/lib"), Some(true));
    for key in ["lib", "lib@1.0.0", "file:other", "file:../../lib"] {
        assert_eq!(of_folder(key, "node_modules/lib"), None, "{key}");
    }
    let outside = policy(&[("file:../../out", true)]);
    assert_eq!(outside.of_folder("../out", ["node_modules/out"].into_iter()), Some(true));
}

#[test]
fn a_name_allows_only_what_is_vouched_for() {
    let url = "https://r.test/a/-/a-1.2.0.tgz";
    let entry = package("node_modules/a", "1.2.0", Some(url));
    let nobody = |_: &str, _: &str| false;
    let this = |name: &str, version: &str| (name, version) == ("a", "1.2.0");
    for key in ["a", "a@1.2.0"] {
        assert_eq!(policy(&[(key, true)]).of_package(&entry, nobody), None, "{key}");
        assert_eq!(policy(&[(key, true)]).of_package(&entry, this), Some(true), "{key}");
        assert!(policy(&[(key, true)]).is_by_name(&entry));
    }
    // A denial needs no proof, and an address is what it is.
    assert_eq!(policy(&[("a", false)]).of_package(&entry, nobody), Some(false));
    assert_eq!(policy(&[(url, true)]).of_package(&entry, nobody), Some(true));
    assert!(!policy(&[(url, true), ("a", true)]).is_by_name(&entry));
}

#[test]
fn repositories_are_named_by_address_and_beginning_of_the_commit() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let said = |key: &str, resolved: &str| {
        let package = package("node_modules/a", "1.0.0", Some(&format!("{resolved}#{commit}")));
        policy(&[(key, true)]).of_package(&package, VOUCHED)
    };
    let hosted = "git+ssh://git@github.com/u/a.git";
    for key in [
        "github:u/a",
        "u/a",
        "git+https://github.com/u/a.git",
        "git+ssh://git@github.com/u/a.git",
        "github:u/a#0123456",
        "a@github:u/a#0123456789abcdef0123456789abcdef01234567",
    ] {
        assert_eq!(said(key, hosted), Some(true), "{key}");
    }
    for key in ["a", "a@1.0.0", "github:u/b", "github:v/a", "u/a#main", "u/a#semver:*", "u/a#123"] {
        assert_eq!(said(key, hosted), None, "{key}");
    }
    let other = "git+https://host.example/u/a.git";
    assert_eq!(said("git+https://host.example/u/a.git", other), Some(true));
    assert_eq!(said("git+https://host.example/u/a.git#01234567", other), Some(true));
    for key in ["git+https://other.example/u/a.git", "github:u/a", "https://host.example/u/a.git"] {
        assert_eq!(said(key, other), None, "{key}");
    }
}
