//! `node_modules/.dx/state`: by what an install can tell that nothing has changed since the last one.
//!
//! ```text
//! magic "DXS\0" | version u32 | settings digest 32 | count u32
//! per file: path length u32 | path | present u8 | device, inode, size, mtime, ctime: u64 each
//! settled: present u8 | Node's version | identities of record and hidden lockfile |
//!          conflicts | disputed | warnings: count u32, texts
//! checksum: first 16 bytes of BLAKE3 of all before it
//! ```
//! Numbers are little-endian; relative paths are relative to the project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dx_pkg_os::Identity;

const MAGIC: [u8; 4] = *b"DXS\0";
const VERSION: u32 = 2;
const CHECKSUM: usize = 16;

/// Where the state lies in a project.
pub const PATH: &str = "node_modules/.dx/state";

/// What was there when an install ended.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    /// Digest of every setting that could change the result.
    pub settings: [u8; 32],
    /// Files and folders, with what they were; `None` for one that did not exist.
    pub files: Vec<(PathBuf, Option<Identity>)>,
    /// What a change can be worked out from, where nothing was left open.
    pub settled: Option<Settled>,
}

/// What is known of a tree whose lock another resolution would keep as it is.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Settled {
    /// Version of the Node.js that packages were chosen for; empty without one.
    pub node: String,
    /// What the record of the tree was.
    pub record: Identity,
    /// What the hidden lockfile was.
    pub hidden: Identity,
    /// What every install says of peers in the tree.
    pub conflicts: Vec<String>,
    /// The packages that is about.
    pub disputed: Vec<String>,
    /// What else every install says of the tree.
    pub warnings: Vec<String>,
}

impl State {
    /// The state of a project in `root`, from what its files were; of two notes of one file the later counts.
    pub fn new(
        root: &Path,
        settings: [u8; 32],
        seen: impl IntoIterator<Item = (PathBuf, Option<Identity>)>,
    ) -> Self {
        let relative = |path: PathBuf| path.strip_prefix(root).map(Path::to_owned).unwrap_or(path);
        let files: BTreeMap<_, _> =
            seen.into_iter().map(|(path, identity)| (relative(path), identity)).collect();
        State { settings, files: files.into_iter().collect(), settled: None }
    }

    /// Whether every file is as it was.
    pub fn holds(&self, root: &Path) -> bool {
        self.holds_but(root, Path::new(""))
    }

    /// Whether every file but `other` is as it was.
    pub fn holds_but(&self, root: &Path, other: &Path) -> bool {
        self.files.iter().filter(|(path, _)| path != other).all(|(path, noted)| {
            let path = if root.as_os_str().is_empty() { path.clone() } else { root.join(path) };
            dx_pkg_os::identity(&path).is_ok_and(|now| now == *noted)
        })
    }

    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.settings);
        bytes.extend(count(self.files.len()).to_le_bytes());
        for (path, identity) in &self.files {
            put_text(&mut bytes, &path.to_string_lossy());
            bytes.push(u8::from(identity.is_some()));
            bytes.extend(identity.unwrap_or_default().to_bytes());
        }
        bytes.push(u8::from(self.settled.is_some()));
        if let Some(Settled { node, record, hidden, conflicts, disputed, warnings }) = &self.settled
        {
            put_text(&mut bytes, node);
            bytes.extend(record.to_bytes());
            bytes.extend(hidden.to_bytes());
            for list in [conflicts, disputed, warnings] {
                bytes.extend(count(list.len()).to_le_bytes());
                list.iter().for_each(|text| put_text(&mut bytes, text));
            }
        }
        let checksum = blake3::hash(&bytes);
        bytes.extend(&checksum.as_bytes()[..CHECKSUM]);
        bytes
    }

    /// Reads the bytes of the file; `None` for anything but an undamaged state of this version.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM)?)?;
        if blake3::hash(body).as_bytes().get(..CHECKSUM) != Some(checksum) {
            return None;
        }
        let mut rest = body;
        if take::<4>(&mut rest)? != MAGIC || u32::from_le_bytes(take(&mut rest)?) != VERSION {
            return None;
        }
        let settings = take(&mut rest)?;
        let files = u32::from_le_bytes(take(&mut rest)?);
        let files = (0..files).map(|_| file(&mut rest)).collect::<Option<Vec<_>>>()?;
        let [present] = take(&mut rest)?;
        let settled = if present == 0 { None } else { Some(settled(&mut rest)?) };
        rest.is_empty().then_some(State { settings, files, settled })
    }
}

fn settled(rest: &mut &[u8]) -> Option<Settled> {
    let node = text(rest)?.to_owned();
    let (record, hidden) = (Identity::from_bytes(take(rest)?), Identity::from_bytes(take(rest)?));
    let [conflicts, disputed, warnings] = [texts(rest)?, texts(rest)?, texts(rest)?];
    Some(Settled { node, record, hidden, conflicts, disputed, warnings })
}

fn texts(rest: &mut &[u8]) -> Option<Vec<String>> {
    let texts = u32::from_le_bytes(take(rest)?);
    (0..texts).map(|_| text(rest).map(str::to_owned)).collect()
}

fn text<'r>(rest: &mut &'r [u8]) -> Option<&'r str> {
    let length = u32::from_le_bytes(take(rest)?) as usize;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(count(text.len()).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn file(rest: &mut &[u8]) -> Option<(PathBuf, Option<Identity>)> {
    let path = PathBuf::from(text(rest)?);
    let [present] = take(rest)?;
    let identity = Identity::from_bytes(take(rest)?);
    Some((path, (present != 0).then_some(identity)))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Digest of the settings that could change what an install does: flags, and the environment's part of them. What
/// files say is covered by the files' identities.
pub fn settings_digest(
    flags: &[(String, String)],
    variables: impl Iterator<Item = (String, String)>,
) -> [u8; 32] {
    let irrelevant = ["offline", "prefer-offline"];
    let mut lines: Vec<String> = flags
        .iter()
        .filter(|(key, _)| !irrelevant.contains(&key.as_str()))
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
    starts("npm_config_")
        || starts("DX_")
        || ["NODE_ENV", "HOME", "XDG_DATA_HOME", "PREFIX", "PATH"].contains(&variable)
}

#[cfg(test)]
mod tests;
