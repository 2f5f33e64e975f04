//! The progress of a long command on a terminal: one line, drawn again a few times a second.
//!
//! A line is never wider than the terminal, is written in one piece over the one before, and does
//! not appear for what is done at once: so nothing flickers.

use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dx_pkg_acquire::Counters;
use dx_pkg_core::text::plain_text;
use dx_pkg_os::terminal::terminal_size;

/// The time between two drawings.
const FRAME: Duration = Duration::from_millis(100);
/// The time before the first: most commands end within it.
const DELAY: Duration = Duration::from_millis(150);
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
/// The longest name of a script, in characters.
const LONGEST_NAME: usize = 200;
/// The columns of a terminal that does not say how many it has.
const COLUMNS: usize = 80;
/// The drawings that a rate is measured over: those of two seconds.
const MEASURED: usize = 20;

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
        let mut rate = Rate::default();
        self.show(move || counters.phases(rate.at(Instant::now(), counters.tarball_bytes.get())));
    }

    /// Shows which script runs, and for how long.
    pub fn show_script(&self, package: &str, event: &str) {
        let name = plain_text(&format!("{package} {event}"), LONGEST_NAME);
        let began = Instant::now();
        self.show(move || match began.elapsed().as_secs() {
            0 => format!("running {name}"),
            seconds => format!("running {name} ({seconds} s)"),
        });
    }

    /// Shows the line if standard error is a terminal, unless it is shown already.
    fn show(&self, message: impl FnMut() -> String + Send + 'static) {
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

fn draw(mut message: impl FnMut() -> String, ended: &AtomicBool) {
    let mut stderr = std::io::stderr();
    let began = Instant::now();
    while began.elapsed() < DELAY && !ended.load(Ordering::Relaxed) {
        std::thread::park_timeout(DELAY.saturating_sub(began.elapsed()));
    }
    let mut is_drawn = false;
    for frame in SPINNER.iter().cycle() {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        let columns = terminal_size().map_or(COLUMNS, |(columns, _)| columns);
        let line = line(*frame, &message(), columns);
        // A terminal that went away is no reason to fail.
        let _ = stderr.write_all(over(&line).as_bytes());
        is_drawn = true;
        std::thread::park_timeout(FRAME);
    }
    if is_drawn {
        let _ = stderr.write_all(over("").as_bytes());
    }
}

/// Returns a line that leaves the last column free: no terminal then wraps it.
fn line(frame: char, message: &str, columns: usize) -> String {
    let room = columns.saturating_sub(1);
    let line = format!("{frame} {message}");
    if line.chars().count() <= room {
        return line;
    }
    line.chars().take(room.saturating_sub(1)).chain(['…']).take(room).collect()
}

/// Returns what writes a line over the one before, and over what a terminal that was made narrower
/// has put below it.
fn over(line: &str) -> String {
    format!("\r{line}\u{1b}[J")
}

/// The bytes of a second, over the last two seconds.
#[derive(Debug, Default)]
struct Rate(VecDeque<(Instant, u64)>);

impl Rate {
    /// Returns the rate where so many bytes have come by now; `None` until it can be told.
    fn at(&mut self, now: Instant, bytes: u64) -> Option<u64> {
        self.0.push_back((now, bytes));
        if self.0.len() > MEASURED {
            self.0.pop_front();
        }
        let (since, before) = *self.0.front()?;
        let millis = u64::try_from(now.duration_since(since).as_millis()).unwrap_or(u64::MAX);
        (millis >= 300).then(|| (bytes - before).saturating_mul(1000) / millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_two_seconds() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        let mut shown = Vec::new();
        for frame in 0..60_u32 {
            let bytes = if frame < 30 { 0 } else { u64::from(frame - 29) * 100_000 };
            shown.push(rate.at(start + FRAME * frame, bytes));
        }
        assert_eq!((shown[2], shown[3]), (None, Some(0)));
        assert_eq!(shown[59], Some(1_000_000));
    }

    #[test]
    fn a_line_is_narrower_than_the_terminal() {
        for columns in [1, 2, 10, 40, 80] {
            let line = line('⠋', "resolving 5/12, downloading 2/7 (3.1 MB, 1.5 MB/s)", columns);
            assert!(line.chars().count() < columns.max(2), "{columns}: {line}");
        }
        assert_eq!(line('⠋', "linking 3/9", 80), "⠋ linking 3/9");
        assert_eq!(line('⠋', "linking 3/9", 10), "⠋ linkin…");
    }
}
