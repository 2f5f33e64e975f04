//! Bar charts in SVG, readable on a light and on a dark page.

use std::fmt::Write;

/// A group of bars, such as a scenario.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) bars: Vec<Bar>,
}

/// A bar; without seconds, the word stands in its place.
pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) seconds: Option<f64>,
    pub(crate) word: String,
}

const WIDTH: f64 = 860.0;
/// The start of the bars, after the names.
const LEFT: f64 = 210.0;
/// Room for the figures after the longest bar.
const RIGHT: f64 = 90.0;
const TOP: f64 = 56.0;
const BAR: f64 = 15.0;
const GAP: f64 = 14.0;
/// Text and colours; those of a dark page are lighter.
const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-size:15px;font-weight:600}.quiet{fill:#57606a}\
line{stroke:#d0d7de}rect{fill:#8c959f}rect.dx{fill:#0969da}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.quiet{fill:#9198a1}line{stroke:#3d444d}rect{fill:#656c76}\
rect.dx{fill:#4493f8}}";

/// The chart; lengths are logarithmic, as the figures differ by factors of thousands.
pub(crate) fn svg(title: &str, groups: &[Group]) -> String {
    let seconds = || groups.iter().flat_map(|group| &group.bars).filter_map(|bar| bar.seconds);
    let least = seconds().fold(f64::INFINITY, f64::min).max(1e-9).log10().floor();
    let most = seconds().fold(0.0, f64::max).max(1e-9).log10().ceil().max(least + 1.0);
    let at = |seconds: f64| {
        (seconds.max(1e-9).log10() - least) / (most - least) * (WIDTH - LEFT - RIGHT)
    };
    let rows: usize = groups.iter().map(|group| group.bars.len()).sum();
    let height = TOP + rows as f64 * BAR + groups.len() as f64 * GAP + 10.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n\
         <text class=\"title\" x=\"8\" y=\"20\">{}</text>\n",
        escaped(title),
        escaped(title)
    );
    let mut tick = least;
    while tick <= most {
        let x = LEFT + at(10f64.powf(tick));
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{height}\"/>\
             <text class=\"quiet\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            TOP - 8.0,
            duration(10f64.powf(tick))
        );
        tick += 1.0;
    }
    let mut y = TOP + GAP / 2.0;
    for group in groups {
        let _ = writeln!(
            svg,
            "<text x=\"8\" y=\"{:.1}\">{}</text>",
            y + BAR - 4.0,
            escaped(&group.name)
        );
        for bar in &group.bars {
            let baseline = y + BAR - 4.0;
            let _ = writeln!(
                svg,
                "<text class=\"quiet\" x=\"{}\" y=\"{baseline:.1}\" text-anchor=\"end\">{}</text>",
                LEFT - 6.0,
                escaped(&bar.name)
            );
            let (length, word) = match bar.seconds {
                Some(seconds) => (at(seconds).max(1.0), duration(seconds)),
                None => (0.0, bar.word.clone()),
            };
            let class = if bar.name.starts_with("dx") { " class=\"dx\"" } else { "" };
            let _ = writeln!(
                svg,
                "<rect{class} x=\"{LEFT}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{}\"/>\
                 <text x=\"{:.1}\" y=\"{baseline:.1}\">{}</text>",
                BAR - 3.0,
                LEFT + length + 5.0,
                escaped(&word)
            );
            y += BAR;
        }
        y += GAP;
    }
    svg + "</svg>\n"
}

/// Seconds in the unit that suits them, with three digits that count.
pub(crate) fn duration(seconds: f64) -> String {
    let (value, unit) = match seconds {
        seconds if seconds < 1e-6 => (seconds * 1e9, "ns"),
        seconds if seconds < 1e-3 => (seconds * 1e6, "µs"),
        seconds if seconds < 1.0 => (seconds * 1e3, "ms"),
        seconds => (seconds, "s"),
    };
    let digits = if value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {unit}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{Bar, Group, duration, svg};

    #[test]
    fn durations_have_three_digits_in_their_unit() {
        for (seconds, text) in [
            (0.000_000_012_3, "12.3 ns"),
            (0.000_053, "53.0 µs"),
            (0.0011, "1.10 ms"),
            (0.9803, "980 ms"),
            (13.77, "13.8 s"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn a_tenfold_is_as_long_everywhere_and_failures_have_no_bar() {
        let bar = |name: &str, seconds| Bar { name: name.into(), seconds, word: "failed".into() };
        let bars = vec![
            bar("dx", Some(0.01)),
            bar("bun", Some(0.1)),
            bar("npm", Some(1.0)),
            bar("yarn", None),
        ];
        let chart = svg("a & b", &[Group { name: "warm".into(), bars }]);
        let widths: Vec<&str> =
            chart.split("width=\"").skip(2).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(widths, ["1.0", "280.0", "560.0", "0.0"]);
        assert!(chart.contains("a &amp; b") && chart.contains(">failed<"));
    }
}
