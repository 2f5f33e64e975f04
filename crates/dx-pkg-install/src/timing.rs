//! `--timing`: the requests of a command with their times, as JSON, for
//! `cargo xtask bench timeline`.

use std::path::Path;
use std::time::Duration;

use dx_pkg_fetch::trace::{Trace, Transfer, Version};
use dx_pkg_fetch::{Class, Priority};
use serde_json::{Value, json};

use crate::InstallError;

/// The version of the JSON form.
const VERSION: u32 = 1;

/// Writes a trace into a file.
pub(crate) fn write(trace: &Trace, path: &Path) -> Result<(), InstallError> {
    let text = format!("{:#}\n", document(trace));
    std::fs::write(path, text)
        .map_err(|error| InstallError::io(format!("writing {}", path.display()), error))
}

/// Returns the trace as JSON, with times in microseconds since dx began to work.
fn document(trace: &Trace) -> Value {
    let stages: Vec<Value> = trace
        .marks()
        .into_iter()
        .map(|(name, at)| json!({ "name": name, "ended": micros(at) }))
        .collect();
    let requests: Vec<Value> = trace.transfers().iter().map(request).collect();
    json!({ "version": VERSION, "ended": micros(trace.now()), "stages": stages, "requests": requests })
}

fn request(transfer: &Transfer) -> Value {
    json!({
        "kind": match transfer.class {
            Class::Metadata => "metadata",
            Class::Tarball => "tarball",
        },
        "priority": match transfer.priority {
            Priority::Critical => "critical",
            Priority::High => "high",
            Priority::Normal => "normal",
            Priority::Low => "low",
        },
        "name": &*transfer.label,
        "url": transfer.url,
        "causedBy": transfer.cause.as_deref(),
        "queued": micros(transfer.queued),
        "sent": transfer.sent.map(micros),
        "firstByte": transfer.first_byte.map(micros),
        "done": micros(transfer.ended),
        "bytes": transfer.bytes,
        "tries": transfer.tries,
        "status": transfer.status.map(|status| status.as_u16()),
        "http": transfer.version.map(|version| if version == Version::HTTP_2 { "2" } else { "1.1" }),
    })
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
