//! The trait by which every error of dx carries a stable code and a hint.

use std::io;
use std::sync::Arc;

/// An error with a stable, documented code.
pub trait Coded {
    /// Returns the code users search for, such as `DX_INTEGRITY_MISMATCH`; it never changes once
    /// published.
    fn code(&self) -> &'static str;

    /// Returns what to do next, where the message alone does not say it.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// An error with a code that can be passed on and kept without knowing its type.
pub trait CodedError: Coded + std::error::Error + Send + Sync + 'static {}

impl<E: Coded + std::error::Error + Send + Sync + 'static> CodedError for E {}

/// What helps where too many files are open.
pub const MORE_OPEN_FILES: &str =
    "allow more open files (`ulimit -n 4096` in a shell), then run the command again";

/// Returns whether a failure of the system is that this process, or all together, have too many
/// files open.
#[must_use]
pub fn is_too_many_files(error: &io::Error) -> bool {
    /// `ENFILE` and `EMFILE`, which have the same numbers on all Unix systems.
    const TOO_MANY_FILES: [i32; 2] = [23, 24];
    cfg!(unix) && error.raw_os_error().is_some_and(|code| TOO_MANY_FILES.contains(&code))
}

/// Returns what helps against the first failure of the operating system among `error` and its
/// causes; `None` where there is none, or where its message says it all.
#[must_use]
pub fn system_hint(error: &(dyn std::error::Error + 'static)) -> Option<&'static str> {
    let mut next = Some(error);
    let system = loop {
        let error = next?;
        let shared = error.downcast_ref::<Arc<io::Error>>().map(Arc::as_ref);
        if let Some(system) = shared.or_else(|| error.downcast_ref::<io::Error>()) {
            break system;
        }
        next = error.source();
    };
    match system.kind() {
        _ if is_too_many_files(system) => Some(MORE_OPEN_FILES),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("free some space on the disk, then run the command again")
        }
        io::ErrorKind::PermissionDenied => Some("check who owns the file or folder"),
        _ => None,
    }
}

/// Returns the hint of `error`, or what helps against a failure of the system that caused it.
pub fn hint_of(error: &dyn CodedError) -> Option<String> {
    error.hint().or_else(|| system_hint(error).map(str::to_owned))
}

/// Returns the message of an error with the messages of its causes, as far as they say more.
#[must_use]
pub fn message_with_causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = error.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("reading it")]
    struct Reading<E: std::error::Error + 'static>(#[source] E);

    #[test]
    fn a_failure_of_the_system_is_found_among_the_causes() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let hint = Some("free some space on the disk, then run the command again");
        assert_eq!(system_hint(&full()), hint);
        assert_eq!(system_hint(&Reading(Reading(full()))), hint);
        assert_eq!(system_hint(&Reading(Arc::new(full()))), hint);
        assert_eq!(system_hint(&Reading(io::Error::from(io::ErrorKind::NotFound))), None);
        assert_eq!(system_hint(&Reading(std::fmt::Error)), None);
    }

    #[cfg(unix)]
    #[test]
    fn too_many_open_files_are_told_by_their_number() {
        for code in [23, 24] {
            assert_eq!(system_hint(&io::Error::from_raw_os_error(code)), Some(MORE_OPEN_FILES));
        }
    }
}
