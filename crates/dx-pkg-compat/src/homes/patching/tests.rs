//! What `patch:` requirements mean, with their forms as Yarn writes them.

use dx_pkg_core::Coded;

use super::super::{Catalogs, Manager, Meanings, Owner};
use super::*;

/// Returns what a requirement for `name` in the folder `from` means, and its patches.
fn read(
    from: &str,
    name: &str,
    spec: &str,
) -> Result<(Option<String>, RequiredPatches), HomeError> {
    let catalogs = Catalogs::default();
    let owner = Owner { manager: Manager::Yarn, ..Owner::NPM };
    let meanings = Meanings { owner, catalogs: &catalogs, workspaces: &[] };
    let mut patches = RequiredPatches::default();
    meanings.add_patches(from, name, spec, &mut patches)?;
    Ok((meanings.of(from, name, spec)?, patches))
}

#[test]
fn a_patch_is_for_what_its_requirement_allows() {
    for (from, name, spec, means, file, is_optional) in [
        ("", "a", "patch:a@npm:1.0.0#./p/a.patch", "1.0.0", "p/a.patch", false),
        ("", "a", "patch:a@1.0.0#p/a.patch", "1.0.0", "p/a.patch", false),
        ("", "a", "patch:a@npm%3A^1#~/.yarn/patches/a.patch", "^1", ".yarn/patches/a.patch", false),
        ("", "a", "patch:a@npm:^1#optional!./a.patch", "^1", "a.patch", true),
        ("", "a", "patch:a@npm:^1#./a.patch::version=1.0.0&hash=x", "^1", "a.patch", false),
        ("", "a", "patch:a@npm:^1#./with%20space.patch", "^1", "with space.patch", false),
        ("w/b", "a", "patch:a@npm:^1#../../a.patch", "^1", "a.patch", false),
        ("w/b", "a", "patch:a@npm:^1#./a.patch", "^1", "w/b/a.patch", false),
        ("w/b", "a", "patch:a@npm:^1#~/a.patch", "^1", "a.patch", false),
        ("", "my", "patch:a@npm:^1#./a.patch", "npm:a@^1", "a.patch", false),
        ("", "my", "patch:@s/a@^1#./a.patch", "npm:@s/a@^1", "a.patch", false),
        ("", "my", "patch:my@npm:a@^1#./a.patch", "npm:a@^1", "a.patch", false),
        ("", "@s/a", "patch:@s/a@npm%3A1.0.0#./a.patch", "1.0.0", "a.patch", false),
        (
            "",
            "a",
            "patch:a@patch%3Aa@npm%253A1.0.0%23optional!builtin<compat/a>#~/a.patch",
            "1.0.0",
            "a.patch",
            false,
        ),
    ] {
        let (own, patches) = read(from, name, spec).unwrap();
        assert_eq!(own.as_deref(), Some(means), "{spec}");
        let [rule] = patches.rules.as_slice() else { panic!("{spec}: {patches:?}") };
        let found = (rule.name.as_str(), rule.file.as_str(), rule.is_optional);
        assert_eq!(found, (name, file, is_optional), "{spec}");
        assert!(rule.is_for("1.0.0") && !rule.is_for("3.0.0"), "{spec}");
        assert!(patched_name(spec).is_some(), "{spec}");
    }
}

#[test]
fn patches_that_yarn_brings_are_named() {
    for spec in [
        "patch:typescript@npm%3A^5.0.0#optional!builtin<compat/typescript>",
        "patch:typescript@^5.0.0#~builtin<compat/typescript>",
        "patch:typescript@npm:^5.0.0#builtin<compat/typescript>",
    ] {
        let (means, patches) = read("", "typescript", spec).unwrap();
        assert_eq!(means.as_deref(), Some("^5.0.0"), "{spec}");
        let builtin = ("typescript".to_owned(), "compat/typescript".to_owned());
        assert_eq!((patches.rules.len(), patches.builtin), (0, vec![builtin]), "{spec}");
    }
}

#[test]
fn what_cannot_be_carried_out_is_an_error() {
    let deep = (0..20).fold("npm:1.0.0".to_owned(), |inner, _| {
        format!("patch:a@{}#./a.patch", inner.replace('%', "%25").replace('#', "%23"))
    });
    for (spec, problem) in [
        ("patch:", "names no package"),
        ("patch:a", "names no package"),
        ("patch:a@#./a.patch", "names no package"),
        ("patch:a@npm:1#../a.patch", "outside of the project"),
        ("patch:a@npm:1#/tmp/a.patch", "outside of the project"),
        ("patch:a@npm:1#~/../a.patch", "outside of the project"),
        ("patch:a@npm:1#./a.patch&./b.patch", "several patch files"),
        (deep.as_str(), "nested too deep"),
    ] {
        let error = read("", "a", spec).unwrap_err();
        assert_eq!(error.code(), "DX_BAD_PATCHED_DEPENDENCIES", "{spec}");
        assert!(error.to_string().contains(problem), "{spec}: {error}");
    }
}

#[test]
fn the_same_patch_counts_once() {
    let mut all = RequiredPatches::default();
    for spec in ["patch:a@npm:^1#./a.patch", "patch:a@^1#./a.patch", "patch:a@^2#./a.patch"] {
        all.extend(read("", "a", spec).unwrap().1);
    }
    assert_eq!(all.rules.len(), 2);
}
