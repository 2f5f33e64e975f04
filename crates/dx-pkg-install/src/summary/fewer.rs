//! What a search for fewer versions came to, in words.

use dx_pkg_resolve::dedupe::{Fewer, Step};

use super::Summary;
use super::text::count;

/// The number of packages that are listed without `--verbose`.
const SHOWN: usize = 20;

impl Summary {
    /// Returns the lines about a search for fewer versions; with `all` every package is listed.
    pub fn fewer_lines(&self, all: bool) -> Vec<String> {
        let Some(fewer) = &self.fewer else { return Vec::new() };
        let Fewer { before, after, steps, is_complete } = fewer;
        let cut = if *is_complete { "" } else { "; the search ended at its limits" };
        if before == after {
            let outdated = match after.outdated {
                0 => String::new(),
                outdated => format!(", {outdated} of them outdated"),
            };
            let versions = count(after.versions as u64, "package version");
            return vec![format!("nothing better was found than {versions}{outdated}{cut}")];
        }
        let older = steps.iter().filter(|step| step.is_older).count();
        let older = match older {
            0 => "none of them older than before".to_owned(),
            1 => "1 of them older than before".to_owned(),
            older => format!("{older} of them older than before"),
        };
        let outdated = if before.outdated == after.outdated {
            String::new()
        } else {
            format!(", outdated {} -> {}", before.outdated, after.outdated)
        };
        let changed = count(steps.len() as u64, "package");
        let mut lines = vec![format!(
            "package versions {} -> {}{outdated}; {changed} changed, {older}{cut}",
            before.versions, after.versions
        )];
        let shown = if all { steps.len() } else { SHOWN };
        lines.extend(steps.iter().take(shown).map(line));
        if steps.len() > shown {
            lines.push(format!("  and {} more (--verbose lists them)", steps.len() - shown));
        }
        lines
    }
}

/// Returns a package as `  a 1.0.0, 2.0.0 -> 2.0.0`.
fn line(step: &Step) -> String {
    let list = |versions: &[String]| match versions {
        [] => "none".to_owned(),
        versions => versions.join(", "),
    };
    let older = if step.is_older { " (older)" } else { "" };
    format!("  {} {} -> {}{older}", step.name, list(&step.from), list(&step.to))
}
