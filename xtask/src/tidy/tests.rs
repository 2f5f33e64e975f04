//! Each check on a small tree: silent when it is in order, speaking when a violation is added.

mod structure;

use super::{check, source::Source};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const CORE: &str = "crates/dx-pkg-core/src/lib.rs";

/// A tree that is in order.
fn tidy_tree() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, dependencies) in [
        ("dx-pkg-core", ""),
        ("dx-pkg-compat", "dx-pkg-core.workspace = true\nserde_json = \"1\"\n"),
    ] {
        write(
            dir.path(),
            &format!("crates/{name}/Cargo.toml"),
            &format!("[package]\nname = \"{name}\"\n\n[dependencies]\n{dependencies}"),
        );
        write(dir.path(), &format!("crates/{name}/src/lib.rs"), "//! Says nothing of std::fs.\n");
    }
    write(dir.path(), "crates/dx-pkg-compat/src/used.rs", "use {dx_pkg_core::A, serde_json::B};\n");
    // Dependencies that the tests below declare; any source may name them.
    write(
        dir.path(),
        "crates/dx-pkg-core/tests/used.rs",
        "use {dx_pkg_compat, dx_pkg_testkit, libdeflater, rustix, serde_json, sonic_rs, tokio};\n",
    );
    write(dir.path(), CORE, "fn code() -> &'static str {\n    \"DX_KNOWN\"\n}\n");
    write(
        dir.path(),
        "ARCHITECTURE.md",
        "dx-pkg-core, dx-pkg-compat, [errors](docs/errors.md#dx_known)\n",
    );
    write(dir.path(), "docs/errors.md", "# Errors\n\n## DX_KNOWN\n");
    dir
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The violations of the tidy tree with one file written anew.
fn with(path: &str, text: &str) -> Vec<String> {
    let dir = tidy_tree();
    write(dir.path(), path, text);
    check(dir.path()).unwrap()
}

/// The violations of the tidy tree with a line of code added to dx-pkg-core.
fn with_core_code(code: &str) -> Vec<String> {
    with("crates/dx-pkg-core/src/more.rs", code)
}

#[test]
fn tree_in_order_has_no_violations() {
    assert_eq!(check(tidy_tree().path()).unwrap(), [""; 0]);
}

#[test]
fn dependency_upwards_is_found_in_every_form_of_table() {
    for table in [
        "[dependencies]\ndx-pkg-compat.workspace = true\n",
        "[dependencies]\ndx-pkg-compat = { path = \"../dx-pkg-compat\" }\n",
        "[dependencies.dx-pkg-compat]\nworkspace = true\n",
        "[build-dependencies]\ndx-pkg-compat.workspace = true\n",
        "[target.'cfg(unix)'.dependencies]\ndx-pkg-compat.workspace = true\n",
    ] {
        let manifest = format!("[package]\nname = \"dx-pkg-core\"\n\n{table}");
        let found = with("crates/dx-pkg-core/Cargo.toml", &manifest);
        assert_eq!(found.len(), 1, "{table}: {found:?}");
        assert!(found[0].contains("depends on dx-pkg-compat"), "{found:?}");
    }
}

#[test]
fn dev_dependencies_may_point_anywhere() {
    let manifest =
        "[package]\nname = \"dx-pkg-core\"\n\n[dev-dependencies]\ndx-pkg-compat.workspace = true\n";
    assert_eq!(with("crates/dx-pkg-core/Cargo.toml", manifest), [""; 0]);
}

#[test]
fn npm_formats_and_runtimes_are_barred_from_core() {
    for dependency in ["serde_json", "sonic-rs", "libdeflater", "tokio", "rustix", "dx-pkg-testkit"]
    {
        let manifest =
            format!("[package]\nname = \"dx-pkg-core\"\n\n[dependencies]\n{dependency} = \"1\"\n");
        assert_eq!(with("crates/dx-pkg-core/Cargo.toml", &manifest).len(), 1, "{dependency}");
    }
}

#[test]
fn impure_code_is_found_in_every_form() {
    for code in [
        "use std::fs;\n",
        "use std::{collections::BTreeMap, fs};\n",
        "use std::{\n    io::{self, Read},\n    net::TcpStream,\n};\n",
        "fn f() { let _ = std::fs::read(\"a\"); }\n",
        "fn f() { std::env::var(\"HOME\"); }\n",
        "use std::time::{Duration, Instant};\n",
        "fn f() { println!(\"a\"); }\n",
        "pub(crate) use std::process::Command;\n",
        "fn f() { unsafe { g() } }\n",
    ] {
        assert_eq!(with_core_code(code).len(), 1, "{code}: {:?}", with_core_code(code));
    }
}

#[test]
fn words_in_comments_strings_and_tests_do_not_count() {
    for code in [
        "// unsafe std::fs::read println!\n",
        "/* std::fs /* nested */ std::env */\n",
        "const A: &str = \"unsafe { std::fs::read() }\";\n",
        "const A: &str = r#\"std::fs \" println!\"#;\n",
        "const A: char = '\"'; // std::fs\nconst B: char = '\\'';\nfn f<'a>(a: &'a str) {}\n",
        "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n",
        "#[cfg(test)]\nuse std::fs;\n",
        "use std::time::Duration;\nuse std::env::consts::OS;\nfn f() { std::env::split_paths(A); }\nconst C: &str = env!(\"A\");\n",
    ] {
        assert_eq!(with_core_code(code), [""; 0], "{code}");
    }
    assert_eq!(with("crates/dx-pkg-core/src/lib/tests.rs", "use std::fs;\n"), [""; 0]);
}

#[test]
fn code_after_a_test_module_counts_again() {
    let code = "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n\nuse std::env;\n";
    assert_eq!(
        with_core_code(code),
        ["crates/dx-pkg-core/src/more.rs:6: std::env: this crate reads no environment"]
    );
}

#[test]
fn libraries_may_use_files_but_not_print_or_read_the_environment() {
    let path = "crates/dx-pkg-compat/src/lib.rs";
    assert_eq!(with(path, "use std::fs;\n"), [""; 0]);
    for code in
        ["use std::env;\n", "fn f() { eprintln!(); }\n", "fn f() { std::process::exit(1) }\n"]
    {
        assert_eq!(with(path, code).len(), 1, "{code}");
    }
}

#[test]
fn long_files_and_functions_are_found_unless_allowed() {
    let file = "//\n".repeat(501);
    let function = format!("fn long(\n    a: [u8; 3],\n) {{\n{}}}\n", "    a();\n".repeat(100));
    assert_eq!(with_core_code(&file).len(), 1);
    let found = with_core_code(&function);
    assert_eq!(found, ["crates/dx-pkg-core/src/more.rs:1: long has 104 lines; 100 are allowed"]);

    let dir = tidy_tree();
    write(dir.path(), "crates/dx-pkg-core/src/more.rs", &format!("{function}{file}"));
    let path = "crates/dx-pkg-core/src/more.rs";
    write(
        dir.path(),
        "xtask/tidy-allow.txt",
        &format!("file {path} 700 a table\nfunction {path} long 104 a table\n"),
    );
    assert_eq!(check(dir.path()).unwrap(), [""; 0]);
    write(
        dir.path(),
        "xtask/tidy-allow.txt",
        &format!("file {path} 600 a table\nfunction {path} long 103 a table\n"),
    );
    assert_eq!(check(dir.path()).unwrap().len(), 2);
}

#[test]
fn exceptions_need_a_reason_and_a_use() {
    let dir = tidy_tree();
    write(dir.path(), "xtask/tidy-allow.txt", "file a.rs 700\n");
    assert!(check(dir.path()).unwrap_err().contains("tidy-allow.txt:1"));
    let unused = with("xtask/tidy-allow.txt", "# none\nfile a.rs 700 generated\n");
    assert_eq!(unused, ["xtask/tidy-allow.txt:2: file a.rs is not needed any more"]);
}

#[test]
fn error_codes_and_headings_belong_together() {
    let missing = with_core_code("const A: &str = \"DX_OTHER\";\n");
    assert_eq!(
        missing,
        ["crates/dx-pkg-core/src/more.rs:1: DX_OTHER has no heading in docs/errors.md"]
    );
    let unused = with("docs/errors.md", "## DX_KNOWN\n\n## DX_GONE\n");
    assert_eq!(unused, ["docs/errors.md:3: no code uses DX_GONE"]);
}

#[test]
fn variables_of_the_environment_are_not_error_codes() {
    let dir = tidy_tree();
    write(dir.path(), "crates/dx-pkg-compat/src/lib.rs", "const A: &str = \"DX_STORE\";\n");
    write(dir.path(), "xtask/tidy-allow.txt", "environment DX_STORE where the store is\n");
    assert_eq!(check(dir.path()).unwrap(), [""; 0]);
}

#[test]
fn unnamed_crate_is_found() {
    let found = with("ARCHITECTURE.md", "dx-pkg-core\n");
    assert_eq!(found, ["ARCHITECTURE.md: does not name dx-pkg-compat"]);
}

#[test]
fn registry_hosts_are_found_in_any_text() {
    let host = ["registry.", "npmjs", ".org"].concat();
    for path in ["README.md", "crates/dx-pkg-core/src/data.json", "examples/a/.npmrc"] {
        assert_eq!(with(path, &format!("first\nhttps://{host}/a\n")).len(), 1, "{path}");
    }
}

#[test]
fn broken_links_and_anchors_are_found() {
    for (text, count) in [
        ("[a](ARCHITECTURE.md) [b](docs/errors.md#dx_known) [c](#title)\n# Title\n", 0),
        ("[a](https://example.com/none) `[a](none.md)`\n```\n[a](none.md)\n```\n", 0),
        ("[a](none.md)\n", 1),
        ("[a](docs/errors.md#dx_none)\n", 1),
        ("[a](../outside.md)\n", 1),
    ] {
        assert_eq!(with("README.md", text).len(), count, "{text}");
    }
}

#[test]
fn functions_are_measured_past_braces_in_literals() {
    let source = Source::new(
        "xtask/src/a.rs",
        "fn a() {\n    let _ = \"}\";\n    let _ = '}';\n}\ntrait T { fn b(); }\n",
    );
    let functions: Vec<_> =
        source.functions().into_iter().map(|found| (found.name, found.lines)).collect();
    assert_eq!(functions, [("a".to_owned(), 4)]);
}
