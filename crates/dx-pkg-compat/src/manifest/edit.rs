//! Edits to the text of a `package.json` that leave everything else as it was, byte for byte.
//!
//! The effect of an edit (the sections that a name leaves, the place of a new section, the order of
//! names) is npm's when it saves. Unlike npm, dx does not reformat the rest of the text.

use std::cmp::Ordering;
use std::ops::Range;

use serde_json::Value;

use super::section::name_order;
use super::text::{Container, Object, skip_space};
use super::{ManifestError, Section, read};

mod layout;

#[cfg(test)]
mod tests;

use layout::Layout;

/// A `package.json` being edited.
#[derive(Debug, Clone)]
pub struct ManifestEdit {
    text: String,
    root: usize,
    layout: Layout,
}

impl ManifestEdit {
    /// Starts to edit a text; new lines follow its indentation and line ends.
    ///
    /// # Errors
    /// Text that is not a JSON object, as for [`Manifest::parse`](super::Manifest::parse).
    pub fn new(text: &str) -> Result<ManifestEdit, ManifestError> {
        read::document(text)?;
        let mark = if text.starts_with('\u{feff}') { 3 } else { 0 };
        let root = skip_space(text.as_bytes(), mark);
        Ok(ManifestEdit { text: text.to_owned(), root, layout: Layout::of(text, root) })
    }

    /// Saves a dependency in a section, as `npm install --save-…` does.
    ///
    /// The name leaves the sections it cannot stand in as well, a section that becomes empty is
    /// removed, a missing one is put last, and a section that gains a name is sorted.
    pub fn set_dependency(&mut self, section: Section, name: &str, spec: &str) {
        // npm keeps a name that stood in both `dependencies` and `peerDependencies` in both.
        let keeps_both = section == Section::Peer
            && self.has(Section::Peer, name)
            && self.has(Section::Dependencies, name);
        for other in section.displaces() {
            if *other == Section::Dependencies && keeps_both {
                self.put(Section::Dependencies, name, spec);
            } else {
                self.take(*other, name);
            }
        }
        self.put(section, name, spec);
        if section == Section::Peer && self.has(Section::Dev, name) {
            self.put(Section::Dev, name, spec);
        }
    }

    /// Changes or adds a dependency in one section and leaves the other sections alone.
    pub fn update_dependency(&mut self, section: Section, name: &str, spec: &str) {
        self.put(section, name, spec);
    }

    /// Removes a dependency from one section, or with `None` from every section and from
    /// `bundleDependencies`, as `npm uninstall` does. Returns whether it was in any of them.
    pub fn remove_dependency(&mut self, section: Option<Section>, name: &str) -> bool {
        if let Some(section) = section {
            return self.take(section, name);
        }
        let mut removed = false;
        for section in Section::ALL {
            removed |= self.take(section, name);
        }
        for list in ["bundleDependencies", "bundledDependencies"] {
            removed |= self.take_from_list(list, name);
        }
        removed
    }

    /// Adds a name to `bundleDependencies`, as `npm install --save-bundle` does: the list is
    /// sorted, and a project that bundles everything stays as it is.
    pub fn bundle(&mut self, name: &str) {
        const KEYS: [&str; 2] = ["bundleDependencies", "bundledDependencies"];
        let root = Object::at(&self.text, self.root);
        let key = KEYS.into_iter().find(|key| root.find(key).is_some()).unwrap_or(KEYS[0]);
        let present =
            root.find(key).map(|index| parse(&self.text[root.members[index].value.clone()]));
        let mut names: Vec<String> = match present {
            Some(Value::Bool(true)) => return,
            Some(Value::Array(list)) => {
                list.iter().filter_map(|item| Some(item.as_str()?.to_owned())).collect()
            }
            _ => Vec::new(),
        };
        names.push(name.to_owned());
        names.sort_by(|a, b| name_order(a, b));
        names.dedup();
        self.set(&[key], &names.into());
    }

    /// Marks a peer dependency as optional, or as required where it was marked as optional.
    pub fn set_peer_optional(&mut self, name: &str, optional: bool) {
        let path = ["peerDependenciesMeta", name, "optional"];
        let is_marked = || {
            let object = self.object_at(&path[..2])?;
            let index = object.find(path[2])?;
            Some(parse(&self.text[object.members[index].value.clone()]) == true)
        };
        if optional || is_marked() == Some(true) {
            self.set(&path, &optional.into());
        }
    }

    /// Sorts the names of every section and leaves a name that is in `dependencies` and
    /// `optionalDependencies` in the latter, as npm does whenever it saves.
    pub fn arrange_sections(&mut self) {
        let optional = self.object_at(&[Section::Optional.key()]);
        for member in optional.into_iter().flat_map(|object| object.members) {
            self.take(Section::Dependencies, &member.key);
        }
        for section in Section::ALL {
            if let Some(object) = self.object_at(&[section.key()])
                && !object.members.is_sorted_by(|a, b| name_order(&a.key, &b.key).is_le())
            {
                self.write_sorted(&object, None);
            }
        }
    }

    /// Sets the value at a path of keys, creating missing objects; an existing value that is equal
    /// keeps its text. An empty path changes nothing.
    pub fn set(&mut self, path: &[&str], value: &Value) {
        let mut open = self.root;
        for (depth, key) in path.iter().enumerate() {
            let object = Object::at(&self.text, open);
            let rest = &path[depth + 1..];
            let Some(index) = object.find(key) else {
                self.insert(&object, object.members.len(), depth, key, &nest(rest, value));
                return;
            };
            let span = object.members[index].value.clone();
            if rest.is_empty() || !self.text[span.clone()].starts_with('{') {
                self.replace_value(span, depth, &nest(rest, value));
                return;
            }
            open = span.start;
        }
    }

    /// Removes the member at a path of keys and returns whether it was there.
    pub fn remove(&mut self, path: &[&str]) -> bool {
        let Some((last, parents)) = path.split_last() else {
            return false;
        };
        let mut removed = false;
        while let Some(object) = self.object_at(parents)
            && let Some(index) = object.find(last)
        {
            self.text.replace_range(object.container.removal(index), "");
            removed = true;
        }
        removed
    }

    /// Returns the edited text.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    fn object_at(&self, path: &[&str]) -> Option<Object> {
        let mut open = self.root;
        for key in path {
            let object = Object::at(&self.text, open);
            let value = &object.members[object.find(key)?].value;
            if !self.text[value.clone()].starts_with('{') {
                return None;
            }
            open = value.start;
        }
        Some(Object::at(&self.text, open))
    }

    fn has(&self, section: Section, name: &str) -> bool {
        self.object_at(&[section.key()]).is_some_and(|object| object.find(name).is_some())
    }

    fn put(&mut self, section: Section, name: &str, spec: &str) {
        let value = Value::from(spec);
        match self.object_at(&[section.key()]) {
            Some(object) if object.find(name).is_none() => self.insert_sorted(object, name, &value),
            _ => self.set(&[section.key(), name], &value),
        }
    }

    fn take(&mut self, section: Section, name: &str) -> bool {
        if !self.remove(&[section.key(), name]) {
            return false;
        }
        let left = self.object_at(&[section.key()]);
        if left.is_some_and(|object| object.members.is_empty()) {
            self.remove(&[section.key()]);
        }
        true
    }

    fn take_from_list(&mut self, key: &str, name: &str) -> bool {
        let mut removed = false;
        while let Some((list, index)) = self.find_in_list(key, name) {
            removed = true;
            if list.items.len() == 1 {
                self.remove(&[key]);
                break;
            }
            self.text.replace_range(list.removal(index), "");
        }
        removed
    }

    fn find_in_list(&self, key: &str, name: &str) -> Option<(Container, usize)> {
        let root = Object::at(&self.text, self.root);
        let value = root.members[root.find(key)?].value.clone();
        if !self.text[value.clone()].starts_with('[') {
            return None;
        }
        let list = Container::at(&self.text, value.start);
        let is_name = |item: &Range<usize>| parse(&self.text[item.clone()]) == name;
        let index = list.items.iter().position(is_name)?;
        Some((list, index))
    }

    fn insert_sorted(&mut self, object: Object, name: &str, value: &Value) {
        let keys: Vec<&str> = object.members.iter().map(|member| member.key.as_str()).collect();
        let sorted = keys.is_sorted_by(|a, b| name_order(a, b) != Ordering::Greater);
        if sorted {
            let index = keys.partition_point(|key| name_order(key, name) == Ordering::Less);
            self.insert(&object, index, 1, name, value);
        } else {
            self.write_sorted(&object, Some((name, value)));
        }
    }

    /// Writes the members of a section in their order, with one more if it is given.
    fn write_sorted(&mut self, object: &Object, added: Option<(&str, &Value)>) {
        let container = &object.container;
        let added = added
            .map(|(name, value)| (name, self.layout.member(&self.text, object, 1, name, value)));
        let members = object.members.iter().zip(&container.items);
        let mut entries: Vec<(&str, &str)> =
            members.map(|(member, item)| (member.key.as_str(), &self.text[item.clone()])).collect();
        entries.extend(added.as_ref().map(|(name, text)| (*name, text.as_str())));
        entries.sort_by(|a, b| name_order(a.0, b.0));
        let separator = format!(",{}", self.layout.space(&self.text, container, 1));
        let texts: Vec<&str> = entries.iter().map(|(_, text)| *text).collect();
        let sorted = texts.join(&separator);
        let (Some(first), Some(last)) = (container.items.first(), container.items.last()) else {
            return;
        };
        self.text.replace_range(first.start..last.end, &sorted);
    }

    /// Inserts a member before the `index`th of an object that is `depth` levels below the root.
    fn insert(&mut self, object: &Object, index: usize, depth: usize, key: &str, value: &Value) {
        let container = &object.container;
        let member = self.layout.member(&self.text, object, depth, key, value);
        let space = self.layout.space(&self.text, container, depth);
        if container.items.is_empty() {
            let closing = self.layout.line(depth);
            let inside = format!("{space}{member}{closing}");
            self.text.replace_range(container.open + 1..container.close, &inside);
        } else if let Some(next) = container.items.get(index) {
            let start = next.start;
            self.text.insert_str(start, &format!("{member},{space}"));
        } else if let Some(last) = container.items.last() {
            let end = last.end;
            self.text.insert_str(end, &format!(",{space}{member}"));
        }
    }

    fn replace_value(&mut self, span: Range<usize>, depth: usize, value: &Value) {
        if parse(&self.text[span.clone()]) != *value {
            let rendered = self.layout.render(value, depth + 1);
            self.text.replace_range(span, &rendered);
        }
    }
}

fn nest(path: &[&str], value: &Value) -> Value {
    path.iter().rev().fold(value.clone(), |inner, key| {
        Value::Object([((*key).to_owned(), inner)].into_iter().collect())
    })
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
