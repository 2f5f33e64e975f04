use proptest::prelude::*;

use super::*;

fn files(files: &[(&str, &str)]) -> PatchedFiles<'static> {
    let file = |(path, data): &(&str, &str)| {
        let data = Cow::Owned(data.as_bytes().to_vec());
        ((*path).to_owned(), PatchedFile { mode: FileMode::PLAIN, data })
    };
    files.iter().map(file).collect()
}

fn texts(files: &PatchedFiles<'_>) -> Vec<(String, String)> {
    files
        .iter()
        .map(|(path, file)| (path.clone(), String::from_utf8_lossy(&file.data).into_owned()))
        .collect()
}

fn applied(patch: &str, before: &[(&str, &str)]) -> Result<PatchedFiles<'static>, PatchError> {
    let mut files = files(before);
    apply(patch.as_bytes(), &mut files)?;
    Ok(files)
}

const FOUR: &str = "one\ntwo\nthree\nfour\n";
const CHANGE: &str =
    "--- a/lib/x.js\n+++ b/lib/x.js\n@@ -1,4 +1,4 @@\n one\n-two\n+TWO\n three\n four\n";

#[test]
fn a_change_is_applied_with_and_without_gits_headers() {
    for patch in [
        CHANGE.to_owned(),
        format!("diff --git a/lib/x.js b/lib/x.js\nindex 1234567..89abcde 100644\n{CHANGE}"),
        format!("\u{feff}Index: lib/x.js\n=====\n{CHANGE}"),
        format!("words before\n\n{CHANGE}-- \n2.43.0\n"),
        CHANGE.replace("a/lib", "lib").replace("b/lib", "lib"),
        // The context is found at another line.
        CHANGE.replace("-1,4 +1,4", "-90,4 +90,4"),
    ] {
        let files = applied(&patch, &[("lib/x.js", FOUR), ("y", "")]).unwrap();
        let expected = [("lib/x.js", "one\nTWO\nthree\nfour\n"), ("y", "")];
        let expected = expected.map(|(path, text)| (path.to_owned(), text.to_owned()));
        assert_eq!(texts(&files), expected, "{patch}");
    }
    assert_eq!(texts(&applied(" \n", &[("a", "b")]).unwrap()), texts(&files(&[("a", "b")])));
}

#[test]
fn files_are_added_deleted_renamed_copied_and_get_modes() {
    let patch = "\
diff --git a/gone b/gone
deleted file mode 100644
index 1..0
--- a/gone
+++ /dev/null
@@ -1 +0,0 @@
-x
diff --git a/new/file.js b/new/file.js
new file mode 100755
index 0..1
--- /dev/null
+++ b/new/file.js
@@ -0,0 +1 @@
+hello
\\ No newline at end of file
diff --git a/empty b/empty
new file mode 100644
index 0..0
diff --git a/old name b/other/name
similarity index 100%
rename from old name
rename to other/name
diff --git a/source b/copy
similarity index 100%
copy from source
copy to copy
diff --git a/tool b/tool
old mode 100644
new mode 100755
";
    let before = [("gone", "x\n"), ("old name", "n"), ("source", "s"), ("tool", "t")];
    let files = applied(patch, &before).unwrap();
    let expected = [
        ("copy", "s"),
        ("empty", ""),
        ("new/file.js", "hello"),
        ("other/name", "n"),
        ("source", "s"),
        ("tool", "t"),
    ];
    let expected = expected.map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert_eq!(texts(&files), expected);
    let executable: Vec<&String> = files
        .iter()
        .filter(|(_, file)| file.mode == FileMode::EXECUTABLE)
        .map(|(path, _)| path)
        .collect();
    assert_eq!(executable, ["new/file.js", "tool"]);
}

#[test]
fn the_end_of_a_file_and_line_endings_count() {
    let adds = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n";
    assert_eq!(texts(&applied(adds, &[("x", "a")]).unwrap())[0].1, "a\n");
    assert!(applied(adds, &[("x", "a\n")]).is_err());
    let removes = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n";
    assert_eq!(texts(&applied(removes, &[("x", "a\n")]).unwrap())[0].1, "b");
    // As npm: a patch and a file may each have the line endings of Windows.
    let windows = FOUR.replace('\n', "\r\n");
    let patched = applied(CHANGE, &[("lib/x.js", &windows)]).unwrap();
    assert_eq!(texts(&patched)[0].1, "one\r\nTWO\r\nthree\r\nfour\r\n");
    let patched = applied(&CHANGE.replace('\n', "\r\n"), &[("lib/x.js", FOUR)]).unwrap();
    assert_eq!(texts(&patched)[0].1, "one\nTWO\nthree\nfour\n");
}

#[test]
fn what_does_not_fit_is_named() {
    let fails = |patch: &str, before: &[(&str, &str)]| applied(patch, before).unwrap_err();
    let second = format!("{CHANGE}@@ -40,2 +40,2 @@\n no\n-such\n+line\n");
    assert_eq!(
        fails(&second, &[("lib/x.js", FOUR)]).to_string(),
        "hunk 2 (line 40) does not fit into lib/x.js"
    );
    assert!(matches!(fails(CHANGE, &[]), PatchError::Missing { path } if path == "lib/x.js"));
    let new = "--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n";
    assert!(matches!(fails(new, &[("x", "")]), PatchError::Exists { .. }));
    let below = "--- /dev/null\n+++ b/x/y\n@@ -0,0 +1 @@\n+a\n";
    assert!(matches!(fails(below, &[("x", "")]), PatchError::Collision { .. }));
    let binary = "diff --git a/x b/x\nindex 1..2 100644\nBinary files a/x and b/x differ\n";
    assert!(matches!(fails(binary, &[("x", "")]), PatchError::Binary { .. }));
    let literal = "diff --git a/x b/x\nindex 1..2 100644\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n\nliteral 0\nHcmV?d00001\n\n";
    assert!(matches!(fails(literal, &[("x", "")]), PatchError::Binary { .. }));
    let link = "diff --git a/l b/l\nnew file mode 120000\nindex 0..1\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc/passwd\n\\ No newline at end of file\n";
    assert!(matches!(fails(link, &[]), PatchError::Kind { .. }));
}

#[test]
fn no_path_leads_out_of_the_package() {
    for path in ["../x", "b/../../x", "/etc/x", "b//etc/../../x", "b/c:/x", "b\\x", "b/", "."] {
        let new = format!("--- /dev/null\n+++ {path}\n@@ -0,0 +1 @@\n+a\n");
        let before = [("x", "a\n")];
        assert!(applied(&new, &before).is_err(), "{path}");
        let gone = format!("--- {path}\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n");
        assert!(applied(&gone, &before).is_err(), "{path}");
        let renamed = format!("diff --git a/x b/x\nrename from x\nrename to {path}\n");
        // The paths of renames have no prefix.
        assert!(path.starts_with("b/") || applied(&renamed, &before).is_err(), "{path}");
    }
}

#[test]
fn damaged_patches_are_refused_as_a_whole() {
    for damaged in [
        "just words\n",
        // Headers that count fewer or more lines than there are.
        "--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-one\n+ONE\n-two\n+TWO\n",
        "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n-one\n+ONE\n",
        "--- a/x\n+++ b/x\n@@ nonsense @@\n-one\n+ONE\n",
        "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-one\n?two\n+ONE\n",
    ] {
        let refused = applied(damaged, &[("x", FOUR)]);
        assert!(matches!(refused, Err(PatchError::Syntax { .. })), "{damaged}: {refused:?}");
    }
}

proptest! {
    #[test]
    fn a_patch_gives_the_other_text(
        before in "(([ab+-]|\r|@@ -1 \\+1 @@){0,4}\n){0,12}[ab]{0,2}",
        after in "(([ab+-]|\r|--- a){0,4}\n){0,12}[ab]{0,2}",
    ) {
        prop_assume!(before != after);
        let mut options = diffy::DiffOptions::new();
        options.set_original_filename("a/x").set_modified_filename("b/x");
        let patch = options.create_patch(&before, &after).to_string();
        let files = applied(&patch, &[("x", &before)]);
        prop_assert_eq!(texts(&files.unwrap())[0].1.clone(), after);
    }

    #[test]
    fn arbitrary_patches_never_panic_or_lead_out(patch in "(diff --git |--- |\\+\\+\\+ |a/|b/|\\.\\./|x|\n|@@ -1,2 \\+1 @@|[-+ ]|rename from |new file mode 100644|/dev/null){0,40}") {
        if let Ok(files) = applied(&patch, &[("x", FOUR)]) {
            for path in files.keys() {
                prop_assert!(!path.contains("..") && !path.starts_with('/'), "{}", path);
            }
        }
    }
}
