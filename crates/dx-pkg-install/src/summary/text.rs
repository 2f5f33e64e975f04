//! The text of a summary.

use std::time::Duration;

use dx_pkg_compat::manifest::Section;
use dx_pkg_core::text::plain_text;
use dx_pkg_resolve::peers::Ending;

use super::{ChangeKind, ChangedPackage, Deprecation, Summary};

/// The number of changed packages that are listed without `--verbose`.
const SHOWN: usize = 20;
/// The same of conflicts.
const SHOWN_CONFLICTS: usize = 8;
/// The length at which a registry's message is cut, in characters.
const LONGEST_MESSAGE: usize = 300;

impl Summary {
    /// Returns the warnings about deprecated packages: direct dependencies one by one, the others
    /// as a number; with `all` each of them.
    pub fn deprecations(&self, all: bool) -> Vec<String> {
        let told = |one: &&Deprecation| all || one.is_direct;
        let mut lines: Vec<String> = self
            .deprecated
            .iter()
            .filter(told)
            .map(|one| {
                let message = plain_text(&one.message, LONGEST_MESSAGE);
                format!("deprecated {}@{}: {message}", one.name, one.version)
            })
            .collect();
        let others = self.deprecated.len() - lines.len();
        if others > 0 {
            let package = count(others as u64, "deprecated package");
            lines.push(format!("{package} among indirect dependencies (--verbose lists them)"));
        }
        lines
    }

    /// Returns the list of what was added, changed and removed; with `all` to its end.
    pub fn change_lines(&self, all: bool) -> Vec<String> {
        // A dry run is asked for to see them.
        let all = all || self.would_write.is_some();
        let shown = if all { self.changes.len() } else { SHOWN };
        let mut lines: Vec<String> = self.changes.iter().take(shown).map(line).collect();
        if self.changes.len() > shown {
            lines.push(format!("  and {} more (--verbose lists them)", self.changes.len() - shown));
        }
        lines.extend(self.unchanged.iter().map(|what| format!("= {what}")));
        lines
    }

    /// Returns the heading of the conflicts that are neither explained nor were told before, and a
    /// line for each of them; with `all` of those that were told too, to their end.
    pub fn conflict_lines(&self, all: bool) -> Option<(String, Vec<String>)> {
        let is_left = |text: &&String| {
            let is_explained = self.explained.iter().any(|one| one.conflicts.contains(text));
            !is_explained && (all || !self.told_before.contains(text))
        };
        let left: Vec<&String> = self.conflicts.iter().filter(is_left).collect();
        if left.is_empty() {
            return None;
        }
        let heading = format!(
            "{} not met; continuing anyway, like npm --force:",
            count(left.len() as u64, "peer requirement")
        );
        let shown = if all { left.len() } else { SHOWN_CONFLICTS };
        let mut lines: Vec<String> =
            left.iter().take(shown).map(|conflict| format!("  {conflict}")).collect();
        if left.len() > shown {
            lines.push(format!("  and {} more (--verbose lists them)", left.len() - shown));
        }
        Some((heading, lines))
    }

    /// Returns the lines that tell of other versions than npm's rules choose.
    pub fn solved_lines(&self) -> Vec<String> {
        let (others, peers): (Vec<_>, Vec<_>) =
            self.solved.iter().cloned().partition(|text| text.contains(", which needs "));
        let peers = (!peers.is_empty())
            .then(|| format!("so that peer dependencies agree: {}", peers.join(", ")));
        peers.into_iter().chain(others).collect()
    }

    /// Returns the explanations of conflicts, in words.
    pub fn explanations(&self) -> Vec<String> {
        self.explained.iter().map(|one| one.text(Ending::Installed)).collect()
    }

    /// Returns the line that ends the output.
    pub fn sentence(&self) -> String {
        let is_above = !self.explained.is_empty() || self.conflict_lines(false).is_some();
        let place = if is_above { "see above" } else { "as before: dx peers" };
        let end = match self.conflicts.len() as u64 {
            0 => String::new(),
            number => format!(", with {} not met ({place})", count(number, "peer requirement")),
        };
        if let Some(files) = &self.would_write {
            return format!("{}{end}", self.dry_sentence(files));
        }
        let (packages, time) = (count(self.packages as u64, "package"), seconds(self.elapsed));
        if self.lockfile_only {
            return format!("Lockfile written: {packages} in {time}{end}");
        }
        let changes: Vec<String> =
            [(self.added, "Added"), (self.removed, "Removed"), (self.changed, "Changed")]
                .into_iter()
                .filter(|(number, _)| *number > 0)
                .enumerate()
                .map(|(place, (number, word))| match place {
                    0 => format!("{word} {}", count(number, "package")),
                    _ => format!("{} {number}", word.to_lowercase()),
                })
                .collect();
        if changes.is_empty() {
            return format!("Already up to date: {packages} in {time}{end}");
        }
        format!("{} ({} in total) in {time}{end}", changes.join(", "), self.packages)
    }

    fn dry_sentence(&self, files: &[String]) -> String {
        let counts = [("add", self.added), ("change", self.changed), ("remove", self.removed)];
        let counts = counts.into_iter().filter(|(_, number)| *number > 0);
        let files = (!files.is_empty()).then(|| format!("write {}", files.join(" and ")));
        let changes: Vec<String> = counts
            .map(|(word, number)| format!("{word} {}", count(number, "package")))
            .chain(files)
            .collect();
        if changes.is_empty() {
            return "Dry run: nothing would change".to_owned();
        }
        format!("Dry run: would {}; nothing was written", changes.join(", "))
    }
}

/// Returns a changed package as `+ react 19.2.0`, `~ a 1.0.0 -> 1.1.0` or `- left-pad 1.3.0`.
fn line(change: &ChangedPackage) -> String {
    let ChangedPackage { kind, name, before, version, .. } = change;
    let (mark, versions) = match kind {
        ChangeKind::Added => ("+", version.clone()),
        ChangeKind::Removed => ("-", before.clone()),
        ChangeKind::Changed => match (before, version) {
            (Some(before), Some(version)) if before != version => {
                ("~", Some(format!("{before} -> {version}")))
            }
            (_, version) => ("~", version.clone()),
        },
    };
    let is_restored = *kind == ChangeKind::Changed && before == version;
    let section = change.section.and_then(|section| match section {
        Section::Dependencies => None,
        Section::Dev => Some("dev".to_owned()),
        Section::Optional => Some("optional".to_owned()),
        Section::Peer => Some("peer".to_owned()),
    });
    // What lies in another folder than the project's is named with it.
    let folder = change.path.strip_suffix(name.as_str());
    let folder = folder.and_then(|folder| folder.strip_suffix("/node_modules/"));
    let notes: Vec<String> = is_restored
        .then(|| "restored".to_owned())
        .into_iter()
        .chain(section)
        .chain(folder.map(|folder| format!("in {folder}")))
        .collect();
    let versions = versions.map(|versions| format!(" {versions}")).unwrap_or_default();
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
    format!("{mark} {name}{versions}{notes}")
}

/// Returns a number with its noun: `1 package`, `2 packages`.
pub fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn seconds(elapsed: Duration) -> String {
    if elapsed < Duration::from_secs(1) {
        format!("{} ms", elapsed.as_millis())
    } else {
        format!("{:.1} s", elapsed.as_secs_f64())
    }
}
