//! `dx completion`: the scripts that complete command lines in shells, and the words they ask for.

mod candidate;
mod candidates;
mod line;
mod names;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, CommandFactory, ValueEnum};
use dx_pkg_install::Environment;

use super::Arguments;
use crate::report::{self, Report};
use candidate::Candidate;
use candidates::candidates;
use line::Line;

/// The hidden command by which the scripts ask for words.
const QUESTION: &str = "__complete";

/// Print the script that completes dx's commands in a shell.
#[derive(Args, Debug)]
#[command(after_help = "\
bash:        dx completion bash >> ~/.bashrc
zsh:         dx completion zsh >> ~/.zshrc
fish:        dx completion fish > ~/.config/fish/completions/dx.fish
PowerShell:  dx completion powershell >> $PROFILE")]
pub struct CompletionArguments {
    /// The shell; that of the variable SHELL without one.
    pub shell: Option<Shell>,
}

/// A shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    #[value(alias = "pwsh")]
    Powershell,
}

impl Shell {
    /// Returns the shell that the user works in, as far as `SHELL` tells.
    fn of(environment: &Environment) -> Self {
        let shell = environment.variable("SHELL").map(Path::new);
        let name = shell.and_then(|path| path.file_stem()?.to_str()).unwrap_or_default();
        match name {
            "zsh" => Self::Zsh,
            "fish" => Self::Fish,
            "pwsh" | "powershell" => Self::Powershell,
            _ if cfg!(windows) => Self::Powershell,
            _ => Self::Bash,
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("completion/dx.bash"),
            Self::Zsh => include_str!("completion/dx.zsh"),
            Self::Fish => include_str!("completion/dx.fish"),
            Self::Powershell => include_str!("completion/dx.ps1"),
        }
    }
}

impl CompletionArguments {
    /// Prints the script.
    pub fn run(&self, environment: &Environment, report: &Report) -> ExitCode {
        let shell = self.shell.unwrap_or_else(|| Shell::of(environment));
        report.plain_result(shell.script());
        ExitCode::SUCCESS
    }
}

/// Answers a shell's question, if the process's arguments are one: `__complete`, the shell, the
/// line up to the cursor, and for bash the characters at which it breaks words.
pub fn answer() -> Option<ExitCode> {
    let mut words = std::env::args_os().skip(1);
    if words.next()? != QUESTION {
        return None;
    }
    let rest: Vec<OsString> = words.collect();
    let text = |at: usize| rest.get(at).and_then(|word| word.to_str()).unwrap_or_default();
    let shell = Shell::from_str(text(0), true).unwrap_or(Shell::Bash);
    let line = Line::read(text(1));
    let folder = std::env::current_dir().unwrap_or_default();
    let found = candidates(&Arguments::command(), &line, &folder);
    let shown = found.iter().map(|found| shown(found, shell, &line, text(2)));
    report::print_words(&shown.collect::<Vec<_>>());
    Some(ExitCode::SUCCESS)
}

/// Returns a candidate as the shell's script takes it.
fn shown(found: &Candidate, shell: Shell, line: &Line, breaks: &str) -> String {
    let help = found.help.lines().next().unwrap_or_default();
    match shell {
        Shell::Bash => {
            // bash replaces what is behind the last of its breaks.
            let kept = line.current.rfind(|c: char| breaks.contains(c) && !c.is_whitespace());
            let kept = kept.map_or(0, |at| at + 1);
            quoted(found.word.get(kept..).unwrap_or(&found.word))
        }
        Shell::Zsh => {
            let word = found.word.replace('\\', "\\\\").replace(':', "\\:");
            if help.is_empty() { word } else { format!("{word}:{help}") }
        }
        Shell::Fish | Shell::Powershell => format!("{}\t{help}", found.word),
    }
}

/// Returns a word as bash takes it literally: what is offered stands on the command line as it is.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| {
        letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | '/' | ':' | '=' | '@' | '+')
    };
    let mut quoted = String::with_capacity(word.len());
    for letter in word.chars() {
        if !is_plain(letter) && !letter.is_control() {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted
}

#[cfg(test)]
mod tests;
