//! The parts of a packument, each as the text that it has.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// An object's fields in order, each name once: the last one counts.
pub(crate) struct Fields<'a>(pub(crate) Vec<(String, &'a RawValue)>);

/// The number of fields from which repeated names are looked for in a map.
const MANY: usize = 32;

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Vec<(String, &'de RawValue)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry::<String, &'de RawValue>()? {
                    fields.push(field);
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Object).map(|fields| Self(without_repetitions(fields)))
    }
}

fn without_repetitions(fields: Vec<(String, &RawValue)>) -> Vec<(String, &RawValue)> {
    let repeats = if fields.len() < MANY {
        let is_later = |i: usize, name: &str| fields[..i].iter().any(|(own, _)| own == name);
        fields.iter().enumerate().any(|(i, (name, _))| is_later(i, name))
    } else {
        let names: std::collections::HashSet<&str> =
            fields.iter().map(|(name, _)| name.as_str()).collect();
        names.len() < fields.len()
    };
    if !repeats {
        return fields;
    }
    let mut last: HashMap<String, usize> = HashMap::new();
    for (i, (name, _)) in fields.iter().enumerate() {
        last.insert(name.clone(), i);
    }
    let counts = |i: usize, name: &str| last.get(name) == Some(&i);
    fields
        .into_iter()
        .enumerate()
        .filter(|(i, (name, _))| counts(*i, name))
        .map(|(_, f)| f)
        .collect()
}

/// Parses the fields of an object.
pub(super) fn fields(raw: &RawValue) -> Result<Vec<(String, &RawValue)>, String> {
    serde_json::from_str::<Fields<'_>>(raw.get()).map(|fields| fields.0).map_err(text)
}

pub(super) fn text(error: serde_json::Error) -> String {
    error.to_string()
}

/// A packument, as far as it is read before a form is written.
pub(crate) struct Outline<'a> {
    /// All fields but the versions.
    pub(crate) fields: Vec<(String, &'a RawValue)>,
    pub(crate) versions: Vec<(String, &'a RawValue)>,
}

/// The part of a version that leads to its tarball.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Dist {
    pub(crate) tarball: Option<String>,
    pub(crate) integrity: Option<String>,
    pub(crate) shasum: Option<String>,
}

impl<'a> Outline<'a> {
    /// Reads a packument; checks that it is one, and that of `name`.
    ///
    /// # Errors
    /// A text that says what is wrong.
    pub(crate) fn parse(source: &'a [u8], name: &str) -> Result<Self, String> {
        let parsed: Fields<'a> = serde_json::from_slice(source).map_err(text)?;
        let mut outline = Self { fields: parsed.0, versions: Vec::new() };
        let own: Option<String> = outline.read("name")?;
        if own.as_deref() != Some(name) {
            return Err(format!("its name is {own:?}"));
        }
        if let Some(at) = outline.fields.iter().position(|(field, _)| field == "versions") {
            let (_, raw) = outline.fields.remove(at);
            outline.versions = fields(raw)?;
            // Some registries leave a version that was removed as `null`.
            outline.versions.retain(|(_, version)| version.get().starts_with('{'));
        }
        Ok(outline)
    }

    /// Returns a field's text.
    pub(crate) fn field(&self, name: &str) -> Option<&'a RawValue> {
        self.fields.iter().find(|(own, _)| own == name).map(|(_, raw)| *raw)
    }

    /// Reads a field; `None` where it is missing.
    pub(crate) fn read<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, String> {
        self.field(name).map(|raw| serde_json::from_str(raw.get()).map_err(text)).transpose()
    }

    /// Returns the dist-tags.
    pub(crate) fn tags(&self) -> BTreeMap<String, String> {
        self.read("dist-tags").ok().flatten().unwrap_or_default()
    }

    /// Returns the times: of versions, `created` and `modified`.
    pub(crate) fn times(&self) -> BTreeMap<String, String> {
        let times: BTreeMap<String, Value> = self.read("time").ok().flatten().unwrap_or_default();
        let text = |(key, value): (String, Value)| Some((key, value.as_str()?.to_owned()));
        times.into_iter().filter_map(text).collect()
    }

    /// Returns the text of a version, which is named by itself or by a tag.
    pub(crate) fn version(&self, wanted: &str) -> Option<(&str, &'a RawValue)> {
        let find = |wanted: &str| {
            let found = self.versions.iter().find(|(version, _)| version == wanted);
            found.map(|(version, raw)| (version.as_str(), *raw))
        };
        find(wanted).or_else(|| find(self.tags().get(wanted)?))
    }
}

/// Reads what leads to a version's tarball.
pub(crate) fn dist(version: &RawValue) -> Option<Dist> {
    #[derive(serde::Deserialize)]
    struct Version {
        dist: Option<Dist>,
    }
    serde_json::from_str::<Version>(version.get()).ok()?.dist
}
