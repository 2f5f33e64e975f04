//! Prints results, warnings and errors: the only place that prints.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use dx_pkg_acquire::{AcquireError, Counters};
use dx_pkg_author::script::{Browser, Told};
use dx_pkg_core::coded::{Coded, hint_of, message_with_causes};
use dx_pkg_core::text::addresses::without_secrets;
use dx_pkg_core::text::{escaped_json, output_text, plain_text};
use dx_pkg_install::scripts::{StartedScript, skipped_line};
use dx_pkg_install::summary::Summary;
use dx_pkg_install::{Events, Session};
use dx_pkg_os::process::{read_secret_line, read_typed_line};
use dx_pkg_run::{Listener, RunError};
use serde_json::{Value, json};

use crate::error::CommandError;
use crate::opener::{OPENER, opener};
use crate::options::{OutputArguments, Reporter};
use crate::progress::ProgressLine;

/// Reads the answer to a question in small letters; `None` as for [`read_typed_line`].
fn answer() -> Option<String> {
    read_typed_line().map(|line| line.trim().to_ascii_lowercase())
}

/// The printer of one command.
#[derive(Debug)]
pub struct Report {
    json: bool,
    silent: bool,
    verbose: bool,
    /// Whether the progress line is left out.
    appends_only: bool,
    progress: ProgressLine,
    /// Warnings that JSON has beside those of the summary.
    early: Mutex<Vec<String>>,
}

impl Report {
    /// Returns the printer that the command line asks for.
    pub fn new(output: &OutputArguments) -> Self {
        Report {
            json: output.json,
            silent: output.silent || output.reporter == Some(Reporter::Silent),
            verbose: output.verbose,
            appends_only: output.reporter == Some(Reporter::AppendOnly),
            progress: ProgressLine::default(),
            early: Mutex::default(),
        }
    }

    /// Returns whether the output is JSON.
    pub fn wants_json(&self) -> bool {
        self.json
    }

    /// Returns whether nothing but errors is printed.
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// Prints a line on standard output.
    pub fn line(&self, text: &str) {
        if !self.silent && !self.json {
            print(&format!("{}\n", plain(text)));
        }
    }

    /// Prints a question, behind which the answer is typed.
    pub fn ask(&self, text: &str) {
        print(&format!("{} ", plain(text)));
    }

    /// Ends the line of a question that nobody answers.
    pub fn end_line(&self) {
        print("\n");
    }

    /// Prints a result: text for people, or fields for programs.
    pub fn result(&self, text: &str, fields: &Value) {
        if self.json {
            print_json(fields);
        } else if !self.silent {
            print(&format!("{}\n", output_text(text, false)));
        }
    }

    /// Prints text that is the result of a command, unless it is empty; it may be long.
    pub fn text(&self, text: &str) {
        if !text.is_empty() {
            print(&format!("{}\n", output_text(&without_secrets(text), false)));
        }
    }

    /// Prints text that is the result of a command as it is, also where it is empty, for programs
    /// to read. Control characters are left out.
    pub fn plain_result(&self, text: &str) {
        print(&format!("{}\n", output_text(text, false)));
    }

    /// Prints text as [`Self::text`] does, with colours where standard output shows them.
    pub fn coloured(&self, text: &str, colours: impl Fn(&str) -> String) {
        if !has_colours(&std::io::stdout()) {
            return self.text(text);
        }
        print(&format!("{}\n", colours(&output_text(&without_secrets(text), false))));
    }

    /// Prints text as [`Self::text`] does, and an empty line.
    pub fn block(&self, text: &str) {
        print(&format!("{}\n\n", output_text(&without_secrets(text), false)));
    }

    /// Prints a result as JSON for people and programs, with a member in each line.
    pub fn pretty(&self, value: &Value) {
        self.pretty_text(serde_json::to_string_pretty(value).unwrap_or_default());
    }

    /// Prints JSON with a member in each line.
    pub fn pretty_text(&self, json: String) {
        let mut text = json;
        text.push('\n');
        print(&escaped_json(&without_secrets(&text)));
    }

    /// Prints the result of an install.
    pub fn summary(&self, summary: &Summary) {
        if self.json {
            return print_json(&self.summary_json(summary));
        }
        summary.warnings.iter().for_each(|warning| self.warning(warning));
        summary.deprecations(self.verbose).iter().for_each(|warning| self.warning(warning));
        summary.explanations().iter().for_each(|text| self.warning(text));
        if let Some((heading, conflicts)) = summary.conflict_lines(self.verbose) {
            self.warning(&heading);
            conflicts.iter().for_each(|conflict| self.detail(conflict));
        }
        summary.solved_lines().iter().for_each(|line| self.line(line));
        summary.fewer_lines(self.verbose).iter().for_each(|line| self.line(line));
        skipped_line(&summary.scripts_skipped).iter().for_each(|line| self.warning(line));
        if self.verbose {
            for (name, count) in &summary.statistics {
                self.line(&format!("  {name}: {count}"));
            }
        }
        // In one piece, as each takes a system call.
        let mut lines = summary.change_lines(self.verbose);
        lines.push(summary.sentence());
        self.line(&lines.join("\n"));
    }

    /// Returns the result of an install as JSON.
    pub fn summary_json(&self, summary: &Summary) -> Value {
        summary.to_json(&self.early.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns whether every changed package is shown, not only direct dependencies.
    pub fn lists_all(&self) -> bool {
        self.json || self.verbose
    }

    /// Asks a question where somebody can answer it, and returns whether the answer is yes.
    pub fn asks(&self, question: &str) -> bool {
        let is_answered = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if self.json || self.silent || !is_answered {
            return false;
        }
        complain(&format!("{} [y/N] ", plain(question)));
        answer().is_some_and(|answer| matches!(answer.as_str(), "y" | "yes"))
    }

    /// Prints a line on standard error.
    pub fn detail(&self, text: &str) {
        if !self.silent && !self.json {
            complain(&format!("{}\n", plain(text)));
        }
    }

    /// Returns whether a progress line may be shown.
    fn shows_progress(&self, session: &Session) -> bool {
        self.shows_script_output() && !self.appends_only && !session.environment.in_ci()
    }

    /// Prints which script writes from here on.
    pub fn script(&self, package: &str, event: &str, script: &str) {
        self.detail(&format!("> {package} {event}\n> {}", script.replace('\n', "\n> ")));
    }

    /// Prints the error that ended the command, and returns its exit code.
    pub fn error(&self, error: &CommandError) -> ExitCode {
        let (code, message, hint) = (error.code(), message_with_causes(error), hint_of(error));
        let output = error.script_output();
        if self.json {
            let output = output.map(|output| output_text(output, false));
            // The last two are npm's names for message and hint.
            let error = json!({
                "code": code,
                "message": message,
                "hint": hint,
                "output": output,
                "summary": message,
                "detail": hint.clone().unwrap_or_default(),
            });
            print_json(&json!({ "error": error }));
        } else {
            if let Some(output) = output {
                complain(&format!("{}\n", output_text(output, has_colours(&std::io::stderr()))));
            }
            complain_of(error);
            if let Some(hint) = &hint {
                complain(&format!("  {} {}\n", paint("36", "help:"), plain(hint)));
            }
            if std::io::stderr().is_terminal() {
                complain(&format!("  {} dx explain {code}\n", paint("36", "more:")));
            }
        }
        error.exit_code()
    }
}

impl Listener for Report {
    fn script(&self, package: &str, event: &str, script: &str) {
        Report::script(self, package, event, script);
    }

    fn failure(&self, error: &RunError) {
        complain_of(error);
    }

    fn shell(&self, text: &str) {
        if std::io::stdin().is_terminal() {
            self.detail(text);
        }
    }

    fn can_ask(&self) -> bool {
        let is_answered = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        !self.json && !self.silent && is_answered
    }

    fn may_install(&self, packages: &[String]) -> bool {
        let list = packages.iter().map(|package| format!("  {}\n", plain(package)));
        let list: String = list.collect();
        complain(&format!("Need to install the following packages:\n{list}Ok to proceed? (y) "));
        answer().is_some_and(|answer| matches!(answer.as_str(), "" | "y" | "yes"))
    }
}

impl Events for Report {
    fn warning(&self, text: &str) {
        if self.json {
            self.early.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
        } else if !self.silent {
            warn(text);
        }
    }

    fn note(&self, text: &str) {
        if self.shows_script_output() {
            complain(&format!("{} {}\n", paint("36", "note:"), plain(text)));
        }
    }

    fn detail(&self, text: &str) {
        if self.verbose && self.shows_script_output() {
            complain(&format!("{}\n", plain(text)));
        }
    }

    fn work_began(&self, session: &Session, counters: &Arc<Counters>) {
        dx_pkg_os::memory::return_large_blocks();
        if self.shows_progress(session) {
            self.progress.show_work(counters);
        }
    }

    fn work_ended(&self) {
        self.progress.hide();
    }

    fn script_began(&self, session: &Session, script: &StartedScript<'_>) {
        if script.is_shown {
            self.script(script.package, script.event, script.script);
        } else if self.shows_progress(session) {
            self.progress.show_script(script.package, script.event);
        }
    }

    fn script_ended(&self) {
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
            .envs(session.prepared_trees.variable())
            .current_dir(store)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
    }
}

impl Told for Report {
    fn script(&self, package: &str, event: &str, text: &str) {
        Report::script(self, package, event, text);
    }

    fn notice(&self, text: &str) {
        self.detail(text);
    }

    fn can_answer(&self) -> bool {
        let is_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        is_terminal && !self.json && !self.silent
    }

    fn ask(&self, question: &str) -> Option<String> {
        complain(&format!("{} ", plain(question)));
        read_typed_line()
    }

    fn ask_secret(&self, question: &str) -> Option<String> {
        complain(&format!("{} ", plain(question)));
        let secret = read_secret_line();
        complain("\n");
        secret.ok().flatten()
    }

    fn open_page(&self, title: &str, address: &str, browser: &Browser) {
        // Whole: without its signature, which looks like a secret, it is no page.
        complain(&format!("{title}:\n{}\n", plain_text(address, 2000)));
        let program = match browser {
            Browser::Named(program) => program,
            Browser::Usual if self.can_answer() => OPENER,
            _ => return,
        };
        // The address is shown: where nothing opens it, the user does.
        let _ = opener(program, address).map(|mut command| command.spawn());
    }
}

/// Returns whether colours are shown there: as `FORCE_COLOR` says, else on a terminal, unless
/// `NO_COLOR` is set.
pub fn has_colours(output: &impl IsTerminal) -> bool {
    match std::env::var_os("FORCE_COLOR") {
        Some(forced) => forced != "0" && forced != "false",
        None => output.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()),
    }
}

/// Colours text for standard error where colours are shown there.
fn paint(colour: &str, text: &str) -> String {
    if has_colours(&std::io::stderr()) {
        format!("\u{1b}[{colour}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// Returns the text without secrets in addresses and without control characters other than line
/// ends; much of it comes from outside.
fn plain(text: &str) -> String {
    const LONGEST_LINE: usize = 2000;
    let line = |line: &str| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        format!("{}{}", &line[..indent], plain_text(line, LONGEST_LINE))
    };
    without_secrets(text).split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Prints one line of JSON, with control characters escaped.
fn print_json(value: &Value) {
    print(&(escaped_json(&without_secrets(&value.to_string())).into_owned() + "\n"));
}

/// Prints words for a shell, one in a line, without control characters but tabs.
pub fn print_words(words: &[String]) {
    let lines = words.iter().map(|word| {
        let word = word.replace(|c: char| c.is_control() && c != '\t', " ");
        format!("{word}\n")
    });
    print(&lines.collect::<String>());
}

/// Prints a warning on standard error.
pub fn warn(text: &str) {
    complain(&format!("{} {}\n", paint("33", "warning:"), plain(text)));
}

/// The first error of standard output.
static UNPRINTED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints on standard output.
pub fn print(text: &str) {
    let mut output = io::stdout();
    printed(output.write_all(text.as_bytes()).and_then(|()| output.flush()));
}

/// Keeps the error of a print for [`checked`]. A closed pipe is no reason to fail.
pub fn printed(result: io::Result<()>) {
    if let Some(error) = result.err().filter(|error| error.kind() != ErrorKind::BrokenPipe) {
        UNPRINTED.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Returns the exit code of a command that ended with `code`: a failure, which is told, where
/// something that it printed was not written.
pub fn checked(code: ExitCode) -> ExitCode {
    let error = UNPRINTED.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(error) = error else { return code };
    complain_of(&AcquireError::io("writing to standard output", error));
    if code == ExitCode::SUCCESS { ExitCode::FAILURE } else { code }
}

/// Prints an error in one line on standard error.
fn complain_of(error: &(impl Coded + std::error::Error)) {
    let (text, code) = (plain(&message_with_causes(error)), error.code());
    complain(&format!("{} {text} [{code}]\n", paint("31", "error:")));
}

/// Prints on standard error.
pub fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
