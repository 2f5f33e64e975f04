//! The machine of the measurements.

use crate::dx::run;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Processor, memory, system and file system, as far as they can be told.
pub(crate) fn describe(root: &Path) -> Result<Vec<(String, String)>, String> {
    fs::create_dir_all(root).map_err(|error| format!("{}: {error}", root.display()))?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let cpu =
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let mut facts = vec![("processor".to_owned(), format!("{cpu}, {cores} cores"))];
    if let Some(memory) = field("/proc/meminfo", "MemTotal") {
        let kibibytes: f64 = memory.trim_end_matches("kB").trim().parse().unwrap_or(0.0);
        facts.push(("memory".to_owned(), format!("{:.0} GiB", kibibytes / f64::from(1 << 20))));
    }
    if let Some(system) = said("uname", &["-sr"]) {
        facts.push(("system".to_owned(), system));
    }
    if let Some(words) =
        said("findmnt", &["-n", "-o", "FSTYPE,SOURCE", "-T", &root.display().to_string()])
    {
        facts.push((
            "file system".to_owned(),
            words.split_whitespace().collect::<Vec<_>>().join(" on "),
        ));
    }
    Ok(facts)
}

/// Today, as `2026-01-31`, in UTC.
pub(crate) fn date() -> String {
    said("date", &["-u", "+%Y-%m-%d"]).unwrap_or_else(|| "unknown".to_owned())
}

/// The first value of a key in a file of `key: value`.
fn field(path: &str, key: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        line.strip_prefix(key)?.trim_start().strip_prefix(':').map(|value| value.trim().to_owned())
    })
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments);
    let output = run(command).ok()?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
