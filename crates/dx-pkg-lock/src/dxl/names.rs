//! An index by name of a compiled lock: packages and dependents.

use dx_pkg_format::wire::{u32_at, words};
use rustc_hash::FxHashMap;

use super::view::text_number;
use super::{DxlView, List, Text, record};
use crate::name_of_path;

/// The packages of a [`DxlView`] with each name, and the dependents of each name, by position.
pub struct NameIndex<'a> {
    /// The reference of each name.
    names: FxHashMap<&'a str, u32>,
    called: Groups,
    asking: Groups,
}

/// Lists of positions by text reference.
struct Groups {
    starts: Vec<u32>,
    places: Vec<u32>,
}

impl Groups {
    fn of(texts: usize, pairs: &[(u32, u32)]) -> Self {
        let mut starts = vec![0_u32; texts + 2];
        for (text, _) in pairs {
            starts[*text as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut places = vec![0; pairs.len()];
        let mut next = starts.clone();
        for (text, place) in pairs {
            let at = &mut next[*text as usize];
            places[*at as usize] = *place;
            *at += 1;
        }
        Self { starts, places }
    }

    fn get(&self, text: u32) -> &[u32] {
        let (start, end) = (self.starts[text as usize], self.starts[text as usize + 1]);
        &self.places[start as usize..end as usize]
    }
}

/// The lists of dependencies.
const ASKING: [List; 4] =
    [List::Dependencies, List::DevDependencies, List::OptionalDependencies, List::PeerDependencies];

impl<'a> NameIndex<'a> {
    /// Makes the index in one pass over all packages.
    #[must_use]
    pub fn new(view: &DxlView<'a>) -> Self {
        let strings = view.ends.len() / 4;
        let mut names: FxHashMap<&'a str, u32> = FxHashMap::default();
        names.reserve(view.len());
        // By text reference, the reference of the equal name in `names`.
        let mut known = vec![0_u32; strings + 1];
        let mut of_text = |names: &mut FxHashMap<&'a str, u32>, text: u32| {
            let place = &mut known[text as usize];
            if *place == 0 {
                *place = *names.entry(view.text(text).unwrap_or_default()).or_insert(text);
            }
            *place
        };
        let mut called = Vec::with_capacity(view.len());
        let mut asking = Vec::with_capacity(8 * view.len());
        let mut renamed = Vec::new();
        for (place, record) in view.records.iter().enumerate() {
            let place = place as u32;
            // The project itself is in no `node_modules`.
            let path = view.text(text_number(record, Text::Path)).filter(|path| !path.is_empty());
            match path {
                None => {}
                Some(_) if text_number(record, Text::ExplicitName) == 0 => {
                    called.push((of_text(&mut names, text_number(record, Text::Name)), place));
                }
                Some(path) => renamed.push((name_of_path(path), place)),
            }
            let mut start = u32_at(record, record::CELLS) as usize;
            for (list, count) in words(&record[record::COUNTS..]).enumerate() {
                let end = start + count as usize;
                if count > 0 && ASKING.iter().any(|asking| *asking as usize == list) {
                    let pairs =
                        view.cells.get(4 * start..4 * end).unwrap_or_default().as_chunks::<8>().0;
                    asking.extend(
                        pairs.iter().map(|pair| (of_text(&mut names, u32_at(pair, 0)), place)),
                    );
                }
                start = end;
            }
        }
        for (name, place) in renamed {
            // A name that is not a string of the file gets a reference beyond those of strings.
            let next = (strings + names.len() + 1) as u32;
            called.push((*names.entry(name).or_insert(next), place));
        }
        let texts = strings + names.len() + 2;
        Self { names, called: Groups::of(texts, &called), asking: Groups::of(texts, &asking) }
    }

    /// Returns the positions of the packages in a `node_modules/<name>`.
    #[must_use]
    pub fn packages_named(&self, name: &str) -> &[u32] {
        self.names.get(name).map_or(&[], |text| self.called.get(*text))
    }

    /// Returns the positions of the packages that depend on `name`, of any kind; one that lists it
    /// twice is there twice.
    #[must_use]
    pub fn dependents_of(&self, name: &str) -> &[u32] {
        self.names.get(name).map_or(&[], |text| self.asking.get(*text))
    }

    /// Returns all names, in no order.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.names.keys().copied()
    }
}

#[cfg(test)]
mod tests;
