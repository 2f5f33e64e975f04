//! Lenient JSON values: one of the expected shape is taken, any other counts as absent.
//!
//! Packuments of three decades hold arrays where objects belong, `null` for versions and booleans
//! for texts. npm reads past all of it, so a wrong shape is never an error here. Damaged JSON is.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

pub(super) type Text<'a> = Cow<'a, str>;
pub(super) type Pair<'a> = (Text<'a>, Text<'a>);

/// A handler for each kind of JSON value; a kind that is not overridden gives the default.
pub(super) trait Shape<'de>: Default {
    fn text(_: Text<'de>) -> Self {
        Self::default()
    }

    fn flag(_: bool) -> Self {
        Self::default()
    }

    fn number(_: f64) -> Self {
        Self::default()
    }

    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }

    fn array<S: SeqAccess<'de>>(mut sequence: S) -> Result<Self, S::Error> {
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

/// Deserialises any JSON value to `T`.
pub(super) struct Lenient<T>(pub(super) T);

impl<'de, T: Shape<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LenientVisitor(PhantomData))
    }
}

struct LenientVisitor<T>(PhantomData<T>);

impl<'de, T: Shape<'de>> Visitor<'de> for LenientVisitor<T> {
    type Value = Lenient<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Lenient(T::text(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Lenient(T::text(Cow::Owned(text.to_owned()))))
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
        Ok(Lenient(T::flag(flag)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Lenient(T::number(number as f64)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Lenient(T::number(number as f64)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Lenient(T::number(number)))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Lenient(T::default()))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
        T::object(map).map(Lenient)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, sequence: S) -> Result<Self::Value, S::Error> {
        T::array(sequence).map(Lenient)
    }
}

/// A target that is filled from an object, given some context; another kind of JSON value leaves it
/// empty.
pub(super) trait Target<'de> {
    /// Empties the target: of a repeated key the last value counts.
    fn clear(&mut self);

    fn object<M: MapAccess<'de>>(&mut self, map: M) -> Result<(), M::Error>;
}

/// Deserialises any JSON value into a target; returns whether it was an object.
pub(super) struct Fill<'t, T>(pub(super) &'t mut T);

impl<'de, T: Target<'de>> DeserializeSeed<'de> for Fill<'_, T> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        self.0.clear();
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Target<'de>> Visitor<'de> for Fill<'_, T> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<bool, M::Error> {
        self.0.object(map).map(|()| true)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> Result<bool, S::Error> {
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(false)
    }
}

/// The key of an object, borrowed unless it has escapes.
pub(super) struct Key<'a>(pub(super) Text<'a>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(key)))
            }

            fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(key.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

impl<'de> Shape<'de> for Option<Text<'de>> {
    fn text(text: Text<'de>) -> Self {
        Some(text)
    }
}

/// A whole number that is not negative.
impl Shape<'_> for Option<u64> {
    fn number(number: f64) -> Self {
        // Larger numbers are not whole in JavaScript either.
        const LARGEST: f64 = 9_007_199_254_740_991.0;
        ((0.0..=LARGEST).contains(&number) && number.fract() == 0.0).then_some(number as u64)
    }
}

/// The truth of a value in JavaScript.
#[derive(Default)]
pub(super) struct Truth(pub(super) bool);

impl<'de> Shape<'de> for Truth {
    fn text(text: Text<'de>) -> Self {
        Self(!text.is_empty())
    }

    fn flag(flag: bool) -> Self {
        Self(flag)
    }

    fn number(number: f64) -> Self {
        Self(number != 0.0)
    }

    fn object<M: MapAccess<'de>>(mut map: M) -> Result<Self, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self(true))
    }

    fn array<S: SeqAccess<'de>>(mut sequence: S) -> Result<Self, S::Error> {
        while sequence.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self(true))
    }
}

/// An object's texts by key, in its order; of a repeated key the last value at the first place.
#[derive(Default)]
pub(super) struct Pairs<'a>(pub(super) Vec<Pair<'a>>);

impl<'de> Shape<'de> for Pairs<'de> {
    fn object<M: MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        let mut pairs = Vec::new();
        pairs.object(map)?;
        Ok(Self(pairs))
    }
}

impl<'de> Target<'de> for Vec<Pair<'de>> {
    fn clear(&mut self) {
        self.clear();
    }

    fn object<M: MapAccess<'de>>(&mut self, mut map: M) -> Result<(), M::Error> {
        while let Some((Key(key), Lenient(value))) =
            map.next_entry::<Key<'de>, Lenient<Option<Text<'de>>>>()?
        {
            self.extend(value.map(|value| (key, value)));
        }
        merge_repeated(self);
        Ok(())
    }
}

pub(super) fn merge_repeated(pairs: &mut Vec<Pair<'_>>) {
    if !has_repeated(pairs) {
        return;
    }
    let mut places: HashMap<Text<'_>, usize> = HashMap::new();
    let mut merged: Vec<Pair<'_>> = Vec::with_capacity(pairs.len());
    for (key, value) in pairs.drain(..) {
        match places.get(&key).and_then(|place| merged.get_mut(*place)) {
            Some(first) => first.1 = value,
            None => {
                places.insert(key.clone(), merged.len());
                merged.push((key, value));
            }
        }
    }
    *pairs = merged;
}

pub(super) fn has_repeated(pairs: &[Pair<'_>]) -> bool {
    // Comparing each with each is quicker than hashing as long as there are few.
    const FEW: usize = 16;
    if pairs.len() <= FEW {
        let repeats = |at: usize| pairs[..at].iter().any(|earlier| earlier.0 == pairs[at].0);
        return (1..pairs.len()).any(repeats);
    }
    let mut seen: HashSet<&str> = HashSet::with_capacity(pairs.len());
    !pairs.iter().all(|(key, _)| seen.insert(key))
}

/// A text or the texts of an array.
#[derive(Default)]
pub(super) struct Texts<'a>(pub(super) Vec<Text<'a>>);

impl<'de> Shape<'de> for Texts<'de> {
    fn text(text: Text<'de>) -> Self {
        Self(vec![text])
    }

    fn array<S: SeqAccess<'de>>(mut sequence: S) -> Result<Self, S::Error> {
        let mut texts = Vec::new();
        while let Some(Lenient(text)) = sequence.next_element::<Lenient<Option<Text<'de>>>>()? {
            texts.extend(text);
        }
        Ok(Self(texts))
    }
}
