//! Packuments of this process that the index does not have yet.
//!
//! Their bytes go to a new pack in `tmp/`, a few at a time, while the command goes on. Only when the
//! index is written does the pack get its place: a killed process loses its own packuments, and
//! nothing else.

use std::collections::HashMap;
use std::fs::File;
use std::io;

use dx_pkg_format::packument::Packument;
use dx_pkg_os::files::{Dir, unique_name};

use super::Form;
use super::answer::Answer;
use super::view::PACK;
use crate::insert::write_parts;

/// How many bytes are gathered before they are written.
const WRITE_FROM: usize = 1 << 20;

/// What a registry answered in this process.
#[derive(Default)]
pub(super) struct Unsaved {
    pub(super) packuments: HashMap<(String, Form), UnsavedPackument>,
    pub(super) pack: Option<NewPack>,
    /// The bytes of packuments that are in memory only.
    waiting: usize,
}

/// A packument that the index does not have yet.
pub(super) struct UnsavedPackument {
    pub(super) packument: Packument,
    pub(super) answer: Answer<String>,
    pub(super) bytes: Bytes,
}

/// Where the bytes of a packument are.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Bytes {
    InMemory,
    /// In the new pack, from this offset on.
    InNewPack(u64),
    /// In the pack of this name, as the index has them: the registry confirmed what was known.
    InPack(String, u64),
}

/// A pack that this process writes.
pub(super) struct NewPack {
    pub(super) name: String,
    file: File,
    length: u64,
}

impl NewPack {
    fn create(tmp: &Dir) -> io::Result<Self> {
        let name = format!("{}{PACK}", unique_name(""));
        let file = tmp.create_file(&name, 0o644)?;
        Ok(Self { name, file, length: 0 })
    }

    /// Appends packuments; returns where each begins.
    fn append(&mut self, packuments: &[&[u8]]) -> io::Result<Vec<u64>> {
        write_parts(&mut self.file, packuments.iter().copied())?;
        let begin = |packument: &&[u8]| {
            let begin = self.length;
            self.length += packument.len() as u64;
            begin
        };
        Ok(packuments.iter().map(begin).collect())
    }
}

impl Unsaved {
    /// Adds a packument; writes what is in memory once that is much.
    pub(super) fn put(
        &mut self,
        tmp: &Dir,
        key: (String, Form),
        packument: UnsavedPackument,
    ) -> io::Result<()> {
        if packument.bytes == Bytes::InMemory {
            self.waiting += packument.packument.as_bytes().len();
        }
        self.packuments.insert(key, packument);
        if self.waiting < WRITE_FROM { Ok(()) } else { self.write(tmp) }
    }

    /// Writes what is in memory only to the new pack.
    pub(super) fn write(&mut self, tmp: &Dir) -> io::Result<()> {
        let Self { packuments, pack, waiting } = self;
        *waiting = 0;
        let mut in_memory: Vec<_> =
            packuments.values_mut().filter(|one| one.bytes == Bytes::InMemory).collect();
        let bytes: Vec<&[u8]> = in_memory.iter().map(|one| one.packument.as_bytes()).collect();
        match append(pack, tmp, &bytes) {
            Ok(offsets) => {
                for (packument, offset) in in_memory.iter_mut().zip(offsets) {
                    packument.bytes = Bytes::InNewPack(offset);
                }
                Ok(())
            }
            Err(error) => {
                self.drop_pack(tmp);
                Err(error)
            }
        }
    }

    /// Drops the new pack, which cannot be written: what it has is in memory too.
    fn drop_pack(&mut self, tmp: &Dir) {
        if let Some(pack) = self.pack.take() {
            let _ = tmp.remove_file(&pack.name);
        }
        for packument in self.packuments.values_mut() {
            if matches!(packument.bytes, Bytes::InNewPack(_)) {
                packument.bytes = Bytes::InMemory;
            }
        }
    }
}

/// Appends packuments to the new pack, which is created for the first; returns where each begins.
pub(super) fn append(
    pack: &mut Option<NewPack>,
    tmp: &Dir,
    packuments: &[&[u8]],
) -> io::Result<Vec<u64>> {
    if packuments.is_empty() {
        return Ok(Vec::new());
    }
    let pack = match pack {
        Some(pack) => pack,
        None => pack.insert(NewPack::create(tmp)?),
    };
    pack.append(packuments)
}
