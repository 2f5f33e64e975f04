//! What a folder says of the package in it.

use std::path::{Path, PathBuf};

use dx_pkg_acquire::files::read_text;
use serde_json::{Map, Value};

/// The names in a folder, sorted.
pub(super) struct Contents {
    /// The folder's own name.
    pub(super) name: String,
    folder: PathBuf,
    names: Vec<String>,
}

impl Contents {
    pub(super) fn of(folder: &Path) -> Self {
        Contents {
            name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            folder: folder.to_owned(),
            names: names_in(folder),
        }
    }

    /// Returns whether there is a file or folder of this path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.folder.join(path).exists()
    }

    /// Returns whether there is a recipe for `node-gyp`.
    pub(super) fn has_gyp(&self) -> bool {
        self.names.iter().any(|name| name.ends_with(".gyp") && !name.starts_with('.'))
    }

    /// Returns the file that is the package's entry.
    pub(super) fn main(&self) -> String {
        let scripts: Vec<&String> =
            self.names.iter().filter(|name| name.ends_with(".js")).collect();
        let own = format!("{}.js", self.name);
        let preferred = ["index.js", "main.js", &own];
        let found = preferred.into_iter().find(|name| scripts.iter().any(|script| script == name));
        let first = || scripts.first().map_or("index.js", |script| script.as_str());
        found.unwrap_or_else(first).to_owned()
    }

    /// Returns the first program in the folder `bin`.
    pub(super) fn bin(&self) -> Option<String> {
        let programs = names_in(&self.folder.join("bin"));
        let program = programs.iter().find(|name| name.contains(".js"))?;
        program.ends_with(".js").then(|| format!("bin/{program}"))
    }

    /// Returns the folders that npm knows by their names.
    pub(super) fn directories(&self) -> Option<Value> {
        let mut found = Map::new();
        for name in &self.names {
            let kind = match name.as_str() {
                "example" | "examples" => "example",
                "test" | "tests" => "test",
                "doc" | "docs" => "doc",
                "man" => "man",
                "lib" => "lib",
                _ => continue,
            };
            found.insert(kind.to_owned(), name.as_str().into());
        }
        (!found.is_empty()).then_some(Value::Object(found))
    }

    /// Returns the command of the test framework that is installed.
    pub(super) fn test_command(&self) -> Option<&'static str> {
        let installed = names_in(&self.folder.join("node_modules"));
        let known = [("mocha", "mocha"), ("expresso", "expresso test"), ("tap", "tap test/*.js")];
        let found = known.into_iter().find(|(name, _)| installed.iter().any(|own| own == name));
        found.map(|(_, command)| command)
    }

    /// Returns the address of the remote repository `origin`.
    pub(super) fn repository(&self) -> Option<String> {
        let text = read_text(&self.folder.join(".git/config")).ok()??;
        let lines: Vec<&str> = text.lines().collect();
        let origin = lines.iter().position(|line| *line == "[remote \"origin\"]")?;
        let url = |line: &&str| line.trim_start().strip_prefix("url = ").map(str::to_owned);
        let url =
            lines.get(origin + 1).and_then(url).or_else(|| lines.get(origin + 2).and_then(url))?;
        let domain = dx_pkg_core::spec::HostedSite::Github.domain();
        let by_ssh = url.strip_prefix(&format!("git@{domain}:"));
        Some(by_ssh.map_or(url.clone(), |path| format!("https://{domain}/{path}")))
    }

    /// Returns the first paragraph of the readme.
    pub(super) fn description(&self) -> Option<String> {
        let text = read_text(&self.folder.join(self.readme()?)).ok()??;
        let lines: Vec<&str> = text.trim().split('\n').collect();
        let is_skipped = |line: &&&str| line.trim().is_empty() || line.trim().starts_with('#');
        let start = lines.iter().take_while(is_skipped).count();
        let rest = lines.get(start..)?;
        let first = rest.iter().take(1);
        let more = rest.iter().skip(1).take_while(|line| !line.trim().is_empty());
        let words: Vec<&str> = first.chain(more).copied().collect();
        Some(words.join(" ").trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Returns the name of the readme: one in Markdown, else one without an extension.
    fn readme(&self) -> Option<&String> {
        let is_readme = |name: &&String| {
            let name = name.to_ascii_lowercase();
            name == "readme" || name.starts_with("readme.")
        };
        let is_file = |name: &&String| self.folder.join(name).is_file();
        let all: Vec<&String> = self.names.iter().filter(is_readme).filter(is_file).collect();
        let is_markdown = |name: &&&String| {
            let name = name.to_ascii_lowercase();
            [".md", ".markdown", ".mkd", ".mdown", ".mkdn"].iter().any(|end| name.ends_with(end))
        };
        let plain = || all.iter().find(|name| name.ends_with("README"));
        all.iter().find(is_markdown).or_else(plain).copied()
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}
