//! A package's tarball with what there is to say of it: digests, sizes, files.

use dx_pkg_compat::packlist::PackedFile;
use dx_pkg_compat::tarball::{Limits, unpack};
use dx_pkg_core::Integrity;
use dx_pkg_core::integrity::{Hash, HashAlgorithm};
use dx_pkg_lock::locale_compare;
use serde_json::{Value, json};

use crate::AuthorError;

/// A file of a tarball.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedEntry {
    /// Its path in the package.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its mode.
    pub mode: u32,
}

/// A package's tarball.
#[derive(Clone, Debug)]
pub struct Tarball {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The tarball.
    pub bytes: Vec<u8>,
    /// Its files, in the order in which they are shown.
    pub files: Vec<PackedEntry>,
}

impl Tarball {
    /// Describes a tarball that was packed from these files.
    #[must_use]
    pub fn packed(name: String, version: String, bytes: Vec<u8>, files: &[PackedFile]) -> Self {
        let files = files.iter().map(|file| PackedEntry {
            path: file.path.clone(),
            size: file.size,
            mode: file.mode,
        });
        Self::of(name, version, bytes, files.collect())
    }

    /// Describes a tarball from elsewhere.
    ///
    /// # Errors
    /// It is none.
    pub fn read(name: String, version: String, bytes: Vec<u8>) -> Result<Self, AuthorError> {
        let limits = Limits { keep_gitignore: true, ..Limits::default() };
        let label = format!("{name}@{version}");
        let unpacked = unpack(&bytes, &limits)
            .map_err(|source| AuthorError::Tarball { package: label, source })?;
        let entry = |file: dx_pkg_format::dxp::FileEntry<'_>| PackedEntry {
            path: file.path.to_owned(),
            size: file.data.len() as u64,
            mode: file.mode.bits(),
        };
        let files = unpacked.entries().into_iter().map(entry).collect();
        Ok(Self::of(name, version, bytes, files))
    }

    fn of(name: String, version: String, bytes: Vec<u8>, mut files: Vec<PackedEntry>) -> Self {
        let is_upper = |path: &str| path.chars().next().is_none_or(|c| c.to_uppercase().eq([c]));
        files.sort_by(|a, b| {
            is_upper(&b.path).cmp(&is_upper(&a.path)).then_with(|| natural(&a.path, &b.path))
        });
        Tarball { name, version, bytes, files }
    }

    /// Returns the name of its file.
    #[must_use]
    pub fn file_name(&self) -> String {
        let name = self.name.strip_prefix('@').unwrap_or(&self.name).replace(['/', '\\'], "-");
        format!("{name}-{}.tgz", self.version.replace(['/', '\\'], "-"))
    }

    /// Returns its SHA-512.
    #[must_use]
    pub fn integrity(&self) -> Integrity {
        Integrity::sha512_of(&self.bytes)
    }

    /// Returns its SHA-1, in hexadecimal.
    #[must_use]
    pub fn shasum(&self) -> String {
        let hash = Hash::of(HashAlgorithm::Sha1, &self.bytes);
        hash.digest().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns its SHA-512, in hexadecimal.
    #[must_use]
    pub fn sha512_hex(&self) -> String {
        let hash = Hash::of(HashAlgorithm::Sha512, &self.bytes);
        hash.digest().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns the bundled packages.
    #[must_use]
    pub fn bundled(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for file in &self.files {
            let Some(rest) = file.path.strip_prefix("node_modules/") else { continue };
            let parts = if rest.starts_with('@') { 2 } else { 1 };
            let end = rest.match_indices('/').nth(parts - 1).map_or(rest.len(), |(at, _)| at);
            if !found.contains(&&rest[..end]) {
                found.push(&rest[..end]);
            }
        }
        found
    }

    fn unpacked_size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Returns npm's description for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let files: Vec<Value> = self
            .files
            .iter()
            .map(|file| json!({ "path": file.path, "size": file.size, "mode": file.mode }))
            .collect();
        json!({
            "id": format!("{}@{}", self.name, self.version),
            "name": self.name,
            "version": self.version,
            "size": self.bytes.len(),
            "unpackedSize": self.unpacked_size(),
            "shasum": self.shasum(),
            "integrity": self.integrity().to_string(),
            "filename": self.file_name(),
            "files": files,
            "entryCount": self.files.len(),
            "bundled": self.bundled(),
        })
    }

    /// Returns the description for people, in npm's form.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = vec![format!("\npackage: {}@{}", self.name, self.version)];
        lines.push("Tarball Contents".to_owned());
        let own: Vec<&PackedEntry> =
            self.files.iter().filter(|file| !file.path.starts_with("node_modules/")).collect();
        lines.extend(own.iter().map(|file| format!("{} {}", bytes(file.size, ""), file.path)));
        let bundled = self.bundled();
        if !bundled.is_empty() {
            lines.push("Bundled Dependencies".to_owned());
            lines.extend(bundled.iter().map(|name| (*name).to_owned()));
        }
        let integrity = self.integrity().to_string();
        lines.extend([
            "Tarball Details".to_owned(),
            format!("name: {}", self.name),
            format!("version: {}", self.version),
            format!("filename: {}", self.file_name()),
            format!("package size: {}", bytes(self.bytes.len() as u64, " ")),
            format!("unpacked size: {}", bytes(self.unpacked_size(), " ")),
            format!("shasum: {}", self.shasum()),
            format!("integrity: {}[...]{}", &integrity[..20], &integrity[80..]),
        ]);
        if !bundled.is_empty() {
            lines.push(format!("bundled deps: {}", bundled.len()));
            lines.push(format!("bundled files: {}", self.files.len() - own.len()));
            lines.push(format!("own files: {}", own.len()));
        }
        lines.push(format!("total files: {}\n", self.files.len()));
        lines.join("\n")
    }
}

/// Returns a number of bytes in words.
fn bytes(count: u64, space: &str) -> String {
    #[allow(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
    let of = |unit: f64| count as f64 / unit;
    match count {
        0..1_000 => format!("{count}{space}B"),
        1_000..999_950 => format!("{:.1}{space}kB", of(1e3)),
        999_950..999_950_000 => format!("{:.1}{space}MB", of(1e6)),
        _ => format!("{:.1}{space}GB", of(1e9)),
    }
}

/// Compares paths by their letters, and the numbers in them by their values.
fn natural(a: &str, b: &str) -> std::cmp::Ordering {
    locale_compare(&with_lengths(a), &with_lengths(b)).then_with(|| locale_compare(a, b))
}

/// Returns a text in which each number has its length before it, so that the longer is the larger.
fn with_lengths(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        shown.push_str(&rest[..at]);
        let number = &rest[at..];
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let digits = number[..end].trim_start_matches('0');
        shown.push_str(&format!("{:02}{digits}", digits.len().min(99)));
        rest = &number[end..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_shown_capitals_first_and_numbers_by_value() {
        let paths = ["b.js", "a10.js", "a9.js", "README.md", ".x", "LICENSE", "a/b.js"];
        let files =
            paths.iter().map(|path| PackedEntry { path: (*path).to_owned(), size: 1, mode: 0o644 });
        let tarball = Tarball::of("x".into(), "1.0.0".into(), Vec::new(), files.collect());
        let shown: Vec<&str> = tarball.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(shown, [".x", "LICENSE", "README.md", "a/b.js", "a9.js", "a10.js", "b.js"]);
        assert_eq!(bytes(1234, " "), "1.2 kB");
    }
}
