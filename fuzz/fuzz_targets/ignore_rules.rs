//! Lines of any text as an ignore file, and the last as a path: refused, or matched in a time that
//! does not explode.

#[path = "../../crates/dx-pkg-compat/src/packlist/rule.rs"]
mod rule;

use rule::{Entry, Rule};

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines: Vec<&str> = text.lines().take(8).collect();
    let path = lines.pop().unwrap_or_default().to_lowercase();
    for line in lines {
        let Ok(Some(rule)) = Rule::parse(line) else { continue };
        for basename in [None, path.rsplit('/').next()] {
            for as_folder in [false, true] {
                let first = rule.matches(Entry { path: &path, basename, as_folder });
                let again = rule.matches(Entry { path: &path, basename, as_folder });
                assert_eq!(first, again);
            }
        }
    }
}
