use super::*;

fn linux() -> Platform {
    Platform { os: "linux".into(), cpu: "x64".into(), libc: Some("glibc".into()) }
}

#[test]
fn empty_lists_and_any_accept_every_platform() {
    assert!(linux().accepts(&[], &[], &[]));
    assert!(linux().accepts(&["any"], &["any"], &["any"]));
    assert!(!linux().accepts(&["any", "darwin"], &[], &[]));
}

#[test]
fn listed_values_are_accepted() {
    assert!(linux().accepts(&["darwin", "linux"], &["x64"], &["glibc"]));
    assert!(!linux().accepts(&["darwin"], &["x64"], &[]));
    assert!(!linux().accepts(&["linux"], &["arm64"], &[]));
    assert!(!linux().accepts(&["linux"], &["x64"], &["musl"]));
}

#[test]
fn exclusions_accept_everything_else() {
    assert!(linux().accepts(&["!win32", "!darwin"], &[], &[]));
    assert!(!linux().accepts(&["!linux"], &[], &[]));
    assert!(!linux().accepts(&["linux", "!linux"], &[], &[]));
    assert!(!linux().accepts(&["!win32", "darwin"], &[], &[]));
    assert!(linux().accepts(&[], &[], &["!musl"]));
}

#[test]
fn a_named_libc_needs_a_known_one() {
    let mac = Platform { os: "darwin".into(), cpu: "arm64".into(), libc: None };
    assert!(mac.accepts(&[], &[], &[]));
    assert!(!mac.accepts(&[], &[], &["glibc"]));
    assert!(!mac.accepts(&[], &[], &["any"]));
}

#[test]
fn names_are_those_of_node() {
    assert_eq!(
        ["macos", "windows", "linux", "freebsd", "illumos"].map(node_os),
        ["darwin", "win32", "linux", "freebsd", "sunos"]
    );
    let processors =
        ["x86_64", "x86", "aarch64", "arm", "riscv64", "s390x", "powerpc64", "loongarch64", "mips"];
    assert_eq!(
        processors.map(|cpu| node_cpu(cpu, true)),
        ["x64", "ia32", "arm64", "arm", "riscv64", "s390x", "ppc64", "loong64", "mipsel"]
    );
    assert_eq!(node_cpu("mips", false), "mips");
}

#[test]
fn the_host_keeps_its_libc_on_linux_only() {
    let host = Platform::host(Some("musl"));
    assert_eq!(host.libc.is_some(), cfg!(target_os = "linux"));
    assert!(host.accepts(&[&host.os], &[&host.cpu], &[]));
}
