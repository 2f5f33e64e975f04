//! Any text as what `git ls-remote` writes: every commit that is found has a whole name, and those
//! of tags are found by their names.

use dx_pkg_core::Range;
use dx_pkg_git::{Commit, Refs};

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let refs = Refs::parse(&text);
    let is_whole = |commit: &Commit| Commit::parse(commit.as_str()).as_ref() == Some(commit);
    assert!(refs.head().is_none_or(is_whole));
    for word in text.split_whitespace().take(64) {
        let name = word.strip_suffix("^{}").unwrap_or(word);
        let found = refs.named(name);
        assert!(found.is_none_or(is_whole));
        // A branch can have a name that begins as the whole names of branches do.
        let is_nested = |start: &str| text.contains(&format!("{start}{name}"));
        let is_its = !is_nested("refs/heads/") && !is_nested("refs/tags/");
        let short = name.strip_prefix("refs/heads/").filter(|_| found.is_some() && is_its);
        if let Some(short) = short {
            assert!(refs.named(short).is_some(), "{short:?}");
        }
        if let Ok(range) = Range::parse(word) {
            assert!(refs.in_range(&range).is_none_or(is_whole));
        }
    }
    for range in ["*", "^1", ">=1.0.0-0 <3"] {
        let range = Range::parse(range).expect("the range is one");
        assert!(refs.in_range(&range).is_none_or(is_whole));
    }
}
