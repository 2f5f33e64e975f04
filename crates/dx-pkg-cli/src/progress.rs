//! Shows, on a terminal, what a long command is doing.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Counters that every stage adds to, and the line that shows them.
pub struct Progress {
    bar: ProgressBar,
    asked: AtomicU64,
    answered: AtomicU64,
    downloads: AtomicU64,
    downloaded: AtomicU64,
    bytes: AtomicU64,
    linked: AtomicU64,
    to_link: AtomicU64,
}

impl Progress {
    /// A progress line on standard error; invisible unless that is a terminal and `shown`.
    pub fn new(shown: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if shown && std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        let zero = AtomicU64::default;
        Progress {
            bar,
            asked: zero(),
            answered: zero(),
            downloads: zero(),
            downloaded: zero(),
            bytes: zero(),
            linked: zero(),
            to_link: zero(),
        }
    }

    /// A packument was asked for.
    pub fn asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.show();
    }

    /// A packument arrived.
    pub fn answered(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.show();
    }

    /// A tarball was asked for.
    pub fn download_started(&self) {
        self.downloads.fetch_add(1, Ordering::Relaxed);
        self.show();
    }

    /// A tarball arrived, this long.
    pub fn received(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A tarball is unpacked, or failed.
    pub fn download_finished(&self) {
        self.downloaded.fetch_add(1, Ordering::Relaxed);
        self.show();
    }

    /// So many packages will be linked.
    pub fn link(&self, packages: usize) {
        self.to_link.store(packages as u64, Ordering::Relaxed);
        self.show();
    }

    /// Removes the line.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Requests for metadata so far.
    pub fn metadata_requests(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Tarballs downloaded so far, and their bytes.
    pub fn downloads(&self) -> (u64, u64) {
        (self.downloaded.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    fn show(&self) {
        if self.bar.is_hidden() {
            return;
        }
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut parts = Vec::new();
        if count(&self.asked) > count(&self.answered) {
            parts.push(format!("resolving {}/{}", count(&self.answered), count(&self.asked)));
        }
        if count(&self.downloads) > 0 {
            #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
            let megabytes = count(&self.bytes) as f64 / 1e6;
            parts.push(format!(
                "downloading {}/{} ({megabytes:.1} MB)",
                count(&self.downloaded),
                count(&self.downloads)
            ));
        }
        if count(&self.to_link) > 0 {
            parts.push(format!("linking {}/{}", count(&self.linked), count(&self.to_link)));
        }
        self.bar.set_message(parts.join(", "));
    }
}

impl dx_pkg_link::Progress for Progress {
    fn linked(&self, packages: usize) {
        self.linked.fetch_add(packages as u64, Ordering::Relaxed);
        self.show();
    }
}
