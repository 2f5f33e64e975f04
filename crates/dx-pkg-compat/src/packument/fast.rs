//! Reads packuments quickly, as they mostly are: each manifest has the shape that the registry
//! gives it, and most of its members are, byte for byte, those of the version before.
//!
//! Nothing is decided here. A manifest of any other shape is left to [`Manifest`], and a packument
//! of any other shape to the caller.

use std::borrow::Cow;

use dx_pkg_core::text::addresses::recordable;
use dx_pkg_core::{Integrity, PackageName};
use dx_pkg_format::packument::{Repeated, VersionData};
use memchr::memchr3;
use serde::de::DeserializeSeed;

use super::bins::{self, Bin};
use super::cursor::Cursor;
use super::extra::{Deprecation, Engines, License, Names, PeerMeta};
use super::manifest::{Funding, Scripts, remove_optional};
use super::shape::{Fill, Lenient, Pair, Shape, Target, Text, Truth, has_repeated};
use super::{Document, Versions};

/// Reads the packument of `requested`; `None` where it is damaged or unusual.
pub(super) fn read<'a>(text: &'a str, requested: &'a PackageName) -> Option<Document<'a>> {
    let mut document = Document::of(Cow::Borrowed(requested.as_str()));
    let mut cursor = Cursor::new(text);
    let mut has_versions = false;
    cursor.object(|cursor, key| {
        document.recognised |= matches!(key, "name" | "versions" | "dist-tags");
        match key {
            "versions" => {
                if has_versions || cursor.peek()? != b'{' {
                    return None;
                }
                has_versions = true;
                read_versions(cursor, &mut document.versions)?;
            }
            "name" => document.name = parsed(cursor.value()?)?,
            "modified" => document.modified = parsed(cursor.value()?)?,
            "dist-tags" => fill(cursor.value()?, &mut document.dist_tags).map(drop)?,
            "time" => fill(cursor.value()?, &mut document.times).map(drop)?,
            _ => drop(cursor.value()?),
        }
        Some(())
    })?;
    cursor.is_at_end().then_some(document)
}

fn read_versions<'a>(cursor: &mut Cursor<'a>, versions: &mut Versions<'a>) -> Option<()> {
    let mut known = Known::default();
    cursor.object(|cursor, version| {
        let start = *cursor;
        if let Some(repeated) = known.read(cursor, &versions.package) {
            known.data.version = Cow::Borrowed(version);
            versions.encoder.push_repeating(&known.data, repeated);
            return Some(());
        }
        known = Known::default();
        *cursor = start;
        if fill(cursor.value()?, &mut versions.manifest)? {
            versions.push(Cow::Borrowed(version));
        }
        Some(())
    })
}

/// The members that are kept, and the largest one that is not.
#[derive(Clone, Copy)]
enum Member {
    Name,
    Dependencies,
    OptionalDependencies,
    PeerDependencies,
    PeerDependenciesMeta,
    Engines,
    Os,
    Cpu,
    Libc,
    Bin,
    Deprecated,
    License,
    Funding,
    HasInstallScript,
    Scripts,
    HasShrinkwrap,
    DevDependencies,
}

impl Member {
    const COUNT: usize = Self::DevDependencies as usize + 1;

    fn of(key: &str) -> Option<Self> {
        Some(match key {
            "name" => Self::Name,
            "dependencies" => Self::Dependencies,
            "optionalDependencies" => Self::OptionalDependencies,
            "peerDependencies" => Self::PeerDependencies,
            "peerDependenciesMeta" => Self::PeerDependenciesMeta,
            "engines" => Self::Engines,
            "os" => Self::Os,
            "cpu" => Self::Cpu,
            "libc" => Self::Libc,
            "bin" => Self::Bin,
            "deprecated" => Self::Deprecated,
            "license" => Self::License,
            "funding" => Self::Funding,
            "hasInstallScript" => Self::HasInstallScript,
            "scripts" => Self::Scripts,
            "_hasShrinkwrap" => Self::HasShrinkwrap,
            "devDependencies" => Self::DevDependencies,
            _ => return None,
        })
    }
}

/// The texts of a manifest's members; empty where it lacks one.
type Texts<'a> = [&'a str; Member::COUNT];

/// The manifest that was read last.
#[derive(Default)]
struct Known<'a> {
    /// `None` before the first one.
    texts: Option<Texts<'a>>,
    data: VersionData<'a>,
}

/// A manifest's members compared with those of the one before.
struct Members<'a> {
    texts: Texts<'a>,
    /// A bit for each member that is as it was.
    repeated: u32,
}

impl<'a> Members<'a> {
    fn text(&self, member: Member) -> &'a str {
        self.texts.get(member as usize).copied().unwrap_or_default()
    }

    fn repeat(&self, members: &[Member]) -> bool {
        members.iter().all(|member| self.repeated & (1 << *member as u32) != 0)
    }

    fn parsed<T: Shape<'a>>(&self, member: Member) -> Option<T> {
        match self.text(member) {
            "" => Some(T::default()),
            text => parsed(text),
        }
    }
}

impl<'a> Known<'a> {
    /// Reads the next manifest; returns what of it is as before. `None` where it is unusual: then
    /// this is of no further use.
    fn read(&mut self, cursor: &mut Cursor<'a>, package: &Text<'a>) -> Option<Repeated> {
        let before = self.texts.unwrap_or_default();
        let mut members = Members { texts: [""; Member::COUNT], repeated: 0 };
        let mut dist = None;
        cursor.object(|cursor, key| {
            let Some(member) = Member::of(key) else {
                match key {
                    "dist" => dist = Some(Dist::read(cursor)?),
                    "bundleDependencies"
                    | "bundledDependencies"
                    | "workspaces"
                    | "acceptDependencies" => return None,
                    _ => drop(cursor.value()?),
                }
                return Some(());
            };
            let text = members.texts.get_mut(member as usize)?;
            if !text.is_empty() {
                return None;
            }
            if let Some(known) = cursor.known_value(before.get(member as usize)?) {
                members.repeated |= 1 << member as u32;
                *text = known;
            } else {
                *text = cursor.value()?;
            }
            Some(())
        })?;
        if self.texts.is_some() {
            for (at, (now, before)) in members.texts.iter().zip(before).enumerate() {
                members.repeated |= u32::from(now.is_empty() && before.is_empty()) << at;
            }
        }
        dist.unwrap_or_default().fill(&mut self.data);
        self.texts = Some(members.texts);
        self.take(&members, package)
    }

    /// Takes over the members that differ.
    fn take(&mut self, members: &Members<'a>, package: &Text<'a>) -> Option<Repeated> {
        use Member::*;
        let data = &mut self.data;
        let repeated = Repeated {
            dependencies: members.repeat(&[Dependencies, OptionalDependencies]),
            peers: members.repeat(&[PeerDependencies, PeerDependenciesMeta]),
            engines: members.repeat(&[Engines]),
            platform: members.repeat(&[Os, Cpu, Libc]),
            bins: members.repeat(&[Name, Bin]),
            texts: members.repeat(&[Deprecated, License, Funding]),
        };
        if !repeated.dependencies {
            pairs(members.text(Dependencies), &mut data.dependencies)?;
            pairs(members.text(OptionalDependencies), &mut data.optional_dependencies)?;
            remove_optional(&mut data.dependencies, &data.optional_dependencies);
        }
        if !repeated.peers {
            pairs(members.text(PeerDependencies), &mut data.peer_dependencies)?;
            let PeerMeta { peers, other } = members.parsed(PeerDependenciesMeta)?;
            data.peer_meta = only(peers, other)?;
        }
        if !repeated.engines {
            let self::Engines { pairs, other } = members.parsed(Engines)?;
            data.engines = only(pairs, other)?;
        }
        if !repeated.platform {
            for (member, list) in [(Os, &mut data.os), (Cpu, &mut data.cpu), (Libc, &mut data.libc)]
            {
                let Names { texts, other } = members.parsed(member)?;
                *list = only(texts, other)?;
            }
        }
        if !repeated.bins {
            let name: Option<Text<'a>> = members.parsed(Name)?;
            let bin: self::Bin<'a> = members.parsed(Bin)?;
            data.bins = bins::normalised(bin, name.as_ref().unwrap_or(package));
        }
        if !repeated.texts {
            let Deprecation { message, other } = members.parsed(Deprecated)?;
            data.deprecated = only(message, other)?;
            let self::License { text, other } = members.parsed(License)?;
            data.license = only(text, other)?;
            data.funding_json = members.parsed::<self::Funding<'a>>(Funding)?.0;
        }
        if !members.repeat(&[HasInstallScript, Scripts]) {
            let is_flagged = members.parsed::<Truth>(HasInstallScript)?.0;
            data.has_install_script = is_flagged || members.parsed::<self::Scripts>(Scripts)?.0;
        }
        if !members.repeat(&[HasShrinkwrap]) {
            data.has_shrinkwrap = members.parsed::<Truth>(HasShrinkwrap)?.0;
        }
        Some(repeated)
    }
}

/// Returns what was read of a member if nothing else of it has to be kept.
fn only<T>(read: T, other: Option<String>) -> Option<T> {
    other.is_none().then_some(read)
}

/// `dist`: the tarball's address and integrity.
#[derive(Default)]
struct Dist<'a> {
    tarball: &'a str,
    integrity: &'a str,
    shasum: &'a str,
    unpacked_size: Option<u64>,
    file_count: Option<u64>,
}

impl<'a> Dist<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        let mut dist = Self::default();
        cursor.object(|cursor, key| {
            match key {
                "tarball" => {
                    dist.tarball = cursor.plain_string()?;
                    // An address with a secret in it is unusual.
                    if memchr3(b'?', b'@', b'#', dist.tarball.as_bytes()).is_some()
                        && matches!(recordable(dist.tarball), Cow::Owned(_))
                    {
                        return None;
                    }
                }
                "integrity" => dist.integrity = cursor.plain_string()?,
                "shasum" => dist.shasum = cursor.plain_string()?,
                "unpackedSize" => dist.unpacked_size = Some(cursor.small_number()?),
                "fileCount" => dist.file_count = Some(cursor.small_number()?),
                _ => drop(cursor.value()?),
            }
            Some(())
        })?;
        Some(dist)
    }

    fn fill(self, data: &mut VersionData<'a>) {
        let integrity = Some(self.integrity).filter(|text| !text.trim().is_empty());
        let from_shasum = || {
            let shasum = Integrity::from_shasum_hex(self.shasum).ok()?;
            Some(Cow::Owned(shasum.to_string()))
        };
        data.integrity = integrity.map(Cow::Borrowed).or_else(from_shasum);
        data.tarball = Cow::Borrowed(self.tarball);
        data.unpacked_size = self.unpacked_size;
        data.file_count = self.file_count;
    }
}

/// Reads an object of texts; an empty text stands for none.
fn pairs<'a>(text: &'a str, into: &mut Vec<Pair<'a>>) -> Option<()> {
    into.clear();
    if text.is_empty() {
        return Some(());
    }
    Cursor::new(text).object(|cursor, key| {
        into.push((Cow::Borrowed(key), Cow::Borrowed(cursor.plain_string()?)));
        Some(())
    })?;
    (!has_repeated(into)).then_some(())
}

fn parsed<'a, T: Shape<'a>>(text: &'a str) -> Option<T> {
    serde_json::from_str::<Lenient<T>>(text).ok().map(|value| value.0)
}

/// Fills a target from a value; returns whether that is an object.
fn fill<'a, T: Target<'a>>(text: &'a str, target: &mut T) -> Option<bool> {
    Fill(target).deserialize(&mut serde_json::Deserializer::from_str(text)).ok()
}
