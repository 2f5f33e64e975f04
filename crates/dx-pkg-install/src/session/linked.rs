//! A link in the place of the project's `.npmrc`. One that leads out of the project may lead to a
//! file of any kind, of which nothing is to be shown.

use std::path::{Path, PathBuf};

use dx_pkg_compat::npmrc::known_settings;
use dx_pkg_os::files::{Target, target_within};

/// A link that leads out of the project.
pub(super) struct Linked {
    path: PathBuf,
    target: PathBuf,
    /// The number of lines that are no settings.
    others: usize,
}

impl Linked {
    /// Looks whether the file at `path` is a link that leads out of the project in `root`. Then its
    /// `text` keeps only lines that are settings.
    pub(super) fn of(root: &Path, path: Option<&Path>, text: &mut Option<String>) -> Option<Self> {
        let path = path?;
        let (whole, name) = (text.as_mut()?, path.file_name()?.to_str()?);
        if path.parent() != Some(root) || !path.is_symlink() {
            return None;
        }
        let Ok(Target::Outside(target)) = target_within(root, name) else { return None };
        let (known, others) = known_settings(whole);
        *whole = known;
        Some(Linked { path: path.to_owned(), target, others })
    }

    /// Returns what is to be said about it, without a word of the file.
    pub(super) fn warning(&self) -> Option<String> {
        let Self { path, target, others } = self;
        let lines = if *others == 1 { "1 line".to_owned() } else { format!("{others} lines") };
        (*others > 0).then(|| {
            format!(
                "{} is a link to {}, which is not in the project: {lines} of it that set nothing \
                 known are left out, and not shown",
                path.display(),
                target.display()
            )
        })
    }
}
