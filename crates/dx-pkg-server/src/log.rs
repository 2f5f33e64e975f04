//! The log: one JSON object a line.

use crate::time::timestamp;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// The least important lines that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    /// Faults of the server and its upstreams.
    Error,
    /// Besides, what changes: publishes, users, refusals.
    Info,
    /// Besides, every request.
    Request,
}

/// The log.
pub(crate) struct Log {
    level: Level,
    out: Mutex<Box<dyn Write + Send>>,
}

impl Log {
    /// Creates a log that writes lines of `level` and above to `out`.
    pub(crate) fn new(level: Level, out: Box<dyn Write + Send>) -> Self {
        Self { level, out: Mutex::new(out) }
    }

    /// Returns whether lines of this level are written.
    pub(crate) fn writes(&self, level: Level) -> bool {
        level <= self.level
    }

    /// Writes a line: what happened, and its circumstances, a JSON object.
    pub(crate) fn line(&self, level: Level, what: &str, fields: &Value) {
        if !self.writes(level) {
            return;
        }
        let mut line = json!({ "time": timestamp(SystemTime::now()), "level": match level {
            Level::Error => "error",
            Level::Info => "info",
            Level::Request => "request",
        }, "message": what });
        if let (Some(line), Some(fields)) = (line.as_object_mut(), fields.as_object()) {
            line.extend(fields.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        // There is nobody to tell that the log cannot be written.
        let _ = writeln!(out, "{line}");
    }

    /// Writes a line about a fault.
    pub(crate) fn error(&self, what: &str, fields: &Value) {
        self.line(Level::Error, what, fields);
    }
}
