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
        self.show(move || phases(&counters, rate.at(Instant::now(), counters.tarball_bytes.get())));
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
    let mut width = 0;
    for frame in SPINNER.iter().cycle() {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        let columns = terminal_size().map_or(COLUMNS, |(columns, _)| columns);
        let line = line(*frame, &message(), columns);
        // A terminal that went away is no reason to fail.
        let _ = stderr.write_all(over(&line, width, columns).as_bytes());
        width = line.chars().count();
        std::thread::park_timeout(FRAME);
    }
    if width > 0 {
        let columns = terminal_size().map_or(COLUMNS, |(columns, _)| columns);
        let _ = stderr.write_all(over("", width, columns).as_bytes());
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

/// Returns what writes a line over one of `width` columns. In a terminal that was made narrower,
/// that one has become several.
fn over(line: &str, width: usize, columns: usize) -> String {
    let above = width.saturating_sub(1) / columns.max(1);
    let up = if above > 0 { format!("\u{1b}[{above}A") } else { String::new() };
    format!("{up}\r{line}\u{1b}[J")
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

/// Returns the phases that are not at their end, each with how far it is.
fn phases(counters: &Counters, rate: Option<u64>) -> String {
    let mut parts = Vec::new();
    let (done, all) = (counters.packuments_answered.get(), counters.packuments_requested.get());
    if all > done {
        parts.push(format!("resolving {done}/{all}"));
    }
    let (done, all) = (counters.tarballs_unpacked.get(), counters.tarballs_requested.get());
    if all > done {
        let bytes = megabytes(counters.tarball_bytes.get());
        let rate = rate.map(|rate| format!(", {}/s", megabytes(rate))).unwrap_or_default();
        parts.push(format!("downloading {done}/{all} ({bytes}{rate})"));
    }
    let (done, all) = (counters.linked.get(), counters.to_link.get());
    if all > done {
        parts.push(format!("linking {done}/{all}"));
    }
    match parts.is_empty() {
        true if all > 0 => "finishing".to_owned(),
        true => "preparing".to_owned(),
        false => parts.join(", "),
    }
}

fn megabytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
    let megabytes = bytes as f64 / 1e6;
    format!("{megabytes:.1} MB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_have_numbers_bytes_and_a_rate() {
        let counters = Counters::default();
        assert_eq!(phases(&counters, None), "preparing");
        counters.packuments_requested.add(12);
        counters.packuments_answered.add(5);
        counters.tarballs_requested.add(7);
        counters.tarballs_unpacked.add(2);
        counters.tarball_bytes.add(3_140_000);
        assert_eq!(
            phases(&counters, Some(1_500_000)),
            "resolving 5/12, downloading 2/7 (3.1 MB, 1.5 MB/s)"
        );
        counters.packuments_answered.add(7);
        counters.tarballs_unpacked.add(5);
        counters.to_link.set(9);
        counters.linked.add(3);
        assert_eq!(phases(&counters, None), "linking 3/9");
        counters.linked.add(6);
        assert_eq!(phases(&counters, None), "finishing");
    }

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

    #[test]
    fn what_a_narrow_terminal_has_wrapped_is_written_over() {
        assert_eq!(over("⠋ x", 40, 80), "\r⠋ x\u{1b}[J");
        assert_eq!(over("⠋ x", 70, 30), "\u{1b}[2A\r⠋ x\u{1b}[J");
        assert_eq!(over("", 30, 30), "\r\u{1b}[J");
    }
}
