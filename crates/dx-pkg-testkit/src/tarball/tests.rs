use super::{Entry, integrity_sha512, shasum, tgz};

#[test]
fn same_entries_give_the_same_bytes() {
    let entries = [Entry::file("package/a", "1"), Entry::symlink("package/b", "a")];
    assert_eq!(tgz(&entries), tgz(&entries));
}

#[test]
fn digests_match_published_test_vectors() {
    // FIPS 180-4 examples for the message "abc".
    assert_eq!(shasum(b"abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_eq!(
        integrity_sha512(b"abc"),
        "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw=="
    );
}

#[test]
#[cfg(unix)]
fn system_tar_lists_short_long_and_linked_entries() {
    let dir = tempfile::tempdir().unwrap();
    let long = format!("package/{}/end.js", "d".repeat(150));
    let path = dir.path().join("a.tgz");
    let entries = [
        Entry::file("package/package.json", "{}"),
        Entry::file(long.clone(), "x".repeat(513)),
        Entry::symlink("package/link", "/etc/passwd"),
    ];
    std::fs::write(&path, tgz(&entries)).unwrap();
    let output = std::process::Command::new("tar").arg("-tzf").arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(listed.lines().collect::<Vec<_>>(), ["package/package.json", &long, "package/link"]);
}
