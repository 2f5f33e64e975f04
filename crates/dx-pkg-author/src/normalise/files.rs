//! What a package's folder adds to its manifest: readme, authors, manual pages, commands, types,
//! the commit.

use std::path::Path;

use dx_pkg_acquire::files::{commands_in, read_text};
use dx_pkg_compat::manifest::clean_path;
use dx_pkg_lock::locale_compare;
use serde_json::{Map, Value};

use super::data::NO_README;
use super::{Normalised, is_truthy};

/// The most levels of folders that are looked through for manual pages.
const DEEPEST: usize = 64;

impl Normalised {
    /// Adds what the folder says.
    pub(super) fn complete(&mut self, folder: &Path) -> Result<(), String> {
        self.add_gyp(folder);
        self.add_authors(folder);
        self.add_readme(folder);
        self.add_manual(folder);
        self.add_commands(folder);
        if self.get("gitHead").is_none()
            && let Some(head) = git_head(folder)
        {
            self.set("gitHead", head);
        }
        self.add_types(folder)
    }

    fn add_gyp(&mut self, folder: &Path) {
        let scripts = self.data.get("scripts").and_then(Value::as_object).cloned();
        let scripts = scripts.unwrap_or_default();
        let has = |name: &str| scripts.get(name).is_some_and(is_truthy);
        let is_off = self.data.get("gypfile") == Some(&Value::Bool(false));
        if is_off || has("install") || has("preinstall") {
            return;
        }
        if names(folder).iter().any(|(name, _)| name.ends_with(".gyp") && !name.starts_with('.')) {
            let mut scripts = scripts;
            scripts.insert("install".to_owned(), "node-gyp rebuild".into());
            self.set("scripts", scripts);
            self.set("gypfile", true);
            self.told("\"scripts.install\" was set to \"node-gyp rebuild\"");
        }
    }

    fn add_authors(&mut self, folder: &Path) {
        if self.get("contributors").is_some() {
            return;
        }
        let Ok(Some(text)) = read_text(&folder.join("AUTHORS")) else { return };
        let lines = text.lines().map(|line| line.trim());
        let people: Vec<&str> =
            lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        self.set("contributors", people);
        self.told("\"contributors\" was read from the file AUTHORS");
    }

    fn add_readme(&mut self, folder: &Path) {
        if self.get("readme").is_some() {
            return;
        }
        let all = names(folder);
        let readmes = all.iter().filter(|(name, is_folder)| {
            let lower = name.to_lowercase();
            !is_folder && (lower == "readme" || lower.starts_with("readme."))
        });
        let readmes: Vec<&str> = readmes.map(|(name, _)| name.as_str()).collect();
        let chosen = readmes
            .iter()
            .find(|name| is_markdown(name))
            .or_else(|| readmes.iter().rev().find(|name| name.ends_with("README")));
        let text = chosen.and_then(|name| read_text(&folder.join(name)).ok().flatten());
        if let (Some(name), Some(text)) = (chosen, text.filter(|text| !text.is_empty())) {
            self.set("readme", text);
            self.set("readmeFilename", *name);
            self.told(format!("\"readme\" was read from {name}"));
        } else {
            self.set("readme", NO_README);
        }
    }

    fn add_manual(&mut self, folder: &Path) {
        let named = self.data.get("directories").and_then(|all| all.get("man"));
        let named = named.and_then(Value::as_str).filter(|named| !named.is_empty());
        if let Some(named) = named.map(clean_path)
            && self.get("man").is_none()
        {
            let pages = below(folder, named.trim_end_matches('/')).into_iter().filter(|path| {
                let bytes = path.as_bytes();
                bytes.len() > 2
                    && bytes[bytes.len() - 2] == b'.'
                    && bytes[bytes.len() - 1].is_ascii_digit()
            });
            self.set("man", pages.collect::<Vec<_>>());
        }
        let Some(man) = self.get("man").cloned() else { return self.remove("man") };
        let list = if let Value::Array(list) = man { list } else { vec![man] };
        let pages: Vec<String> = list.iter().filter_map(Value::as_str).map(clean_path).collect();
        if pages.is_empty() { self.remove("man") } else { self.set("man", pages) }
    }

    fn add_commands(&mut self, folder: &Path) {
        let named = self.data.get("directories").and_then(|all| all.get("bin"));
        let named = named.and_then(Value::as_str).filter(|named| !named.is_empty());
        let Some(named) = named.map(clean_path).filter(|_| self.get("bin").is_none()) else {
            return self.fix_bin();
        };
        // npm writes the commands of the package's own folder with a slash before them.
        let slash = if named.trim_end_matches('/').is_empty() { "/" } else { "" };
        let commands = commands_in(folder, &named).into_iter();
        let commands: Map<String, Value> =
            commands.map(|(name, path)| (name, format!("{slash}{path}").into())).collect();
        self.set("bin", commands);
    }

    fn add_types(&mut self, folder: &Path) -> Result<(), String> {
        let main = match self.get("main") {
            None => "index.js",
            Some(Value::String(main)) => main,
            Some(_) => return Err("\"main\" must be a text".to_owned()),
        };
        if self.data.contains_key("types") || self.data.contains_key("typings") {
            return Ok(());
        }
        let main = relative(main);
        let (place, name) =
            main.rsplit_once('/').map_or(("", &*main), |(place, name)| (place, name));
        let stem = name.rfind('.').filter(|at| *at > 0).map_or(name, |at| &name[..at]);
        let stem = if place.is_empty() { stem.to_owned() } else { format!("{place}/{stem}") };
        let types = format!("./{stem}.d.ts");
        if folder.join(&types).exists() {
            self.set("types", types);
        }
        Ok(())
    }
}

/// Returns a path without `.` and, where possible, without `..`.
fn relative(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn is_markdown(name: &str) -> bool {
    let Some((_, end)) = name.rsplit_once('.') else { return false };
    // npm takes any of the letters of "markdown" in their order.
    let mut letters = "markdown".chars();
    end.to_lowercase().chars().all(|letter| letters.any(|known| known == letter))
}

/// Returns the names in a folder, sorted, and whether each is a folder's.
fn names(folder: &Path) -> Vec<(String, bool)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(String, bool)> = entries
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path().is_dir())))
        .collect();
    found.sort_by(|a, b| locale_compare(&a.0, &b.0).then_with(|| a.0.cmp(&b.0)));
    found
}

/// Returns the files below a folder of the package, as paths from the package, sorted. Hidden ones
/// are left out.
fn below(folder: &Path, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(place.to_owned(), 0)];
    while let Some((place, depth)) = open.pop() {
        for (name, is_folder) in names(&folder.join(&place)) {
            let path = if place.is_empty() { name.clone() } else { format!("{place}/{name}") };
            if name.starts_with('.') {
            } else if !is_folder {
                found.push(path);
            } else if depth < DEEPEST {
                open.push((path, depth + 1));
            }
        }
    }
    found.sort_by(|a, b| locale_compare(a, b));
    found
}

/// Returns the commit of the repository that a folder is in.
#[must_use]
pub fn git_head(folder: &Path) -> Option<String> {
    let root = folder.ancestors().find(|folder| folder.join(".git").exists())?;
    let read = |name: &str| read_text(&root.join(".git").join(name)).ok().flatten();
    let head = read("HEAD")?;
    let Some(reference) = head.strip_prefix("ref: ").map(str::trim) else {
        return Some(head.trim().to_owned()).filter(|head| !head.is_empty());
    };
    if reference.split('/').any(|part| part == "..") {
        return None;
    }
    let found = read(reference).map(|text| text.trim_start_matches("ref: ").trim().to_owned());
    found.filter(|commit| !commit.is_empty()).or_else(|| {
        let packed = read("packed-refs")?;
        let line = packed
            .lines()
            .find(|line| line.split_once(' ').is_some_and(|(_, name)| name == reference))?;
        Some(line.split_once(' ')?.0.to_owned())
    })
}
