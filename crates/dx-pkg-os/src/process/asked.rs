//! Programs that are asked a question: their answer is short, and comes soon or not at all.

use std::io::{self, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// A program that was asked. It is ended when this is dropped.
pub struct Asked {
    child: Child,
    answer: Receiver<io::Result<Vec<u8>>>,
    limit: u64,
    since: Instant,
}

/// The reason why a program gave no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// Its output did not end in time.
    TooLate,
    /// It wrote more than is read.
    TooLong,
    /// Its output could not be read.
    Failed(io::Error),
}

impl Asked {
    /// Starts a program of which at most `limit` bytes of output are read.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command, limit: u64) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        // A group of its own, so that what it starts is ended with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut child = command.spawn()?;
        let (sender, answer) = channel();
        let output = child.stdout.take();
        std::thread::Builder::new().name("dx-asked".into()).spawn(move || {
            let mut bytes = Vec::new();
            let read = output.map_or(Ok(0), |output| {
                output.take(limit.saturating_add(1)).read_to_end(&mut bytes)
            });
            // Nobody waits for an answer that comes too late.
            let _ = sender.send(read.map(|_| bytes));
        })?;
        Ok(Self { child, answer, limit, since: Instant::now() })
    }

    /// Waits for the answer until `patience` has passed since the start.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn answer(self, patience: Duration) -> Result<Vec<u8>, NoAnswer> {
        let left = patience.saturating_sub(self.since.elapsed());
        match self.answer.recv_timeout(left) {
            Err(_) => Err(NoAnswer::TooLate),
            Ok(Err(error)) => Err(NoAnswer::Failed(error)),
            Ok(Ok(bytes)) if bytes.len() as u64 > self.limit => Err(NoAnswer::TooLong),
            Ok(Ok(bytes)) => Ok(bytes),
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        // It has mostly ended already, with the end of its output.
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            #[cfg(unix)]
            if let Some(group) = i32::try_from(self.child.id()).ok()
                && let Some(group) = rustix::process::Pid::from_raw(group)
            {
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
