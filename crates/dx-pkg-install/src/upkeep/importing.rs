//! Lockfiles of older forms, written anew as the `package-lock.json` of today.

use dx_pkg_os::files::Durability;

use crate::error::UpkeepError;
use crate::{Environment, Events, InstallError, OpenProject, Options, SessionOptions, install};

/// A converted lockfile.
#[derive(Debug)]
pub struct Imported {
    /// The file that was read.
    pub from: String,
    /// Whether anything was written.
    pub is_changed: bool,
}

impl Imported {
    /// Returns the result in words.
    #[must_use]
    pub fn text(&self) -> String {
        match self.is_changed {
            true => format!("Wrote package-lock.json from {}", self.from),
            false => "package-lock.json is as dx writes it".to_owned(),
        }
    }
}

/// Writes the project's lockfile anew in the present version, with the same packages: an
/// `npm-shrinkwrap.json` becomes a `package-lock.json`.
///
/// # Errors
/// There is no lockfile, it is one of another package manager, which dx does not read, or it does
/// not fit `package.json`.
pub fn import(
    environment: Environment,
    mut session: SessionOptions,
    events: &dyn Events,
) -> Result<Imported, InstallError> {
    let fixed = [("package-lock-only", "true"), ("lockfile-version", "3")];
    session.flags.extend(fixed.map(|(key, value)| (key.to_owned(), value.to_owned())));
    let open = OpenProject::open(environment, session, events)?;
    super::refuse_dry_run(&open.session, "import")?;
    let (root, from) = (open.project.root.clone(), open.project.lockfile);
    let path = root.join(from);
    let read = || {
        std::fs::read_to_string(&path)
            .map_err(|error| InstallError::io(format!("reading {}", path.display()), error))
    };
    if !path.exists() {
        return Err(UpkeepError::NothingToImport { folder: root }.into());
    }
    let before = read()?;
    install(open, &Options::default(), events)?;
    let after = read()?;
    let other = "package-lock.json";
    if from != other {
        let moved =
            dx_pkg_os::files::write_user_file(&root, other, after.as_bytes(), Durability::Fsync)
                .and_then(|()| std::fs::remove_file(&path));
        moved.map_err(|error| InstallError::io(format!("writing {other}"), error))?;
    }
    Ok(Imported { from: from.to_owned(), is_changed: from != other || before != after })
}
