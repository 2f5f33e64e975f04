//! Terminals: their size, and keys as they are pressed.

use std::io;
use std::time::Duration;

mod keys;

pub use keys::Key;

/// The time in which the rest of a key's bytes follows the first; a lone escape is the key Escape.
const REST: Duration = Duration::from_millis(40);

/// Returns the columns and rows of the terminal on standard error; `None` where it is none, or
/// does not say.
#[must_use]
pub fn terminal_size() -> Option<(usize, usize)> {
    #[cfg(unix)]
    {
        let size = rustix::termios::tcgetwinsize(io::stderr()).ok()?;
        let (columns, rows) = (usize::from(size.ws_col), usize::from(size.ws_row));
        (columns > 0 && rows > 0).then_some((columns, rows))
    }
    #[cfg(not(unix))]
    {
        None
    }
}

/// The terminal on standard input, which gives each key at once and shows none. It is as it was
/// before when this is dropped.
#[derive(Debug)]
pub struct RawTerminal {
    #[cfg(unix)]
    before: rustix::termios::Termios,
    pending: Vec<u8>,
}

impl RawTerminal {
    /// Begins to read keys.
    ///
    /// # Errors
    /// Standard input is no terminal.
    #[cfg(unix)]
    pub fn begin() -> io::Result<Self> {
        use rustix::termios::{
            LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr,
        };
        let before = tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        // Ctrl-C is a key as well: the terminal is put in order before anything ends.
        raw.local_modes
            .remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN);
        raw.special_codes[SpecialCodeIndex::VMIN] = 0;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Flush, &raw)?;
        Ok(RawTerminal { before, pending: Vec::new() })
    }

    /// Begins to read keys.
    ///
    /// # Errors
    /// Always: only terminals of Unix are known.
    #[cfg(not(unix))]
    pub fn begin() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Returns the next key; `None` if none is pressed within `patience`, or a signal came.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn key(&mut self, patience: Duration) -> io::Result<Option<Key>> {
        if self.pending.is_empty() && !self.read(patience)? {
            return Ok(None);
        }
        loop {
            match keys::decode(&self.pending) {
                Some((key, used)) => {
                    self.pending.drain(..used);
                    return Ok(key);
                }
                None if self.read(REST)? => {}
                None => {
                    let is_escape = self.pending == [keys::ESCAPE];
                    self.pending.clear();
                    return Ok(is_escape.then_some(Key::Escape));
                }
            }
        }
    }

    /// Reads what was typed; false if nothing was within `patience`.
    #[cfg(unix)]
    fn read(&mut self, patience: Duration) -> io::Result<bool> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let stdin = io::stdin();
        let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
        let timeout = Timespec::try_from(patience).map_err(io::Error::other)?;
        match poll(&mut polled, Some(&timeout)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(false),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let mut bytes = [0; 64];
        match rustix::io::read(&stdin, &mut bytes) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                self.pending.extend_from_slice(&bytes[..read]);
                Ok(true)
            }
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    #[cfg(not(unix))]
    fn read(&mut self, _patience: Duration) -> io::Result<bool> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(unix)]
impl Drop for RawTerminal {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // A terminal that is gone needs nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}
