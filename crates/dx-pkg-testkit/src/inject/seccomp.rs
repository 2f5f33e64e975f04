//! System calls that ask another process first: seccomp(2) with `SECCOMP_RET_USER_NOTIF`.
//!
//! A thread that calls [`install`] is bound by the filter, and so is every process that it starts.
//! What is here is the part that has no safe form: one filter of a fixed shape, and two requests
//! with structures of the kernel's.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// `SECCOMP_IOCTL_NOTIF_RECV`, `_SEND` of `linux/seccomp.h`, and flags of the same file.
const RECEIVE: libc::c_ulong = 0xc050_2100;
const SEND: libc::c_ulong = 0xc018_2101;
const SET_MODE_FILTER: libc::c_uint = 1;
const NEW_LISTENER: libc::c_uint = 1 << 3;
const WAIT_KILLABLE: libc::c_uint = 1 << 5;
const ALLOW: u32 = 0x7fff_0000;
const NOTIFY: u32 = 0x7fc0_0000;
const CONTINUE: u32 = 1;

/// The architecture of this build, of `linux/audit.h`; 0 where the filter is not known to work.
const ARCHITECTURE: u32 = if cfg!(target_arch = "x86_64") {
    0xc000_003e
} else if cfg!(target_arch = "aarch64") {
    0xc000_00b7
} else {
    0
};

/// `struct seccomp_notif`, with its `struct seccomp_data`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Notification {
    pub(super) id: u64,
    /// The thread that calls.
    pub(super) thread: u32,
    flags: u32,
    /// The number of the system call.
    pub(super) call: i32,
    architecture: u32,
    instruction_pointer: u64,
    pub(super) arguments: [u64; 6],
}

/// `struct seccomp_notif_resp`.
#[repr(C)]
struct Response {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

/// The answer to a system call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// The kernel carries the call out.
    Continue,
    /// The call fails with this number.
    Error(i32),
    /// The call returns this value, and the kernel does nothing.
    Value(i64),
}

/// Makes these system calls of the calling thread, and of all it starts, ask whoever holds the
/// returned descriptor.
#[expect(unsafe_code, reason = "seccomp(2) has no safe form")]
pub(super) fn install(calls: &[libc::c_long]) -> io::Result<OwnedFd> {
    if ARCHITECTURE == 0 {
        return Err(io::Error::from(io::ErrorKind::Unsupported));
    }
    let mut filter = program(calls);
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(io::Error::other)?,
        filter: filter.as_mut_ptr(),
    };
    let load = |flags: libc::c_uint| {
        // SAFETY: the program and its instructions outlive the call, which copies them.
        let descriptor =
            unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, flags, &raw const program) };
        if descriptor < 0 { Err(io::Error::last_os_error()) } else { Ok(descriptor) }
    };
    // SAFETY: it takes numbers only, and changes nothing but the rights of this thread.
    if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // Without the second flag a signal restarts a waiting call, which is then counted twice.
    let descriptor = load(NEW_LISTENER | WAIT_KILLABLE).or_else(|_| load(NEW_LISTENER))?;
    let descriptor = i32::try_from(descriptor).map_err(io::Error::other)?;
    // SAFETY: the kernel has just made this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Returns the filter: calls of this architecture that are listed ask, all others pass.
fn program(calls: &[libc::c_long]) -> Vec<libc::sock_filter> {
    let load = |offset| instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset);
    let equal =
        |value, yes, no| instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, yes, no, value);
    let answer = |value| instruction(libc::BPF_RET | libc::BPF_K, 0, 0, value);
    let mut filter = vec![load(4), equal(ARCHITECTURE, 1, 0), answer(ALLOW), load(0)];
    for (index, call) in calls.iter().enumerate() {
        let rest = u8::try_from(calls.len() - index).unwrap_or(u8::MAX);
        filter.push(equal(*call as u32, rest, 0));
    }
    filter.extend([answer(ALLOW), answer(NOTIFY)]);
    filter
}

fn instruction(code: u32, yes: u8, no: u8, operand: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: yes, jf: no, k: operand }
}

/// Waits for a call; `None` when its thread has gone.
#[expect(unsafe_code, reason = "the request has no safe form")]
pub(super) fn receive(listener: &OwnedFd) -> io::Result<Option<Notification>> {
    let mut notification = Notification::default();
    // SAFETY: the structure has the kernel's layout and size, and outlives the call.
    let result = unsafe { libc::ioctl(listener.as_raw_fd(), RECEIVE as _, &raw mut notification) };
    if result == 0 {
        return Ok(Some(notification));
    }
    match io::Error::last_os_error() {
        error if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) => Ok(None),
        error => Err(error),
    }
}

/// Lets a waiting call go on; no error where its thread has gone.
#[expect(unsafe_code, reason = "the request has no safe form")]
pub(super) fn answer(listener: &OwnedFd, id: u64, answer: Answer) {
    let mut response = match answer {
        Answer::Continue => Response { id, value: 0, error: 0, flags: CONTINUE },
        Answer::Error(number) => Response { id, value: 0, error: -number, flags: 0 },
        Answer::Value(value) => Response { id, value, error: 0, flags: 0 },
    };
    // SAFETY: the structure has the kernel's layout and size, and outlives the call.
    unsafe { libc::ioctl(listener.as_raw_fd(), SEND as _, &raw mut response) };
}

/// Opens the memory of a process.
pub(super) fn memory(thread: u32, write: bool) -> io::Result<File> {
    File::options().read(true).write(write).open(format!("/proc/{thread}/mem"))
}
