//! Lines of any text as patterns of `workspaces`, and the last as a folder: refused, or matched in
//! a time that does not explode.

#[allow(dead_code, reason = "the walk through folders is left out")]
#[path = "../../crates/dx-pkg-install/src/workspaces/pattern.rs"]
mod pattern;

use pattern::Patterns;

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines: Vec<String> = text.lines().take(8).map(str::to_owned).collect();
    let Some(folder) = lines.pop() else { return };
    let Ok(patterns) = Patterns::parse(&lines) else { return };
    let found = patterns.matches(&folder);
    assert!(!found || !folder.split('/').any(|part| part == "node_modules"), "{folder:?}");
    lines.push("!**".to_owned());
    if let Ok(patterns) = Patterns::parse(&lines) {
        assert!(!patterns.matches("packages/a"), "everything is excluded");
    }
}
