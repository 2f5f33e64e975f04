//! The progress of a long command on a terminal: one line, drawn again a few times a second.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dx_pkg_acquire::Counters;
use dx_pkg_core::text::plain_text;

/// The time between two drawings.
const FRAME: Duration = Duration::from_millis(100);
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/// The longest name of a script that is shown, in characters: a longer line would wrap.
const LONGEST_NAME: usize = 60;
/// Back to the first column, and the line cleared.
const CLEAR: &str = "\r\u{1b}[2K";

/// The progress line of a command.
#[derive(Debug, Default)]
pub struct ProgressLine {
    drawing: Mutex<Option<Drawing>>,
}

#[derive(Debug)]
struct Drawing {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl ProgressLine {
    /// Shows how far an install is.
    pub fn show_work(&self, counters: &Arc<Counters>) {
        let counters = counters.clone();
        self.show(move || message(&counters));
    }

    /// Shows which script runs, and for how long.
    pub fn show_script(&self, package: &str, event: &str) {
        let name = plain_text(&format!("{package} {event}"), LONGEST_NAME);
        let began = Instant::now();
        self.show(move || match began.elapsed().as_secs() {
            0 => name.clone(),
            seconds => format!("{name} ({seconds} s)"),
        });
    }

    /// Shows the line if standard error is a terminal, unless it is shown already.
    fn show(&self, message: impl Fn() -> String + Send + 'static) {
        let mut drawing = self.drawing.lock().unwrap_or_else(PoisonError::into_inner);
        if drawing.is_none() && std::io::stderr().is_terminal() {
            let ended = Arc::new(AtomicBool::new(false));
            let stop = ended.clone();
            let thread = std::thread::spawn(move || draw(message, &stop));
            *drawing = Some(Drawing { ended, thread });
        }
    }

    /// Removes the line.
    pub fn hide(&self) {
        let drawing = self.drawing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Drawing { ended, thread }) = drawing {
            ended.store(true, Ordering::Relaxed);
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn draw(message: impl Fn() -> String, ended: &AtomicBool) {
    let mut stderr = std::io::stderr();
    for frame in SPINNER.iter().cycle() {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        // A terminal that went away is no reason to fail.
        let _ = stderr.write_all(format!("{CLEAR}{frame} {}", message()).as_bytes());
        std::thread::park_timeout(FRAME);
    }
    let _ = stderr.write_all(CLEAR.as_bytes());
}

fn message(counters: &Counters) -> String {
    let mut parts = Vec::new();
    let (done, all) = (counters.packuments_answered.get(), counters.packuments_requested.get());
    if all > done {
        parts.push(format!("resolving {done}/{all}"));
    }
    let (done, all) = (counters.tarballs_unpacked.get(), counters.tarballs_requested.get());
    if all > done {
        #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
        let megabytes = counters.tarball_bytes.get() as f64 / 1e6;
        parts.push(format!("downloading {done}/{all} ({megabytes:.1} MB)"));
    }
    if counters.to_link.get() > 0 {
        parts.push(format!("linking {}/{}", counters.linked.get(), counters.to_link.get()));
    }
    parts.join(", ")
}
