//! The end of children, also together with those that they have started: groups of processes.

use std::process::{Child, Command};

/// Lets the process of `command` lead a group of its own, which signals to this one's group, such
/// as that of Ctrl-C, do not reach.
pub fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
}

/// Asks a child to end, by SIGTERM where there is such a thing.
pub fn ask_to_end(child: u32) {
    #[cfg(unix)]
    if let Some(child) = i32::try_from(child).ok().and_then(rustix::process::Pid::from_raw) {
        // It may have ended meanwhile.
        let _ = rustix::process::kill_process(child, rustix::process::Signal::TERM);
    }
    #[cfg(not(unix))]
    let _ = child;
}

/// Kills a child that leads a group, with all of the group. The child is still to be waited for.
pub fn kill_group(child: &mut Child) {
    #[cfg(unix)]
    {
        let group = rustix::process::Pid::from_child(child);
        // It may have ended meanwhile.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
}
