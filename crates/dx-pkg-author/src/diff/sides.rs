//! The two packages that are compared.

use std::path::{Path, PathBuf};

use dx_pkg_core::{Range, Spec};
use dx_pkg_os::files::normal_path;
use serde_json::Value;

use crate::AuthorError;
use crate::members::written_manifest;
use crate::script::Told;
use crate::source::{self, OpenSession, Source, argument};

const USAGE: &str = "dx diff [--diff=SPEC [--diff=SPEC]] [PATH…]";
const SECTIONS: [&str; 4] =
    ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

/// One of two packages that are compared.
#[derive(Debug)]
pub struct Side {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) package: Package,
}

/// Where the files of a side are.
#[derive(Debug)]
pub(super) enum Package {
    Tarball(Vec<u8>),
    /// A folder, of which what would be packed is compared.
    Folder(PathBuf),
    /// A folder in `node_modules`, of which everything is compared.
    Installed(PathBuf),
}

impl Side {
    /// Returns `name@version`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

/// The words and the project of a comparison.
struct Words<'w> {
    folder: &'w Path,
    from: &'w Path,
    tag: &'w str,
    open: &'w OpenSession<'w>,
    told: &'w dyn Told,
}

/// Returns the two packages that are compared: those of two specs; of one, the package against the
/// project, or what is installed against what the project requires; without any, the project
/// against its latest version. `folder` is the project's, `from` is what paths are relative to.
///
/// # Errors
/// Words that cannot be understood, or packages that are not there.
pub fn sides(
    specs: &[String],
    (folder, from): (&Path, &Path),
    tag: &str,
    open: &OpenSession<'_>,
    told: &dyn Told,
) -> Result<[Side; 2], AuthorError> {
    let words = Words { folder, from, tag, open, told };
    match specs {
        [] => Ok([words.of(&format!("{}@{tag}", words.own_name()?))?, words.own()?]),
        [one] => words.single(one),
        [a, b] => words.pair(a, b),
        _ => Err(usage("two specs are compared, not more")),
    }
}

fn usage(message: &str) -> AuthorError {
    AuthorError::Usage { message: message.to_owned(), usage: USAGE }
}

fn is_range(word: &str) -> bool {
    Range::parse(word.trim()).is_ok()
}

impl Words<'_> {
    fn own_name(&self) -> Result<String, AuthorError> {
        let manifest = written_manifest(self.folder);
        let name = manifest.as_ref().and_then(|manifest| manifest.get("name")?.as_str());
        name.map(str::to_owned)
            .ok_or_else(|| usage("two specs are needed where there is no project"))
    }

    fn own(&self) -> Result<Side, AuthorError> {
        of_folder(self.folder.to_owned())
    }

    fn single(&self, word: &str) -> Result<[Side; 2], AuthorError> {
        if is_range(word) {
            return Ok([self.of(&format!("{}@{word}", self.own_name()?))?, self.own()?]);
        }
        let read = argument(word)?;
        if let Spec::Directory(_) = read.spec {
            return Ok([self.of(word)?, self.own()?]);
        }
        let Some(name) = read.name.as_ref().filter(|_| read.spec.is_registry()) else {
            return Err(usage("a package of a registry or a folder is compared"));
        };
        match self.installed(name.as_str()) {
            Some(folder) => {
                let wanted = match &*read.raw {
                    "*" => self.requirement(name.as_str()),
                    raw => raw.to_owned(),
                };
                Ok([of_folder(folder)?, self.of(&format!("{name}@{wanted}"))?])
            }
            None => {
                self.own_name()?;
                Ok([self.of(word)?, self.own()?])
            }
        }
    }

    fn pair(&self, a: &str, b: &str) -> Result<[Side; 2], AuthorError> {
        let named = |version: &str, other: &str| -> Result<String, AuthorError> {
            let name = argument(other)?.name.map(|name| name.to_string());
            Ok(format!("{}@{version}", name.map_or_else(|| self.own_name(), Ok)?))
        };
        let (a, b) = match (is_range(a), is_range(b)) {
            (true, true) => {
                let name = self.own_name()?;
                (format!("{name}@{a}"), format!("{name}@{b}"))
            }
            (false, true) => (a.to_owned(), named(b, a)?),
            (true, false) => (named(a, b)?, b.to_owned()),
            (false, false) => (a.to_owned(), b.to_owned()),
        };
        let side = |word: &str| {
            let read = argument(word)?;
            let bare = read.name.as_ref().filter(|_| &*read.raw == "*" && read.spec.is_registry());
            match bare.and_then(|name| self.installed(name.as_str())) {
                Some(folder) => of_folder(folder),
                None => self.of(word),
            }
        };
        Ok([side(&a)?, side(&b)?])
    }

    /// Returns the side that a word means by itself.
    fn of(&self, word: &str) -> Result<Side, AuthorError> {
        match source::find(word, self.from, self.open, self.told)? {
            Source::Folder(folder) => of_folder(folder),
            Source::Tarball(tarball) => Ok(Side {
                name: tarball.name.clone(),
                version: tarball.version.clone(),
                package: Package::Tarball(tarball.bytes),
            }),
        }
    }

    /// Returns the folder of an installed package.
    fn installed(&self, name: &str) -> Option<PathBuf> {
        let folder = self.folder.join("node_modules").join(name).canonicalize().ok()?;
        let manifest = written_manifest(&folder)?;
        manifest.get("version")?.as_str().map(|_| folder)
    }

    /// Returns what the project requires of a package.
    fn requirement(&self, name: &str) -> String {
        let manifest = written_manifest(self.folder).unwrap_or_default();
        let found = SECTIONS.iter().find_map(|section| manifest.get(*section)?.get(name)?.as_str());
        found.unwrap_or(self.tag).to_owned()
    }
}

fn of_folder(folder: PathBuf) -> Result<Side, AuthorError> {
    let folder = normal_path(&folder);
    let no_manifest = || AuthorError::NoManifest { folder: folder.display().to_string() };
    let manifest = written_manifest(&folder).ok_or_else(no_manifest)?;
    let text = |key: &str| manifest.get(key).and_then(Value::as_str).map(str::to_owned);
    let is_installed = folder.parent().is_some_and(|parent| {
        let is_modules = |folder: &Path| folder.file_name().is_some_and(|n| n == "node_modules");
        is_modules(parent)
            || parent.file_name().is_some_and(|name| name.to_string_lossy().starts_with('@'))
                && parent.parent().is_some_and(is_modules)
    });
    Ok(Side {
        name: text("name").unwrap_or_default(),
        version: text("version").unwrap_or_else(|| "undefined".to_owned()),
        package: if is_installed { Package::Installed(folder) } else { Package::Folder(folder) },
    })
}
