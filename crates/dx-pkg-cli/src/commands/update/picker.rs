//! A list on the terminal of which rows are chosen with the keyboard.
//!
//! [`Picker`] is the list and what is chosen of it, without a terminal; [`pick`] shows it.

use std::io::IsTerminal as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dx_pkg_core::text::plain_text;
use dx_pkg_os::process::{cancellation_flag, install_signal_handlers};
use dx_pkg_os::terminal::{Key, RawTerminal, terminal_size};

use crate::report::{complain, has_colours};

mod drawing;

/// The time after which the terminal's size and signals are looked at again.
const TICK: Duration = Duration::from_millis(100);
/// Another screen without a cursor, so that what was there before comes back.
const BEGIN: &str = "\u{1b}[?1049h\u{1b}[?25l";
const END: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// A row of the list.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// What is shown beside what would be chosen.
    pub cells: Vec<String>,
    /// What would be chosen: one text, or a second that a key changes it to.
    pub choices: [String; 2],
    /// Whether it is chosen.
    pub is_chosen: bool,
    /// Whether the second text is chosen.
    pub is_second: bool,
}

impl Row {
    /// Returns what would be chosen.
    fn choice(&self) -> &str {
        &self.choices[usize::from(self.is_second)]
    }

    fn has_two(&self) -> bool {
        self.choices[0] != self.choices[1]
    }
}

/// The list, and where in it the cursor is.
#[derive(Clone, Debug)]
pub struct Picker {
    /// What is asked.
    pub title: String,
    /// The heads of the cells; that of the choice stands at [`Picker::choice_column`].
    pub heads: Vec<&'static str>,
    /// The place of the choice among the cells.
    pub choice_column: usize,
    /// The rows; at least one.
    pub rows: Vec<Row>,
    /// Whether the terminal shows other characters than those of ASCII.
    pub is_unicode: bool,
    cursor: usize,
    /// The first row that is shown.
    top: usize,
}

/// What a key leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The list is shown again.
    Stay,
    /// What is chosen is taken.
    Accept,
    /// Nothing is taken.
    Leave,
    /// The command ends as by a signal.
    Interrupt,
}

impl Picker {
    /// Returns a list with the cursor on the first row.
    pub fn new(title: String, heads: Vec<&'static str>, choice_column: usize) -> Self {
        let (rows, is_unicode) = (Vec::new(), true);
        Picker { title, heads, choice_column, rows, is_unicode, cursor: 0, top: 0 }
    }

    /// Does what a key means; `page` is the number of rows that are shown.
    pub fn press(&mut self, key: Key, page: usize) -> Step {
        let last = self.rows.len().saturating_sub(1);
        match key {
            Key::Up | Key::Character('k') => {
                self.cursor = self.cursor.checked_sub(1).unwrap_or(last);
            }
            Key::Down | Key::Character('j') => {
                self.cursor = if self.cursor == last { 0 } else { self.cursor + 1 };
            }
            Key::PageUp => self.cursor = self.cursor.saturating_sub(page),
            Key::PageDown => self.cursor = (self.cursor + page).min(last),
            Key::Home | Key::Character('g') => self.cursor = 0,
            Key::End | Key::Character('G') => self.cursor = last,
            Key::Character(' ') => {
                if let Some(row) = self.rows.get_mut(self.cursor) {
                    row.is_chosen = !row.is_chosen;
                }
            }
            Key::Character('a') => {
                let all = self.rows.iter().all(|row| row.is_chosen);
                self.rows.iter_mut().for_each(|row| row.is_chosen = !all);
            }
            Key::Character('l') => {
                if let Some(row) = self.rows.get_mut(self.cursor)
                    && row.has_two()
                {
                    row.is_second = !row.is_second;
                    row.is_chosen = true;
                }
            }
            Key::Enter => return Step::Accept,
            Key::Escape | Key::Character('q') => return Step::Leave,
            Key::Interrupt => return Step::Interrupt,
            Key::Character(_) => {}
        }
        Step::Stay
    }

    /// Scrolls so that the cursor is among the rows that are shown.
    fn scroll(&mut self, page: usize) {
        let bottom = self.cursor.saturating_sub(page.saturating_sub(1));
        self.top = self.top.clamp(bottom, self.cursor);
        self.top = self.top.min(self.rows.len().saturating_sub(page));
    }
}

/// Returns whether a list can be shown and keys be read.
pub fn has_terminal() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && !is_dumb
}

/// Shows the list until it is answered. The terminal is then as it was before.
///
/// # Errors
/// There is no terminal, or it is gone.
pub fn pick(picker: &mut Picker) -> std::io::Result<Step> {
    install_signal_handlers();
    for row in &mut picker.rows {
        row.cells.iter_mut().for_each(|cell| *cell = plain_text(cell, 200));
    }
    let mut terminal = RawTerminal::begin()?;
    let _screen = Screen::begin();
    let has_colours = has_colours(&std::io::stderr());
    let mut shown = String::new();
    loop {
        let (columns, rows) = terminal_size().unwrap_or((80, 24));
        let page = drawing::page(rows);
        picker.scroll(page);
        let drawn = picker.drawn(columns, rows, has_colours);
        // What stands there already is not drawn again.
        if drawn != shown {
            complain(&drawn);
            shown = drawn;
        }
        if cancellation_flag().load(Ordering::Relaxed) {
            return Ok(Step::Interrupt);
        }
        if let Some(key) = terminal.key(TICK)? {
            match picker.press(key, page) {
                Step::Stay => {}
                step => return Ok(step),
            }
        }
    }
}

/// Another screen of the terminal, until this is dropped.
struct Screen;

impl Screen {
    fn begin() -> Self {
        complain(BEGIN);
        Screen
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        complain(END);
    }
}

#[cfg(test)]
mod tests;
