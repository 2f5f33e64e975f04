//! Groups of processes, so that a child ends together with those that it has started.

use std::process::{Child, Command};

/// Lets the process of `command` lead a group of its own, which signals to this one's group, such
/// as that of Ctrl-C, do not reach.
pub fn own_group(command: &mut Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(not(unix))]
    let _ = command;
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
