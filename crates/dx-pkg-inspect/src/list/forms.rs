//! The forms of a list: a tree for people, JSON, and one path in a line.

use dx_pkg_acquire::files::read_text;
use dx_pkg_core::Spec;
use serde_json::{Map, Value};

use super::{Item, List, is_extraneous};
use crate::manifests::Manifests;
use crate::view::relative_to;

/// The lines that a tree is drawn with.
#[derive(Clone, Copy, Debug)]
struct Lines {
    more: char,
    last: char,
    dash: char,
    down: char,
    along: char,
}

const UNICODE: Lines = Lines { more: '├', last: '└', dash: '─', down: '┬', along: '│' };
const ASCII: Lines = Lines { more: '+', last: '`', dash: '-', down: '-', along: '|' };

impl List<'_> {
    /// Returns the list as a tree, with a line end after each line.
    #[must_use]
    pub fn tree(&self, in_unicode: bool) -> String {
        let lines = if in_unicode { UNICODE } else { ASCII };
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); self.items.len()];
        for (at, item) in self.items.iter().enumerate() {
            if let Some(parent) = item.parent.filter(|_| item.is_included) {
                below[parent].push(at);
            }
        }
        let mut text = String::new();
        if below.first().is_none_or(Vec::is_empty) {
            let label = self.items.first().map(|root| self.label(root)).unwrap_or_default();
            let label = label.replace('\n', &format!("\n{} ", lines.along));
            text.push_str(&format!(
                "{label}\n{}{}{} (empty)\n",
                lines.last, lines.dash, lines.dash
            ));
            return text;
        }
        self.draw(0, "", &below, lines, &mut text);
        text
    }

    /// Draws the item `at` and what is below it; `prefix` stands before its further lines.
    fn draw(&self, at: usize, prefix: &str, below: &[Vec<usize>], lines: Lines, text: &mut String) {
        let label = self.label(&self.items[at]);
        let mut parts = label.split('\n');
        text.push_str(parts.next().unwrap_or_default());
        text.push('\n');
        let along = if below[at].is_empty() { ' ' } else { lines.along };
        for part in parts {
            text.push_str(&format!("{prefix}{along} {part}\n"));
        }
        for (number, child) in below[at].iter().enumerate() {
            let is_last = number + 1 == below[at].len();
            let corner = if is_last { lines.last } else { lines.more };
            let down = if below[*child].is_empty() { lines.dash } else { lines.down };
            text.push_str(&format!("{prefix}{corner}{}{down} ", lines.dash));
            let along = if is_last { ' ' } else { lines.along };
            self.draw(*child, &format!("{prefix}{along} "), below, lines, text);
        }
    }

    /// Returns what is said of an item in a tree.
    fn label(&self, item: &Item) -> String {
        let (view, long) = (self.view, self.options.long);
        let mut label = String::new();
        if item.missing_from.is_some() {
            let optional = if item.is_optional() { "OPTIONAL " } else { "" };
            label.push_str(&format!("UNMET {optional}DEPENDENCY "));
        }
        let root = view.root.display();
        match item.place {
            Some(0) if !view.has_manifest => label.push_str(&root.to_string()),
            Some(0) => {
                let space = if long { '\n' } else { ' ' };
                label.push_str(&format!("{}{space}{root}", item.label));
            }
            _ => label.push_str(&item.label),
        }
        if item.is_deduped {
            label.push_str(" deduped");
        }
        if !item.invalid.is_empty() {
            label.push_str(&format!(" invalid: {}", item.invalid));
        }
        if is_extraneous(view, item) {
            label.push_str(" extraneous");
        }
        let Some(place) = item.place else { return label + if long { "\n" } else { "" } };
        let package = &view.graph.packages[place];
        if !item.is_deduped {
            if package.is_overridden {
                label.push_str(" overridden");
            }
            let facts = view.facts(place);
            if let Some(patch) = &facts.entry.patched {
                label.push_str(&format!(" [patched: {}]", patch.path));
            }
            for (member, title) in [
                ("packageExtensionsApplied", "packageExtensions"),
                ("npmExtensionApplied", ".npm-extension"),
            ] {
                let fields = applied(&facts.entry.extra, member);
                if !fields.is_empty() {
                    label.push_str(&format!(" {title}: {fields}"));
                }
            }
            if let Some(resolved) = facts.entry.resolved.as_ref().filter(|text| is_git(text)) {
                label.push_str(&format!(" ({resolved})"));
            }
        }
        if let Some(target) = package.target {
            label.push_str(&format!(" -> ./{}", view.graph.packages[target].path));
        }
        if long {
            label.push_str(&format!("\n{}", self.description(place).unwrap_or_default()));
        }
        label
    }

    /// Returns a package's manifest as it is on disk.
    fn manifest(&self, place: usize) -> Map<String, Value> {
        let file = self.view.folder(place).join("package.json");
        let text = read_text(&file).ok().flatten();
        match text.and_then(|text| serde_json::from_str(&text).ok()) {
            Some(Value::Object(members)) => members,
            _ => Map::new(),
        }
    }

    fn description(&self, place: usize) -> Option<String> {
        Some(self.manifest(place).get("description")?.as_str()?.to_owned())
    }

    /// Returns the list as JSON, in npm's form.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut objects: Vec<Map<String, Value>> =
            self.items.iter().map(|item| self.object(item)).collect();
        if let Some(root) = objects.first_mut().filter(|_| !self.problems.is_empty()) {
            root.remove("problems");
            root.insert("problems".into(), self.problems.clone().into());
        }
        // Below is always behind, so that an item is whole before it is put into the one above.
        for at in (1..self.items.len()).rev() {
            let item = &self.items[at];
            let Some(parent) = item.parent.filter(|_| item.is_included) else { continue };
            let object = Value::Object(std::mem::take(&mut objects[at]));
            let dependencies =
                objects[parent].entry("dependencies").or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(members) = dependencies {
                members.shift_insert(0, item.name.clone(), object);
            }
        }
        objects.into_iter().next().map_or(Value::Null, Value::Object)
    }

    fn object(&self, item: &Item) -> Map<String, Value> {
        let view = self.view;
        let mut object = Map::new();
        if let Some(place) = item.place {
            let facts = view.facts(place);
            if let Some(version) = &facts.entry.version {
                object.insert("version".into(), version.clone().into());
            }
            let package = &view.graph.packages[place];
            if !item.is_deduped {
                let resolved = match package.target {
                    Some(target) => {
                        Some(link_spec(&package.path, &view.graph.packages[target].path))
                    }
                    None => view.resolved(place).map(|found| found.into_owned()),
                };
                if let Some(resolved) = resolved {
                    object.insert("resolved".into(), resolved.into());
                }
                if place != 0 {
                    object.insert("overridden".into(), package.is_overridden.into());
                }
                for member in ["packageExtensionsApplied", "npmExtensionApplied"] {
                    let found = facts.entry.extra.iter().find(|(key, _)| key == member);
                    if let Some(json) = found.and_then(|(_, json)| serde_json::from_str(json).ok())
                    {
                        object.insert(member.into(), json);
                    }
                }
            }
            if place == 0 && (view.has_manifest || view.is_global) {
                object.insert("name".into(), view.project_name().into());
            }
            if self.options.long {
                self.add_manifest(place, item, &mut object);
            }
        }
        if is_extraneous(view, item) {
            object.insert("extraneous".into(), true.into());
        }
        if !item.invalid.is_empty() {
            object.insert("invalid".into(), item.invalid.clone().into());
        }
        let patched = item.place.filter(|_| !item.is_deduped);
        if let Some(patch) = patched.and_then(|place| view.facts(place).entry.patched.as_ref()) {
            object.insert("patched".into(), patch.path.clone().into());
        }
        if item.missing_from.is_some() && !item.is_optional() {
            if let Some(required) = &item.required {
                object.insert("required".into(), required.clone().into());
            }
            object.insert("missing".into(), true.into());
        }
        if item.is_asked && !item.problems.is_empty() {
            object.insert("problems".into(), item.problems.clone().into());
        }
        object
    }

    /// Adds what `--long` shows of a package: its manifest and its path.
    fn add_manifest(&self, place: usize, item: &Item, object: &mut Map<String, Value>) {
        let manifests = self.manifests.get_or_init(|| Manifests::recorded(self.view));
        let mut manifest = (*manifests.of(place)).clone();
        object.insert("name".into(), item.name.clone().into());
        let section = |manifest: &Map<String, Value>, name: &str| {
            manifest.get(name).cloned().unwrap_or_else(|| Value::Object(Map::new()))
        };
        let mut dependencies = section(&manifest, "dependencies");
        if let (Value::Object(all), Some(Value::Object(optional))) =
            (&mut dependencies, manifest.get("optionalDependencies"))
        {
            all.extend(optional.clone());
        }
        let (dev, peer) =
            (section(&manifest, "devDependencies"), section(&manifest, "peerDependencies"));
        manifest.remove("dependencies");
        let id = manifest.get("name").and_then(Value::as_str).zip(manifest.get("version"));
        let id = id.and_then(|(name, version)| Some(format!("{name}@{}", version.as_str()?)));
        object.extend(manifest);
        if let Some(id) = id {
            object.insert("_id".into(), id.into());
        }
        object.insert("extraneous".into(), false.into());
        object.insert("path".into(), self.view.folder(place).display().to_string().into());
        object.insert("_dependencies".into(), dependencies);
        object.insert("devDependencies".into(), dev);
        object.insert("peerDependencies".into(), peer);
    }

    /// Returns the paths of what is listed, one in a line.
    #[must_use]
    pub fn paths(&self) -> String {
        let view = self.view;
        let mut lines = Vec::new();
        for item in self.items.iter().filter(|item| item.is_asked && !item.is_deduped) {
            let Some(place) = item.place else { continue };
            let mut line = view.folder(place).display().to_string();
            if self.options.long {
                line.push_str(&format!(":{}", item.label));
                if let Some(target) = view.graph.packages[place].target {
                    line.push_str(&format!(":{}", view.folder(target).display()));
                }
                if is_extraneous(view, item) {
                    line.push_str(":EXTRANEOUS");
                }
                if !item.invalid.is_empty() {
                    line.push_str(":INVALID");
                }
                if view.graph.packages[place].is_overridden {
                    line.push_str(":OVERRIDDEN");
                }
            }
            lines.push(line);
        }
        lines.join("\n")
    }
}

/// Returns what an alteration of a manifest changed, as `section.name, …`.
fn applied(extra: &[(String, String)], member: &str) -> String {
    let found = extra.iter().find(|(key, _)| key == member);
    let Some(Ok(Value::Object(sections))) = found.map(|(_, json)| serde_json::from_str(json))
    else {
        return String::new();
    };
    let mut fields = Vec::new();
    for section in
        ["dependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta"]
    {
        let names = sections.get(section).and_then(Value::as_array);
        for name in names.into_iter().flatten().filter_map(Value::as_str) {
            fields.push(format!("{section}.{name}"));
        }
    }
    fields.join(", ")
}

fn is_git(resolved: &str) -> bool {
    matches!(Spec::parse(resolved), Ok(Spec::Git(_)))
}

/// Returns how npm writes the target of a link at `path`: relative to its folder.
fn link_spec(path: &str, target: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("file:{}", relative_to(folder, target))
}
