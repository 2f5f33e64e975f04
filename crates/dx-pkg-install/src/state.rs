//! The state of a project, `node_modules/.dx/state`, by which the next install finds that nothing
//! has changed.
//!
//! Little-endian:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 4 | signature `DXS\0` |
//! | 4 | 4 | version, 6 |
//! | 8 | 32 | digest of the settings |
//! | 40 | 8 | the time of the install, in ms since 1970 |
//! | 48 | 1 | whether the lockfile was kept from changing |
//! | 49 | 1 | whether the project has no name; the folder's follows only then |
//! | | 4 + n | length of the folder's name (`u32`), and the name |
//! | | 4 + … | packages whose scripts were skipped: number, then length and text of each |
//! | | 4 | number of files |
//! | | 4 + n | for each file: length of its path (`u32`), and the path |
//! | | 1 | whether it existed |
//! | | 40 | its identity: device, inode, size, mtime and ctime in ns; zeros without one |
//! | | 1 | whether there is a baseline; its fields follow only then |
//! | | 4 + n | length of Node's version (`u32`), and the version |
//! | | 40 | identity of the tree's record |
//! | | 40 | identity of the hidden lockfile |
//! | | 1 | whether its lock is complete |
//! | | 4 + … | conflicts: number (`u32`), then length (`u32`) and text of each |
//! | | 4 + … | disputed packages, likewise |
//! | | 4 + … | warnings, likewise |
//! | | 32 | the seal: a keyed BLAKE3 of all bytes before, see `seal` |
//!
//! Texts are UTF-8. Paths in the project are relative to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dx_pkg_compat::npmrc::{OptionGroup, OptionInfo};
use dx_pkg_format::wire::{Reader, Writer};
use dx_pkg_os::files::Identity;

use crate::own_files;

pub use crate::seal::Seal;

/// The first four bytes of the file.
pub const SIGNATURE: [u8; 4] = *b"DXS\0";
/// The version of the format this build reads and writes.
pub const VERSION: u32 = 6;

/// The size from which on a file is no state, in bytes: what a clone brings is not read to its end.
const LARGEST: usize = 64 << 20;

/// The path of the state in a project.
pub const PATH: &str = "node_modules/.dx/state";
/// Its name in dx's folder.
pub(crate) const NAME: &str = "state";

/// The files of a project when an install ended.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    /// Digest of every setting that could change the result.
    pub settings: [u8; 32],
    /// The time of the install, in milliseconds since 1970.
    pub time: u64,
    /// Whether the lockfile was kept from changing: whether it is up to date is then not known.
    pub frozen: bool,
    /// The name of the folder, where the lockfile is named after it.
    pub folder: Option<String>,
    /// Packages whose scripts were skipped, which every install names.
    pub scripts_skipped: Vec<String>,
    /// Files and folders with their identities; `None` for one that did not exist.
    pub files: Vec<(PathBuf, Option<Identity>)>,
    /// The baseline of an incremental install, where the tree lacks nothing.
    pub baseline: Option<Baseline>,
}

/// A tree in place that has everything its lockfile says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// Version of the Node.js that packages were chosen for; empty without one.
    pub node: String,
    /// The identity of the tree's record.
    pub record: Identity,
    /// The identity of the hidden lockfile.
    pub hidden: Identity,
    /// Whether its lock is complete: another resolution would keep it, and a change of requirements
    /// can be resolved in the part that it touches.
    pub is_complete: bool,
    /// The unmet peer requirements that every install reports, in words.
    pub conflicts: Vec<String>,
    /// The packages that these concern.
    pub disputed: Vec<String>,
    /// The other warnings that every install reports.
    pub warnings: Vec<String>,
}

impl State {
    /// Returns the state of the project in `root`; of two identities of one file the later counts.
    pub fn new(
        root: &Path,
        settings: [u8; 32],
        seen: impl IntoIterator<Item = (PathBuf, Option<Identity>)>,
    ) -> Self {
        let relative = |path: PathBuf| path.strip_prefix(root).map(Path::to_owned).unwrap_or(path);
        let files: BTreeMap<_, _> =
            seen.into_iter().map(|(path, identity)| (relative(path), identity)).collect();
        let files = files.into_iter().collect();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        State {
            settings,
            time: now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX)),
            frozen: false,
            folder: None,
            scripts_skipped: Vec::new(),
            files,
            baseline: None,
        }
    }

    /// Returns whether the lockfile is still named as an install would name it.
    pub fn names_lockfile(&self, root: &Path) -> bool {
        self.folder.as_deref().is_none_or(|known| {
            let root = if root.as_os_str().is_empty() { Path::new(".") } else { root };
            let found = root.canonicalize().ok();
            found.as_deref().and_then(Path::file_name).is_some_and(|name| name == known)
        })
    }

    /// Returns whether the install was since the system was started: files of an earlier one may
    /// have been lost with the power.
    pub fn is_since_boot(&self) -> bool {
        let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(self.time));
        time.is_some_and(dx_pkg_os::process::is_since_boot)
    }

    /// Returns whether every file is unchanged.
    pub fn holds(&self, root: &Path) -> bool {
        self.holds_but(root, |_| false)
    }

    /// Returns whether every file is unchanged, apart from those that may change.
    pub fn holds_but(&self, root: &Path, may_change: impl Fn(&Path) -> bool) -> bool {
        // Every install writes into the project's own folder.
        let counts = |path: &Path| !path.as_os_str().is_empty() && !may_change(path);
        self.files.iter().filter(|(path, _)| counts(path)).all(|(path, noted)| {
            let path = if root.as_os_str().is_empty() { path.clone() } else { root.join(path) };
            dx_pkg_os::files::identity(&path).is_ok_and(|now| now == *noted)
        })
    }

    /// Encodes the file, with the store's seal.
    pub fn encode(&self, seal: Seal) -> Vec<u8> {
        let mut out = Writer::default();
        out.bytes(&SIGNATURE);
        out.u32(VERSION);
        out.bytes(&self.settings);
        out.u64(self.time);
        out.flag(self.frozen);
        out.flag(self.folder.is_some());
        if let Some(folder) = &self.folder {
            out.text(folder);
        }
        out.texts(&self.scripts_skipped);
        out.list(&self.files, |out, (path, identity)| {
            out.text(&path.to_string_lossy());
            out.flag(identity.is_some());
            out.bytes(&identity.unwrap_or_default().to_bytes());
        });
        out.flag(self.baseline.is_some());
        if let Some(baseline) = &self.baseline {
            let Baseline { node, record, hidden, is_complete, conflicts, disputed, warnings } =
                baseline;
            out.text(node);
            out.bytes(&record.to_bytes());
            out.bytes(&hidden.to_bytes());
            out.flag(*is_complete);
            [conflicts, disputed, warnings].into_iter().for_each(|list| out.texts(list));
        }
        let mut bytes = out.into_bytes();
        seal.seal_state(&mut bytes);
        bytes
    }

    /// Decodes the file; `None` for anything but an undamaged state of this version that has the
    /// seal.
    pub fn decode(bytes: &[u8], seal: Seal) -> Option<Self> {
        if bytes.len() > LARGEST {
            return None;
        }
        let mut input = Reader::new(seal.open_state(bytes)?);
        if input.array()? != SIGNATURE || input.u32()? != VERSION {
            return None;
        }
        let settings = input.array()?;
        let time = input.u64()?;
        let frozen = input.flag()?;
        let folder = if input.flag()? { Some(input.text()?.to_owned()) } else { None };
        let scripts_skipped = input.texts()?;
        let files = input.list(|input| {
            let path = PathBuf::from(input.text()?);
            let present = input.flag()?;
            let identity = Identity::from_bytes(input.array()?);
            Some((path, present.then_some(identity)))
        })?;
        let baseline = if input.flag()? { Some(Baseline::read(&mut input)?) } else { None };
        let state = State { settings, time, frozen, folder, scripts_skipped, files, baseline };
        input.is_empty().then_some(state)
    }
}

impl Baseline {
    fn read(input: &mut Reader<'_>) -> Option<Self> {
        Some(Baseline {
            node: input.text()?.to_owned(),
            record: Identity::from_bytes(input.array()?),
            hidden: Identity::from_bytes(input.array()?),
            is_complete: input.flag()?,
            conflicts: input.texts()?,
            disputed: input.texts()?,
            warnings: input.texts()?,
        })
    }
}

/// Removes the state of the project in `root`, before its tree is changed. However that ends, the
/// next install then looks at the project, and at what this one has left. Returns whether there was
/// a state, so that the last install came to its end.
pub(crate) fn forget(root: &Path) -> bool {
    // A state that cannot be removed does not hold for a changed tree.
    own_files::remove(root, NAME).is_ok()
}

/// Returns the digest of the settings that could change what an install does: flags and environment
/// variables. Settings in files are covered by the files' identities.
pub fn settings_digest(
    flags: &[(String, String)],
    variables: impl Iterator<Item = (String, String)>,
) -> [u8; 32] {
    let irrelevant = |key: &str| {
        let group = OptionInfo::find(key).map(|option| option.group);
        matches!(key, "offline" | "prefer-offline" | "background")
            || matches!(group, Some(OptionGroup::Save | OptionGroup::Publish | OptionGroup::Output))
    };
    let mut lines: Vec<String> = flags
        .iter()
        .filter(|(key, _)| !irrelevant(key))
        .map(|(key, value)| format!("--{key}={value}"))
        .chain(
            variables.filter(|(key, _)| concerns(key)).map(|(key, value)| format!("{key}={value}")),
        )
        .collect();
    lines.sort();
    lines.dedup();
    let mut hasher = blake3::Hasher::new();
    hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
    for line in lines {
        hasher.update(line.as_bytes());
        hasher.update(&[0]);
    }
    *hasher.finalize().as_bytes()
}

fn concerns(variable: &str) -> bool {
    let starts = |prefix: &str| {
        variable.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    // What goes on after an install is no part of its state.
    if ["DX_BACKGROUND", "npm_config_background"].contains(&variable) {
        return false;
    }
    starts("npm_config_")
        || starts("DX_")
        || ["NODE_ENV", "HOME", "XDG_DATA_HOME", "PREFIX", "PATH"].contains(&variable)
}

#[cfg(test)]
mod tests;
