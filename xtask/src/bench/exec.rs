//! `xtask bench-exec`: one measured command, in a small process of its own.
//!
//! The process adopts what the command leaves running, so that its time and processor time are known too. A command's
//! peak memory cannot be less than that of who starts it, hence the small process.

use serde::{Deserialize, Serialize};

/// What a command took, in seconds and bytes.
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

#[cfg(target_os = "linux")]
mod linux {
    use super::Cost;
    use nix::sys::resource::{Usage, UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    use rustix::process::{Pid, Signal, WaitOptions, kill_process, set_child_subreaper, wait};
    use std::fs;
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    /// How long a command may take, and what it leaves running after it.
    const LIMIT: Duration = Duration::from_secs(600);

    /// Runs `LOG -- PROGRAM ARGUMENTS…` and prints its [`Cost`] as JSON; what the command prints goes to the file LOG.
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
        watch(Pid::from_child(&child));
        let status = child.wait().map_err(|error| failed(&error))?;
        let ended = Instant::now();
        let usage = used()?;
        let wall = (ended - started).as_secs_f64();
        let cpu = seconds(&usage);
        let peak = u64::try_from(usage.max_rss()).unwrap_or(0) * 1024;
        let left = adopt(ended)?;
        let after_wall = if left { ended.elapsed().as_secs_f64() } else { 0.0 };
        let after_cpu = seconds(&used()?) - cpu;
        let cost = Cost { status: status.code().unwrap_or(-1), wall, cpu, peak, after_wall, after_cpu };
        println!("{}", serde_json::to_string(&cost).map_err(|error| failed(&error))?);
        Ok(())
    }

    fn used() -> Result<Usage, String> {
        getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| format!("getrusage: {error}"))
    }

    fn seconds(usage: &Usage) -> f64 {
        let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        microseconds as f64 / 1e6
    }

    /// Ends a command that takes too long.
    fn watch(child: Pid) {
        std::thread::spawn(move || {
            std::thread::sleep(LIMIT);
            // It may have ended at this very moment.
            let _ = rustix::process::kill_process_group(child, Signal::KILL);
        });
    }

    /// Waits for the processes that were left running; whether there were any.
    fn adopt(ended: Instant) -> Result<bool, String> {
        let mut any = false;
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) => any = true,
                Ok(None) => {
                    any = true;
                    if ended.elapsed() > LIMIT {
                        end_children()?;
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(_) => return Ok(any),
            }
        }
    }

    fn end_children() -> Result<(), String> {
        let list = format!("/proc/self/task/{}/children", std::process::id());
        let children = fs::read_to_string(&list).map_err(|error| format!("{list}: {error}"))?;
        for child in children.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)) {
            // One that has just ended is what is wanted.
            let _ = kill_process(child, Signal::KILL);
        }
        Ok(())
    }
}

/// Adopting processes and their resources are Linux's; elsewhere the command's own time is all that is known.
#[cfg(not(target_os = "linux"))]
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    use std::process::{Command, Stdio};
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
