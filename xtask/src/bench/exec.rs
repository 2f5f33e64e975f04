//! `xtask bench-exec`: one measured command, in a small process of its own.
//!
//! The process adopts what the command leaves running, so that its time and processor time are
//! known too. A command's peak memory cannot be less than that of its parent, hence the small
//! process. Its input is held open by who started it: when that ends, by whatever signal, so do the
//! command and all that it started.

use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::{Command, Stdio};

/// The cost of a command, in seconds and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// The exit code; -1 for a signal.
    pub(crate) status: i32,
    /// From the start of the command to its end.
    pub(crate) wall: f64,
    /// Processor time of the command and of what it waited for.
    pub(crate) cpu: f64,
    /// The memory of the largest process.
    pub(crate) peak: u64,
    /// From the end of the command to that of the last process it left running.
    pub(crate) after_wall: f64,
    /// Processor time of the processes it left running.
    pub(crate) after_cpu: f64,
}

#[cfg(target_os = "linux")]
pub(crate) use linux::run;

/// Has a command measured in a process of its own, which `prepare` gives folder and environment;
/// what the command prints goes to the file `log`.
pub(crate) fn measure(
    log: &Path,
    words: &[String],
    prepare: impl FnOnce(&mut Command),
) -> Result<Cost, String> {
    let program = std::env::current_exe().map_err(|error| format!("find xtask: {error}"))?;
    let mut command = Command::new(program);
    command.arg("bench-exec").arg(log).arg("--").args(words);
    prepare(&mut command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A Ctrl-C reaches this process alone, whose end is what ends the others.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let failed = |error: &dyn std::fmt::Display| format!("bench-exec: {error}");
    let mut process = command.spawn().map_err(|error| failed(&error))?;
    let held = process.stdin.take();
    let output = process.wait_with_output().map_err(|error| failed(&error))?;
    drop(held);
    if !output.status.success() {
        return Err(failed(&String::from_utf8_lossy(&output.stderr).trim()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(&error))
}

#[cfg(target_os = "linux")]
mod linux {
    use super::Cost;
    use nix::sys::resource::{Usage, UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    use rustix::process::{Pid, Signal, WaitOptions, kill_process, set_child_subreaper, wait};
    use std::fs;
    use std::io::Read;
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    /// The time limits of a command and of the processes it leaves running.
    const LIMIT: Duration = Duration::from_secs(600);

    /// Runs `LOG -- PROGRAM ARGUMENTS…` and prints its [`Cost`] as JSON; what the command prints
    /// goes to the file LOG.
    pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
        let [log, separator, program, arguments @ ..] = arguments else {
            return Err("bench-exec LOG -- PROGRAM ARGUMENTS…".to_owned());
        };
        debug_assert_eq!(separator, "--");
        let failed = |error: &dyn std::fmt::Display| format!("run {program}: {error}");
        let output = fs::File::create(log).map_err(|error| failed(&error))?;
        let errors = output.try_clone().map_err(|error| failed(&error))?;
        let this = Pid::from_raw(std::process::id().cast_signed());
        set_child_subreaper(this).map_err(|error| failed(&error))?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(output).stderr(errors).process_group(0);
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| failed(&error))?;
        watch();
        let status = child.wait().map_err(|error| failed(&error))?;
        let ended = Instant::now();
        let usage = used()?;
        let wall = (ended - started).as_secs_f64();
        let cpu = seconds(&usage);
        let peak = u64::try_from(usage.max_rss()).unwrap_or(0) * 1024;
        let left = adopt();
        let after_wall = if left { ended.elapsed().as_secs_f64() } else { 0.0 };
        let after_cpu = seconds(&used()?) - cpu;
        let cost =
            Cost { status: status.code().unwrap_or(-1), wall, cpu, peak, after_wall, after_cpu };
        println!("{}", serde_json::to_string(&cost).map_err(|error| failed(&error))?);
        Ok(())
    }

    fn used() -> Result<Usage, String> {
        getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| format!("getrusage: {error}"))
    }

    fn seconds(usage: &Usage) -> f64 {
        let microseconds =
            usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        microseconds as f64 / 1e6
    }

    /// Ends what runs when it takes too long, and when nobody waits for it any more.
    fn watch() {
        std::thread::spawn(|| {
            std::thread::sleep(LIMIT);
            end_children();
        });
        std::thread::spawn(|| {
            let mut rest = Vec::new();
            // An input that cannot be read is at its end.
            let _ = std::io::stdin().lock().read_to_end(&mut rest);
            end_children();
        });
    }

    /// Waits for the processes that were left running; whether there were any.
    fn adopt() -> bool {
        let mut any = false;
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(found) => {
                    any = true;
                    if found.is_none() {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                }
                Err(_) => return any,
            }
        }
    }

    /// Kills every child again and again: those of a child that was killed come to this process. It
    /// ends with the process.
    fn end_children() {
        loop {
            for child in children() {
                // One that has just ended is what is wanted.
                let _ = kill_process(child, Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The children of all threads.
    fn children() -> Vec<Pid> {
        let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let lists =
            threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        lists
            .flat_map(|list| {
                list.split_whitespace()
                    .filter_map(|id| Pid::from_raw(id.parse().ok()?))
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

/// Adopting processes and their resources are Linux's; elsewhere the command's own time is all that
/// is known.
#[cfg(not(target_os = "linux"))]
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let [log, _, program, arguments @ ..] = arguments else {
        return Err("bench-exec LOG -- PROGRAM ARGUMENTS…".to_owned());
    };
    let output = std::fs::File::create(log).map_err(|error| format!("{log}: {error}"))?;
    let started = std::time::Instant::now();
    let mut command = Command::new(program);
    let status = command.args(arguments).stdin(Stdio::null()).stdout(output).status();
    let status = status.map_err(|error| format!("{program}: {error}"))?;
    let wall = started.elapsed().as_secs_f64();
    let cost = Cost { status: status.code().unwrap_or(-1), wall, ..Cost::default() };
    println!("{}", serde_json::to_string(&cost).map_err(|error| error.to_string())?);
    Ok(())
}
