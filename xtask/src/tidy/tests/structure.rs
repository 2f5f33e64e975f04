//! Import rings, long lines, names of crate roots, size of the binary, unused dependencies.

use super::{CORE, check, tidy_tree, with, with_core_code, write};
use tempfile::TempDir;

/// The tidy tree with these modules in dx-pkg-core.
fn with_modules(modules: &[(&str, &str)]) -> TempDir {
    let dir = tidy_tree();
    for (path, text) in modules {
        write(dir.path(), &format!("crates/dx-pkg-core/src/{path}"), text);
    }
    dir
}

fn rings(modules: &[(&str, &str)]) -> Vec<String> {
    check(with_modules(modules).path()).unwrap()
}

#[test]
fn ring_of_modules_is_reported_in_order() {
    let found = rings(&[
        ("a.rs", "use crate::b::B;\n"),
        ("b.rs", "use std::fmt;\nuse crate::{d::D, c::{self, C}};\n"),
        ("c.rs", "fn c() { crate::a::a(); }\n"),
        ("d.rs", "struct D;\n"),
    ]);
    assert_eq!(found, ["crates/dx-pkg-core/src: import ring a -> b -> c -> a"]);
}

#[test]
fn references_of_every_form_make_a_ring() {
    for (path, text) in [
        ("b.rs", "use super::a;\n"),
        ("b.rs", "use super::{\n    c,\n    a::{A, B as C},\n};\n"),
        ("b.rs", "fn b() -> crate::a::A { todo() }\n"),
        ("b/inner.rs", "use super::super::a::A;\n"),
        ("b/inner/most.rs", "pub(crate) use super::super::super::a::*;\n"),
        ("b/inner.rs", "use crate::{b::B, a::A};\n"),
    ] {
        let found = rings(&[("a.rs", "use crate::b::B;\n"), (path, text)]);
        assert_eq!(found, ["crates/dx-pkg-core/src: import ring a -> b -> a"], "{path}: {text}");
    }
}

#[test]
fn re_exports_of_the_root_lead_to_their_modules() {
    let found = rings(&[
        ("lib.rs", "mod a;\nmod b;\npub use a::{A, A2 as Other};\nconst C: &str = \"DX_KNOWN\";\n"),
        ("a.rs", "use crate::b::B;\n"),
        ("b.rs", "use crate::Other;\n"),
    ]);
    assert_eq!(found, ["crates/dx-pkg-core/src: import ring a -> b -> a"]);
}

#[test]
fn modules_of_one_folder_are_compared_at_every_depth() {
    let found =
        rings(&[("a/one.rs", "use super::two::Two;\n"), ("a/two.rs", "use crate::a::one::One;\n")]);
    assert_eq!(found, ["crates/dx-pkg-core/src: import ring a::one -> a::two -> a::one"]);
}

#[test]
fn parents_children_tests_and_comments_make_no_ring() {
    let found = rings(&[
        ("a.rs", "mod inner;\nuse crate::b::B;\nuse inner::Inner;\nuse self::inner::Other;\n"),
        ("a/inner.rs", "use super::A;\nuse crate::a::B;\n"),
        ("a/tests.rs", "use crate::a::A;\n"),
        ("b.rs", "// use crate::a::A;\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n"),
        ("b/tests.rs", "use crate::a::A;\n"),
        ("bin/a.rs", "use crate::b::B;\n"),
        ("c.rs", "pub(in crate::c) struct C;\nuse other::super_::a;\n"),
    ]);
    assert_eq!(found, [""; 0]);
}

#[test]
fn allowed_ring_is_silent_and_one_that_is_gone_is_not() {
    let modules =
        [("a.rs", "use crate::b::B;\n"), ("b.rs", "use crate::a::A;\n"), ("c.rs", "struct C;\n")];
    let dir = with_modules(&modules);
    write(dir.path(), "xtask/tidy-allow.txt", "ring dx-pkg-core b a shares its arena\n");
    assert_eq!(check(dir.path()).unwrap(), [""; 0]);
    write(dir.path(), "crates/dx-pkg-core/src/a.rs", "struct A;\n");
    assert_eq!(
        check(dir.path()).unwrap(),
        ["xtask/tidy-allow.txt:1: ring dx-pkg-core b a is not needed any more"]
    );
}

#[test]
fn long_line_of_code_or_comment_is_found() {
    let long = "a".repeat(98);
    for text in [format!("// {long}\n"), format!("fn {long}() {{}}\n"), format!("/* {long} */\n")] {
        let found = with_core_code(&text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("crates/dx-pkg-core/src/more.rs:1: "), "{found:?}");
    }
    assert_eq!(with_core_code(&format!("// {}\n", "ü".repeat(97))), [""; 0]);
}

#[test]
fn strings_and_addresses_may_be_long() {
    let long = "a".repeat(120);
    for text in [
        format!("const A: &str = \"{long}\";\n"),
        format!("const A: &str = r#\"\n{long}\n\"#;\n"),
        format!("const A: &str = \"first \\\n    {long}\";\n"),
        format!("// See https://example.com/{long}.\n"),
    ] {
        assert_eq!(with_core_code(&text), [""; 0], "{text}");
    }
}

#[test]
fn names_of_a_crate_root_are_counted_in_every_form() {
    let root = |more: &str| {
        let names: Vec<String> = (1..=10).map(|number| format!("A{number}")).collect();
        format!(
            "pub mod a;\npub mod b;\nmod c;\npub use c::{{\n    {},\n    d::{{E as F, G}},\n}};\n\
             pub use c::H;\n#[derive(Debug)]\npub struct I {{\n    pub field: u8,\n}}\n\
             pub const C: &str = \"DX_KNOWN\";\npub fn j() {{}}\npub trait K {{}}\n\
             pub(crate) use c::L;\n// pub use c::M;\nimpl I {{\n    pub fn n() {{}}\n}}\n{more}",
            names.join(", ")
        )
    };
    let dir = tidy_tree();
    let checked = |more: &str| {
        write(dir.path(), CORE, &root(more));
        check(dir.path()).unwrap()
    };
    assert_eq!(checked("pub type O = u8;\n"), [""; 0]);
    assert_eq!(
        checked("pub use c::{O, P};\npub use c::Q;\n"),
        [format!("{CORE}: 22 names; 20 are allowed: group them in public modules")]
    );
    write(dir.path(), "xtask/tidy-allow.txt", "names dx-pkg-core 21 has many value types\n");
    assert_eq!(checked("pub use c::{O, P};\n"), [""; 0]);
    assert_eq!(checked("pub use c::{O, P, Q};\n").len(), 1);
    assert_eq!(checked(""), ["xtask/tidy-allow.txt:1: names dx-pkg-core is not needed any more"]);
}

#[test]
fn lines_of_the_binary_are_limited_in_all_its_files() {
    let dir = tidy_tree();
    let path = |number: usize| format!("crates/dx-pkg-cli/src/part{number}.rs");
    for number in 0..4 {
        write(dir.path(), &path(number), &"fn a() {}\n".repeat(499));
    }
    write(dir.path(), &path(6), &"fn a() {}\n".repeat(204));
    let command = "crates/dx-pkg-cli/src/commands/one.rs";
    write(dir.path(), command, &"fn a() {}\n".repeat(250));
    write(dir.path(), "crates/dx-pkg-cli/tests/it/main.rs", "fn a() {}\n");
    assert_eq!(check(dir.path()).unwrap(), [""; 0]);
    write(dir.path(), &path(7), "fn a() {}\n");
    assert_eq!(
        check(dir.path()).unwrap(),
        ["crates/dx-pkg-cli/src/: 2201 lines; 2200 are allowed: move logic to a library"]
    );
    write(dir.path(), &path(7), "");
    write(dir.path(), command, &"fn a() {}\n".repeat(251));
    let long = format!("{command}: 251 lines; 250 are allowed: move logic to a library");
    assert!(check(dir.path()).unwrap().contains(&long));
}

#[test]
fn dependency_that_no_source_names_is_found() {
    for (table, count) in [
        ("[dependencies]\nsome-crate.workspace = true\n", 1),
        ("[dependencies]\nused-crate = \"1\"\n", 0),
        ("[dev-dependencies]\nsome-crate = { version = \"1\" }\n", 1),
        ("[target.'cfg(unix)'.dependencies]\nsome-crate = \"1\"\n", 1),
        ("[dev-dependencies.some-crate]\nworkspace = true\n", 1),
        ("[features]\nsome-crate = []\n", 0),
    ] {
        let dir = tidy_tree();
        let source = "// some_crate\nuse used_crate::A;\nconst C: &str = \"some_crate\";\n";
        write(dir.path(), "crates/dx-pkg-core/src/more.rs", source);
        let manifest = format!("[package]\nname = \"dx-pkg-core\"\n\n{table}");
        write(dir.path(), "crates/dx-pkg-core/Cargo.toml", &manifest);
        let found = check(dir.path()).unwrap();
        assert_eq!(found.len(), count, "{table}: {found:?}");
    }
}

#[test]
fn dependency_of_the_workspace_that_no_crate_has_is_found() {
    let manifest = "[workspace.dependencies]\ndx-pkg-core = { path = \"a\" }\nserde_json = \"1\"\n\
        rayon = \"1\"\n\n[profile.release]\nlto = true\n";
    assert_eq!(with("Cargo.toml", manifest), ["Cargo.toml: no crate depends on rayon"]);
}
