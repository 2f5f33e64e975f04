//! No registry's host name is written anywhere: which registry is used is configuration.

use super::Tree;
use std::fs;

/// Checks every tracked text file; anything that is not UTF-8 is not text.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    // Joined here, so that this file does not hold the names it looks for.
    let hosts = ["npmjs.org", "npmjs.com", "yarnpkg.com", "npmmirror.com"]
        .map(|domain| format!("registry.{domain}"));
    let mut violations = Vec::new();
    for path in &tree.files {
        let Ok(text) = fs::read_to_string(tree.root.join(path)) else {
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            let line = line.to_ascii_lowercase();
            if let Some(host) = hosts.iter().find(|host| line.contains(host.as_str())) {
                violations.push(format!(
                    "{path}:{}: names the registry {host}; use registry.example",
                    index + 1
                ));
            }
        }
    }
    violations
}
