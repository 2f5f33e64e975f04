//! The audit log: who did what, one JSON object a line, in `audit.log` of the storage folder. Lines
//! are only ever appended; several processes may do so at once.

use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The audit log. Clones write to the same file.
#[derive(Debug, Clone)]
pub(crate) struct AuditLog {
    path: Arc<PathBuf>,
}

impl AuditLog {
    /// Names the log of a storage folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { path: Arc::new(folder.join("audit.log")) }
    }

    /// Appends what `user` did with `subject`, from `address`. A line that cannot be written is a
    /// warning on standard error, not a reason to refuse what was already done.
    pub(crate) fn record(&self, action: &str, user: &str, subject: &str, address: IpAddr) {
        let line = serde_json::json!({
            "time": crate::time::timestamp(std::time::SystemTime::now()),
            "action": action,
            "user": user,
            "subject": subject,
            "address": address.to_string(),
        });
        if let Err(error) = self.append(&format!("{line}\n")) {
            let _ = writeln!(
                std::io::stderr(),
                "warning: cannot write {}: {error}",
                self.path.display()
            );
        }
    }

    /// One write of one line, which the system appends as a whole.
    fn append(&self, line: &str) -> std::io::Result<()> {
        let mut options = std::fs::File::options();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.path.as_ref())?.write_all(line.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::AuditLog;

    #[test]
    fn lines_are_appended_whole_and_hold_nothing_that_ends_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let log = AuditLog::new(folder.path());
        let address = "127.0.0.1".parse().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let log = log.clone();
                scope.spawn(move || {
                    for i in 0..50 {
                        log.record("publish", "alice\nbob", &format!("left@1.0.{i}"), address);
                    }
                });
            }
        });
        let text = std::fs::read_to_string(folder.path().join("audit.log")).unwrap();
        assert_eq!(text.lines().count(), 400);
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["user"], "alice\nbob");
        }
    }
}
