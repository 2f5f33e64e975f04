//! What the user is told: the only place that prints.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use crate::arguments::OutputArguments;
use crate::failure::Failure;

/// How a command's outcome is printed.
#[derive(Debug)]
pub struct Report {
    json: bool,
    silent: bool,
    verbose: bool,
}

/// What an install did.
#[derive(Debug, Default)]
pub struct Summary {
    /// Packages put in place where there was none.
    pub added: u64,
    /// Packages taken away.
    pub removed: u64,
    /// Packages put in place of another.
    pub changed: u64,
    /// Packages installed in all.
    pub packages: usize,
    /// Packages with scripts that were not run.
    pub scripts_skipped: Vec<String>,
    /// Unmet peer requirements, in words.
    pub conflicts: Vec<String>,
    /// Other warnings.
    pub warnings: Vec<String>,
    /// Counters for `--verbose` and `--json`.
    pub statistics: Vec<(&'static str, u64)>,
    /// How long it took.
    pub elapsed: Duration,
    /// Whether only the lockfile was written.
    pub lockfile_only: bool,
}

impl Report {
    /// As the command line asks.
    pub fn new(output: &OutputArguments) -> Self {
        Report { json: output.json, silent: output.silent, verbose: output.verbose }
    }

    /// Whether progress may be shown.
    pub fn shows_progress(&self) -> bool {
        !self.json && !self.silent
    }

    /// Whether answers are for programs.
    pub fn wants_json(&self) -> bool {
        self.json
    }

    /// A line for the user, on standard output.
    pub fn line(&self, text: &str) {
        if !self.silent && !self.json {
            print(&format!("{}\n", plain(text)));
        }
    }

    /// An answer: text for people, or fields for programs.
    pub fn answer(&self, text: &str, fields: &Value) {
        if self.json {
            print_json(fields);
        } else if !self.silent {
            print(&format!("{text}\n"));
        }
    }

    /// A warning, on standard error.
    pub fn warning(&self, text: &str) {
        if !self.silent && !self.json {
            complain(&format!("{} {}\n", paint("33", "warning:"), plain(text)));
        }
    }

    /// The outcome of an install.
    pub fn summary(&self, summary: &Summary) {
        if self.json {
            print_json(&summary.to_json());
            return;
        }
        summary.warnings.iter().for_each(|warning| self.warning(warning));
        self.conflicts(&summary.conflicts);
        self.skipped_scripts(&summary.scripts_skipped);
        if self.verbose {
            for (name, count) in &summary.statistics {
                self.line(&format!("  {name}: {count}"));
            }
        }
        self.line(&summary.sentence());
    }

    fn conflicts(&self, conflicts: &[String]) {
        const SHOWN: usize = 8;
        if conflicts.is_empty() {
            return;
        }
        self.warning(&format!(
            "{} not met; dx goes on as npm --force would:",
            count(conflicts.len() as u64, "peer requirement")
        ));
        let shown = if self.verbose { conflicts.len() } else { SHOWN };
        for conflict in conflicts.iter().take(shown) {
            self.note(&format!("  {conflict}"));
        }
        if conflicts.len() > shown {
            self.note(&format!("  and {} more (--verbose shows them)", conflicts.len() - shown));
        }
    }

    fn skipped_scripts(&self, packages: &[String]) {
        if packages.is_empty() {
            return;
        }
        self.warning(&format!(
            "{} with install scripts that were not run: {}",
            count(packages.len() as u64, "package"),
            packages.join(", ")
        ));
        self.note("  to run them, add \"allowScripts\": { \"name\": true } to package.json and install again");
    }

    /// Something told on the way, on standard error.
    pub fn note(&self, text: &str) {
        if !self.silent && !self.json {
            complain(&format!("{}\n", plain(text)));
        }
    }

    /// An error that ended the command.
    pub fn failure(&self, failure: &Failure) -> ExitCode {
        if self.json {
            let error =
                json!({ "code": failure.code, "message": failure.message, "hint": failure.hint });
            print_json(&json!({ "error": error }));
        } else {
            complain(&format!(
                "{} {} [{}]\n",
                paint("31", "error:"),
                plain(&failure.message),
                failure.code
            ));
            if let Some(hint) = &failure.hint {
                complain(&format!("  {} {}\n", paint("36", "help:"), plain(hint)));
            }
        }
        failure.exit_code()
    }
}

impl Summary {
    fn sentence(&self) -> String {
        if self.lockfile_only {
            return format!(
                "Lockfile written: {} in {}",
                count(self.packages as u64, "package"),
                seconds(self.elapsed)
            );
        }
        let changes: Vec<String> =
            [(self.added, "added"), (self.removed, "removed"), (self.changed, "changed")]
                .into_iter()
                .filter(|(number, _)| *number > 0)
                .map(|(number, word)| format!("{word} {number}"))
                .collect();
        let packages = count(self.packages as u64, "package");
        if changes.is_empty() {
            return format!("Already up to date: {packages} in {}", seconds(self.elapsed));
        }
        format!("Installed {packages} ({}) in {}", changes.join(", "), seconds(self.elapsed))
    }

    fn to_json(&self) -> Value {
        let statistics: serde_json::Map<String, Value> = self
            .statistics
            .iter()
            .map(|(name, count)| (name.replace(' ', "_"), json!(count)))
            .collect();
        json!({
            "added": self.added,
            "removed": self.removed,
            "changed": self.changed,
            "packages": self.packages,
            "scriptsSkipped": self.scripts_skipped,
            "conflicts": self.conflicts,
            "warnings": self.warnings,
            "statistics": statistics,
            "milliseconds": u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// `1 package`, `2 packages`.
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

/// Colour for standard error, where that is a terminal and `NO_COLOR` is not set.
fn paint(colour: &str, text: &str) -> String {
    let coloured = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if coloured { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// The text without anything that a terminal would act on but the ends of lines; much of it comes from outside.
fn plain(text: &str) -> String {
    const LONGEST_LINE: usize = 2000;
    let line = |line: &str| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        format!("{}{}", &line[..indent], dx_pkg_fetch::plain_text(line, LONGEST_LINE))
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// One line of JSON; what a terminal might act on is written as an escape, which means the same.
fn print_json(value: &Value) {
    let mut line = String::new();
    for c in value.to_string().chars() {
        match c {
            ' '..='~' => line.push(c),
            c if c.is_alphanumeric() => line.push(c),
            c => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| line.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    print(&format!("{line}\n"));
}

/// A closed pipe is no reason to fail.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
