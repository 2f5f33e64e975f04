//! One version's manifest, from JSON to the fields that are kept.

use std::borrow::Cow;
use std::collections::HashSet;

use dx_pkg_core::Integrity;
use dx_pkg_core::text::addresses::recordable;
use dx_pkg_format::packument::VersionData;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::bins::{self, Bin};
use super::extra::{Deprecation, Engines, License, Names, PeerMeta, Verbatim};
use super::json::Json;
use super::shape::{Fill, Key, Lenient, Pair, Shape, Target, Text, Texts, Truth};

/// A manifest before it is normalised.
#[derive(Default)]
pub(super) struct Manifest<'a> {
    name: Option<Text<'a>>,
    data: VersionData<'a>,
    bin: Bin<'a>,
    bundle: Option<Bundle<'a>>,
    bundled: Option<Bundle<'a>>,
    flagged: bool,
    scripted: bool,
}

impl<'de> Target<'de> for Manifest<'de> {
    fn clear(&mut self) {
        // Their allocations are reused: manifests are many, and mostly alike.
        let VersionData {
            mut dependencies, mut optional_dependencies, mut peer_dependencies, ..
        } = std::mem::take(&mut self.data);
        for list in [&mut dependencies, &mut optional_dependencies, &mut peer_dependencies] {
            list.clear();
        }
        let data = VersionData {
            dependencies,
            optional_dependencies,
            peer_dependencies,
            ..VersionData::default()
        };
        *self = Self { data, ..Self::default() };
    }

    fn object<M: MapAccess<'de>>(&mut self, mut map: M) -> Result<(), M::Error> {
        while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
            match &*key {
                "name" => self.name = value(&mut map)?,
                "dependencies" => fill(&mut map, &mut self.data.dependencies)?,
                "optionalDependencies" => fill(&mut map, &mut self.data.optional_dependencies)?,
                "peerDependencies" => fill(&mut map, &mut self.data.peer_dependencies)?,
                "peerDependenciesMeta" => {
                    let PeerMeta { peers, other } = value(&mut map)?;
                    self.data.peer_meta = peers;
                    self.keep(key, other);
                }
                "bundleDependencies" => self.bundle = Some(value(&mut map)?),
                "bundledDependencies" => self.bundled = Some(value(&mut map)?),
                "engines" => {
                    let Engines { pairs, other } = value(&mut map)?;
                    self.data.engines = pairs;
                    self.keep(key, other);
                }
                "os" | "cpu" | "libc" => {
                    let Names { texts, other } = value(&mut map)?;
                    match &*key {
                        "os" => self.data.os = texts,
                        "cpu" => self.data.cpu = texts,
                        _ => self.data.libc = texts,
                    }
                    self.keep(key, other);
                }
                "bin" => self.bin = value(&mut map)?,
                "deprecated" => {
                    let Deprecation { message, other } = value(&mut map)?;
                    self.data.deprecated = message;
                    self.keep(key, other);
                }
                "license" => {
                    let License { text, other } = value(&mut map)?;
                    self.data.license = text;
                    self.keep(key, other);
                }
                "workspaces" | "acceptDependencies" => {
                    let Verbatim(json) = value(&mut map)?;
                    self.keep(key, json);
                }
                "funding" => self.data.funding_json = value::<Funding<'_>, _>(&mut map)?.0,
                "hasInstallScript" => self.flagged = value::<Truth, _>(&mut map)?.0,
                "scripts" => self.scripted = value::<Scripts, _>(&mut map)?.0,
                "_hasShrinkwrap" => self.data.has_shrinkwrap = value::<Truth, _>(&mut map)?.0,
                "dist" => value::<Dist<'_>, _>(&mut map)?.fill(&mut self.data),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'de> Manifest<'de> {
    /// Keeps the JSON of a member for the lockfile; of a repeated key the last value counts.
    fn keep(&mut self, key: Text<'de>, json: Option<String>) {
        if json.is_some() || !self.data.extra.is_empty() {
            self.data.extra.retain(|(other, _)| *other != key);
            self.data.extra.extend(json.map(|json| (key, json.into())));
        }
    }

    /// Removes the secrets from the tarball's address; returns it without and with them if it had
    /// any.
    pub(super) fn take_full_address(&mut self) -> Option<(Box<str>, Box<str>)> {
        let full = Box::<str>::from(&*self.data.tarball);
        let Cow::Owned(recorded) = recordable(&full) else { return None };
        self.data.tarball = Cow::Owned(recorded.clone());
        Some((recorded.into(), full))
    }

    /// Returns the kept fields, normalised in the order in which npm does it.
    pub(super) fn data(&mut self, version: Text<'de>, package: &Text<'de>) -> &VersionData<'de> {
        let data = &mut self.data;
        data.version = version;
        match self.bundle.take().or(self.bundled.take()) {
            Some(Bundle::Names(names)) => data.bundled = names,
            Some(Bundle::All) => {
                data.bundles_all = true;
                let names = data.dependencies.iter().map(|(name, _)| name.clone());
                data.bundled = names.collect();
            }
            Some(Bundle::None) | None => {}
        }
        remove_optional(&mut data.dependencies, &data.optional_dependencies);
        data.has_install_script = self.flagged || self.scripted;
        data.bins =
            bins::normalised(std::mem::take(&mut self.bin), self.name.as_ref().unwrap_or(package));
        data
    }
}

fn value<'de, T: Shape<'de>, M: MapAccess<'de>>(map: &mut M) -> Result<T, M::Error> {
    map.next_value::<Lenient<T>>().map(|value| value.0)
}

fn fill<'de, T: Target<'de>, M: MapAccess<'de>>(
    map: &mut M,
    target: &mut T,
) -> Result<(), M::Error> {
    map.next_value_seed(Fill(target)).map(|_| ())
}

/// A dependency that is also listed as optional is optional only.
pub(super) fn remove_optional(dependencies: &mut Vec<Pair<'_>>, optional: &[Pair<'_>]) {
    if dependencies.is_empty() || optional.is_empty() {
        return;
    }
    let optional: HashSet<&str> = optional.iter().map(|(name, _)| &**name).collect();
    dependencies.retain(|(name, _)| !optional.contains(&**name));
}

/// `bundleDependencies`: names, all of them or none.
#[derive(Default)]
enum Bundle<'a> {
    #[default]
    None,
    All,
    Names(Vec<Text<'a>>),
}

impl<'de> Shape<'de> for Bundle<'de> {
    fn flag(all: bool) -> Self {
        if all { Self::All } else { Self::None }
    }

    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        let mut names = Vec::new();
        while let Some((Key(name), _)) = map.next_entry::<Key<'de>, IgnoredAny>()? {
            names.push(name);
        }
        Ok(Self::Names(names))
    }

    fn array<S: SeqAccess<'de>>(sequence: S) -> Result<Self, S::Error> {
        Texts::array(sequence).map(|texts| Self::Names(texts.0))
    }
}

/// `scripts`: whether one of them runs at installation.
#[derive(Default)]
pub(super) struct Scripts(pub(super) bool);

impl<'de> Shape<'de> for Scripts {
    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        let mut found = false;
        while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
            if matches!(&*key, "preinstall" | "install" | "postinstall") {
                let script: Option<Text<'de>> = value(&mut map)?;
                found |= script.is_some_and(|script| !script.is_empty());
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Self(found))
    }
}

/// `dist`: the tarball's address and integrity.
#[derive(Default)]
struct Dist<'a> {
    tarball: Option<Text<'a>>,
    integrity: Option<Text<'a>>,
    shasum: Option<Text<'a>>,
    unpacked_size: Option<u64>,
    file_count: Option<u64>,
}

impl<'de> Shape<'de> for Dist<'de> {
    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        let mut dist = Self::default();
        while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
            match &*key {
                "tarball" => dist.tarball = value(&mut map)?,
                "integrity" => dist.integrity = value(&mut map)?,
                "shasum" => dist.shasum = value(&mut map)?,
                "unpackedSize" => dist.unpacked_size = value(&mut map)?,
                "fileCount" => dist.file_count = value(&mut map)?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(dist)
    }
}

impl<'a> Dist<'a> {
    fn fill(self, data: &mut VersionData<'a>) {
        let integrity = self.integrity.filter(|text| !text.trim().is_empty());
        let from_shasum = || {
            let shasum = Integrity::from_shasum_hex(self.shasum.as_deref()?).ok()?;
            Some(Cow::Owned(shasum.to_string()))
        };
        data.integrity = integrity.or_else(from_shasum);
        data.tarball = self.tarball.unwrap_or_default();
        data.unpacked_size = self.unpacked_size;
        data.file_count = self.file_count;
    }
}

/// `funding` as npm writes it to a lockfile, in compact JSON: a bare URL becomes an object.
#[derive(Default)]
pub(super) struct Funding<'a>(pub(super) Option<Text<'a>>);

impl<'de> Shape<'de> for Funding<'de> {
    fn text(url: Text<'de>) -> Self {
        Self((!url.is_empty()).then(|| format!("{{\"url\":{}}}", Json::text(url)).into()))
    }

    fn flag(flag: bool) -> Self {
        Self(Json::flag(flag).filled().map(Cow::Owned))
    }

    fn number(number: f64) -> Self {
        Self(Json::number(number).filled().map(Cow::Owned))
    }

    fn object<M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        Ok(Self(Json::object(map)?.filled().map(Cow::Owned)))
    }

    fn array<S: SeqAccess<'de>>(sequence: S) -> Result<Self, S::Error> {
        Ok(Self(Json::array(sequence)?.filled().map(Cow::Owned)))
    }
}
