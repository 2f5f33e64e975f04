//! Values of another type than their member's, as npm copies them to a lockfile: JSON text.
//!
//! A value of the usual type allocates nothing here: its JSON is composed from the first unusual
//! part on.

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};

use super::json::{Json, quoted};
use super::shape::{Key, Lenient, Pair, Shape, Text, merge_repeated};

/// Any value as JSON text; `None` where npm leaves it out of a lockfile, as it is empty or false.
#[derive(Default)]
pub(super) struct Verbatim(pub(super) Option<String>);

impl<'de> Shape<'de> for Verbatim {
    fn text(text: Text<'de>) -> Self {
        Self(Json::text(text).filled())
    }

    fn flag(flag: bool) -> Self {
        Self(Json::flag(flag).filled())
    }

    fn number(number: f64) -> Self {
        Self(Json::number(number).filled())
    }

    fn object<M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        Ok(Self(Json::object(map)?.filled()))
    }

    fn array<S: SeqAccess<'de>>(sequence: S) -> Result<Self, S::Error> {
        Ok(Self(Json::array(sequence)?.filled()))
    }
}

/// A part of a list or of an object of texts.
enum Part<'a> {
    Text(Text<'a>),
    Other(Json),
}

impl Default for Part<'_> {
    fn default() -> Self {
        Self::Other(Json::default())
    }
}

impl<'de> Shape<'de> for Part<'de> {
    fn text(text: Text<'de>) -> Self {
        Self::Text(text)
    }

    fn flag(flag: bool) -> Self {
        Self::Other(Json::flag(flag))
    }

    fn number(number: f64) -> Self {
        Self::Other(Json::number(number))
    }

    fn object<M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        Json::object(map).map(Self::Other)
    }

    fn array<S: SeqAccess<'de>>(sequence: S) -> Result<Self, S::Error> {
        Json::array(sequence).map(Self::Other)
    }
}

/// The JSON of a list or object that is being read, once a part of it is unusual.
#[derive(Default)]
struct Composed(Option<String>);

impl Composed {
    /// Appends a part.
    fn push(&mut self, part: &str) {
        if let Some(json) = &mut self.0 {
            if !json.is_empty() {
                json.push(',');
            }
            json.push_str(part);
        }
    }

    /// Begins the JSON with the parts before, unless it has begun.
    fn begin(&mut self, before: impl Iterator<Item = String>) {
        if self.0.is_none() {
            self.0 = Some(before.collect::<Vec<_>>().join(","));
        }
    }

    fn finish(self, open: char, close: char) -> Option<String> {
        self.0.map(|json| format!("{open}{json}{close}"))
    }
}

fn member(key: &str, json: &str) -> String {
    format!("{}:{json}", quoted(key))
}

/// `os`, `cpu` and `libc`: texts, and the JSON of what is not a list of texts. What npm cannot read
/// names no system: npm takes it for one that the package does not run on.
#[derive(Default)]
pub(super) struct Names<'a> {
    pub(super) texts: Vec<Text<'a>>,
    pub(super) other: Option<String>,
}

impl<'de> Shape<'de> for Names<'de> {
    fn text(text: Text<'de>) -> Self {
        let texts = if text.is_empty() { Vec::new() } else { vec![text.clone()] };
        Self { texts, other: Verbatim::text(text).0 }
    }

    fn flag(flag: bool) -> Self {
        Self::unreadable(Verbatim::flag(flag))
    }

    fn number(number: f64) -> Self {
        Self::unreadable(Verbatim::number(number))
    }

    fn object<M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        Verbatim::object(map).map(Self::unreadable)
    }

    fn array<S: SeqAccess<'de>>(mut sequence: S) -> Result<Self, S::Error> {
        let (mut texts, mut composed) = (Vec::new(), Composed::default());
        while let Some(Lenient(part)) = sequence.next_element::<Lenient<Part<'de>>>()? {
            match part {
                Part::Text(text) => {
                    if composed.0.is_some() {
                        composed.push(&quoted(&text));
                    }
                    texts.push(text);
                }
                Part::Other(json) => {
                    composed.begin(texts.iter().map(|text| quoted(text)));
                    composed.push(&json.to_string());
                }
            }
        }
        match composed.finish('[', ']') {
            None => Ok(Self { texts, other: None }),
            other => Ok(Self::unreadable(Verbatim(other))),
        }
    }
}

impl Names<'_> {
    fn unreadable(Verbatim(other): Verbatim) -> Self {
        Self { texts: other.iter().map(|_| Cow::Borrowed("")).collect(), other }
    }
}

/// `engines`: pairs, the texts of an array under "0", "1", …, and the JSON of what is neither an
/// object of texts nor an array of texts.
#[derive(Default)]
pub(super) struct Engines<'a> {
    pub(super) pairs: Vec<Pair<'a>>,
    pub(super) other: Option<String>,
}

impl<'de> Shape<'de> for Engines<'de> {
    fn text(text: Text<'de>) -> Self {
        Self { other: Verbatim::text(text).0, ..Self::default() }
    }

    fn flag(flag: bool) -> Self {
        Self { other: Verbatim::flag(flag).0, ..Self::default() }
    }

    fn number(number: f64) -> Self {
        Self { other: Verbatim::number(number).0, ..Self::default() }
    }

    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        let (mut pairs, mut composed) = (Vec::<Pair<'de>>::new(), Composed::default());
        while let Some((Key(key), Lenient(part))) =
            map.next_entry::<Key<'de>, Lenient<Part<'de>>>()?
        {
            match part {
                Part::Text(text) => {
                    if composed.0.is_some() {
                        composed.push(&member(&key, &quoted(&text)));
                    }
                    pairs.push((key, text));
                }
                Part::Other(json) => {
                    composed.begin(pairs.iter().map(|(key, text)| member(key, &quoted(text))));
                    composed.push(&member(&key, &json.to_string()));
                }
            }
        }
        merge_repeated(&mut pairs);
        Ok(Self { pairs, other: composed.finish('{', '}') })
    }

    fn array<S: SeqAccess<'de>>(sequence: S) -> Result<Self, S::Error> {
        let Names { mut texts, other } = Names::array(sequence)?;
        if other.is_some() {
            texts.clear();
        }
        let numbered = texts.into_iter().enumerate();
        let pairs = numbered.map(|(at, text)| (Cow::Owned(at.to_string()), text)).collect();
        Ok(Self { pairs, other })
    }
}

/// `peerDependenciesMeta`: (name, whether optional), and the JSON of what has anything but that.
#[derive(Default)]
pub(super) struct PeerMeta<'a> {
    pub(super) peers: Vec<(Text<'a>, bool)>,
    pub(super) other: Option<String>,
}

impl<'de> Shape<'de> for PeerMeta<'de> {
    fn text(text: Text<'de>) -> Self {
        Self { other: Verbatim::text(text).0, ..Self::default() }
    }

    fn flag(flag: bool) -> Self {
        Self { other: Verbatim::flag(flag).0, ..Self::default() }
    }

    fn number(number: f64) -> Self {
        Self { other: Verbatim::number(number).0, ..Self::default() }
    }

    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        let plain = |optional: bool| format!("{{\"optional\":{optional}}}");
        let (mut peers, mut composed) = (Vec::<(Text<'de>, bool)>::new(), Composed::default());
        while let Some((Key(name), Lenient(meta))) = map.next_entry::<Key<'de>, Lenient<Meta>>()? {
            match &meta.other {
                None if composed.0.is_none() => {}
                None => composed.push(&member(&name, &plain(meta.optional))),
                Some(json) => {
                    let before = peers.iter();
                    composed.begin(before.map(|(name, set)| member(name, &plain(*set))));
                    composed.push(&member(&name, json));
                }
            }
            peers.push((name, meta.optional));
        }
        Ok(Self { peers, other: composed.finish('{', '}') })
    }

    fn array<S: SeqAccess<'de>>(sequence: S) -> Result<Self, S::Error> {
        Ok(Self { other: Verbatim::array(sequence)?.0, ..Self::default() })
    }
}

/// What is said of one peer, and its JSON where it is anything but `{"optional":…}`.
struct Meta {
    optional: bool,
    other: Option<String>,
}

impl Meta {
    fn unusual(json: &Json) -> Self {
        Self { optional: false, other: Some(json.to_string()) }
    }
}

impl Default for Meta {
    fn default() -> Self {
        Self::unusual(&Json::default())
    }
}

impl<'de> Shape<'de> for Meta {
    fn text(text: Text<'de>) -> Self {
        Self::unusual(&Json::text(text))
    }

    fn flag(flag: bool) -> Self {
        Self::unusual(&Json::flag(flag))
    }

    fn number(number: f64) -> Self {
        Self::unusual(&Json::number(number))
    }

    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        let mut optional = None;
        let mut composed = Composed::default();
        while let Some((Key(key), Lenient(value))) =
            map.next_entry::<Key<'de>, Lenient<Setting>>()?
        {
            match value {
                Setting::Flag(set) if key == "optional" && composed.0.is_none() => {
                    optional = Some(set);
                }
                value => {
                    let before = optional.map(|set| format!("\"optional\":{set}"));
                    composed.begin(before.into_iter());
                    let json = value.json();
                    if key == "optional" {
                        optional = Some(json.is_true());
                    }
                    composed.push(&member(&key, &json.to_string()));
                }
            }
        }
        if optional.is_none() {
            composed.begin(std::iter::empty());
        }
        Ok(Self { optional: optional.unwrap_or_default(), other: composed.finish('{', '}') })
    }

    fn array<S: SeqAccess<'de>>(sequence: S) -> Result<Self, S::Error> {
        Json::array(sequence).map(|json| Self::unusual(&json))
    }
}

/// A value that is nearly always true or false.
enum Setting {
    Flag(bool),
    Other(Json),
}

impl Setting {
    fn json(self) -> Json {
        match self {
            Self::Flag(flag) => Json::flag(flag),
            Self::Other(json) => json,
        }
    }
}

impl Default for Setting {
    fn default() -> Self {
        Self::Other(Json::default())
    }
}

impl<'de> Shape<'de> for Setting {
    fn text(text: Text<'de>) -> Self {
        Self::Other(Json::text(text))
    }

    fn flag(flag: bool) -> Self {
        Self::Flag(flag)
    }

    fn number(number: f64) -> Self {
        Self::Other(Json::number(number))
    }

    fn object<M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        Json::object(map).map(Self::Other)
    }

    fn array<S: SeqAccess<'de>>(sequence: S) -> Result<Self, S::Error> {
        Json::array(sequence).map(Self::Other)
    }
}

/// `license`: a text or an object's `type`, and the JSON of anything else.
#[derive(Default)]
pub(super) struct License<'a> {
    pub(super) text: Option<Text<'a>>,
    pub(super) other: Option<String>,
}

impl<'de> Shape<'de> for License<'de> {
    fn text(text: Text<'de>) -> Self {
        Self { text: Some(text).filter(|text| !text.is_empty()), other: None }
    }

    fn flag(flag: bool) -> Self {
        Self { other: Verbatim::flag(flag).0, ..Self::default() }
    }

    fn number(number: f64) -> Self {
        Self { other: Verbatim::number(number).0, ..Self::default() }
    }

    fn object<M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        let mut kind = None;
        let json = Json::of_object(map, |key, value| {
            if key == "type" {
                kind = Some(value.to_string());
            }
        })?;
        let json = match kind.map(Json::of) {
            Some(kind) if kind.is_true() => kind,
            _ => json,
        };
        Ok(match json.as_text() {
            Some(text) => Self { text: Some(text.into()), other: None },
            None => Self { text: None, other: json.filled() },
        })
    }

    fn array<S: SeqAccess<'de>>(sequence: S) -> Result<Self, S::Error> {
        Ok(Self { text: None, other: Verbatim::array(sequence)?.0 })
    }
}

/// `deprecated`: a message, and the JSON of anything else.
#[derive(Default)]
pub(super) struct Deprecation<'a> {
    pub(super) message: Text<'a>,
    pub(super) other: Option<String>,
}

impl Deprecation<'_> {
    /// The JSON stands in for a message: the version counts as deprecated.
    fn of(json: Json) -> Self {
        let other = json.filled();
        Self { message: Cow::Owned(other.clone().unwrap_or_default()), other }
    }
}

impl<'de> Shape<'de> for Deprecation<'de> {
    fn text(message: Text<'de>) -> Self {
        Self { message, other: None }
    }

    fn flag(flag: bool) -> Self {
        Self::of(Json::flag(flag))
    }

    fn number(number: f64) -> Self {
        Self::of(Json::number(number))
    }

    fn object<M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        Json::object(map).map(Self::of)
    }

    fn array<S: SeqAccess<'de>>(sequence: S) -> Result<Self, S::Error> {
        Json::array(sequence).map(Self::of)
    }
}
