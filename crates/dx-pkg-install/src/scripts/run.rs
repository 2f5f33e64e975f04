//! Runs one script.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::error::ScriptError;

#[cfg(test)]
mod tests;

/// The shell of Unix systems: by its path, so that no dependency's command of that name takes its
/// place.
const SHELL: &str = "/bin/sh";

/// The destination of a script's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// To the terminal, which the script may also read from.
    Inherit,
    /// Into the [`ScriptOutcome`], standard output and standard error in the order in which they
    /// were written; the script's input is empty.
    Capture,
}

/// A script to run.
#[derive(Clone, Copy, Debug)]
pub struct ScriptCommand<'c> {
    /// Its text, in the shell's language.
    pub script: &'c str,
    /// Further arguments, passed literally.
    pub arguments: &'c [OsString],
    /// Where it runs.
    pub folder: &'c Path,
    /// Its whole environment, as [`super::environment`] makes it.
    pub environment: &'c BTreeMap<String, String>,
    /// The setting `script-shell`; by default the system's.
    pub shell: Option<&'c Path>,
    /// Where its output goes.
    pub output: Output,
}

/// How a script ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptOutcome {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Its output, if captured.
    pub output: Vec<u8>,
}

impl ScriptOutcome {
    /// Returns whether it ended with code 0.
    #[must_use]
    pub fn success(&self) -> bool {
        self.code == Some(0)
    }
}

/// Runs a script to its end.
///
/// # Errors
/// The shell cannot be started. A script that fails is an outcome, not an error.
pub fn run(command: &ScriptCommand<'_>) -> Result<ScriptOutcome, ScriptError> {
    let ended = run_process(process(command), command.output == Output::Capture);
    let (status, output) = ended.map_err(|source| not_started(command, source))?;
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = None;
    Ok(ScriptOutcome { code: status.code(), signal, output })
}

/// Runs a process to its end; returns its status and, if captured, its output.
fn run_process(mut process: Command, captures: bool) -> io::Result<(ExitStatus, Vec<u8>)> {
    let mut reader = None;
    if captures {
        let (read, write) = io::pipe()?;
        process.stdin(Stdio::null()).stdout(write.try_clone()?).stderr(write);
        reader = Some(read);
    }
    let mut child = process.spawn()?;
    // It holds the pipe open.
    drop(process);
    dx_pkg_os::process::forward_sigterm_to(Some(child.id()));
    let mut output = Vec::new();
    let read = reader.map_or(Ok(0), |mut reader| reader.read_to_end(&mut output));
    let status = child.wait();
    dx_pkg_os::process::forward_sigterm_to(None);
    read?;
    Ok((status?, output))
}

/// Replaces this process by a script, which then has the terminal; where a process cannot be
/// replaced, does as [`run`].
///
/// # Errors
/// The shell cannot be started.
pub fn become_script(command: &ScriptCommand<'_>) -> Result<ScriptOutcome, ScriptError> {
    #[cfg(unix)]
    return Err(not_started(
        command,
        std::os::unix::process::CommandExt::exec(&mut process(command)),
    ));
    #[cfg(not(unix))]
    run(command)
}

fn shell<'c>(command: &ScriptCommand<'c>) -> &'c Path {
    command.shell.unwrap_or(Path::new(if cfg!(windows) { "cmd" } else { SHELL }))
}

fn process(command: &ScriptCommand<'_>) -> Command {
    let shell = shell(command);
    let mut process = Command::new(shell);
    process.current_dir(command.folder).env_clear().envs(command.environment);
    pass_script(&mut process, shell, command);
    process
}

fn not_started(command: &ScriptCommand<'_>, source: io::Error) -> ScriptError {
    ScriptError {
        shell: shell(command).to_owned(),
        script: command.script.to_owned(),
        folder: command.folder.to_owned(),
        source,
    }
}

#[cfg(not(windows))]
fn pass_script(process: &mut Command, _shell: &Path, command: &ScriptCommand<'_>) {
    process.arg("-c").arg(with_arguments(command.script, command.arguments));
}

#[cfg(windows)]
fn pass_script(process: &mut Command, shell: &Path, command: &ScriptCommand<'_>) {
    use std::os::windows::process::CommandExt;

    let is_cmd = shell.file_stem().is_some_and(|stem| stem.eq_ignore_ascii_case("cmd"));
    if is_cmd {
        // `cmd` takes the rest of its line as it is, so it must not be quoted again.
        let quoted = command
            .arguments
            .iter()
            .map(|argument| format!(" \"{}\"", argument.to_string_lossy().replace('"', "\"\"")));
        process.args(["/d", "/s", "/c"]).raw_arg(format!(
            "\"{}{}\"",
            command.script,
            quoted.collect::<String>()
        ));
    } else {
        process.arg("-c").arg(with_arguments(command.script, command.arguments));
    }
}

/// The script followed by its arguments, each quoted so that a POSIX shell passes it on as it is.
fn with_arguments(script: &str, arguments: &[OsString]) -> OsString {
    let mut line = OsString::from(script);
    for argument in arguments {
        line.push(" '");
        line.push(with_quotes_escaped(argument));
        line.push("'");
    }
    line
}

/// Returns what stands for an argument, of whatever bytes, between the single quotes of a shell.
#[cfg(unix)]
fn with_quotes_escaped(argument: &OsStr) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let parts: Vec<&[u8]> = argument.as_bytes().split(|byte| *byte == b'\'').collect();
    OsString::from_vec(parts.join(&br"'\''"[..]))
}

#[cfg(not(unix))]
fn with_quotes_escaped(argument: &OsStr) -> OsString {
    argument.to_string_lossy().replace('\'', r"'\''").into()
}
