//! The body of a publish: a document with the tarball in it, as Base64 in JSON.
//!
//! Only the part of it that is not the tarball is ever in memory.

use crate::failure::Failure;
use crate::packument::Fields;
use crate::storage::{Storage, Temporary};
use crate::values::{check_count, count_values};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::read::DecoderReader;
use dx_pkg_compat::tarball::{Entries, Limits};
use dx_pkg_core::Integrity;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha1::Sha1;
use sha2::{Digest, Sha512};
use std::fs::File;
use std::io::{BufReader, Read};

/// The bytes that are decoded at once.
const STEP: usize = 64 << 10;

/// A publish, taken apart.
pub(crate) struct Upload {
    /// The document without its attachments.
    pub(crate) document: Map<String, Value>,
    pub(crate) tarball: Option<UploadedTarball>,
    /// The provenance bundle, JSON.
    pub(crate) bundle: Option<String>,
}

/// A tarball in a temporary file, and what was found in it.
pub(crate) struct UploadedTarball {
    pub(crate) file: Temporary,
    pub(crate) integrity: Integrity,
    pub(crate) integrity_text: String,
    pub(crate) shasum: String,
    /// Its `package.json`.
    pub(crate) manifest: Map<String, Value>,
    pub(crate) has_binding: bool,
    pub(crate) files: u64,
    /// The size of all files, in bytes.
    pub(crate) unpacked: u64,
}

/// Takes a publish apart. Blocks: for reading, decoding and writing.
///
/// # Errors
/// 400 for a body that is no publish, with the reason.
pub(crate) fn read_upload(body: &[u8], storage: &Storage) -> Result<Upload, Failure> {
    let fields: Fields<'_> = json(body)?;
    let mut upload = Upload { document: Map::new(), tarball: None, bundle: None };
    let mut values = 0;
    for (name, raw) in fields.0 {
        if name != "_attachments" {
            values += count_values(raw.get().as_bytes());
            check_count(values).map_err(Failure::bad_request)?;
            upload.document.insert(name, value(raw)?);
            continue;
        }
        let attachments: Option<Fields<'_>> = json(raw.get().as_bytes())?;
        for (file, raw) in attachments.map(|fields| fields.0).unwrap_or_default() {
            let attachment: Fields<'_> = json(raw.get().as_bytes())?;
            upload.attach(&file, &attachment, storage)?;
        }
    }
    Ok(upload)
}

impl Upload {
    fn attach(
        &mut self,
        file: &str,
        attachment: &Fields<'_>,
        storage: &Storage,
    ) -> Result<(), Failure> {
        let field =
            |name: &str| attachment.0.iter().find(|(own, _)| own == name).map(|(_, raw)| raw);
        let Some(data) = field("data") else {
            return Err(Failure::bad_request(format!("the attachment {file:?} has no data")));
        };
        if file.ends_with(".sigstore") {
            self.bundle = Some(json(data.get().as_bytes())?);
            return Ok(());
        }
        if self.tarball.is_some() {
            return Err(Failure::bad_request("a publish has one tarball, not several"));
        }
        let tarball = UploadedTarball::read(data, storage)?;
        let length = field("length").and_then(|raw| raw.get().parse::<u64>().ok());
        if length.is_some_and(|length| length != tarball.1) {
            let message = "the tarball is not as long as the publish says: it was cut off";
            return Err(Failure::bad_request(message));
        }
        self.tarball = Some(tarball.0);
        Ok(())
    }
}

impl UploadedTarball {
    /// Decodes a tarball into a file and looks through it; returns its length, too.
    fn read(data: &RawValue, storage: &Storage) -> Result<(Self, u64), Failure> {
        let text = data.get().trim();
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let inner = inner.ok_or_else(|| Failure::bad_request("the tarball's data is no text"))?;
        let unescaped: String;
        let encoded = if inner.contains('\\') {
            unescaped = json(text.as_bytes())?;
            unescaped.as_bytes()
        } else {
            inner.as_bytes()
        };
        let decoder = DecoderReader::new(encoded, &STANDARD);
        let broken = |_| Failure::bad_request("the tarball's data is not Base64");
        Self::copy(decoder, broken, storage)
    }

    /// Copies a tarball into a file and looks through it; returns its length, too. Blocks.
    pub(crate) fn copy(
        mut source: impl Read,
        broken: impl Fn(std::io::Error) -> Failure,
        storage: &Storage,
    ) -> Result<(Self, u64), Failure> {
        let mut file = storage.temporary()?;
        let (mut sha512, mut sha1, mut length) = (Sha512::new(), Sha1::new(), 0);
        let mut buffer = vec![0; STEP];
        loop {
            let read = source.read(&mut buffer).map_err(&broken)?;
            if read == 0 {
                break;
            }
            let chunk = &buffer[..read];
            sha512.update(chunk);
            sha1.update(chunk);
            length += read as u64;
            file.write(chunk).map_err(|error| Failure::of_io("write", "a tarball", &error))?;
        }
        let integrity_text = format!("sha512-{}", STANDARD.encode(sha512.finalize()));
        let integrity = Integrity::parse(&integrity_text).map_err(Failure::internal)?;
        let shasum = sha1.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let mut tarball = Self {
            file,
            integrity,
            integrity_text,
            shasum,
            manifest: Map::new(),
            has_binding: false,
            files: 0,
            unpacked: 0,
        };
        tarball.look_through()?;
        Ok((tarball, length))
    }

    fn look_through(&mut self) -> Result<(), Failure> {
        let unreadable = |error: &dyn std::fmt::Display| {
            Failure::bad_request(format!("the tarball cannot be read: {error}"))
        };
        let opened = File::open(self.file.path())
            .map_err(|error| Failure::of_io("read", "a tarball", &error))?;
        let mut entries = Entries::new(BufReader::new(opened), Limits::default());
        let mut manifest = Vec::new();
        while let Some(file) = entries.next_file().map_err(|error| unreadable(&error))? {
            self.files += 1;
            self.unpacked += file.size;
            self.has_binding |= file.path == "binding.gyp";
            if file.path != "package.json" {
                continue;
            }
            manifest.clear();
            while let Some(chunk) = entries.chunk().map_err(|error| unreadable(&error))? {
                manifest.extend_from_slice(chunk);
            }
        }
        // Also what nothing reads has to be whole: the end of the archive and its checksum.
        entries.finish().map_err(|error| unreadable(&error))?;
        if manifest.is_empty() {
            return Err(Failure::bad_request("the tarball has no package.json"));
        }
        let text = manifest.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&manifest);
        self.manifest = serde_json::from_slice(text)
            .map_err(|error| unreadable(&format!("its package.json: {error}")))?;
        Ok(())
    }
}

fn value(raw: &RawValue) -> Result<Value, Failure> {
    json(raw.get().as_bytes())
}

fn json<'a, T: serde::Deserialize<'a>>(text: &'a [u8]) -> Result<T, Failure> {
    serde_json::from_slice(text)
        .map_err(|error| Failure::bad_request(format!("the body is not what is expected: {error}")))
}
