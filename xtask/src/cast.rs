//! `cargo xtask cast`: records commands in a terminal, and draws what it shows as an animated SVG.
//!
//! The session is real: `script` runs it in a pseudoterminal and notes when what was written. Only
//! the pauses before and after a command are made.

mod screen;
mod svg;

use std::path::Path;
use std::process::Command;

use crate::dx::{Dx, run as output_of, workplace, write};
use crate::options::Options;
use crate::workspace;

use screen::Screen;

/// The width and height of the terminal, in characters.
const SIZE: (usize, usize) = (84, 24);

/// What is typed: a first install, a second one, and what it made.
const COMMANDS: [&str; 5] =
    ["dx add express", "rm -rf node_modules", "dx ci", "dx install", "dx ls"];

/// Records the session in an empty project, with the registry of `--registry`, and writes the
/// drawing to `--out`.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let out = options.path("out")?;
    let out = out.unwrap_or_else(|| workspace::root().join("docs/first-install.svg"));
    let dx = Dx::new(options)?;
    let place = workplace("cast")?;
    let project = place.path().join("project");
    write(
        &project.join("package.json"),
        "{\n  \"name\": \"hello\",\n  \"version\": \"1.0.0\"\n}\n",
    )?;
    let mut settings = "min-release-age=0\n".to_owned();
    if let Some(registry) = options.value("registry") {
        settings += &format!("registry={registry}\n");
    }
    write(&place.path().join("home/.npmrc"), &settings)?;
    let (log, times) = (place.path().join("log"), place.path().join("times"));
    let file = place.path().join("session.sh");
    write(&file, &session(dx.path()))?;
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--logging-format", "classic", "--log-out"])
        .arg(&log)
        .arg("--log-timing")
        .arg(&times)
        .arg("--command")
        .arg(format!("sh '{}'", file.display()))
        .current_dir(&project)
        .env("HOME", place.path().join("home"))
        .env("DX_STORE", place.path().join("store"))
        .env("XDG_DATA_HOME", place.path().join("home/.local/share"))
        .env("TERM", "xterm-256color")
        .env_remove("CI")
        .env_remove("NO_COLOR");
    // The settings of whoever runs the task are not part of the session.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().to_lowercase().starts_with("npm_config_") {
            script.env_remove(name);
        }
    }
    output_of(script)?;
    let (log, times) = (std::fs::read(&log), std::fs::read_to_string(&times));
    let text = log.map_err(|error| format!("the log of script: {error}"))?;
    let times = times.map_err(|error| format!("the times of script: {error}"))?;
    let frames = frames(&text, &times)?;
    write(&out, &svg::draw("A first install with dx", SIZE, &frames))?;
    println!("{}: {} states of the terminal", out.display(), frames.len());
    Ok(())
}

/// Returns the shell script of the session.
fn session(dx: &Path) -> String {
    let (columns, rows) = SIZE;
    let mut text = format!("stty cols {columns} rows {rows}\nset -e\n");
    text += &format!("PATH='{}':$PATH\n", dx.parent().unwrap_or(dx).display());
    for command in COMMANDS {
        text += &format!("printf '\\033[32m$\\033[0m {command}'\nsleep 0.8\nprintf '\\n'\n");
        text += &format!("{command}\nsleep 0.6\n");
    }
    text + "printf '\\033[32m$\\033[0m '\nsleep 2\n"
}

/// What the terminal shows from a time on, in seconds.
#[derive(Debug)]
struct Frame {
    at: f64,
    screen: Screen,
}

/// Returns every state of the terminal. A line of `times` has a delay and the number of bytes that
/// came after it.
fn frames(log: &[u8], times: &str) -> Result<Vec<Frame>, String> {
    // The first line of the log is a heading of script's own, which no time is about.
    let heading = log.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let is_heading = log.starts_with(b"Script started");
    let mut rest = if is_heading { &log[heading..] } else { log };
    let mut screen = Screen::new(SIZE);
    let (mut at, mut found) = (0.0, Vec::new());
    for line in times.lines() {
        let wrong = || format!("the times of script have the line {line:?}");
        let (delay, bytes) = line.split_once(' ').ok_or_else(wrong)?;
        let delay: f64 = delay.parse().map_err(|_| wrong())?;
        let bytes: usize = bytes.trim().parse().map_err(|_| wrong())?;
        at += delay;
        let (now, after) = rest.split_at_checked(bytes).ok_or_else(wrong)?;
        rest = after;
        screen.write(&String::from_utf8_lossy(now));
        found.push(Frame { at, screen: screen.clone() });
    }
    if found.is_empty() {
        return Err("script recorded nothing".to_owned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{frames, svg};

    #[test]
    fn states_follow_the_times() {
        let log = b"Script started on x\n$ dx\r\n\x1b[32m+\x1b[0m a\r\n";
        let frames = frames(log, "0.5 6\n0.25 14\n").unwrap();
        assert_eq!(frames.len(), 2);
        assert!((frames[1].at - 0.75).abs() < 1e-9);
        assert_eq!(frames[0].screen.texts(), ["$ dx", ""]);
        assert_eq!(frames[1].screen.texts(), ["$ dx", "+ a", ""]);
        let svg = svg::draw("title", (10, 4), &frames);
        assert!(svg.contains("begin=\"0s\" end=\"0.75s\""), "{svg}");
        assert!(svg.contains("<tspan class=\"c32\">+</tspan>"), "{svg}");
    }

    #[test]
    fn times_that_do_not_fit_the_log_are_refused() {
        assert!(frames(b"ab", "0.1 3\n").is_err());
        assert!(frames(b"ab", "x\n").is_err());
        assert!(frames(b"", "").is_err());
    }
}
