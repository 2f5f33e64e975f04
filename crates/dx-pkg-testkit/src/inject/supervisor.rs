//! A program whose file operations are counted, in one order over all its threads and processes,
//! and of which one goes wrong.

use super::calls::{self, Call, HERE, Kind, Place};
use super::disk::Disk;
use super::seccomp::{self, Answer, Notification};
use crate::command::{Command, Run};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, Signal, kill_process};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::mpsc;
use std::thread;

/// The time in which a program does not call once, after which it is said to hang.
const SILENCE: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

/// The fault that a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None: operations are counted.
    None,
    /// At the operation of this number, counted from 1, the failure of this index.
    Errno(usize, usize),
    /// Reads and writes half of what it should.
    Short(usize),
    /// All processes are killed before the operation.
    Kill(usize),
    /// Every call of a kind fails with this number, from the first to the last.
    Every(Every, i32),
}

/// Operations that all fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// Hard links.
    Link,
    /// Advisory locks.
    Lock,
    /// Both, and shared blocks: a network file system without them.
    LinkLockClone,
}

/// What a program did under a fault.
#[derive(Debug)]
pub struct Outcome {
    /// Its output; the exit code is missing where it was killed.
    pub run: Run,
    /// The number of operations.
    pub operations: usize,
    /// The operation that went wrong, with its failure and file; `None` where none did.
    pub struck: Option<String>,
    /// Whether the operation that went wrong can change the disk.
    pub changes: bool,
    /// Whether it went silent and was killed.
    pub hung: bool,
    /// What is not on the device yet.
    pub disk: Disk,
}

/// Runs a program to its end, and to that of all processes it starts; counts operations on files
/// below a folder.
///
/// Fails where the system does not offer what it needs.
pub fn supervise(command: Command, root: &Path, fault: Fault) -> Result<Outcome, String> {
    let processor = rustix::thread::sched_getcpu();
    let (listeners, listener) = mpsc::channel();
    // The filter binds this thread, and what it starts.
    let starter = thread::spawn(move || -> Option<Child> {
        let numbers: Vec<libc::c_long> = calls::all().map(|call| call.number).collect();
        // One processor: the order of operations differs less from run to run.
        let mut set = rustix::thread::CpuSet::new();
        set.set(processor);
        let _ = rustix::thread::sched_setaffinity(None, &set);
        let installed = seccomp::install(&numbers);
        let bound = installed.is_ok();
        let _ = listeners.send(installed);
        bound.then(|| command.spawn())
    });
    let failed = |error| format!("seccomp with user notification: {error}");
    let listener = listener.recv().map_err(|error| error.to_string())?.map_err(failed)?;
    let mut supervisor = Supervisor::new(root, fault);
    let (run, hung) = thread::scope(|scope| {
        let ended = scope.spawn(move || {
            let child = starter.join().ok().flatten().ok_or("the program did not start")?;
            Ok::<Run, String>(Run::of(child))
        });
        let hung = supervisor.serve(&listener);
        // Whatever still waits is not to wait for ever.
        drop(listener);
        let run = ended.join().map_err(|_| "reading its output panicked".to_owned())?;
        Ok::<_, String>((run?, hung))
    })?;
    Ok(Outcome {
        run,
        operations: supervisor.count,
        struck: supervisor.struck,
        changes: supervisor.changes,
        hung,
        disk: supervisor.disk,
    })
}

struct Supervisor<'a> {
    root: &'a Path,
    fault: Fault,
    calls: BTreeMap<libc::c_long, Call>,
    count: usize,
    struck: Option<String>,
    changes: bool,
    killing: bool,
    processes: BTreeSet<u32>,
    disk: Disk,
}

impl<'a> Supervisor<'a> {
    fn new(root: &'a Path, fault: Fault) -> Self {
        Supervisor {
            root,
            fault,
            calls: calls::all().map(|call| (call.number, call)).collect(),
            count: 0,
            struck: None,
            changes: false,
            killing: false,
            processes: BTreeSet::new(),
            disk: Disk::default(),
        }
    }

    /// Answers calls until no process is left that could call; whether they had to be killed.
    fn serve(&mut self, listener: &OwnedFd) -> bool {
        let mut hung = false;
        loop {
            let mut waiting = [PollFd::new(listener, PollFlags::IN)];
            let ready = poll(&mut waiting, Some(&SILENCE));
            let events = waiting[0].revents();
            match ready {
                Ok(0) if hung => return hung,
                Ok(0) => {
                    hung = true;
                    self.kill_all();
                }
                Ok(_) if events.contains(PollFlags::IN) => {
                    if let Ok(Some(notification)) = seccomp::receive(listener) {
                        let answer = self.decide(&notification);
                        seccomp::answer(listener, notification.id, answer);
                    }
                }
                Ok(_) if events.intersects(PollFlags::HUP | PollFlags::ERR) => return hung,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return hung,
            }
        }
    }

    fn kill_all(&mut self) {
        self.killing = true;
        for process in &self.processes {
            kill(*process);
        }
    }

    fn decide(&mut self, notification: &Notification) -> Answer {
        let thread = notification.thread;
        let own = Path::new("/proc/self/task").join(thread.to_string()).exists();
        if own {
            return Answer::Continue;
        }
        if self.killing {
            kill(thread);
            return Answer::Continue;
        }
        let Some(call) = self.calls.get(&libc::c_long::from(notification.call)).copied() else {
            return Answer::Continue;
        };
        let other_request = call.kind == Kind::Clone
            && notification.arguments[1] & u64::from(u32::MAX) != calls::SHARE_BLOCKS;
        let Some(file) = self.file(call, notification).filter(|_| !other_request) else {
            return Answer::Continue;
        };
        self.processes.insert(process_of(thread));
        self.count += 1;
        let answer = self.strike(call, notification, &file);
        if matches!(answer, Answer::Continue) {
            self.note(call, notification);
        }
        answer
    }

    /// Returns the answer to a call, which is another than to go on where the fault is due.
    fn strike(&mut self, call: Call, notification: &Notification, file: &Path) -> Answer {
        let mut strike = |what: &str| {
            self.changes = call.changes();
            let name = file.strip_prefix(self.root).unwrap_or(file).display();
            self.struck = Some(format!("{} of {name}: {what}", call.name));
        };
        match self.fault {
            Fault::Errno(at, index) if at == self.count => {
                let Some(error) = call.failures(notification.arguments).get(index) else {
                    return Answer::Continue;
                };
                strike(calls::name(*error));
                Answer::Error(*error)
            }
            Fault::Every(every, error) if every.includes(call.kind) => {
                strike(calls::name(error));
                Answer::Error(error)
            }
            Fault::Kill(at) if at == self.count => {
                strike("killed before");
                self.kill_all();
                Answer::Continue
            }
            Fault::Short(at) if at == self.count => match short(call, notification) {
                Some(length) => {
                    strike("half of it");
                    if call.kind == Kind::Write {
                        self.note(call, notification);
                    }
                    Answer::Value(length)
                }
                None => Answer::Continue,
            },
            _ => Answer::Continue,
        }
    }

    /// Records what a call does to what is on the device.
    fn note(&mut self, call: Call, notification: &Notification) {
        let thread = notification.thread;
        let descriptor = |argument: usize| {
            PathBuf::from(format!("/proc/{thread}/fd/{}", notification.arguments[argument] as i32))
        };
        match (call.kind, call.place) {
            (Kind::Write | Kind::Copy | Kind::Clone | Kind::Resize, Place::Descriptor(at)) => {
                self.disk.written(&descriptor(at));
            }
            (Kind::Sync, Place::Descriptor(at)) => self.disk.synced(&descriptor(at)),
            (Kind::SyncAll, _) => self.disk.all_synced(),
            (Kind::Rename, Place::Two((from, old), (to, new))) => {
                let arguments = notification.arguments;
                if let Some(old) = path(thread, arguments, from, old)
                    && let Some(new) = path(thread, arguments, to, new)
                    && new.symlink_metadata().is_ok()
                {
                    self.disk.synced(&old);
                }
            }
            _ => {}
        }
    }

    /// Returns the file of a call, if it is below the folder that is watched.
    fn file(&self, call: Call, notification: &Notification) -> Option<PathBuf> {
        let arguments = notification.arguments;
        let thread = notification.thread;
        let path = |folder, at| path(thread, arguments, folder, at);
        let below = |path: &PathBuf| path.starts_with(self.root);
        match call.place {
            Place::Descriptor(at) => {
                let link = format!("/proc/{thread}/fd/{}", arguments[at] as i32);
                fs::read_link(link).ok().filter(below)
            }
            Place::Path(at) => path(HERE, at).filter(below),
            Place::At(folder, at) => path(folder, at).filter(below),
            Place::Two((folder, from), (other, to)) => {
                path(other, to).filter(below).or_else(|| path(folder, from).filter(below))
            }
        }
    }
}

/// Returns the path of a call, from the folder in one of its arguments.
fn path(thread: u32, arguments: [u64; 6], folder: usize, at: usize) -> Option<PathBuf> {
    let text = text(thread, arguments[at])?;
    let folder = || match arguments.get(folder).map(|value| *value as i32) {
        None | Some(libc::AT_FDCWD) => fs::read_link(format!("/proc/{thread}/cwd")),
        Some(descriptor) => fs::read_link(format!("/proc/{thread}/fd/{descriptor}")),
    };
    // Without a path the call is for the folder's descriptor.
    match text.as_str() {
        "" => folder().ok(),
        text if text.starts_with('/') => Some(PathBuf::from(text)),
        text => Some(folder().ok()?.join(text)),
    }
}

impl Every {
    fn includes(self, kind: Kind) -> bool {
        match self {
            Every::Link => kind == Kind::Link,
            Every::Lock => kind == Kind::Lock,
            Every::LinkLockClone => matches!(kind, Kind::Link | Kind::Lock | Kind::Clone),
        }
    }
}

/// Carries out half of a read or a write of two bytes or more; returns its length.
fn short(call: Call, notification: &Notification) -> Option<i64> {
    if !matches!(call.name, "read" | "pread64" | "write" | "pwrite64") {
        return None;
    }
    let [descriptor, address, length, offset, ..] = notification.arguments;
    let half = usize::try_from(length / 2).ok().filter(|half| *half > 0)?.min(1 << 20);
    let mut file = descriptor_of(notification.thread, descriptor as i32)?;
    let mut memory = seccomp::memory(notification.thread, call.kind == Kind::Read).ok()?;
    memory.seek(SeekFrom::Start(address)).ok()?;
    let mut bytes = vec![0; half];
    let done = match call.name {
        "write" | "pwrite64" => {
            memory.read_exact_at(&mut bytes, address).ok()?;
            match call.name {
                "write" => file.write(&bytes).ok()?,
                _ => file.write_at(&bytes, offset).ok()?,
            }
        }
        "read" | "pread64" => {
            let done = match call.name {
                "read" => std::io::Read::read(&mut file, &mut bytes).ok()?,
                _ => file.read_at(&mut bytes, offset).ok()?,
            };
            memory.write_all(&bytes[..done]).ok()?;
            done
        }
        _ => return None,
    };
    i64::try_from(done).ok()
}

/// Returns a second descriptor of a file that another process has open, with the same position.
fn descriptor_of(thread: u32, descriptor: i32) -> Option<File> {
    let process = Pid::from_raw(i32::try_from(process_of(thread)).ok()?)?;
    let process = rustix::process::pidfd_open(process, PidfdFlags::empty()).ok()?;
    let file = rustix::process::pidfd_getfd(&process, descriptor, PidfdGetfdFlags::empty()).ok()?;
    Some(File::from(file))
}

/// Returns the process of a thread.
fn process_of(thread: u32) -> u32 {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("Tgid:"))
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or(thread)
}

fn kill(process: u32) {
    if let Some(process) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        let _ = kill_process(process, Signal::KILL);
    }
}

/// Returns the text at an address of another process, up to its zero.
fn text(thread: u32, address: u64) -> Option<String> {
    const PAGE: u64 = 4096;
    if address == 0 {
        return Some(String::new());
    }
    let memory = seccomp::memory(thread, false).ok()?;
    let mut found = Vec::new();
    let mut at = address;
    // A page at a time: the one after the text's end may not be there.
    while found.len() < PAGE as usize {
        let mut page = vec![0; (PAGE - at % PAGE) as usize];
        memory.read_exact_at(&mut page, at).ok()?;
        at += page.len() as u64;
        match page.iter().position(|byte| *byte == 0) {
            Some(end) => {
                found.extend_from_slice(&page[..end]);
                return String::from_utf8(found).ok();
            }
            None => found.extend_from_slice(&page),
        }
    }
    None
}
