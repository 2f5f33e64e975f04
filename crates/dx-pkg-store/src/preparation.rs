//! What decides whether trees are prepared for a project: whether they were used, and the space
//! that they take.

use std::time::SystemTime;

use crate::Store;

mod habits;
mod room;

pub use crate::jobs::TreeOrigin;
pub use crate::prepared::{PreparedEntry, PreparedKey, PreparedTree};
pub use habits::Habits;
pub use room::{Allowance, TreeSize};

impl Store {
    /// Trashes prepared trees that were not used for long, and, the least recently used first, what
    /// is more than they may take; forgets projects that have installed nothing for long.
    pub fn trim_preparations(&self) {
        self.trash_unused_prepared();
        self.make_room(None, TreeSize::default());
        self.forget_old_habits(SystemTime::now());
    }
}
