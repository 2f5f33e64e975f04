//! What an install came to, so that the same install need not be worked out again.
//!
//! It is kept in the store under a digest of everything it was worked out from ([`Inputs`]), so a change of any of that
//! is another key. A resolution that asked the registries' metadata also names the files it read there: it holds while
//! they are the same and fresh.
//!
//! ```text
//! magic "DXR\0" | version u32 | XXH3-64 of all after it
//! prepared key 32 | fresh until, ms since 1970: u64 | packages u64 | entries put in place u64
//! importers | scripts skipped | conflicts | warnings: count u32, then texts
//! metadata files: count u32, then name, device, inode, size, mtime, ctime: u64 each
//! settled u8 | lockfile: present u8, text
//! ```
//! Numbers are little-endian; a text is its length as u32 and its bytes.

use dx_pkg_format::wire;
use dx_pkg_os::Identity;
use dx_pkg_store::{PreparedKey, Store};

use crate::project::Project;
use crate::report::Summary;
use crate::session::{Session, now_ms};
use crate::surroundings::Surroundings;

const MAGIC: [u8; 4] = *b"DXR\0";
const VERSION: u32 = 2;
const HEADER: usize = 16;

/// What an install came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Remembered<'r> {
    /// The prepared of its tree.
    pub prepared: PreparedKey,
    /// Until when the metadata it rests on may be used without asking, in milliseconds since 1970.
    pub fresh_until_ms: u64,
    /// How many packages were installed.
    pub packages: u64,
    /// How many packages and links a new tree has.
    pub placed: u64,
    /// The folders whose `node_modules` the tree has, relative to the project.
    pub importers: Vec<String>,
    /// Packages with scripts that were not run.
    pub scripts_skipped: Vec<String>,
    /// Unmet peer requirements, in words.
    pub conflicts: Vec<String>,
    /// Other warnings.
    pub warnings: Vec<String>,
    /// The metadata it rests on: file names in the store's cache, and what they were.
    pub metadata: Vec<(String, Identity)>,
    /// Whether a change can be told from itself.
    pub settled: bool,
    /// The lockfile's new text, where it changed.
    pub lockfile: Option<&'r str>,
}

/// A digest of all that decides what an install comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inputs([u8; 32]);

impl Inputs {
    /// Of the project as it is now, with the settings in force, on this machine.
    pub fn of(surroundings: &Surroundings, session: &Session, project: &Project) -> Self {
        let mut hasher = blake3::Hasher::new();
        let mut field = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        field(env!("CARGO_PKG_VERSION").as_bytes());
        for machine in [
            std::env::consts::OS,
            std::env::consts::ARCH,
            dx_pkg_os::libc_family().unwrap_or_default(),
        ] {
            field(machine.as_bytes());
        }
        let node = session.node(surroundings).map(|node| node.version.to_string());
        field(node.unwrap_or_default().as_bytes());
        field(&session.config.digest_input());
        field(project.manifest_text.as_bytes());
        field(&project.workspaces_digest);
        field(project.lockfile.as_bytes());
        match project.lockfile_text() {
            Some(text) => field(text.as_bytes()),
            // A new lockfile may be called after the folder.
            None => field(project.root.file_name().unwrap_or_default().as_encoded_bytes()),
        }
        Inputs(*hasher.finalize().as_bytes())
    }

    /// What the store knows them by.
    pub fn key(self) -> [u8; 32] {
        self.0
    }
}

impl<'r> Remembered<'r> {
    /// Whether the metadata it rests on is unchanged and still fresh. Metadata from a time that has yet to come is not: the
    /// clock was set back, and until when it is fresh says nothing.
    pub fn holds(&self, store: &Store) -> bool {
        let now = now_ms();
        let is_past = |identity: &Identity| {
            u64::try_from(identity.mtime_ns / 1_000_000).is_ok_and(|ms| ms <= now)
        };
        self.metadata.is_empty()
            || now < self.fresh_until_ms
                && self
                    .metadata
                    .iter()
                    .all(|(file, identity)| is_past(identity) && store.metadata_is(file, identity))
    }

    /// What the user is told.
    pub fn summary(self) -> Summary {
        Summary {
            added: self.placed,
            packages: usize::try_from(self.packages).unwrap_or(usize::MAX),
            scripts_skipped: self.scripts_skipped,
            conflicts: self.conflicts,
            warnings: self.warnings,
            statistics: vec![("prepared trees", 1)],
            ..Summary::default()
        }
    }

    /// The bytes of the file.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(
            4096 + self.lockfile.map_or(0, str::len) + 128 * self.metadata.len(),
        );
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend([0; 8]);
        out.extend(self.prepared);
        for number in [self.fresh_until_ms, self.packages, self.placed] {
            out.extend(number.to_le_bytes());
        }
        for list in [&self.importers, &self.scripts_skipped, &self.conflicts, &self.warnings] {
            out.extend(count(list.len()));
            list.iter().for_each(|item| text(&mut out, item));
        }
        out.extend(count(self.metadata.len()));
        for (file, identity) in &self.metadata {
            text(&mut out, file);
            out.extend(identity.to_bytes());
        }
        out.push(u8::from(self.settled));
        out.push(u8::from(self.lockfile.is_some()));
        text(&mut out, self.lockfile.unwrap_or_default());
        let checksum = wire::checksum(&out[HEADER..]);
        out[8..HEADER].copy_from_slice(&checksum.to_le_bytes());
        out
    }

    /// Reads the bytes of the file; `None` for anything but an undamaged file of this version.
    pub fn decode(bytes: &'r [u8]) -> Option<Self> {
        let (header, body) = bytes.split_at_checked(HEADER)?;
        if header[..4] != MAGIC
            || wire::u32_at(header, 4) != VERSION
            || wire::u64_at(header, 8) != wire::checksum(body)
        {
            return None;
        }
        let mut rest = Rest(body);
        let prepared = rest.take()?;
        let [fresh_until_ms, packages, placed] = [rest.number()?, rest.number()?, rest.number()?];
        let [importers, scripts_skipped, conflicts, warnings] =
            [rest.list()?, rest.list()?, rest.list()?, rest.list()?];
        let files = u32::from_le_bytes(rest.take()?);
        let file = |rest: &mut Rest<'r>| {
            Some((rest.text()?.to_owned(), Identity::from_bytes(rest.take()?)))
        };
        let metadata = (0..files).map(|_| file(&mut rest)).collect::<Option<Vec<_>>>()?;
        let [settled, present] = rest.take()?;
        let lockfile = Some(rest.text()?).filter(|_| present != 0);
        rest.0.is_empty().then_some(Remembered {
            prepared,
            fresh_until_ms,
            packages,
            placed,
            importers,
            scripts_skipped,
            conflicts,
            warnings,
            metadata,
            settled: settled != 0,
            lockfile,
        })
    }
}

fn count(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend(count(text.len()));
    out.extend(text.as_bytes());
}

/// What has not been read yet.
struct Rest<'r>(&'r [u8]);

impl<'r> Rest<'r> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>()?;
        self.0 = tail;
        Some(*head)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Option<&'r str> {
        let length = u32::from_le_bytes(self.take()?) as usize;
        let (text, tail) = self.0.split_at_checked(length)?;
        self.0 = tail;
        std::str::from_utf8(text).ok()
    }

    fn list(&mut self) -> Option<Vec<String>> {
        let items = u32::from_le_bytes(self.take()?);
        (0..items).map(|_| self.text().map(str::to_owned)).collect()
    }
}

#[cfg(test)]
mod tests;
