//! The words that name workspaces, by npm's rules, for every command that takes them.

use std::path::{Path, PathBuf};

use dx_pkg_compat::glob::{Segment, expand};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_lock::name_of_path;
use dx_pkg_os::files::normal_path;

/// Returns the folder that words which are paths are relative to: the one that the command was
/// started in, or the project's where that is outside.
#[must_use]
pub fn base<'f>(root: &'f Path, folder: &'f Path) -> &'f Path {
    if folder.starts_with(root) { folder } else { root }
}

/// Returns the name of a workspace in the folder `path`: that of the folder where it has none.
#[must_use]
pub fn name_of<'m>(path: &'m str, manifest: &'m Manifest) -> &'m str {
    manifest.name.as_deref().unwrap_or_else(|| name_of_path(path))
}

/// Returns the places of the workspaces that a word means among `workspaces`, which have their
/// folders below `root`: by their name, their folder, or the folder directly around them, which may
/// be a pattern. Paths are relative to `from` or `root`.
#[must_use]
pub fn meant(
    workspaces: &[(String, Manifest)],
    (root, from): (&Path, &Path),
    word: &str,
) -> Vec<usize> {
    let named = normal_path(&from.join(word));
    let is_meant = |path: &str, manifest: &Manifest| {
        let folder: PathBuf = root.join(path);
        if name_of(path, manifest) == word || folder == named {
            return true;
        }
        folder.parent().is_some_and(|parent| {
            let below = |start: &&Path| parent.strip_prefix(start).ok();
            parent == named
                || [from, root].iter().filter_map(below).any(|below| matches(word, below))
        })
    };
    let places = workspaces.iter().enumerate();
    places.filter(|(_, (path, manifest))| is_meant(path, manifest)).map(|(at, _)| at).collect()
}

/// Returns whether a pattern matches a whole path.
fn matches(pattern: &str, path: &Path) -> bool {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let pattern = pattern.replace('\\', "/");
    expand(&pattern).unwrap_or_default().iter().any(|pattern| {
        let segments = pattern.split('/').filter(|part| !matches!(*part, "" | "."));
        let segments: Vec<Segment> = segments.map(Segment::parse).collect();
        segments.len() == parts.len()
            && segments.iter().zip(&parts).all(|(segment, part)| segment.matches(part, false))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspaces() -> Vec<(String, Manifest)> {
        [
            ("packages/a", "{\"name\":\"a\"}"),
            ("packages/b", "{\"name\":\"@s/b\"}"),
            ("apps/x/c", "{}"),
        ]
        .map(|(path, text)| (path.to_owned(), Manifest::parse(text).unwrap()))
        .into()
    }

    #[test]
    fn names_folders_and_patterns_name_workspaces() {
        let all = workspaces();
        for (from, word, expected) in [
            ("/p", "a", [0].as_slice()),
            ("/p", "@s/b", &[1]),
            ("/p", "c", &[2]),
            ("/p", "packages/b", &[1]),
            ("/p", "./packages/b/", &[1]),
            ("/p", "/p/packages/b", &[1]),
            ("/p", "packages", &[0, 1]),
            ("/p", "/p/packages", &[0, 1]),
            ("/p", "pack*", &[0, 1]),
            ("/p", "{packages,apps/*}", &[0, 1, 2]),
            ("/p", "apps", &[]),
            ("/p", "packages/*", &[]),
            ("/p/packages", "b", &[1]),
            ("/p/packages", ".", &[0, 1]),
            ("/p/packages/a", "../b", &[1]),
            ("/p/packages/a", "packages", &[0, 1]),
            ("/p", "nothing", &[]),
        ] {
            let found = meant(&all, (Path::new("/p"), Path::new(from)), word);
            assert_eq!(found, expected, "{word} in {from}");
        }
    }
}
