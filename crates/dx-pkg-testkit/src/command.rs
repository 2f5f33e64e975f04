//! Runs a program to its end and makes what it printed comparable between runs and machines.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The time a program may take before its test fails.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// The variables a program inherits from the test's environment; all others are unset.
const INHERITED: [&str; 7] = ["PATH", "PATHEXT", "SYSTEMROOT", "COMSPEC", "TMPDIR", "TEMP", "TMP"];

/// A program about to be run with a clean environment.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `run`"]
pub struct Command {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    dir: PathBuf,
    replacements: Vec<Replacement>,
}

impl Command {
    pub(crate) fn new(program: &Path, dir: &Path) -> Command {
        let env = INHERITED
            .iter()
            .filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)))
            .collect();
        Command {
            program: program.to_owned(),
            args: Vec::new(),
            env,
            dir: dir.to_owned(),
            replacements: Vec::new(),
        }
    }

    /// Adds arguments.
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.retain(|(key, _)| key != name);
        self.env.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Runs in another folder.
    pub fn current_dir(mut self, dir: &Path) -> Self {
        dir.clone_into(&mut self.dir);
        self
    }

    pub(crate) fn replacing(mut self, replacements: Vec<Replacement>) -> Self {
        self.replacements.extend(replacements);
        self
    }

    /// Returns another program with this one's environment and folder.
    #[cfg(unix)]
    pub(crate) fn prepared(&self, program: &str, args: &[&str]) -> process::Command {
        let mut command = process::Command::new(program);
        command.args(args).env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        command.current_dir(&self.dir);
        command
    }

    /// Returns the program and its arguments.
    #[cfg(unix)]
    pub(crate) fn words(&self) -> Vec<String> {
        let words =
            std::iter::once(self.program.as_os_str()).chain(self.args.iter().map(AsRef::as_ref));
        words.map(|word| word.to_string_lossy().into_owned()).collect()
    }

    /// Starts it with piped output; the test waits for it, or kills it.
    pub fn spawn(&self) -> process::Child {
        process::Command::new(&self.program)
            .args(&self.args)
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("start {}: {error}", self.program.display()))
    }

    /// Runs it to its end; a program that takes more than two minutes is killed and fails the test.
    pub fn run(&self) -> Run {
        let started = Instant::now();
        let mut child = self.spawn();
        let stdout = read_in_background(child.stdout.take());
        let stderr = read_in_background(child.stderr.take());
        let status = loop {
            if let Some(status) = child.try_wait().expect("wait for a program") {
                break status;
            }
            if started.elapsed() > TIME_LIMIT {
                child.kill().expect("kill a program");
                panic!("{} {:?} took more than {TIME_LIMIT:?}", self.program.display(), self.args);
            }
            thread::sleep(Duration::from_millis(1));
        };
        Run {
            command: format!("{} {:?}", self.program.display(), self.args),
            status: status.code(),
            elapsed: started.elapsed(),
            stdout: stdout.join().expect("read standard output"),
            stderr: stderr.join().expect("read standard error"),
            replacements: self.replacements.clone(),
        }
    }
}

#[cfg(target_os = "linux")]
impl Run {
    /// Waits for the end of a program that [`Command::spawn`] has started, however long it takes.
    pub(crate) fn of(mut child: process::Child) -> Run {
        let started = Instant::now();
        let stdout = read_in_background(child.stdout.take());
        let stderr = read_in_background(child.stderr.take());
        let status = child.wait().expect("wait for a program");
        Run {
            command: format!("process {}", child.id()),
            status: status.code(),
            elapsed: started.elapsed(),
            stdout: stdout.join().expect("read standard output"),
            stderr: stderr.join().expect("read standard error"),
            replacements: Vec::new(),
        }
    }
}

/// Reads a pipe to its end on another thread, so that the program never waits for a reader.
fn read_in_background(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut pipe = pipe.expect("the output is piped");
        pipe.read_to_end(&mut bytes).expect("read what a program printed");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The outcome of a program.
#[derive(Clone, Debug)]
pub struct Run {
    /// The exit code; `None` when a signal ended it.
    pub status: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// The wall time it took.
    pub elapsed: Duration,
    command: String,
    replacements: Vec<Replacement>,
}

#[cfg(unix)]
impl Run {
    /// A run of which a terminal has shown everything.
    pub(crate) fn shown(
        command: String,
        status: Option<i32>,
        elapsed: Duration,
        stdout: String,
    ) -> Run {
        Run { command, status, elapsed, stdout, stderr: String::new(), replacements: Vec::new() }
    }
}

impl Run {
    /// Fails the test unless the exit code is 0.
    #[track_caller]
    pub fn success(self) -> Run {
        assert!(self.status == Some(0), "{} was to succeed: {self}", self.command);
        self
    }

    /// Fails the test unless the program exited by itself with another code than 0.
    #[track_caller]
    pub fn failure(self) -> Run {
        assert!(self.status.is_some_and(|code| code != 0), "{} was to fail: {self}", self.command);
        self
    }

    /// Returns exit code and both outputs, with paths, addresses, times and terminal codes made
    /// equal between runs.
    pub fn snapshot(&self) -> String {
        format!(
            "exit: {}\n--- stdout\n{}--- stderr\n{}",
            self.status.map_or_else(|| "signal".to_owned(), |code| code.to_string()),
            self.normalised(&self.stdout),
            self.normalised(&self.stderr)
        )
    }

    /// Returns a text with this run's paths, addresses, times and terminal codes replaced.
    pub fn normalised(&self, text: &str) -> String {
        let mut text = without_escapes(&text.replace("\r\n", "\n"));
        for replacement in &self.replacements {
            text = text.replace(&replacement.from, &replacement.to);
        }
        without_durations(&text)
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "exit {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.status, self.stdout, self.stderr
        )
    }
}

/// A text to be replaced in what a program printed.
#[derive(Clone, Debug)]
pub(crate) struct Replacement {
    from: String,
    to: String,
}

impl Replacement {
    pub(crate) fn new(from: &str, to: &str) -> Replacement {
        Replacement { from: from.to_owned(), to: to.to_owned() }
    }

    pub(crate) fn path(from: &Path, to: &str) -> Replacement {
        Replacement::new(&from.display().to_string(), to)
    }
}

/// Drops ANSI control sequences (ECMA-48 CSI: ESC `[`, parameters, one final byte).
fn without_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\u{1b}' {
            out.push(char);
        } else if chars.next() == Some('[') {
            chars.by_ref().find(|char| ('\u{40}'..='\u{7e}').contains(char));
        }
    }
    out
}

/// Replaces durations such as `1.2s`, `340ms` or `12 µs` by `[TIME]`.
fn without_durations(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut inside_word = false;
    while let Some(char) = rest.chars().next() {
        match (!inside_word).then(|| duration_length(rest)).flatten() {
            Some(length) => {
                out.push_str("[TIME]");
                rest = &rest[length..];
            }
            None => {
                out.push(char);
                rest = &rest[char.len_utf8()..];
            }
        }
        inside_word = char.is_alphanumeric() || char == '.' || char == '_' || char == '-';
    }
    out
}

/// The length in bytes of the duration a text begins with.
fn duration_length(text: &str) -> Option<usize> {
    let digits = text.find(|char: char| !char.is_ascii_digit() && char != '.')?;
    let unit = text[digits..].trim_start_matches(' ');
    let spaces = text.len() - digits - unit.len();
    if digits == 0 || spaces > 1 || text.starts_with('.') {
        return None;
    }
    let length = ["ms", "µs", "ns", "s"].iter().find_map(|name| {
        let after = unit.strip_prefix(name)?;
        (!after.starts_with(|char: char| char.is_alphanumeric() || char == '-'))
            .then_some(name.len())
    })?;
    Some(digits + spaces + length)
}

#[cfg(test)]
mod tests;
