//! Runs of a program on a terminal, with keys that somebody types.

use std::io::{Read, Write};
use std::process::{self, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::command::{Command, Run};
use crate::require::{Need, met, output};

const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Returns whether a terminal can be had: by script(1) of util-linux.
#[track_caller]
pub fn terminal() -> bool {
    let version = output("script", ["--version"]).and_then(|version| {
        if version.contains("util-linux") { Ok(()) } else { Err("another script(1)".to_owned()) }
    });
    met(Need::Terminal, version).is_some()
}

impl Command {
    /// Runs it on a terminal of `columns` and `rows`. Once the terminal shows the first text of a
    /// pair since the last pair, the second is typed. The terminal must be as it was before
    /// afterwards. What it showed is the run's standard output.
    #[track_caller]
    pub fn run_on_terminal(&self, (columns, rows): (u16, u16), typed: &[(&str, &str)]) -> Run {
        let started = Instant::now();
        let words = self.words().iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        let line = format!(
            "stty cols {columns} rows {rows}; before=$(stty -g); {words}; code=$?; \
             [ \"$before\" = \"$(stty -g)\" ] || echo 'THE TERMINAL IS CHANGED'; exit $code"
        );
        let mut child = self
            .prepared("script", &["-qefc", &line, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("start script(1)");
        let shown = Arc::new(Mutex::new(Vec::new()));
        let reader = {
            let (shown, mut pipe) = (shown.clone(), child.stdout.take().expect("piped"));
            thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(read @ 1..) = pipe.read(&mut bytes) {
                    shown.lock().unwrap().extend_from_slice(&bytes[..read]);
                }
            })
        };
        let text = || String::from_utf8_lossy(&shown.lock().unwrap()).into_owned();
        let mut keyboard = child.stdin.take().expect("piped");
        let mut seen = 0;
        for (awaited, keys) in typed {
            while !text().get(seen..).is_some_and(|new| new.contains(awaited)) {
                let is_late = started.elapsed() > TIME_LIMIT;
                if is_late || child.try_wait().expect("wait for script(1)").is_some() {
                    let _ = child.kill();
                    panic!("{words}: the terminal never showed {awaited:?}:\n{}", text());
                }
                thread::sleep(Duration::from_millis(5));
            }
            seen = text().len();
            keyboard.write_all(keys.as_bytes()).expect("type");
        }
        let status = wait(&mut child, &words);
        reader.join().expect("read the terminal");
        let stdout = text();
        assert!(!stdout.contains("THE TERMINAL IS CHANGED"), "{words}: {stdout}");
        Run::shown(words, status, started.elapsed(), stdout)
    }
}

fn wait(child: &mut process::Child, words: &str) -> Option<i32> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("wait for script(1)") {
            return status.code();
        }
        if started.elapsed() > TIME_LIMIT {
            let _ = child.kill();
            panic!("{words} took more than {TIME_LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Returns a word as a shell reads it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
