//! Paths as text, without a look at the disk.

use std::path::{Component, Path, PathBuf};

/// Returns the path without `.` and `..`, as text: no link is followed, and nothing is above the
/// root.
#[must_use]
pub fn normal_path(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::normal_path;
    use std::path::Path;

    #[test]
    fn dots_are_taken_out() {
        for (path, normal) in
            [("/a/./b/../c", "/a/c"), ("/../a/", "/a"), ("a/../../b", "b"), ("./a", "a"), (".", "")]
        {
            assert_eq!(normal_path(Path::new(path)), Path::new(normal), "{path}");
        }
    }
}
