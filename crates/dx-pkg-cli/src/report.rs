//! Prints results, warnings and errors: the only place that prints.

use std::io::{IsTerminal, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dx_pkg_acquire::Counters;
use dx_pkg_core::{Coded, message_with_causes};
use dx_pkg_install::{Events, Session, Summary};
use serde_json::{Value, json};

use crate::error::CommandError;
use crate::options::OutputArguments;
use crate::progress::ProgressLine;

/// The printer of one command.
#[derive(Debug)]
pub struct Report {
    json: bool,
    silent: bool,
    verbose: bool,
    progress: ProgressLine,
}

impl Report {
    /// Returns the printer that the command line asks for.
    pub fn new(output: &OutputArguments) -> Self {
        Report {
            json: output.json,
            silent: output.silent,
            verbose: output.verbose,
            progress: ProgressLine::default(),
        }
    }

    /// Returns whether the output is JSON.
    pub fn wants_json(&self) -> bool {
        self.json
    }

    /// Prints a line on standard output.
    pub fn line(&self, text: &str) {
        if !self.silent && !self.json {
            print(&format!("{}\n", plain(text)));
        }
    }

    /// Prints a result: text for people, or fields for programs.
    pub fn result(&self, text: &str, fields: &Value) {
        if self.json {
            print_json(fields);
        } else if !self.silent {
            print(&format!("{text}\n"));
        }
    }

    /// Prints the result of an install.
    pub fn summary(&self, summary: &Summary) {
        if self.json {
            print_json(&to_json(summary));
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
        match &summary.preview {
            None => self.line(&sentence(summary)),
            Some(preview) => {
                preview.lines().iter().for_each(|line| self.line(line));
                self.line(&preview.sentence());
            }
        }
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
            self.detail(&format!("  {conflict}"));
        }
        if conflicts.len() > shown {
            self.detail(&format!("  and {} more (--verbose shows them)", conflicts.len() - shown));
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
        self.detail("  to run them, add \"allowScripts\": { \"name\": true } to package.json and install again");
    }

    /// Prints a line on standard error.
    pub fn detail(&self, text: &str) {
        if !self.silent && !self.json {
            complain(&format!("{}\n", plain(text)));
        }
    }

    /// Prints the error that ended the command, and returns its exit code.
    pub fn error(&self, error: &CommandError) -> ExitCode {
        let (code, message, hint) = (error.code(), message_with_causes(error), error.hint());
        if self.json {
            let error = json!({ "code": code, "message": message, "hint": hint });
            print_json(&json!({ "error": error }));
        } else {
            complain(&format!("{} {} [{code}]\n", paint("31", "error:"), plain(&message)));
            if let Some(hint) = &hint {
                complain(&format!("  {} {}\n", paint("36", "help:"), plain(hint)));
            }
        }
        error.exit_code()
    }
}

impl Events for Report {
    fn warning(&self, text: &str) {
        if !self.silent && !self.json {
            complain(&format!("{} {}\n", paint("33", "warning:"), plain(text)));
        }
    }

    fn work_began(&self, session: &Session, counters: &Arc<Counters>) {
        dx_pkg_os::memory::return_large_blocks();
        if self.shows_script_output() && !session.environment.in_ci() {
            self.progress.show(counters);
        }
    }

    fn work_ended(&self) {
        self.progress.hide();
    }

    fn shows_script_output(&self) -> bool {
        !self.json && !self.silent
    }

    /// Starts `dx store maintain --background`. A failure is not reported: the next install tries
    /// again.
    fn maintenance_due(&self, session: &Session) {
        let Some(store) = session.store().root().parent() else { return };
        let _ = Command::new(&session.environment.executable)
            .args(["store", "maintain", "--background"])
            .env("DX_STORE", store)
            .env("DX_PREPARED_TREES", session.prepared_trees.to_string())
            .current_dir(store)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
    }
}

/// Returns the line that ends an install.
fn sentence(summary: &Summary) -> String {
    if summary.lockfile_only {
        return format!(
            "Lockfile written: {} in {}",
            count(summary.packages as u64, "package"),
            seconds(summary.elapsed)
        );
    }
    let changes: Vec<String> =
        [(summary.added, "added"), (summary.removed, "removed"), (summary.changed, "changed")]
            .into_iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, word)| format!("{word} {number}"))
            .collect();
    let packages = count(summary.packages as u64, "package");
    if changes.is_empty() {
        return format!("Already up to date: {packages} in {}", seconds(summary.elapsed));
    }
    format!("Installed {packages} ({}) in {}", changes.join(", "), seconds(summary.elapsed))
}

/// Returns the result of an install as JSON.
fn to_json(summary: &Summary) -> Value {
    let statistics: serde_json::Map<String, Value> = summary
        .statistics
        .iter()
        .map(|(name, count)| (name.replace(' ', "_"), json!(count)))
        .collect();
    let mut fields = json!({
        "added": summary.added,
        "removed": summary.removed,
        "changed": summary.changed,
        "packages": summary.packages,
        "scriptsSkipped": summary.scripts_skipped,
        "conflicts": summary.conflicts,
        "warnings": summary.warnings,
        "statistics": statistics,
        "milliseconds": u64::try_from(summary.elapsed.as_millis()).unwrap_or(u64::MAX),
    });
    if let Some(preview) = &summary.preview {
        fields["dryRun"] = true.into();
        fields["files"] = json!(preview.files);
        let list = |packages: &[[&str; 3]]| packages.iter().map(package).collect::<Value>();
        fields["add"] = list(&preview.added());
        fields["remove"] = list(&preview.removed());
        let change = preview.changed().into_iter();
        fields["change"] = change
            .map(|[from, to]| json!({ "from": package(&from), "to": package(&to) }))
            .collect();
    }
    fields
}

fn package([name, version, path]: &[&str; 3]) -> Value {
    json!({ "name": name, "version": version, "path": path })
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

/// Colours text for standard error if that is a terminal and `NO_COLOR` is not set.
fn paint(colour: &str, text: &str) -> String {
    let coloured = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if coloured { format!("\u{1b}[{colour}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Returns the text without control characters other than line ends; much of it comes from
/// outside.
fn plain(text: &str) -> String {
    const LONGEST_LINE: usize = 2000;
    let line = |line: &str| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        format!("{}{}", &line[..indent], dx_pkg_core::text::plain_text(line, LONGEST_LINE))
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Prints one line of JSON, with control characters escaped.
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

/// Prints on standard output. A closed pipe is no reason to fail.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Prints on standard error.
fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
