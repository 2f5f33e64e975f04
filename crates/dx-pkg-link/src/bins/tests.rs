use super::shim::shims;
use super::{command_file, command_name};

#[test]
fn names_are_basenames() {
    for (name, expected) in [
        ("tsc", Some("tsc")),
        ("@s/tool", Some("tool")),
        ("../../x", Some("x")),
        ("a\\b", Some("b")),
        ("C:evil", Some("evil")),
        ("..", None),
        ("a/..", None),
        ("a/", None),
        ("", None),
        ("a\0", None),
    ] {
        assert_eq!(command_name(name), expected, "{name:?}");
    }
}

#[test]
fn files_stay_in_the_package() {
    for (file, expected) in [
        ("./bin/x.js", Some("bin/x.js")),
        ("bin//x.js", Some("bin/x.js")),
        ("../../x.js", Some("x.js")),
        ("/bin/../x.js", Some("x.js")),
        ("bin\\x.js", Some("bin/x.js")),
        ("..", None),
        (".", None),
        ("", None),
    ] {
        assert_eq!(command_file(file).as_deref(), expected, "{file:?}");
    }
}

#[test]
fn shims_start_the_interpreter_of_the_file() {
    let [cmd, ps1, sh] = shims("tool", "../a/bin/tool.js", b"#!/usr/bin/env -S node\r\n");
    assert_eq!(cmd.name, "tool.cmd");
    assert!(cmd.text.contains("\"node\" \"%~dp0\\..\\a\\bin\\tool.js\" %*\r\n"), "{}", cmd.text);
    assert_eq!(ps1.name, "tool.ps1");
    assert!(
        ps1.text.contains("& \"node\" \"$PSScriptRoot/../a/bin/tool.js\" @args"),
        "{}",
        ps1.text
    );
    assert_eq!(sh.name, "tool");
    assert!(sh.text.ends_with("exec node \"$here/../a/bin/tool.js\" \"$@\"\n"), "{}", sh.text);
}

#[test]
fn a_file_without_interpreter_is_started_itself() {
    for start in [&b"MZ\x90"[..], b"#!\n", b"#!/bin/$(evil)\n", b"#!/bin/a&b\n"] {
        let [cmd, ..] = shims("tool", "../a/tool.exe", start);
        assert!(cmd.text.contains("\r\n\"%~dp0\\..\\a\\tool.exe\" %*\r\n"), "{}", cmd.text);
    }
}

#[cfg(unix)]
#[test]
fn the_posix_shim_runs() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    write("a/tool", "echo ran \"$1\"\n");
    let [.., shim] = shims("tool", "../a/tool", b"#!/bin/sh\n");
    let path = write(".bin/tool", &shim.text);
    let output = std::process::Command::new(path).arg("x y").output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "ran x y\n");
}
