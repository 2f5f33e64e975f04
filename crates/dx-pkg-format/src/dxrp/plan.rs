//! PLAN: a project's requirements, and the whole lock that they resolve to.

use super::{FrameError, whole};
use crate::wire::{Reader, Writer};

/// The rules of a resolution that are not in manifests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanRules {
    /// Whether peer requirements are ignored.
    pub legacy_peer_deps: bool,
    /// Whether contradicting peer requirements are an error.
    pub strict_peer_deps: bool,
    /// Whether an older version that satisfies is kept where a newer one would have to be added.
    pub prefer_dedupe: bool,
    /// Whether packages for another Node.js are an error.
    pub engine_strict: bool,
    /// How far up the tree packages are placed: 0 hoisted, 1 shallow, 2 nested.
    pub placing: u8,
    /// How old a version must be, in milliseconds; 0 for any.
    pub release_age_ms: u64,
    /// The packages for which that does not count.
    pub release_age_exclude: Vec<String>,
    /// The versions that are not younger than this, in milliseconds since 1970; 0 for any.
    pub before_ms: u64,
    /// The tag of a requirement without one.
    pub default_tag: String,
    /// The version of Node.js that packages are chosen for; empty where that is unknown.
    pub node: String,
    /// The operating system.
    pub os: String,
    /// The processor.
    pub cpu: String,
    /// The C library; empty where there is none.
    pub libc: String,
}

/// A client's question for a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanQuestion {
    /// The rules.
    pub rules: PlanRules,
    /// The `overrides` of the project as JSON text; empty without any.
    pub overrides: String,
    /// The project and its workspaces, with what they require and nothing else: a lock in the form
    /// DXL.
    pub importers: Vec<u8>,
    /// The lock that is resolved from, and what is chosen anew; `None` without either.
    pub change: Option<PlanChange>,
}

/// What a plan starts from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanChange {
    /// The length of the lock in bytes before it was compressed; 0 without a lock.
    pub unpacked: u32,
    /// The lock in the form DXL, compressed by Zstandard.
    pub lock: Vec<u8>,
    /// The names of packages whose versions are chosen anew, wherever they are locked.
    pub update: Vec<String>,
    /// The names of direct dependencies that the user named.
    pub explicit: Vec<String>,
    /// The folders whose dependencies those are; none for the project alone.
    pub explicit_in: Vec<String>,
}

impl PlanChange {
    fn encode(&self, out: &mut Writer) {
        out.u32(self.unpacked);
        out.blob(&self.lock);
        out.texts(&self.update);
        out.texts(&self.explicit);
        out.texts(&self.explicit_in);
    }

    fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            unpacked: reader.u32()?,
            lock: reader.blob()?.to_vec(),
            update: reader.texts()?,
            explicit: reader.texts()?,
            explicit_in: reader.texts()?,
        })
    }
}

const LEGACY: u32 = 1;
const STRICT: u32 = 2;
const DEDUPE: u32 = 4;
const ENGINES: u32 = 8;
const CHANGE: u32 = 16;

impl PlanQuestion {
    /// Encodes the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let rules = &self.rules;
        let mut out = Writer::with_capacity(self.importers.len() + 256);
        let flags = [
            (rules.legacy_peer_deps, LEGACY),
            (rules.strict_peer_deps, STRICT),
            (rules.prefer_dedupe, DEDUPE),
            (rules.engine_strict, ENGINES),
            (self.change.is_some(), CHANGE),
        ];
        out.u32(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum());
        out.u8(rules.placing);
        out.u64(rules.release_age_ms);
        out.u64(rules.before_ms);
        for text in [&rules.default_tag, &rules.node, &rules.os, &rules.cpu, &rules.libc] {
            out.text(text);
        }
        out.texts(&rules.release_age_exclude);
        out.text(&self.overrides);
        out.blob(&self.importers);
        if let Some(change) = &self.change {
            change.encode(&mut out);
        }
        out.into_bytes()
    }

    /// Decodes the message. Importers and lock are to be decoded and checked by themselves.
    ///
    /// # Errors
    /// It is cut off, too long, or has an unknown rule.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        whole(bytes, "PLAN?", |reader| {
            let flags = reader.u32()?;
            let placing = reader.u8()?;
            if flags & !(LEGACY | STRICT | DEDUPE | ENGINES | CHANGE) != 0 || placing > 2 {
                return None;
            }
            let (release_age_ms, before_ms) = (reader.u64()?, reader.u64()?);
            let mut text = || reader.text().map(str::to_owned);
            let (default_tag, node, os, cpu, libc) = (text()?, text()?, text()?, text()?, text()?);
            let release_age_exclude = reader.texts()?;
            let overrides = reader.text()?.to_owned();
            let importers = reader.blob()?.to_vec();
            let change = match flags & CHANGE != 0 {
                true => Some(PlanChange::decode(reader)?),
                false => None,
            };
            let rules = PlanRules {
                legacy_peer_deps: flags & LEGACY != 0,
                strict_peer_deps: flags & STRICT != 0,
                prefer_dedupe: flags & DEDUPE != 0,
                engine_strict: flags & ENGINES != 0,
                placing,
                release_age_ms,
                release_age_exclude,
                before_ms,
                default_tag,
                node,
                os,
                cpu,
                libc,
            };
            Some(Self { rules, overrides, importers, change })
        })
    }
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// When it was computed, in milliseconds since 1970.
    pub computed_ms: u64,
    /// For each entry of the lock, in its order, when its version was published, in milliseconds
    /// since 1970; 0 where that is not known.
    pub published_ms: Vec<u64>,
    /// The length of the lock in bytes before it was compressed.
    pub unpacked: u32,
    /// The lock in the form DXL, compressed by Zstandard.
    pub lock: Vec<u8>,
}

impl Plan {
    /// Encodes the message.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(self.lock.len() + self.published_ms.len() * 8 + 32);
        out.u64(self.computed_ms);
        out.list(&self.published_ms, |out, time| out.u64(*time));
        out.u32(self.unpacked);
        out.blob(&self.lock);
        out.into_bytes()
    }

    /// Decodes the message. The lock is to be decoded and checked by itself.
    ///
    /// # Errors
    /// It is cut off or too long.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        whole(bytes, "PLAN", |reader| {
            Some(Self {
                computed_ms: reader.u64()?,
                published_ms: reader.list(|reader| reader.u64())?,
                unpacked: reader.u32()?,
                lock: reader.blob()?.to_vec(),
            })
        })
    }
}
