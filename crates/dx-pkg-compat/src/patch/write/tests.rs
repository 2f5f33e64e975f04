use std::borrow::Cow;

use dx_pkg_format::dxp::FileMode;

use super::*;
use crate::patch::{PatchedFile, PatchedFiles, apply};

fn contents(files: &[(&str, &str)]) -> Contents {
    files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

#[test]
fn a_patch_is_written_as_npm_writes_it() {
    let before = contents(&[("a.js", "1\n2\n"), ("gone.js", "x\n"), ("same.js", "s")]);
    let after = contents(&[("a.js", "1\ntwo"), ("new/b.js", "b\n"), ("same.js", "s")]);
    // Recorded from npm 12.2.
    let expected = "--- a/a.js\t\n+++ b/a.js\t\n@@ -1,2 +1,2 @@\n 1\n-2\n+two\n\\ No newline at end \
                    of file\n--- a/gone.js\t\n+++ /dev/null\t\n@@ -1,1 +0,0 @@\n-x\n--- \
                    /dev/null\t\n+++ b/new/b.js\t\n@@ -0,0 +1,1 @@\n+b\n";
    assert_eq!(diff(&before, &after).unwrap(), expected);
    assert_eq!(diff(&before, &before).unwrap(), "");
}

#[test]
fn a_patch_leads_from_one_state_to_the_other() {
    let long: String = (1..60).map(|number| format!("line {number}\n")).collect();
    let changed = long.replace("line 5\n", "").replace("line 30\n", "line 30\nmore\n") + "end";
    for (old, new) in [
        ("", "a\n"),
        ("a\n", "a"),
        ("a", "a\nb"),
        ("a\r\nb\r\n", "a\r\nc\r\n"),
        (long.as_str(), changed.as_str()),
        (changed.as_str(), long.as_str()),
    ] {
        let (before, after) = (contents(&[("f", old)]), contents(&[("f", new)]));
        let patch = diff(&before, &after).unwrap();
        let mut files: PatchedFiles<'_> = before
            .into_iter()
            .map(|(path, data)| {
                (path, PatchedFile { mode: FileMode::PLAIN, data: Cow::Owned(data) })
            })
            .collect();
        apply(patch.as_bytes(), &mut files).unwrap();
        assert_eq!(String::from_utf8_lossy(&files["f"].data), new, "{patch}");
    }
}

#[test]
fn only_texts_can_be_in_a_patch() {
    for bytes in [vec![0, 1], vec![0xff, 0xfe]] {
        let after = Contents::from([("a.bin".to_owned(), bytes)]);
        assert!(matches!(diff(&Contents::new(), &after), Err(PatchError::Binary { .. })));
    }
}

#[test]
fn a_change_is_carried_over_unless_both_sides_touch_a_line() {
    let base = contents(&[("a", "1\n2\n3\n4\n5\n"), ("b", "b\n"), ("c", "c\n")]);
    let changed = contents(&[("a", "one\n2\n3\n4\n5\n"), ("b", "b\n"), ("n", "n\n")]);
    let next = contents(&[("a", "1\n2\n3\n4\nfive\n"), ("b", "B\n"), ("c", "c\n")]);
    let rebased = rebase(&base, &changed, &next);
    let expected = contents(&[("a", "one\n2\n3\n4\nfive\n"), ("b", "B\n"), ("n", "n\n")]);
    assert_eq!(rebased, Rebased { files: expected, conflicts: Vec::new() });
    let next = contents(&[("a", "uno\n2\n3\n4\n5\n"), ("b", "b\n"), ("c", "c2\n")]);
    let rebased = rebase(&base, &changed, &next);
    assert_eq!(rebased.conflicts, ["a", "c"]);
    assert!(String::from_utf8_lossy(&rebased.files["a"]).contains("<<<<<<<"));
}
