//! Errors of working with git repositories.

use std::io;
use std::time::Duration;

use dx_pkg_core::Coded;

/// The reason why a commit cannot be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GitError {
    /// There is no `git` program.
    #[error("cannot fetch {address}: there is no git program in PATH")]
    NoProgram {
        /// The repository.
        address: String,
    },
    /// The address cannot be given to git.
    #[error("cannot fetch {address}: {reason}")]
    Address {
        /// The repository.
        address: String,
        /// The reason.
        reason: &'static str,
    },
    /// The repository has no such revision.
    #[error("cannot fetch {address}: it has no {revision}")]
    NoRevision {
        /// The repository.
        address: String,
        /// The branch, tag, commit or range.
        revision: String,
    },
    /// Git failed.
    #[error("cannot fetch {address}: git {action} failed: {reason}")]
    Failed {
        /// The repository.
        address: String,
        /// What git was to do.
        action: &'static str,
        /// The end of its messages.
        reason: String,
    },
    /// Git did nothing for too long.
    #[error("cannot fetch {address}: git {action} did nothing for {} seconds", limit.as_secs())]
    TimedOut {
        /// The repository.
        address: String,
        /// What git was to do.
        action: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The repository is larger than it may be.
    #[error("cannot fetch {address}: {what} has more than {limit}, the most that is taken")]
    TooLarge {
        /// The repository.
        address: String,
        /// What is too large.
        what: &'static str,
        /// The limit with its unit.
        limit: String,
    },
    /// A file or process of this machine failed.
    #[error("cannot fetch {address}: {doing}: {reason}")]
    Io {
        /// The repository.
        address: String,
        /// What was being done.
        doing: &'static str,
        /// The error of the system.
        reason: String,
    },
    /// The command is cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl GitError {
    pub(crate) fn io(address: &str, doing: &'static str, error: &io::Error) -> Self {
        Self::Io { address: address.to_owned(), doing, reason: error.to_string() }
    }

    /// Returns whether the same may succeed at another time: whether the connection broke, or the
    /// server says that it cannot answer now. Beyond what npm takes for that, these are the answers
    /// of HTTP servers after which tarballs are requested again.
    pub fn is_transient(&self) -> bool {
        const SIGNS: [&str; 16] = [
            "connection reset by peer",
            "connection timed out",
            "early eof",
            "empty reply from server",
            "failed to connect to",
            "internal server error",
            "operation timed out",
            "ssl_error_syscall",
            "the remote end hung up unexpectedly",
            "the requested url returned error: 408",
            "the requested url returned error: 429",
            "the requested url returned error: 500",
            "the requested url returned error: 502",
            "the requested url returned error: 503",
            "the requested url returned error: 504",
            "unexpected disconnect while reading sideband packet",
        ];
        let Self::Failed { reason, .. } = self else { return false };
        let reason = reason.to_ascii_lowercase();
        SIGNS.iter().any(|sign| reason.contains(sign))
    }

    /// Returns whether another address of the same repository may do better.
    pub fn may_be_address(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::TimedOut { .. })
    }
}

impl Coded for GitError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoProgram { .. } => "DX_NO_GIT",
            Self::Address { .. } => "DX_GIT_ADDRESS",
            Self::NoRevision { .. } => "DX_GIT_NO_REVISION",
            Self::Failed { .. } | Self::Io { .. } => "DX_GIT_FAILED",
            Self::TimedOut { .. } => "DX_GIT_TIMED_OUT",
            Self::TooLarge { .. } => "DX_GIT_TOO_LARGE",
            Self::Cancelled => "DX_CANCELLED",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoProgram { .. } => "install git, or take the package from a registry",
            Self::Address { .. } => {
                "write it as git+https://…, git+ssh://…, git+file:///… or user/repository"
            }
            Self::NoRevision { .. } => {
                "look at the repository's branches and tags; if the branch was rewritten, \
                 dx add with the same requirement takes its present commit"
            }
            Self::Failed { .. } => {
                "git asks nothing here: what it needs must come from a credential helper, an \
                 agent of ssh or its configuration. Try git ls-remote with this address"
            }
            Self::TimedOut { .. } => "try again, or allow more with fetch-timeout",
            Self::TooLarge { .. } => {
                "if it is meant to be so large, allow more with max-package-size"
            }
            Self::Io { .. } | Self::Cancelled => return None,
        };
        Some(hint.to_owned())
    }
}
