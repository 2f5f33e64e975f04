use super::*;

#[test]
fn loaders_name_their_c_library() {
    assert_eq!(family_of("/lib64/ld-linux-x86-64.so.2"), Some("glibc"));
    assert_eq!(family_of("/lib/ld-linux-aarch64.so.1"), Some("glibc"));
    assert_eq!(family_of("/lib/ld-musl-x86_64.so.1"), Some("musl"));
    assert_eq!(family_of("/libexec/ld-elf.so.1"), None);
}

#[cfg(target_os = "linux")]
#[test]
fn the_system_has_a_c_library() {
    assert!(matches!(libc_family(), Some("glibc" | "musl")));
}

#[test]
fn a_file_that_is_no_program_has_no_loader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let header = |text: &[u8]| {
        std::fs::write(&path, text).unwrap();
        interpreter(&path)
    };
    assert_eq!(header(b""), None);
    assert_eq!(header(b"#!/bin/sh"), None);
    let mut hostile = vec![0xff; 4096];
    hostile[..6].copy_from_slice(b"\x7fELF\x02\x01");
    assert_eq!(header(&hostile), None);
    hostile[0x20..0x28].copy_from_slice(&64u64.to_le_bytes());
    assert_eq!(header(&hostile), None);
}
