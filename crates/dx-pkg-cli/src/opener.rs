//! The program that shows an address to the user.

use std::process::{Command, Stdio};

use dx_pkg_author::questions::addresses::page_word;
use dx_pkg_compat::npmrc::RawValue;
use dx_pkg_install::Session;

/// The program that opens addresses where the user names none.
pub const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else if cfg!(windows) {
    "explorer"
} else {
    "xdg-open"
};

/// Returns the program that opens addresses: the one of the flag, else that of the setting
/// `browser`; `None` where addresses are printed.
pub fn browser(session: &Session, flag: Option<&str>) -> Option<String> {
    match flag {
        Some("false") => return None,
        Some("true") => return Some(OPENER.to_owned()),
        Some(program) => return Some(program.to_owned()),
        None => {}
    }
    match session.config().raw("browser") {
        Some((RawValue::Bool(false), _)) => None,
        Some((RawValue::Text(program), _)) => Some(program.clone()),
        _ => Some(OPENER.to_owned()),
    }
}

/// Returns the command that opens an address with a program, of which nothing is seen; `None` where
/// it is no address of a page.
pub fn opener(program: &str, address: &str) -> Option<Command> {
    let address = page_word(address)?;
    let mut words = program.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or(OPENER));
    command.args(words).arg(address);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Some(command)
}
