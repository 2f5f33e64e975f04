//! Packuments of this process that the index does not have yet.
//!
//! Their bytes go to a new pack in `tmp/`, a few at a time, while the command goes on. Only when
//! the index is written does the pack get its place: a killed process loses its own packuments, and
//! nothing else.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};

use dx_pkg_format::packument::{Form, Packument};
use dx_pkg_os::files::{Dir, unique_name};

use super::answer::Answer;
use super::view::PACK;

/// How many bytes are gathered before they are written.
const WRITE_FROM: usize = 1 << 20;

/// What a registry answered in this process.
#[derive(Default)]
pub(crate) struct Unsaved {
    pub(crate) packuments: HashMap<(String, Form), UnsavedPackument>,
    pub(crate) pack: Option<NewPack>,
    /// The bytes of packuments that are in memory only.
    waiting: usize,
}

/// A packument that the index does not have yet.
pub(crate) struct UnsavedPackument {
    pub(crate) packument: Packument,
    pub(crate) answer: Answer<String>,
    pub(crate) bytes: Bytes,
}

/// Where the bytes of a packument are.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Bytes {
    Memory,
    /// In the new pack, from this offset on.
    New(u64),
    /// In the pack of this name, as the index has them: the registry confirmed what was known.
    Known(String, u64),
}

/// A pack that this process writes.
pub(crate) struct NewPack {
    pub(crate) name: String,
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
        // One call for many: a copy in memory costs less than a call for each.
        self.file.write_all(&packuments.concat())?;
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
    pub(crate) fn put(
        &mut self,
        tmp: &Dir,
        key: (String, Form),
        packument: UnsavedPackument,
    ) -> io::Result<()> {
        if packument.bytes == Bytes::Memory {
            self.waiting += packument.packument.as_bytes().len();
        }
        self.packuments.insert(key, packument);
        if self.waiting < WRITE_FROM { Ok(()) } else { self.write(tmp) }
    }

    /// Writes what is in memory only to the new pack.
    pub(crate) fn write(&mut self, tmp: &Dir) -> io::Result<()> {
        let Self { packuments, pack, waiting } = self;
        *waiting = 0;
        let mut in_memory: Vec<_> =
            packuments.values_mut().filter(|one| one.bytes == Bytes::Memory).collect();
        let bytes: Vec<&[u8]> = in_memory.iter().map(|one| one.packument.as_bytes()).collect();
        match append(pack, tmp, &bytes) {
            Ok(offsets) => {
                for (packument, offset) in in_memory.iter_mut().zip(offsets) {
                    packument.bytes = Bytes::New(offset);
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
            if matches!(packument.bytes, Bytes::New(_)) {
                packument.bytes = Bytes::Memory;
            }
        }
    }
}

/// Appends packuments to the new pack, which is created for the first; returns where each begins.
pub(crate) fn append(
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
