//! Answers to questions on the terminal.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::cancellation_flag;

/// The time after which a waiting question looks whether the process was cancelled.
const POLL: Duration = Duration::from_millis(50);

/// Reads a line of the standard input, without its end; `None` at the end of input, or if a signal
/// cancels the process meanwhile: that does not end the reading.
#[must_use]
pub fn read_typed_line() -> Option<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).unwrap_or_default();
        // Nobody waits for it where the process was cancelled.
        let _ = sender.send((read > 0).then_some(line));
    });
    loop {
        match receiver.recv_timeout(POLL) {
            Ok(line) => return Some(line?.trim_end_matches(['\r', '\n']).to_owned()),
            Err(RecvTimeoutError::Timeout) if !is_cancelled() => {}
            Err(_) => return None,
        }
    }
}

/// Returns whether a signal has cancelled the process.
#[must_use]
pub fn is_cancelled() -> bool {
    cancellation_flag().load(Ordering::Relaxed)
}
