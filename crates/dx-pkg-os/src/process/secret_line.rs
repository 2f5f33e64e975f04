//! A line that is typed without being shown.

use std::io;

/// Reads a line from the terminal on standard input without showing it; from anything else, the
/// next line. `None` at the end of the input.
pub fn read_secret_line() -> io::Result<Option<String>> {
    let _hidden = Hidden::begin();
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// A terminal that does not show what is typed, until this is dropped.
#[cfg(unix)]
struct Hidden(Option<rustix::termios::Termios>);

#[cfg(unix)]
impl Hidden {
    fn begin() -> Self {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let Ok(shown) = tcgetattr(io::stdin()) else { return Hidden(None) };
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        let is_hidden = tcsetattr(io::stdin(), OptionalActions::Flush, &hidden).is_ok();
        Hidden(is_hidden.then_some(shown))
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(shown) = &self.0 {
            // A terminal that is gone needs nothing.
            let _ = rustix::termios::tcsetattr(
                io::stdin(),
                rustix::termios::OptionalActions::Now,
                shown,
            );
        }
    }
}

#[cfg(not(unix))]
struct Hidden;

#[cfg(not(unix))]
impl Hidden {
    fn begin() -> Self {
        Hidden
    }
}
