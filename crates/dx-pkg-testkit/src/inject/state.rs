//! What a command leaves in a project: every file by its contents.

use crate::project::Project;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// dx's own files, which name inodes and times.
const OWN: &str = "node_modules/.dx";

/// The files and links of a project, apart from the contents of dx's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State(BTreeMap<String, Item>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Folder,
    File { executable: bool, bytes: Vec<u8> },
    Link(String),
}

impl State {
    pub(super) fn of(project: &Project) -> State {
        let mut items = BTreeMap::new();
        list(&project.path(), "", &mut items);
        State(items)
    }

    /// The bytes of a file.
    pub(super) fn file(&self, path: &str) -> Option<&[u8]> {
        match self.0.get(path) {
            Some(Item::File { bytes, .. }) => Some(bytes),
            _ => None,
        }
    }

    /// Says in what the other differs.
    pub(super) fn must_equal(&self, other: &State) -> Result<(), String> {
        let mut differences = Vec::new();
        for (path, item) in &other.0 {
            match self.0.get(path) {
                None => differences.push(format!("{path} is too much")),
                Some(expected) if expected != item => {
                    differences.push(format!(
                        "{path} is {} and not {}",
                        item.say(),
                        expected.say()
                    ));
                }
                Some(_) => {}
            }
        }
        let missing = self.0.keys().filter(|path| !other.0.contains_key(*path));
        differences.extend(missing.map(|path| format!("{path} is missing")));
        if differences.is_empty() {
            return Ok(());
        }
        Err(format!(
            "{} differences: {}",
            differences.len(),
            differences[..differences.len().min(4)].join(", ")
        ))
    }
}

impl Item {
    fn say(&self) -> String {
        match self {
            Item::Folder => "a folder".to_owned(),
            Item::Link(target) => format!("a link to {target}"),
            Item::File { executable, bytes } => {
                let start = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
                format!("{} bytes (executable: {executable}) {start:?}", bytes.len())
            }
        }
    }
}

fn list(folder: &Path, prefix: &str, items: &mut BTreeMap<String, Item>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let Ok(metadata) = entry.metadata() else { continue };
        let item = if metadata.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            Item::Link(target.to_string_lossy().into_owned())
        } else if metadata.is_dir() {
            if path != OWN {
                list(&entry.path(), &format!("{path}/"), items);
            }
            Item::Folder
        } else {
            let executable = metadata.permissions().mode() & 0o111 != 0;
            Item::File { executable, bytes: fs::read(entry.path()).unwrap_or_default() }
        };
        items.insert(path, item);
    }
}
