//! `xtask/tidy-allow.txt`: the exceptions, each with its reason.
//!
//! One a line, `#` begins a comment:
//!
//! ```text
//! file <path> <lines> <reason>
//! function <path> <name> <lines> <reason>
//! dependency <crate> <dependency> <reason>
//! environment <DX_NAME> <reason>
//! ring <crate> <module> <module it needs> <reason>
//! names <crate> <count> <reason>
//! unused <crate> <dependency> <reason>
//! ```

use std::cell::Cell;

/// The exceptions, which remember whether a check needed them.
#[derive(Debug, Default)]
pub(crate) struct Allowed {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    line: usize,
    kind: String,
    subject: Vec<String>,
    limit: usize,
    used: Cell<bool>,
}

impl Allowed {
    /// Parses the list; the error names the line that is not of the form above.
    pub(crate) fn parse(text: &str) -> Result<Allowed, String> {
        let mut allowed = Allowed::default();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let entry = Entry::parse(index + 1, line).ok_or_else(|| {
                format!("tidy-allow.txt:{}: `{line}` is not an exception with a reason", index + 1)
            })?;
            allowed.entries.push(entry);
        }
        Ok(allowed)
    }

    /// Returns the lines a file may have, where an exception raises them.
    pub(crate) fn file(&self, path: &str) -> Option<usize> {
        self.find("file", &[path])
    }

    /// Returns the lines a function may have, where an exception raises them.
    pub(crate) fn function(&self, path: &str, name: &str) -> Option<usize> {
        self.find("function", &[path, name])
    }

    /// Returns whether a crate may have a dependency it would not have by the rules.
    pub(crate) fn dependency(&self, package: &str, dependency: &str) -> bool {
        self.find("dependency", &[package, dependency]).is_some()
    }

    /// Returns whether `DX_…` names a variable of the environment, not an error.
    pub(crate) fn environment(&self, name: &str) -> bool {
        self.find("environment", &[name]).is_some()
    }

    /// Returns whether a module may need another although that one needs it too.
    pub(crate) fn ring(&self, package: &str, module: &str, needed: &str) -> bool {
        self.find("ring", &[package, module, needed]).is_some()
    }

    /// Returns the names that the root of a crate may have, where an exception raises them.
    pub(crate) fn names(&self, package: &str) -> Option<usize> {
        self.find("names", &[package])
    }

    /// Returns whether a crate may have a dependency that none of its sources names.
    pub(crate) fn unused_dependency(&self, package: &str, dependency: &str) -> bool {
        self.find("unused", &[package, dependency]).is_some()
    }

    /// Returns a violation for each exception that no check needed.
    pub(crate) fn unused(&self) -> Vec<String> {
        let unused = self.entries.iter().filter(|entry| !entry.used.get());
        unused
            .map(|entry| {
                let subject = entry.subject.join(" ");
                format!(
                    "xtask/tidy-allow.txt:{}: {} {subject} is not needed any more",
                    entry.line, entry.kind
                )
            })
            .collect()
    }

    fn find(&self, kind: &str, subject: &[&str]) -> Option<usize> {
        let entry =
            self.entries.iter().find(|entry| entry.kind == kind && entry.subject == subject)?;
        entry.used.set(true);
        Some(entry.limit)
    }
}

impl Entry {
    fn parse(line: usize, text: &str) -> Option<Entry> {
        let mut words = text.split_whitespace();
        let kind = words.next()?.to_owned();
        let (subjects, limited) = match kind.as_str() {
            "file" => (1, true),
            "function" => (2, true),
            "dependency" => (2, false),
            "environment" => (1, false),
            "ring" => (3, false),
            "names" => (1, true),
            "unused" => (2, false),
            _ => return None,
        };
        let subject: Vec<String> = words.by_ref().take(subjects).map(str::to_owned).collect();
        let limit = if limited { words.next()?.parse().ok()? } else { 0 };
        let reasoned = subject.len() == subjects && words.next().is_some();
        reasoned.then_some(Entry { line, kind, subject, limit, used: Cell::new(false) })
    }
}
