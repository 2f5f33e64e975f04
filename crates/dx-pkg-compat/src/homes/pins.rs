//! Pins of versions: `resolutions`, `pnpm.overrides`, `overrides` of `pnpm-workspace.yaml`, and
//! `overrides` as Bun reads them.

use dx_pkg_core::{PackageName, Range, Spec, Version};
use dx_pkg_resolve::Override;
use dx_pkg_resolve::rules::{Pin, Which};
use serde_json::{Map, Value};

use super::{Home, HomeError, Manager, Meanings, PNPM_WORKSPACE, RequiredPatches};
use crate::manifest::{ForeignPin, Manifest, PinStyle, Section};

/// The pins of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadPins {
    /// Those that replace requirements wherever they are, the one that counts first.
    pub pins: Vec<Pin>,
    /// Those for anywhere below a package, which are rules of npm's kind.
    pub below: Vec<Override>,
    /// Those that cannot be carried out.
    pub left: Vec<ForeignPin>,
    /// The folders of `link:` values, relative to the project.
    pub links: Vec<String>,
    /// The patches of `patch:` values.
    pub patches: RequiredPatches,
    /// Whether `overrides` in `package.json` is among them, so that npm's rules for it do not hold.
    pub has_overrides: bool,
}

/// A field with pins.
struct Field<'f> {
    name: &'static str,
    entries: &'f Map<String, Value>,
    style: PinStyle,
    peers: bool,
}

/// A range that has no version.
const NO_VERSION: &str = "<0.0.0-0";

/// The packages that a key means, from the outermost in.
struct Selector {
    /// Whether anything may lie between the two packages.
    is_anywhere_below: bool,
    parent: Option<(String, Option<String>)>,
    name: String,
    /// The text behind the name's `@`.
    range: Option<String>,
}

/// Reads the pins of the project whose manifest this is.
///
/// # Errors
/// Two fields contradict each other, or a value names a catalog's entry or workspace that is not
/// there.
pub fn pins(
    home: &Home,
    manifest: &Manifest,
    meanings: &Meanings<'_>,
) -> Result<ReadPins, HomeError> {
    let mut read = ReadPins::default();
    let mut known: Vec<(Pin, &'static str, String)> = Vec::new();
    for field in fields(home, manifest, &mut read)? {
        for (key, value) in field.entries {
            let left = || ForeignPin::new(field.name, key, value.as_str(), field.style);
            let (Some(selector), Some(text)) = (selector(key, field.style), value.as_str()) else {
                read.left.push(left());
                continue;
            };
            let Some(value) = replacement(text, &selector.name, field.style, manifest, meanings)?
            else {
                read.left.push(left());
                continue;
            };
            if repeated(manifest, &field, &selector, text, &value)? {
                continue;
            }
            read.links.extend(meanings.link("", &selector.name, text)?);
            meanings.add_patches("", &selector.name, text, &mut read.patches)?;
            if selector.is_anywhere_below {
                let Some(rule) = below(&selector, &value) else {
                    read.left.push(left());
                    continue;
                };
                read.below.push(rule);
                continue;
            }
            for pin in pins_of(&selector, &value, &field) {
                let same = known.iter().find(|(other, ..)| {
                    other.parent == pin.parent && other.name == pin.name && other.which == pin.which
                });
                match same {
                    Some((other, ..)) if other.value == pin.value => {}
                    Some((_, first, other)) => {
                        let (first, second) =
                            ((*first, other.clone()), (field.name, text.to_owned()));
                        let key = key.clone();
                        return Err(HomeError::PinContradiction { key, first, second });
                    }
                    None => known.push((pin, field.name, text.to_owned())),
                }
            }
        }
    }
    let mut pins: Vec<Pin> = known.into_iter().map(|(pin, ..)| pin).collect();
    if home.owner.manager == Manager::Pnpm {
        // The narrower one counts. With Yarn it is the first.
        pins.sort_by_key(|pin| (pin.parent.is_none(), pin.which == Which::All));
    }
    read.pins = pins;
    Ok(read)
}

/// Returns the fields that the project's manager reads.
fn fields<'f>(
    home: &'f Home,
    manifest: &'f Manifest,
    read: &mut ReadPins,
) -> Result<Vec<Field<'f>>, HomeError> {
    let mut found = Vec::new();
    let owner = home.owner;
    if owner.is_npm() {
        return Ok(found);
    }
    let pnpm = manifest
        .raw
        .get("pnpm")
        .filter(|_| home.reads_pnpm_field() || owner.manager == Manager::Npm);
    let is_pnpm = owner.manager == Manager::Pnpm;
    let overrides = home.get("overrides").filter(|_| is_pnpm);
    if overrides.is_some_and(|value| !value.is_null() && !value.is_object()) {
        let (file, key) = (PNPM_WORKSPACE, "overrides".to_owned());
        return Err(HomeError::Value { file, key, wanted: "a table of names with versions" });
    }
    let (yarn, pnpms) = (PinStyle::Yarn, PinStyle::Pnpm);
    let own = manifest.raw.get("resolutions").filter(|_| !is_pnpm || home.reads_pnpm_field());
    let resolutions = if is_pnpm { pnpms } else { yarn };
    for (name, value, style, peers) in [
        ("overrides in pnpm-workspace.yaml", overrides, pnpms, true),
        ("pnpm.overrides", pnpm.and_then(|pnpm| pnpm.get("overrides")), pnpms, true),
        ("resolutions", own, resolutions, is_pnpm),
    ] {
        match value {
            Some(Value::Object(entries)) => found.push(Field { name, entries, style, peers }),
            Some(value) if is_filled(value) => {
                read.left.push(ForeignPin::new(name, "*", None, style));
            }
            _ => {}
        }
    }
    if owner.manager == Manager::Bun
        && let Some(Value::Object(entries)) = manifest.raw.get("overrides")
        && entries.values().all(Value::is_string)
    {
        read.has_overrides = true;
        found.push(Field { name: "overrides", entries, style: pnpms, peers: false });
    }
    Ok(found)
}

fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(list) => !list.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}

/// Returns whether npm's `overrides` say the same as a pin.
///
/// # Errors
/// They say something else about the same packages.
fn repeated(
    manifest: &Manifest,
    field: &Field<'_>,
    selector: &Selector,
    text: &str,
    value: &Replacement,
) -> Result<bool, HomeError> {
    if field.name == "overrides" {
        return Ok(false);
    }
    let key = |name: &str, range: Option<&str>| match range {
        Some(range) => format!("{name}@{}", plain(range)),
        None => name.to_owned(),
    };
    let parent = selector.parent.as_ref().map(|(name, range)| key(name, range.as_deref()));
    let mut path: Vec<String> = parent.into_iter().collect();
    path.push(key(&selector.name, selector.range.as_deref()));
    let mut place = manifest.overrides.as_ref();
    for key in &path {
        place = place.and_then(|place| place.get(key));
    }
    let Some(own) = place.and_then(|place| place.get(".").unwrap_or(place).as_str()) else {
        return Ok(false);
    };
    let followed = own.strip_prefix('$').and_then(|name| requirement(manifest, name));
    let is_same = |own: &str| own == text || Some(plain(own)) == value.text.as_deref();
    if is_same(own) || followed.is_some_and(is_same) {
        return Ok(true);
    }
    Err(HomeError::PinContradiction {
        key: path.join(">"),
        first: ("overrides", own.to_owned()),
        second: (field.name, text.to_owned()),
    })
}

/// The requirement that a pin puts in place of others.
struct Replacement {
    /// `None` removes the dependency.
    text: Option<String>,
}

/// Returns what a value means; `None` where dx cannot carry it out.
fn replacement(
    text: &str,
    name: &str,
    style: PinStyle,
    manifest: &Manifest,
    meanings: &Meanings<'_>,
) -> Result<Option<Replacement>, HomeError> {
    let text = text.trim();
    if text == "-" && style == PinStyle::Pnpm {
        return Ok(Some(Replacement { text: None }));
    }
    let followed = match text.strip_prefix('$') {
        Some(other) => match requirement(manifest, other) {
            Some(found) => found,
            None => return Ok(None),
        },
        None => text,
    };
    let means = meanings.of("", name, followed)?.unwrap_or_else(|| followed.to_owned());
    let is_known = Spec::parse(&means).is_ok_and(|spec| !matches!(spec, Spec::Workspace(_)));
    Ok((is_known && !means.is_empty()).then_some(Replacement { text: Some(means) }))
}

/// Returns the requirement of the project itself for a name.
fn requirement<'m>(manifest: &'m Manifest, name: &str) -> Option<&'m str> {
    let sections = [Section::Dependencies, Section::Dev, Section::Optional, Section::Peer];
    let mut entries = sections.into_iter().flat_map(|section| manifest.section(section));
    entries.find(|(other, _)| other == name).map(|(_, spec)| spec.as_str())
}

fn pins_of(selector: &Selector, value: &Replacement, field: &Field<'_>) -> Vec<Pin> {
    let pin = |which| Pin {
        parent: selector.parent.clone(),
        name: selector.name.clone(),
        which,
        value: value.text.clone(),
        peers: field.peers,
    };
    match (&selector.range, field.style) {
        (None, _) => vec![pin(Which::All)],
        (Some(range), PinStyle::Pnpm) => vec![pin(Which::Meeting(range.clone()))],
        // Yarn's is the text of the requirement, which may leave its own protocol out.
        (Some(range), PinStyle::Yarn) => {
            let plain = plain(range).to_owned();
            let other = format!("npm:{plain}");
            vec![pin(Which::Written(plain)), pin(Which::Written(other))]
        }
    }
}

fn plain(range: &str) -> &str {
    range.strip_prefix("npm:").unwrap_or(range)
}

/// Returns the rule of npm's kind for a package anywhere below another; `None` where npm has no
/// words for it.
fn below(selector: &Selector, value: &Replacement) -> Option<Override> {
    let (parent, range) = selector.parent.as_ref()?;
    let key = |name: &str, range: Option<&str>| match range {
        Some(range) => format!("{name}@{}", plain(range)),
        None => name.to_owned(),
    };
    let own = Override {
        key: key(&selector.name, selector.range.as_deref()),
        value: Some(value.text.clone()?),
        children: Vec::new(),
    };
    Some(Override { key: key(parent, range.as_deref()), value: None, children: vec![own] })
}

fn selector(key: &str, style: PinStyle) -> Option<Selector> {
    match style {
        PinStyle::Pnpm => pnpm_selector(key),
        PinStyle::Yarn => yarn_selector(key),
    }
}

/// Reads `a`, `a@^1`, `b>a` and `b@1>a@2`. A `>` after `@`, `|` or a space belongs to a range.
fn pnpm_selector(key: &str) -> Option<Selector> {
    let mut before = '@';
    let at = key.char_indices().find(|(_, character)| {
        let is_mark = *character == '>' && !matches!(before, ' ' | '|' | '@');
        before = *character;
        is_mark
    });
    let (parent, own) = match at {
        Some((at, _)) => (Some(package(&key[..at])?), &key[at + 1..]),
        None => (None, key),
    };
    let (name, range) = package(own)?;
    Some(Selector { is_anywhere_below: false, parent, name, range })
}

/// Reads a name with or without a range.
fn package(text: &str) -> Option<(String, Option<String>)> {
    let text = text.trim();
    let at = text.char_indices().skip(1).find(|(_, character)| *character == '@');
    let (name, range) = at.map_or((text, None), |(at, _)| (&text[..at], Some(&text[at + 1..])));
    PackageName::parse(name).ok()?;
    let range = range.map(str::trim).filter(|range| !range.is_empty());
    if range.is_some_and(|range| Range::parse(plain(range)).is_err()) {
        return None;
    }
    Some((name.to_owned(), range.map(str::to_owned)))
}

/// Reads `a`, `b/a`, `**/a`, `b/**/a`, `a@npm:^1` and `b@npm:1.0.0/a`.
fn yarn_selector(key: &str) -> Option<Selector> {
    let mut packages: Vec<(String, Option<String>)> = Vec::new();
    let mut globs = Vec::new();
    let mut parts = key.trim().split('/');
    while let Some(part) = parts.next() {
        match part {
            "**" | "*" => globs.push(packages.len()),
            scope if scope.starts_with('@') => {
                packages.push(package(&format!("{scope}/{}", parts.next()?))?);
            }
            name => packages.push(package(name)?),
        }
    }
    let (name, range) = packages.pop()?;
    let parent = packages.pop();
    if !packages.is_empty() || globs.contains(&2) || parent.is_none() && globs.contains(&1) {
        return None;
    }
    let parent = match parent {
        // To Yarn this is the version itself, so a range is that of no package.
        Some((name, Some(range))) => {
            let version = Version::parse(plain(&range)).map(|version| version.to_string());
            Some((name, Some(version.unwrap_or_else(|_| NO_VERSION.to_owned()))))
        }
        parent => parent,
    };
    let is_anywhere_below = parent.is_some() && globs.contains(&1);
    Some(Selector { is_anywhere_below, parent, name, range })
}
