//! Manifests of packages in tarballs, normalised as npm normalises that of an unpacked package.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;

use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::tarball::{Entries, Limits, StreamError};
use dx_pkg_lock::LockPackage;
use dx_pkg_store::Package;

use crate::AcquireError;

/// The parts of a package that its manifest depends on.
#[derive(Default)]
pub(super) struct Contents {
    manifest: Option<Vec<u8>>,
    /// The paths of all files.
    paths: Vec<String>,
}

impl Contents {
    /// Reads a tarball that is verified.
    ///
    /// # Errors
    /// It is no tarball of a package.
    pub(super) fn of_tarball(file: File, limits: Limits) -> Result<Self, StreamError> {
        let mut entries = Entries::new(BufReader::new(file), limits);
        let mut contents = Contents::default();
        while let Some(file) = entries.next_file()? {
            let is_manifest = file.path == "package.json";
            let mut read = Vec::new();
            while let Some(chunk) = entries.chunk()? {
                if is_manifest {
                    read.extend_from_slice(chunk);
                }
            }
            if is_manifest {
                contents.manifest = Some(read);
            }
            contents.paths.push(file.path);
        }
        entries.finish()?;
        Ok(contents)
    }

    /// Reads a package of the store.
    ///
    /// # Errors
    /// It is damaged.
    pub(super) fn of_package(package: &Package) -> Result<Self, dx_pkg_format::dxp::DxpError> {
        let dxp = package.dxp();
        let mut contents = Contents::default();
        for entry in dxp.entries() {
            if entry.path == "package.json" {
                contents.manifest = Some(package.read(&entry)?.into_owned());
            }
            contents.paths.push(entry.path.to_owned());
        }
        Ok(contents)
    }

    /// Returns the manifest as the resolver and the lockfile use it. `package` names the package in
    /// messages.
    ///
    /// # Errors
    /// There is no manifest, or it cannot be read.
    pub(super) fn record(&self, package: &str) -> Result<LockPackage, AcquireError> {
        let Some(manifest) = &self.manifest else {
            return Err(AcquireError::NoManifest { package: package.to_owned() });
        };
        let parsed = Manifest::parse(&String::from_utf8_lossy(manifest));
        let mut manifest = parsed.map_err(|source| AcquireError::InPackage {
            package: package.to_owned(),
            source: Arc::new(source),
        })?;
        if let Some(folder) = manifest.directories_bin.clone().filter(|_| manifest.bin.is_empty()) {
            manifest.bin = self.commands_in(folder.trim_end_matches('/'));
        }
        let has_gyp = self.paths.iter().any(|path| path == "binding.gyp");
        let builds = has_gyp && manifest.implies_gyp();
        let mut record = manifest.to_lock_package();
        record.has_install_script |= builds;
        record.remove_dev_dependencies();
        Ok(record)
    }

    /// Returns what is in a folder and below it as commands, hidden entries aside, as
    /// [`crate::files::parse_manifest`] finds them on disk.
    fn commands_in(&self, folder: &str) -> Vec<(String, String)> {
        let mut found = BTreeSet::new();
        for path in &self.paths {
            let rest = match folder {
                "" => Some(path.as_str()),
                _ => path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')),
            };
            let Some(rest) = rest else { continue };
            if rest.split('/').any(|part| part.starts_with('.')) {
                continue;
            }
            let mut at = folder.to_owned();
            for part in rest.split('/') {
                at = if at.is_empty() { part.to_owned() } else { format!("{at}/{part}") };
                found.insert(at.clone());
            }
        }
        let mut commands = crate::files::commands_of(found.into_iter().collect());
        commands.sort();
        commands
    }
}
