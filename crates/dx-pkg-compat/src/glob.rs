//! Patterns of file names by the rules of npm's library `minimatch`: braces, and the segments
//! between slashes. How segments meet paths differs by use, and is its owner's.

mod braces;
mod segment;

pub use braces::expand;
pub use segment::{Segment, Wildcards};
