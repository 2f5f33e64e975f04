//! The lines of a list, as wide and as many as the terminal has room for.

use std::fmt::Write as _;

use super::{Picker, Row};

/// The lines beside the rows: the title and the heads, the keys, and an empty line before both.
const FRAME: usize = 5;
/// The columns before the cells: the cursor and the mark.
const MARKS: usize = 4;
const GAP: usize = 2;
/// The columns that a cell keeps where there is too little room.
const NARROWEST: usize = 8;

/// Returns the number of rows that a terminal of so many lines has room for.
pub(super) fn page(lines: usize) -> usize {
    lines.saturating_sub(FRAME).max(1)
}

impl Picker {
    /// Returns what is written to show the list: it replaces what stood there, and no line wraps.
    pub(super) fn drawn(&self, columns: usize, lines: usize, has_colours: bool) -> String {
        let mut drawn = "\u{1b}[H".to_owned();
        let lines_drawn = self.lines(columns, lines, has_colours);
        for (at, line) in lines_drawn.iter().enumerate() {
            // No line end behind the last line: the terminal would scroll.
            let end = if at + 1 == lines_drawn.len() { "" } else { "\r\n" };
            let _ = write!(drawn, "{line}\u{1b}[K{end}");
        }
        drawn + "\u{1b}[J"
    }

    /// Returns the lines of the list, at most `lines`.
    fn lines(&self, columns: usize, lines: usize, has_colours: bool) -> Vec<String> {
        let page = page(lines);
        let last = (self.top + page).min(self.rows.len());
        let shown = self.top..last;
        let paint = |style: &str, text: String| match has_colours && !style.is_empty() {
            true => format!("\u{1b}[{style}m{text}\u{1b}[0m"),
            false => text,
        };
        let chosen = self.rows.iter().filter(|row| row.is_chosen).count();
        let mut title = format!("{}: {chosen} of {} chosen", self.title, self.rows.len());
        if shown.len() < self.rows.len() {
            let _ = write!(title, " ({}-{last} shown)", self.top + 1);
        }
        let widths = self.widths(columns);
        let heads: Vec<&str> = self.heads.clone();
        let blank = " ".repeat(MARKS);
        let mut drawn = vec![
            paint("1", cut(&title, columns)),
            String::new(),
            paint("2", cut(&format!("{blank}{}", cells(&heads, &widths)), columns)),
        ];
        for (at, row) in self.rows.iter().enumerate().take(shown.end).skip(shown.start) {
            let is_here = at == self.cursor;
            let line = format!("{}{}", self.marks(row, is_here), cells(&self.texts(row), &widths));
            let style = match (is_here, row.is_chosen) {
                (true, true) => "1;32",
                (true, false) => "1",
                (false, true) => "32",
                (false, false) => "",
            };
            drawn.push(paint(style, cut(&line, columns)));
        }
        drawn.extend([String::new(), paint("2", cut(&self.keys(columns), columns))]);
        drawn.truncate(lines.max(1));
        drawn
    }

    /// Returns the keys that have a meaning; fewer words where there is little room.
    fn keys(&self, columns: usize) -> String {
        let arrows = if self.is_unicode { "↑↓" } else { "up/down" };
        let latest = if self.rows.iter().any(Row::has_two) { "  l latest" } else { "" };
        let long = format!("{arrows} move  space choose  a all{latest}  enter update  q quit");
        if long.chars().count() <= columns {
            return long;
        }
        format!("{arrows}  space  a{}  enter  q", if latest.is_empty() { "" } else { "  l" })
    }

    fn marks(&self, row: &Row, is_here: bool) -> &'static str {
        match (self.is_unicode, is_here, row.is_chosen) {
            (true, true, true) => "❯ ◉ ",
            (true, true, false) => "❯ ◯ ",
            (true, false, true) => "  ◉ ",
            (true, false, false) => "  ◯ ",
            (false, true, true) => "> * ",
            (false, true, false) => "> - ",
            (false, false, true) => "  * ",
            (false, false, false) => "  - ",
        }
    }

    /// Returns the texts of a row, with what would be chosen.
    fn texts<'r>(&self, row: &'r Row) -> Vec<&'r str> {
        let mut texts: Vec<&str> = row.cells.iter().map(String::as_str).collect();
        texts.insert(self.choice_column.min(texts.len()), row.choice());
        texts
    }

    /// Returns the widths of the cells: where there is too little room, the widest gives way, and
    /// in the end those on the right are left out.
    fn widths(&self, columns: usize) -> Vec<usize> {
        let mut widths: Vec<usize> = self.heads.iter().map(|head| head.chars().count()).collect();
        for row in &self.rows {
            // The other choice has to have room, too.
            for (at, text) in self.texts(row).iter().enumerate() {
                let length = match at == self.choice_column {
                    true => row.choices.iter().map(|one| one.chars().count()).max(),
                    false => Some(text.chars().count()),
                };
                widths[at] = widths[at].max(length.unwrap_or_default());
            }
        }
        let taken = |widths: &[usize]| {
            let shown = widths.iter().filter(|width| **width > 0);
            MARKS + shown.map(|width| width + GAP).sum::<usize>()
        };
        while taken(&widths) > columns + GAP {
            match widths.iter_mut().max() {
                Some(widest) if *widest > NARROWEST => *widest -= 1,
                _ => match widths.iter_mut().skip(1).rfind(|width| **width > 0) {
                    Some(rightmost) => *rightmost = 0,
                    None => break,
                },
            }
        }
        widths
    }
}

/// Returns the texts of a row beside each other.
fn cells(texts: &[&str], widths: &[usize]) -> String {
    let mut line = String::new();
    for (text, width) in texts.iter().zip(widths).filter(|(_, width)| **width > 0) {
        let gap = width + GAP;
        let _ = write!(line, "{:<gap$}", cut(text, *width));
    }
    line.trim_end().to_owned()
}

/// Returns a text that is not wider than this; what is cut off is dots.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let dots = ".".repeat(width.min(2));
    text.chars().take(width - dots.len()).chain(dots.chars()).collect()
}
