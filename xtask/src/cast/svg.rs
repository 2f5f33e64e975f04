//! The drawing: a line of the terminal is there from the time at which it was written until it
//! changes. Where animations are not shown, the last state is.

use std::fmt::Write;

use super::Frame;
use super::screen::Cell;

const CHARACTER: f64 = 8.4;
const LINE: f64 = 19.0;
const MARGIN: f64 = 16.0;
const TOP: f64 = 34.0;
/// The shortest time that a state is shown, in seconds: a screen shows no shorter one.
const SHORTEST: f64 = 0.02;

const STYLE: &str = "\
text{font:14px ui-monospace,Menlo,Consolas,monospace;fill:#e6edf3;white-space:pre}\
.c1{font-weight:700}.c2{fill:#9198a1}.c31,.c91{fill:#ff7b72}.c32,.c92{fill:#7ee787}.c33,.c93{fill:#f2cc60}\
.c34,.c94{fill:#79c0ff}.c35,.c95{fill:#d2a8ff}.c36,.c96{fill:#76e3ea}.c90{fill:#9198a1}";

/// A line at a place, and the time for which it is there.
struct Shown {
    row: usize,
    cells: Vec<Cell>,
    from: f64,
    to: Option<f64>,
}

/// Returns the drawing of the states of a terminal.
pub(super) fn draw(title: &str, (columns, rows): (usize, usize), frames: &[Frame]) -> String {
    let shown = lines(frames);
    let used = shown.iter().map(|line| line.row + 1).max().unwrap_or(1).min(rows);
    let width = columns as f64 * CHARACTER + 2.0 * MARGIN;
    let height = used as f64 * LINE + TOP + MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{0}\">\n<title>{0}</title>\n\
         <style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n",
        escaped(title)
    );
    for (number, colour) in ["#ff5f57", "#febc2e", "#28c840"].iter().enumerate() {
        let x = MARGIN + 6.0 + number as f64 * 18.0;
        let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"16\" r=\"5\" fill=\"{colour}\"/>");
    }
    for line in &shown {
        let y = TOP + (line.row + 1) as f64 * LINE - 5.0;
        let hidden = if line.to.is_some() { " visibility=\"hidden\"" } else { "" };
        let _ = write!(svg, "<text x=\"{MARGIN}\" y=\"{y}\" xml:space=\"preserve\"{hidden}>");
        let _ = write!(svg, "{}", spans(&line.cells));
        let _ = match line.to {
            Some(to) => write!(
                svg,
                "<set attributeName=\"visibility\" to=\"visible\" begin=\"{:.2}s\" end=\"{to:.2}s\"/>",
                line.from
            ),
            None => write!(
                svg,
                "<set attributeName=\"visibility\" to=\"hidden\" begin=\"0s\" end=\"{:.2}s\"/>",
                line.from
            ),
        };
        svg.push_str("</text>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

/// Returns every line that was on the terminal, with its times.
fn lines(frames: &[Frame]) -> Vec<Shown> {
    let mut finished: Vec<Shown> = Vec::new();
    let mut open: Vec<Shown> = Vec::new();
    for frame in frames {
        let rows = frame.screen.rows();
        let mut kept = Vec::new();
        for line in std::mem::take(&mut open) {
            if rows.get(line.row).is_some_and(|row| *row == line.cells) {
                kept.push(line);
            } else if frame.at - line.from >= SHORTEST {
                finished.push(Shown { to: Some(frame.at), ..line });
            }
        }
        for (row, cells) in rows.iter().enumerate().filter(|(_, cells)| !cells.is_empty()) {
            if !kept.iter().any(|line| line.row == row) {
                kept.push(Shown { row, cells: cells.clone(), from: frame.at, to: None });
            }
        }
        open = kept;
    }
    finished.extend(open);
    finished
}

fn spans(cells: &[Cell]) -> String {
    let mut text = String::new();
    for run in cells.chunk_by(|a, b| a.colour == b.colour) {
        let plain: String = run.iter().map(|cell| cell.text).collect();
        match run[0].colour {
            0 => text.push_str(&escaped(&plain)),
            colour => {
                let _ = write!(text, "<tspan class=\"c{colour}\">{}</tspan>", escaped(&plain));
            }
        }
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
