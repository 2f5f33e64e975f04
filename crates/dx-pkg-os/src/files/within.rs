//! Links in the place of a project's files: where they lead, and whether that is in the project.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The most links that are followed from a name to a file.
const LINKS: u32 = 40;

/// The file that a name in a folder stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A path in the folder, whether or not there is a file. Only the last segment may be a link
    /// by the time it is used.
    Within(PathBuf),
    /// A path elsewhere, to which a link or a `..` leads.
    Outside(PathBuf),
}

/// Returns the file that `name` in `folder` stands for: the end of its symbolic links. The folders
/// of a name with several segments may be links, too.
///
/// # Errors
/// Links that lead to each other, and a folder that cannot be found.
pub fn target_within(folder: &Path, name: &str) -> io::Result<Target> {
    let mut path = folder.join(name);
    // Of one segment, only itself can be a link.
    let mut is_link = Path::new(name).components().count() > 1;
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            Ok(target) => path = parent_of(&path).join(target),
            // No link, or no file.
            Err(_) if !is_link => return Ok(Target::Within(path)),
            Err(_) => {
                let top = fs::canonicalize(folder)?;
                let end = resolved(&path)?;
                let is_within = end.starts_with(&top) && end != top;
                return Ok(if is_within { Target::Within(end) } else { Target::Outside(end) });
            }
        }
        is_link = true;
    }
    Err(io::Error::from(io::ErrorKind::InvalidFilename))
}

/// Returns the path without links and `..`. What does not exist is at its place in the folder
/// around it that does.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    match path.components().next_back() {
        Some(Component::Normal(name)) => Ok(resolved(parent_of(path))?.join(name)),
        // `..` of a folder that does not exist may lead anywhere once it does.
        _ => Err(io::ErrorKind::NotFound.into()),
    }
}

pub(super) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_to_their_end_and_that_is_in_the_folder_or_not() {
        let place = tempfile::tempdir().unwrap();
        let top = place.path().canonicalize().unwrap();
        let root = top.join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(top.join("outside"), "").unwrap();
        fs::write(root.join("plain"), "").unwrap();
        symlink(&top, root.join("up")).unwrap();
        let within = |name: &str, target: &str| {
            symlink(target, root.join(name)).unwrap();
            match target_within(&root, name).unwrap() {
                Target::Within(path) => path.strip_prefix(&root).unwrap().display().to_string(),
                Target::Outside(path) => format!("outside {}", path.display()),
            }
        };
        let outside = |name: &str| format!("outside {}", top.join(name).display());
        assert_eq!(target_within(&root, "plain").unwrap(), Target::Within(root.join("plain")));
        assert_eq!(target_within(&root, "none").unwrap(), Target::Within(root.join("none")));
        for (name, at) in [("sub/new", "sub/new"), ("new/new", "new/new"), ("./plain", "plain")] {
            assert_eq!(target_within(&root, name).unwrap(), Target::Within(root.join(at)));
        }
        for (name, at) in [("up/outside", "outside"), ("up/new/x", "new/x"), ("../new", "new")] {
            assert_eq!(target_within(&root, name).unwrap(), Target::Outside(top.join(at)));
        }
        assert_eq!(within("a", "sub/file"), "sub/file");
        assert_eq!(within("b", "plain"), "plain");
        assert_eq!(within("c", "../root/sub/../plain"), "plain");
        assert_eq!(within("d", "a"), "sub/file");
        assert_eq!(within("e", "../outside"), outside("outside"));
        assert_eq!(within("f", "../new"), outside("new"));
        assert_eq!(within("g", "up/outside"), outside("outside"));
        assert_eq!(within("h", "up/new/new"), outside("new/new"));
        assert_eq!(within("i", "e"), outside("outside"));
        assert_eq!(within("j", "/dev/zero"), "outside /dev/zero");
        assert_eq!(within("k", "../root"), outside("root"), "the folder itself is no file in it");
        symlink("loop", root.join("loop")).unwrap();
        assert!(target_within(&root, "loop").is_err());
        symlink("none/../../outside", root.join("odd")).unwrap();
        assert!(target_within(&root, "odd").is_err());
    }
}
