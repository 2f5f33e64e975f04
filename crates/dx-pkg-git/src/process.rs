//! Runs one process within bounds: of time in which nothing happens, of output, and of what it
//! writes to disk.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use dx_pkg_core::text::plain_text;

use crate::GitError;
use crate::address::hide;

/// How often it is looked whether the process has ended or the command is cancelled.
const POLL: Duration = Duration::from_millis(10);
/// How often the folder is measured at first; a measuring that takes long waits longer.
const MEASURE: Duration = Duration::from_secs(1);
/// How long the rest of the output is waited for once the process has ended.
const GRACE: Duration = Duration::from_secs(2);
/// The most bytes of messages that are kept, and the most characters that are shown.
const MAX_MESSAGES: usize = 64 << 10;
const SHOWN: usize = 600;

/// The bounds of a process.
pub(crate) struct Bounds<'b> {
    pub(crate) patience: Duration,
    pub(crate) max_bytes: u64,
    pub(crate) max_files: usize,
    pub(crate) max_output: usize,
    /// The folder that it writes to.
    pub(crate) folder: Option<&'b Path>,
}

/// What a process has written.
pub(crate) struct Output {
    pub(crate) is_success: bool,
    pub(crate) text: String,
    /// The end of its messages, for the user.
    pub(crate) messages: String,
}

/// Runs a process to its end.
pub(crate) fn run(
    address: &str,
    action: &'static str,
    command: &mut Command,
    bounds: &Bounds<'_>,
    is_cancelled: &(dyn Fn() -> bool + Sync),
) -> Result<Output, GitError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    dx_pkg_os::process::own_group(command);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => GitError::NoProgram { address: address.to_owned() },
        _ => GitError::io(address, "starting git", &error),
    })?;
    let came = Arc::new(AtomicU64::new(0));
    let most = bounds.max_output.saturating_add(1);
    let output = child.stdout.take().map(|pipe| Collected::of(pipe, Keep::Beginning(most), &came));
    let messages = child.stderr.take().map(|pipe| Collected::of(pipe, Keep::End, &came));
    let mut watch = Watch { address, action, bounds, is_cancelled, came: &came };
    let ended = watch.wait(&mut child);
    if ended.is_err() {
        dx_pkg_os::process::kill_group(&mut child);
        let _ = child.wait();
    }
    let is_success = ended?;
    let output = output.map(Collected::finish).unwrap_or_default();
    let messages = messages.map(Collected::finish).unwrap_or_default();
    if output.len() > bounds.max_output {
        return Err(watch.too_large("its list of refs", bounds.max_output as u64));
    }
    let text = String::from_utf8_lossy(&output).into_owned();
    Ok(Output { is_success, text, messages: for_user(&messages) })
}

struct Watch<'w> {
    address: &'w str,
    action: &'static str,
    bounds: &'w Bounds<'w>,
    is_cancelled: &'w (dyn Fn() -> bool + Sync),
    came: &'w AtomicU64,
}

impl Watch<'_> {
    /// Waits for the end of the process; returns whether it succeeded.
    fn wait(&mut self, child: &mut Child) -> Result<bool, GitError> {
        let failed = |error| GitError::io(self.address, "waiting for git", &error);
        let (mut measured, mut interval) = (Instant::now(), MEASURE);
        let (mut progress, mut since) = ((0, 0, 0), Instant::now());
        loop {
            if let Some(status) = child.try_wait().map_err(failed)? {
                return Ok(status.success());
            }
            if (self.is_cancelled)() {
                return Err(GitError::Cancelled);
            }
            let mut now = (self.came.load(Ordering::Relaxed), progress.1, progress.2);
            if measured.elapsed() >= interval
                && let Some(folder) = self.bounds.folder
            {
                let begun = Instant::now();
                (now.1, now.2) = self.measure(folder)?;
                measured = Instant::now();
                interval = MEASURE.max(begun.elapsed() * 10);
            }
            if now != progress {
                (progress, since) = (now, Instant::now());
            }
            if since.elapsed() >= self.bounds.patience {
                let (address, action) = (self.address.to_owned(), self.action);
                return Err(GitError::TimedOut { address, action, limit: self.bounds.patience });
            }
            thread::sleep(POLL);
        }
    }

    fn measure(&self, folder: &Path) -> Result<(u64, u64), GitError> {
        let found = measure(folder, self.bounds.max_bytes, self.bounds.max_files as u64);
        if found.0 > self.bounds.max_bytes {
            return Err(self.too_large("it", self.bounds.max_bytes));
        }
        if found.1 > self.bounds.max_files as u64 {
            let limit = format!("{} files", self.bounds.max_files);
            return Err(GitError::TooLarge { address: self.address.to_owned(), what: "it", limit });
        }
        Ok((found.0, found.1))
    }

    fn too_large(&self, what: &'static str, limit: u64) -> GitError {
        let limit = format!("{limit} bytes");
        GitError::TooLarge { address: self.address.to_owned(), what, limit }
    }
}

/// Returns the bytes and the number of all that is in a folder, as far as it is no more than these.
/// Files may come and go meanwhile.
fn measure(folder: &Path, max_bytes: u64, max_files: u64) -> (u64, u64) {
    let (mut bytes, mut files) = (0_u64, 0_u64);
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(status) = entry.metadata() else { continue };
            (bytes, files) = (bytes.saturating_add(status.len()), files + 1);
            if status.is_dir() {
                open.push(entry.path());
            }
        }
        if bytes > max_bytes || files > max_files {
            break;
        }
    }
    (bytes, files)
}

/// What comes out of a pipe, collected by a thread of its own.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    ended: Receiver<()>,
}

/// What is kept of more than there is room for.
#[derive(Clone, Copy)]
enum Keep {
    /// So many bytes.
    Beginning(usize),
    /// The last [`MAX_MESSAGES`].
    End,
}

impl Collected {
    fn of(mut pipe: impl Read + Send + 'static, keep: Keep, came: &Arc<AtomicU64>) -> Self {
        let (bytes, came) = (Arc::new(Mutex::new(Vec::new())), came.clone());
        let (sender, ended) = channel();
        let into = bytes.clone();
        thread::spawn(move || {
            let mut buffer = vec![0; 64 << 10];
            while let Ok(length @ 1..) = pipe.read(&mut buffer) {
                came.fetch_add(length as u64, Ordering::Relaxed);
                let mut kept = into.lock().unwrap_or_else(PoisonError::into_inner);
                match keep {
                    Keep::Beginning(most) => {
                        let room = most.saturating_sub(kept.len());
                        kept.extend_from_slice(&buffer[..length.min(room)]);
                    }
                    Keep::End => {
                        kept.extend_from_slice(&buffer[..length]);
                        let surplus = kept.len().saturating_sub(MAX_MESSAGES);
                        kept.drain(..surplus);
                    }
                }
            }
            // Nobody waits where the process was killed.
            let _ = sender.send(());
        });
        Self { bytes, ended }
    }

    /// Returns what came. A process that goes on in the background, such as the master of a shared
    /// connection of `ssh`, may hold the pipe open for long.
    fn finish(self) -> Vec<u8> {
        let _ = self.ended.recv_timeout(GRACE);
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns what git said, in one line, without credentials and what controls a terminal.
fn for_user(messages: &[u8]) -> String {
    let text = String::from_utf8_lossy(messages);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(6)..];
    let hidden = last.join("; ").split(' ').map(hide_quoted).collect::<Vec<_>>().join(" ");
    plain_text(&hidden, SHOWN)
}

/// Hides the credentials of a URL in quotes.
fn hide_quoted(word: &str) -> String {
    let begin = word.find("://").map(|at| {
        let scheme = word[..at].rfind(|c: char| !c.is_ascii_alphanumeric() && c != '+');
        scheme.map_or(0, |at| at + 1)
    });
    begin.map_or_else(|| word.to_owned(), |at| format!("{}{}", &word[..at], hide(&word[at..])))
}
