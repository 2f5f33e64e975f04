//! npm's normalisation of `bin`: names without folders, paths that stay inside the package.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::de::SeqAccess;

use super::shape::{Pair, Pairs, Shape, Text, Texts};

/// `bin` as it is written.
#[derive(Default)]
pub(super) enum Bin<'a> {
    #[default]
    None,
    /// One path, whose name is the package's.
    Path(Text<'a>),
    /// (name, path).
    Named(Vec<Pair<'a>>),
}

impl<'de> Shape<'de> for Bin<'de> {
    fn text(path: Text<'de>) -> Self {
        Self::Path(path)
    }

    fn object<M: serde::de::MapAccess<'de>>(map: M) -> Result<Self, M::Error> {
        Pairs::object(map).map(|pairs| Self::Named(pairs.0))
    }

    fn array<S: SeqAccess<'de>>(sequence: S) -> Result<Self, S::Error> {
        let Texts(paths) = Texts::array(sequence)?;
        let named = paths.into_iter().map(|path| {
            let name = path.rsplit('/').find(|part| !part.is_empty());
            (Cow::Owned(name.unwrap_or_default().to_owned()), path)
        });
        Ok(Self::Named(named.collect()))
    }
}

/// Returns the executables of `package`, (name, path), normalised.
///
/// A name that loses its folder comes last, or takes the place of one that had it without a folder.
pub(super) fn normalised<'a>(bin: Bin<'a>, package: &Text<'a>) -> Vec<Pair<'a>> {
    let written = match bin {
        Bin::None => return Vec::new(),
        Bin::Path(path) if path.is_empty() => return Vec::new(),
        Bin::Path(path) => vec![(package.clone(), path)],
        Bin::Named(pairs) => pairs,
    };
    let (plain, renamed): (Vec<_>, Vec<_>) =
        written.into_iter().partition(|(key, _)| is_base_name(key));
    let mut places: HashMap<Text<'a>, usize> = HashMap::new();
    let mut bins: Vec<Pair<'a>> = Vec::with_capacity(plain.len() + renamed.len());
    for (key, path) in plain.into_iter().chain(renamed) {
        let (name, path) = (base_name(key), clean_path(path));
        if name.is_empty() || path.is_empty() || name.contains('\0') || path.contains('\0') {
            continue;
        }
        match places.get(&name).and_then(|place| bins.get_mut(*place)) {
            Some(bin) => bin.1 = path,
            None => {
                places.insert(name.clone(), bins.len());
                bins.push((name, path));
            }
        }
    }
    bins
}

fn is_base_name(key: &str) -> bool {
    is_clean(key) && !key.contains('/')
}

fn base_name(key: Text<'_>) -> Text<'_> {
    if is_base_name(&key) {
        return key;
    }
    let path = clean_path(key);
    let name = path.rsplit('/').find(|part| !part.is_empty());
    Cow::Owned(name.unwrap_or_default().to_owned())
}

/// Returns the path relative to the package: `\` and `:` separate, `..` stops at the package, a
/// last `/` stays.
fn clean_path(path: Text<'_>) -> Text<'_> {
    if is_clean(&path) {
        return path;
    }
    if let Cow::Borrowed(path) = path
        && let Some(rest) = path.strip_prefix("./")
        && is_clean(rest)
    {
        return Cow::Borrowed(rest);
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split(SEPARATORS) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let mut clean = parts.join("/");
    if path.ends_with(SEPARATORS) && !clean.is_empty() {
        clean.push('/');
    }
    Cow::Owned(clean)
}

const SEPARATORS: [char; 3] = ['/', '\\', ':'];

fn is_clean(path: &str) -> bool {
    !path.contains(['\\', ':']) && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
