//! The priority of a request in the queue of its class.

/// The order of waiting requests within a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// Development dependencies and type packages.
    Low,
    /// Transitive dependencies.
    #[default]
    Normal,
    /// Peer dependencies.
    High,
    /// Direct dependencies.
    Critical,
}

impl Priority {
    /// Every priority, the least urgent first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Critical];
}
