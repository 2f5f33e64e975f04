//! The layers that a setting can come from, from weakest to strongest.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The origin of a setting; a greater one wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A default of dx.
    Default,
    /// The machine's file.
    Global(Arc<Path>),
    /// The user's file.
    User(Arc<Path>),
    /// The project's file, and whether the user trusts it.
    Project(Arc<Path>, bool),
    /// `npm_config_*` variables.
    Environment,
    /// The command line.
    Flag,
}

impl Source {
    /// Returns whether the user vouches for values from here: only these may use environment
    /// variables.
    pub(super) fn is_trusted(&self) -> bool {
        !matches!(self, Source::Project(_, false))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Default => formatter.write_str("the defaults"),
            Source::Global(path) | Source::User(path) | Source::Project(path, _) => {
                write!(formatter, "{}", path.display())
            }
            Source::Environment => formatter.write_str("the environment (npm_config_*)"),
            Source::Flag => formatter.write_str("the command line"),
        }
    }
}
