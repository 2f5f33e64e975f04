//! The picture: a line for each request, waves one below the other, readable on a light and on a
//! dark page.

use super::{Panel, Request, waves};
use std::fmt::Write;

const WIDTH: f64 = 960.0;
/// The start of the time axis, after the names of the groups.
const LEFT: f64 = 150.0;
const RIGHT: f64 = 24.0;
/// Room above the lines of a panel, for its heading, its stages and its measure.
const HEAD: f64 = 74.0;
const GAP: f64 = 8.0;
/// The greatest height of all lines of a panel, and of one line.
const TALLEST: f64 = 700.0;
const THICKEST: f64 = 3.0;
/// The least height of a group, so that there is room for its name.
const LEAST: f64 = 14.0;
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}.quiet{fill:#57606a}\
line{stroke:#d0d7de}line.stage{stroke:#cf222e;stroke-dasharray:3 3}\
.queue{fill:#d0d7de}.wait{fill:#54aeff}.body{fill:#0550ae}.tarball .wait{fill:#aceebb}.tarball .body{fill:#1a7f37}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.quiet{fill:#9198a1}line{stroke:#3d444d}line.stage{stroke:#f85149}\
.queue{fill:#3d444d}.wait{fill:#1f6feb}.body{fill:#a5d6ff}.tarball .wait{fill:#196c2e}.tarball .body{fill:#7ee787}}";

/// The picture of one or more installs, all with the same measure of time.
pub(super) fn svg(panels: &[Panel]) -> String {
    let ended = panels.iter().map(|panel| panel.timing.ended).max().unwrap_or(0).max(1);
    let mut body = String::new();
    let mut top = 8.0;
    for panel in panels {
        top = draw(&mut body, panel, &Measure { ended }, top) + 2.0 * GAP;
    }
    let title = panels.iter().map(|panel| escaped(&panel.title)).collect::<Vec<_>>().join("; ");
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top:.0}\" width=\"{WIDTH}\" height=\"{top:.0}\" \
         role=\"img\" aria-label=\"{title}\">\n<style>{STYLE}</style>\n{body}</svg>\n"
    )
}

/// The scale from time to width.
struct Measure {
    ended: u64,
}

impl Measure {
    fn at(&self, time: u64) -> f64 {
        LEFT + time as f64 / self.ended as f64 * (WIDTH - LEFT - RIGHT)
    }

    /// The times to name: five to ten of them, round ones.
    fn ticks(&self) -> impl Iterator<Item = u64> + use<> {
        let (mut step, ended) = (1000, self.ended);
        let mut grow = [2.0, 2.5, 2.0].into_iter().cycle();
        while ended / step > 10 {
            step = (step as f64 * grow.next().unwrap_or(2.0)) as u64;
        }
        (0..=ended / step).map(move |number| number * step)
    }
}

/// Draws one install from `top` downwards; returns where it ends.
fn draw(body: &mut String, panel: &Panel, measure: &Measure, top: f64) -> f64 {
    let groups = waves::groups(&panel.timing);
    let rows: usize = groups.iter().map(|group| group.requests.len()).sum();
    let row = (TALLEST / rows.max(1) as f64).min(THICKEST);
    let heights: Vec<f64> =
        groups.iter().map(|group| (group.requests.len() as f64 * row).max(LEAST)).collect();
    let bottom = top + HEAD + heights.iter().map(|height| height + GAP).sum::<f64>();
    let _ = writeln!(
        body,
        "<text class=\"title\" x=\"8\" y=\"{:.1}\">{}</text>\n\
         <text class=\"quiet\" x=\"8\" y=\"{:.1}\">{} waves of metadata, {rows} requests, {:.0} ms; pale: waiting for its turn, \
         then for the answer; dark: receiving</text>",
        top + 14.0,
        escaped(&panel.title),
        top + 32.0,
        waves::count(&panel.timing),
        panel.timing.ended as f64 / 1e3
    );
    for tick in measure.ticks() {
        upright(
            body,
            "",
            measure.at(tick),
            (top + HEAD - 6.0, bottom),
            &format!("{} ms", tick / 1000),
            top + HEAD - 10.0,
        );
    }
    for stage in &panel.timing.stages {
        let x = measure.at(stage.ended);
        upright(
            body,
            " class=\"stage\"",
            x,
            (top + HEAD - 22.0, bottom),
            &stage.name,
            top + HEAD - 26.0,
        );
    }
    let mut y = top + HEAD;
    for (group, height) in groups.iter().zip(heights) {
        let kind = if group.wave == usize::MAX { "tarball" } else { "metadata" };
        let _ = writeln!(
            body,
            "<text x=\"8\" y=\"{:.1}\">{}<tspan class=\"quiet\"> {}</tspan></text>\n<g class=\"{kind}\">",
            y + 11.0,
            waves::name(group),
            group.requests.len()
        );
        for (position, request) in group.requests.iter().enumerate() {
            line(body, &panel.timing.requests[*request], measure, y + position as f64 * row, row);
        }
        body.push_str("</g>\n");
        y += height + GAP;
    }
    bottom
}

/// A line from above to below with a word over it.
fn upright(
    body: &mut String,
    class: &str,
    x: f64,
    (from, to): (f64, f64),
    word: &str,
    baseline: f64,
) {
    let _ = writeln!(
        body,
        "<line{class} x1=\"{x:.1}\" y1=\"{from:.1}\" x2=\"{x:.1}\" y2=\"{to:.1}\"/>\
         <text class=\"quiet\" x=\"{x:.1}\" y=\"{baseline:.1}\" text-anchor=\"middle\">{}</text>",
        escaped(word)
    );
}

/// One request: the time in the queue, the time until the answer began, and the time in which it
/// arrived.
fn line(body: &mut String, request: &Request, measure: &Measure, y: f64, row: f64) {
    let sent = request.sent.unwrap_or(request.done);
    let first_byte = request.first_byte.unwrap_or(request.done);
    for (class, from, to) in [
        ("queue", request.queued, sent),
        ("wait", sent, first_byte),
        ("body", first_byte, request.done),
    ] {
        let (from, to) = (measure.at(from), measure.at(to));
        // Under a fifth of a pixel nothing is seen.
        if to - from >= 0.2 {
            let _ = writeln!(
                body,
                "<rect class=\"{class}\" x=\"{from:.1}\" y=\"{y:.2}\" width=\"{:.1}\" height=\"{:.2}\"/>",
                to - from,
                row * 0.9
            );
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
