//! The host's C library.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

/// Returns the C library of this Linux system, as npm's `libc` field names it: `glibc` or `musl`;
/// `None` elsewhere.
///
/// It is read from the loader that a program of the system names, not from how dx was linked.
#[must_use]
pub fn libc_family() -> Option<&'static str> {
    static FAMILY: OnceLock<Option<&'static str>> = OnceLock::new();
    if !cfg!(target_os = "linux") {
        return None;
    }
    *FAMILY.get_or_init(|| {
        ["/bin/sh", "/usr/bin/env"]
            .into_iter()
            .find_map(|program| family_of(&interpreter(Path::new(program))?))
    })
}

fn family_of(interpreter: &str) -> Option<&'static str> {
    let name = interpreter.rsplit('/').next()?;
    if name.starts_with("ld-musl") {
        Some("musl")
    } else if name.starts_with("ld-linux") || name.starts_with("ld64") || name == "ld.so.1" {
        Some("glibc")
    } else {
        None
    }
}

/// Returns the path in an ELF program's `PT_INTERP` header; `None` if the program is linked
/// statically or is no ELF file.
fn interpreter(program: &Path) -> Option<String> {
    const PT_INTERP: u32 = 3;
    let mut start = Vec::new();
    File::open(program).ok()?.take(4096).read_to_end(&mut start).ok()?;
    let word = |offset: usize, size: usize| -> Option<u64> {
        let mut bytes = [0; 8];
        bytes.get_mut(..size)?.copy_from_slice(start.get(offset..offset.checked_add(size)?)?);
        Some(u64::from_le_bytes(bytes))
    };
    if start.get(..4)? != b"\x7fELF" || *start.get(5)? != 1 {
        return None;
    }
    let wide = *start.get(4)? == 2;
    let (headers, size, count) = if wide {
        (word(0x20, 8)?, word(0x36, 2)?, word(0x38, 2)?)
    } else {
        (word(0x1c, 4)?, word(0x2a, 2)?, word(0x2c, 2)?)
    };
    let headers = usize::try_from(headers).ok()?;
    for index in 0..count as usize {
        let header = headers.checked_add(index * size as usize)?;
        if word(header, 4)? != u64::from(PT_INTERP) {
            continue;
        }
        let (offset, length) = if wide {
            (word(header + 0x08, 8)?, word(header + 0x20, 8)?)
        } else {
            (word(header + 0x04, 4)?, word(header + 0x10, 4)?)
        };
        let offset = usize::try_from(offset).ok()?;
        let path = start.get(offset..offset.checked_add(usize::try_from(length).ok()?)?)?;
        return String::from_utf8(path.split(|&byte| byte == 0).next()?.to_vec()).ok();
    }
    None
}

#[cfg(test)]
mod tests;
