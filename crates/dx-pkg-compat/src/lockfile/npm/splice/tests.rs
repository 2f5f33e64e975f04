use dx_pkg_lock::dxl::{self, DxlView};
use dx_pkg_lock::{Lock, LockPackage};
use proptest::prelude::*;

use super::super::tests::properties::any_lock;
use super::super::{read, write, write_hidden};
use super::{splice, splice_hidden};

/// A change: the paths that go, and the entries that come, in order, from another lock.
fn change<'l>(before: &'l Lock, other: &Lock, gone: u16) -> (Vec<&'l str>, Vec<LockPackage>) {
    let is_changed = |path: &str| other.packages.iter().any(|package| package.path == path);
    let paths = before.packages.iter().map(|package| package.path.as_str()).enumerate();
    let gone =
        paths.filter(|(at, path)| gone & (1 << at) != 0 && !path.is_empty() && !is_changed(path));
    (gone.map(|(_, path)| path).collect(), other.packages.clone())
}

fn apply(before: &Lock, removed: &[&str], changed: &[LockPackage]) -> Lock {
    let mut lock = before.clone();
    lock.packages.retain(|package| {
        !removed.contains(&package.path.as_str())
            && changed.iter().all(|other| other.path != package.path)
    });
    lock.packages.extend(changed.iter().cloned());
    lock.normalise();
    lock
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(256)
    })]

    #[test]
    fn a_spliced_lockfile_is_the_one_that_would_be_written(
        before in any_lock(),
        other in any_lock(),
        gone in any::<u16>(),
    ) {
        let text = write(&before, None);
        let before = read(&text).unwrap();
        let (removed, changed) = change(&before, &other, gone);
        let after = apply(&before, &removed, &changed);
        let bytes = dxl::encode(&before, [0; 32]);
        let view = DxlView::open(&bytes).unwrap();
        prop_assert_eq!(splice(&text, &view, &removed, &changed), Some(write(&after, Some(&text))));
    }

    #[test]
    fn a_spliced_hidden_lockfile_is_the_one_that_would_be_written(
        before in any_lock(),
        other in any_lock(),
        gone in any::<u16>(),
    ) {
        let visible = |mut lock: Lock| {
            lock.packages.retain(|package| !package.path.is_empty());
            lock
        };
        let (before, other) = (visible(before), visible(other));
        let (removed, changed) = change(&before, &other, gone);
        let after = apply(&before, &removed, &changed);
        let bytes = dxl::encode(&before, [0; 32]);
        let view = DxlView::open(&bytes).unwrap();
        let expected = Some(write_hidden(&after))
            .filter(|_| !before.packages.is_empty() && !after.packages.is_empty());
        prop_assert_eq!(splice_hidden(&write_hidden(&before), &view, &removed, &changed), expected);
    }
}

/// A lock of one package, and its text.
fn small() -> (Lock, String) {
    let package = |path: &str| LockPackage {
        path: path.into(),
        version: Some("1.0.0".into()),
        ..LockPackage::default()
    };
    let packages = vec![package(""), package("node_modules/a")];
    let lock = Lock { name: Some("p".into()), format_version: 3, packages, ..Lock::default() };
    let text = write(&lock, None);
    (lock, text)
}

#[test]
fn text_that_is_laid_out_differently_is_not_spliced() {
    let (lock, text) = small();
    let bytes = dxl::encode(&lock, [0; 32]);
    let view = DxlView::open(&bytes).unwrap();
    let new = LockPackage { path: "node_modules/b".into(), ..LockPackage::default() };
    assert!(splice(&text, &view, &[], std::slice::from_ref(&new)).is_some());
    for other in [
        text.replace("  ", "\t"),
        text.replace('\n', "\r\n"),
        text.replace("\"requires\": true", "\"requires\": false"),
        text.replace("\"name\": \"p\"", "\"name\": \"q\""),
        text.replace("  }\n}\n", "  },\n  \"other\": 1\n}\n"),
        text.replace("node_modules/a", "node_modules/c"),
        text.trim_end().to_owned(),
        text.replace("    \"node_modules/a\"", "\n    \"node_modules/a\""),
    ] {
        assert_ne!(other, text);
        assert_eq!(splice(&other, &view, &[], std::slice::from_ref(&new)), None, "{other}");
    }
}

#[test]
fn entry_in_other_words_stays_as_it_is_written() {
    let (lock, text) = small();
    let spelled = text.replace("\"1.0.0\"\n    }\n  }", "\"1.0.\\u0030\"\n    }\n  }");
    assert_ne!(spelled, text);
    let bytes = dxl::encode(&lock, [0; 32]);
    let view = DxlView::open(&bytes).unwrap();
    let same = &lock.packages[1..];
    assert_eq!(splice(&spelled, &view, &[], same), Some(spelled.clone()));
    assert_eq!(splice(&spelled, &view, &[], same), Some(write(&lock, Some(&spelled))));
}
