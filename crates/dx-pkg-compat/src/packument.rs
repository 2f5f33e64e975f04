//! npm's packuments: from the registry's JSON, abbreviated or full, to the binary form that
//! resolution maps.
//!
//! The JSON is read once, front to back. Parts that resolution does not need are skipped without
//! being parsed, texts are borrowed, and what is as in the version before is not read again
//! (`fast`). Each manifest is normalised as npm normalises one from a
//! packument, so that the encoded form is what npm would write to a lockfile:
//!
//! - a value of an unexpected type counts as absent, and is kept as JSON where a lockfile has it;
//! - a version that is no object or has no valid number is left out, and missing dist-tags stay
//!   missing (npm makes up no `latest`);
//! - names in `optionalDependencies` are removed from `dependencies`;
//! - `bundledDependencies` stands in for `bundleDependencies`, and `true` means every dependency;
//! - `bin` is an object of base names and paths inside the package;
//! - a bare text in `funding` becomes an object, an object in `license` its `type`; `licenses` is
//!   not read;
//! - the registry's flag or `scripts` show an install script; npm's own `node-gyp rebuild` for
//!   packages with a `binding.gyp` shows in their files only;
//! - `engines` of an array have the names "0", "1", ….

mod bins;
mod cursor;
mod extra;
mod fast;
mod json;
mod manifest;
mod shape;
#[cfg(test)]
mod tests;
mod time;

use std::borrow::Cow;
use std::collections::HashMap;

use dx_pkg_core::{Coded, PackageName};
use dx_pkg_format::FormatError;
use dx_pkg_format::packument::Encoder;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess};

use self::manifest::Manifest;
use self::shape::{Fill, Key, Lenient, Pair, Target, Text};
use crate::surrogates::without_lone;

/// The reason for refusing a registry's answer.
#[derive(Debug, thiserror::Error)]
pub enum PackumentError {
    /// The answer is not JSON.
    #[error(
        "cannot read the packument of {name}: it is not valid JSON at line {line}, column {column}"
    )]
    Json {
        /// The requested package.
        name: PackageName,
        /// Line, from 1.
        line: usize,
        /// Column in bytes, from 1.
        column: usize,
    },
    /// The answer is JSON, but no object.
    #[error(
        "cannot read the packument of {name}: the answer has neither a name nor versions nor dist-tags"
    )]
    NotPackument {
        /// The requested package.
        name: PackageName,
    },
    /// The answer is about another package.
    #[error("refusing the packument of {name}: the registry answered with that of \"{found}\"")]
    WrongName {
        /// The requested package.
        name: PackageName,
        /// The name in the answer, escaped.
        found: String,
    },
    /// The packument is too large for the binary form.
    #[error("cannot store the packument of {name}")]
    Encode {
        /// The requested package.
        name: PackageName,
        /// The part that is too large.
        #[source]
        source: dx_pkg_format::FormatError,
    },
}

impl Coded for PackumentError {
    fn code(&self) -> &'static str {
        match self {
            Self::Json { .. } => "DX_PACKUMENT_JSON",
            Self::NotPackument { .. } => "DX_PACKUMENT_UNRECOGNISED",
            Self::WrongName { .. } => "DX_PACKUMENT_NAME",
            Self::Encode { source, .. } => source.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Json { .. } | Self::NotPackument { .. } => {
                Some("check that the registry setting is the URL of an npm registry".to_owned())
            }
            Self::WrongName { .. } => Some(
                "the registry or a proxy before it confuses packages; do not install from it"
                    .to_owned(),
            ),
            Self::Encode { source, .. } => source.hint(),
        }
    }
}

/// Tarballs' addresses without their secrets, and with them.
pub(crate) type FullAddresses = Vec<(Box<str>, Box<str>)>;

/// Encodes the registry's JSON about `requested` as DXM. Secrets in the addresses of tarballs are
/// left out.
///
/// # Errors
/// An answer that is not JSON, no packument, or that of another package.
pub fn encode(json: &[u8], requested: &PackageName) -> Result<Vec<u8>, PackumentError> {
    encode_with_addresses(json, requested).map(|(bytes, _)| bytes)
}

/// Encodes as [`encode`] does, and returns the addresses that had secrets.
pub(crate) fn encode_with_addresses(
    json: &[u8],
    requested: &PackageName,
) -> Result<(Vec<u8>, FullAddresses), PackumentError> {
    let text = text_of(json);
    let repaired;
    let mut document = match read(&text, requested) {
        Ok(document) => document,
        Err(_) => {
            repaired = without_lone(&text);
            read(&repaired, requested).map_err(|error| PackumentError::Json {
                name: requested.clone(),
                line: error.line(),
                column: error.column(),
            })?
        }
    };
    if !document.recognised {
        return Err(PackumentError::NotPackument { name: requested.clone() });
    }
    if let Some(found) = &document.name
        && found != requested.as_str()
    {
        return Err(PackumentError::WrongName {
            name: requested.clone(),
            found: found.escape_debug().take(300).collect(),
        });
    }
    let addresses = std::mem::take(&mut document.versions.full_addresses);
    let bytes = document.encode();
    bytes
        .map(|bytes| (bytes, addresses))
        .map_err(|source| PackumentError::Encode { name: requested.clone(), source })
}

fn read<'a>(text: &'a str, requested: &'a PackageName) -> serde_json::Result<Document<'a>> {
    fast::read(text, requested).map_or_else(|| read_any(text, requested), Ok)
}

/// Reads a packument of any shape.
fn read_any<'a>(text: &'a str, requested: &'a PackageName) -> serde_json::Result<Document<'a>> {
    let mut document = Document::of(Cow::Borrowed(requested.as_str()));
    let mut json = serde_json::Deserializer::from_str(text);
    Fill(&mut document).deserialize(&mut json)?;
    json.end()?;
    Ok(document)
}

/// Returns the JSON as text: without a byte order mark, and with invalid UTF-8 replaced.
fn text_of(json: &[u8]) -> Cow<'_, str> {
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    // `from_utf8_lossy` alone takes ten times as long for valid UTF-8.
    std::str::from_utf8(json).map_or_else(|_| String::from_utf8_lossy(json), Cow::Borrowed)
}

/// A packument whose versions have been encoded.
struct Document<'a> {
    recognised: bool,
    name: Option<Text<'a>>,
    modified: Option<Text<'a>>,
    dist_tags: Vec<Pair<'a>>,
    versions: Versions<'a>,
    times: Vec<Pair<'a>>,
}

impl<'a> Document<'a> {
    fn of(package: Text<'a>) -> Self {
        Self {
            recognised: false,
            name: None,
            modified: None,
            dist_tags: Vec::new(),
            versions: Versions {
                encoder: Encoder::new(&package),
                manifest: Manifest::default(),
                full_addresses: Vec::new(),
                package,
            },
            times: Vec::new(),
        }
    }

    fn encode(self) -> Result<Vec<u8>, FormatError> {
        let times: HashMap<&[u8], &str> =
            self.times.iter().map(|(version, time)| (version.as_bytes(), &**time)).collect();
        let modified = self.modified.as_deref().or(times.get(&b"modified"[..]).copied());
        let published =
            |version: &[u8]| times.get(version).and_then(|time| time::milliseconds(time));
        self.versions.encoder.finish(
            modified.and_then(time::milliseconds),
            &self.dist_tags,
            published,
        )
    }
}

impl<'de> Target<'de> for Document<'de> {
    fn clear(&mut self) {}

    fn object<M: MapAccess<'de>>(&mut self, mut map: M) -> Result<(), M::Error> {
        while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
            self.recognised |= matches!(&*key, "name" | "versions" | "dist-tags");
            match &*key {
                "name" => self.name = map.next_value::<Lenient<_>>()?.0,
                "modified" => self.modified = map.next_value::<Lenient<_>>()?.0,
                "dist-tags" => map.next_value_seed(Fill(&mut self.dist_tags)).map(drop)?,
                "versions" => map.next_value_seed(Fill(&mut self.versions)).map(drop)?,
                "time" => map.next_value_seed(Fill(&mut self.times)).map(drop)?,
                _ => map.next_value::<IgnoredAny>().map(drop)?,
            }
        }
        Ok(())
    }
}

/// Encodes versions as they are read.
struct Versions<'a> {
    package: Text<'a>,
    encoder: Encoder,
    /// The manifest that was read last.
    manifest: Manifest<'a>,
    full_addresses: FullAddresses,
}

impl<'a> Versions<'a> {
    /// Adds the version whose manifest was read last.
    fn push(&mut self, version: Text<'a>) {
        self.full_addresses.extend(self.manifest.take_full_address());
        self.encoder.push(self.manifest.data(version, &self.package));
    }
}

impl<'de> Target<'de> for Versions<'de> {
    fn clear(&mut self) {
        self.encoder = Encoder::new(&self.package);
    }

    fn object<M: MapAccess<'de>>(&mut self, mut map: M) -> Result<(), M::Error> {
        while let Some(Key(version)) = map.next_key::<Key<'de>>()? {
            if map.next_value_seed(Fill(&mut self.manifest))? {
                self.push(version);
            }
        }
        Ok(())
    }
}
