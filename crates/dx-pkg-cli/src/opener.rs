//! The program that shows an address to the user.

use std::process::{Command, Stdio};

/// The program that opens addresses where the user names none.
pub const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else if cfg!(windows) {
    "explorer"
} else {
    "xdg-open"
};

/// Returns the command that opens an address with a program, of which nothing is seen.
pub fn opener(program: &str, address: &str) -> Command {
    let mut words = program.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or(OPENER));
    command.args(words).arg(address);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
