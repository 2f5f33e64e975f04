//! Shows, on a terminal, what a long command is doing: one line, drawn again a few times a second.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::metadata::Speculation;

/// How long a drawing stays.
const FRAME: Duration = Duration::from_millis(100);
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/// Back to the first column, and the line cleared.
const CLEAR: &str = "\r\u{1b}[2K";

/// Counters that every stage adds to, and the line that shows them.
#[derive(Default)]
pub struct Progress {
    asked: AtomicU64,
    answered: AtomicU64,
    downloads: AtomicU64,
    downloaded: AtomicU64,
    bytes: AtomicU64,
    linked: AtomicU64,
    to_link: AtomicU64,
    speculation: Mutex<Speculation>,
    ended: AtomicBool,
    drawing: Mutex<Option<JoinHandle<()>>>,
}

impl Progress {
    /// Counters, shown on standard error where that is a terminal and `shown` says so.
    pub fn start(shown: bool) -> Shown {
        let progress = Arc::new(Progress::default());
        if shown && std::io::stderr().is_terminal() {
            let drawn = progress.clone();
            let drawing = std::thread::spawn(move || drawn.draw());
            *progress.drawing.lock().unwrap_or_else(PoisonError::into_inner) = Some(drawing);
        }
        Shown(progress)
    }

    fn draw(&self) {
        let mut stderr = std::io::stderr();
        for frame in SPINNER.iter().cycle() {
            if self.ended.load(Ordering::Relaxed) {
                break;
            }
            // A terminal that went away is no reason to fail.
            let _ = stderr.write_all(format!("{CLEAR}{frame} {}", self.message()).as_bytes());
            std::thread::park_timeout(FRAME);
        }
        let _ = stderr.write_all(CLEAR.as_bytes());
    }

    /// A packument was asked for.
    pub fn asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    /// A packument arrived.
    pub fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    /// A tarball was asked for.
    pub fn download_started(&self) {
        self.downloads.fetch_add(1, Ordering::Relaxed);
    }

    /// A tarball arrived, this long.
    pub fn received(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A tarball is unpacked, or failed.
    pub fn download_finished(&self) {
        self.downloaded.fetch_add(1, Ordering::Relaxed);
    }

    /// What asking for metadata ahead of need came to.
    pub fn speculated(&self, done: Speculation) {
        *self.speculation.lock().unwrap_or_else(PoisonError::into_inner) = done;
    }

    /// What was told last of that.
    pub fn speculation(&self) -> Speculation {
        *self.speculation.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many packages will be linked.
    pub fn link(&self, packages: usize) {
        self.to_link.store(packages as u64, Ordering::Relaxed);
    }

    /// Removes the line.
    fn finish(&self) {
        self.ended.store(true, Ordering::Relaxed);
        let drawing = self.drawing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(drawing) = drawing {
            drawing.thread().unpark();
            let _ = drawing.join();
        }
    }

    /// Requests for metadata so far.
    pub fn metadata_requests(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Tarballs downloaded so far, and their bytes.
    pub fn downloads(&self) -> (u64, u64) {
        (self.downloaded.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    fn message(&self) -> String {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut parts = Vec::new();
        if count(&self.asked) > count(&self.answered) {
            parts.push(format!("resolving {}/{}", count(&self.answered), count(&self.asked)));
        }
        if count(&self.downloads) > count(&self.downloaded) {
            #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
            let megabytes = count(&self.bytes) as f64 / 1e6;
            let (done, all) = (count(&self.downloaded), count(&self.downloads));
            parts.push(format!("downloading {done}/{all} ({megabytes:.1} MB)"));
        }
        if count(&self.to_link) > 0 {
            parts.push(format!("linking {}/{}", count(&self.linked), count(&self.to_link)));
        }
        parts.join(", ")
    }
}

/// Progress that is shown as long as this lives.
pub struct Shown(pub Arc<Progress>);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.finish();
    }
}

impl dx_pkg_link::Progress for Progress {
    fn linked(&self, packages: usize) {
        self.linked.fetch_add(packages as u64, Ordering::Relaxed);
    }
}
