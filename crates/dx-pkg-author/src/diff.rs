//! `dx diff`: what differs between two packages, in git's form.

mod binary;
mod files;
mod patch;
mod sides;

use dx_pkg_compat::npmrc::Config;
use serde_json::{Value, json};

pub use sides::{Side, sides};

use crate::AuthorError;
use files::Contents;

/// How differences are shown.
#[derive(Clone, Debug)]
pub struct DiffOptions {
    /// Whether only names are shown.
    pub names_only: bool,
    /// The lines of context.
    pub context: usize,
    /// Whether spaces around lines count for nothing.
    pub ignores_space: bool,
    /// What stands before the paths of both sides.
    pub prefixes: [String; 2],
    /// Whether files that look binary are compared as text.
    pub as_text: bool,
    /// What stands before versions.
    pub version_prefix: String,
    /// The files that are compared; all where none is named.
    pub paths: Vec<String>,
}

impl DiffOptions {
    /// Reads the settings.
    ///
    /// # Errors
    /// A setting that cannot be used.
    pub fn of(config: &Config, paths: Vec<String>) -> Result<Self, AuthorError> {
        let or = |text: String, usual: &str| if text.is_empty() { usual.to_owned() } else { text };
        let prefixes = if config.diff_no_prefix()? {
            [String::new(), String::new()]
        } else {
            [or(config.diff_src_prefix()?, "a/"), or(config.diff_dst_prefix()?, "b/")]
        };
        Ok(DiffOptions {
            names_only: config.diff_name_only()?,
            context: config.diff_unified()? as usize,
            ignores_space: config.diff_ignore_all_space()?,
            prefixes,
            as_text: config.diff_text()?,
            version_prefix: or(config.tag_version_prefix()?, "v"),
            paths,
        })
    }
}

/// The differences of two packages.
#[derive(Debug)]
pub struct Differences {
    /// For people.
    pub text: String,
    /// For programs: each file with its kind of change and its part of the text.
    pub json: Value,
}

/// Compares two packages.
///
/// # Errors
/// Files that cannot be read.
pub fn compare(a: &Side, b: &Side, options: &DiffOptions) -> Result<Differences, AuthorError> {
    let (old, new) = (files::read(a)?, files::read(b)?);
    let mut names: Vec<&str> =
        old.names().chain(new.names().filter(|name| !old.has(name))).collect();
    names.retain(|name| files::is_meant(name, &options.paths));
    let mut text = String::new();
    let mut all = Vec::new();
    for name in names {
        let (before, after) = (old.get(name), new.get(name));
        let is_same = |a: &Contents, b: &Contents| a.text == b.text && a.mode == b.mode;
        if before.zip(after).is_some_and(|(a, b)| is_same(a, b)) {
            continue;
        }
        let part = match options.names_only {
            true => format!("{name}\n"),
            false => patch::of_file(name, (before, after), [&a.version, &b.version], options),
        };
        let change = match (before, after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        all.push(json!({ "path": name, "change": change, "diff": part }));
        text.push_str(&part);
    }
    let text = text.trim().to_owned();
    Ok(Differences { text, json: json!({ "from": a.label(), "to": b.label(), "files": all }) })
}
