//! The words of a command line as npm reads them: any setting is a flag, and so is any other word
//! with dashes.

use std::ffi::OsString;

use super::super::value::RawValue;
use super::Definition;

/// npm's short forms of flags.
const SHORT: [(&str, &str, Option<&str>); 42] = [
    ("enjoy-by", "before", None),
    ("d", "loglevel", Some("info")),
    ("dd", "loglevel", Some("verbose")),
    ("ddd", "loglevel", Some("silly")),
    ("quiet", "loglevel", Some("warn")),
    ("q", "loglevel", Some("warn")),
    ("s", "loglevel", Some("silent")),
    ("silent", "loglevel", Some("silent")),
    ("verbose", "loglevel", Some("verbose")),
    ("desc", "description", None),
    ("local", "no-global", None),
    ("n", "no-yes", None),
    ("no", "no-yes", None),
    ("porcelain", "parseable", None),
    ("readonly", "read-only", None),
    ("reg", "registry", None),
    ("iwr", "include-workspace-root", None),
    ("ws", "workspaces", None),
    ("a", "all", None),
    ("c", "call", None),
    ("f", "force", None),
    ("g", "global", None),
    ("L", "location", None),
    ("l", "long", None),
    ("m", "message", None),
    ("p", "parseable", None),
    ("S", "save", None),
    ("B", "save-bundle", None),
    ("D", "save-dev", None),
    ("E", "save-exact", None),
    ("O", "save-optional", None),
    ("P", "save-prod", None),
    ("v", "version", None),
    ("w", "workspace", None),
    ("y", "yes", None),
    ("dir", "prefix", None),
    ("cwd", "prefix", None),
    ("C", "prefix", None),
    ("?", "usage", None),
    ("H", "usage", None),
    ("h", "usage", None),
    ("help", "usage", None),
];

/// The settings among the words of a command line, and the other words.
#[derive(Clone, Debug, Default)]
pub struct GivenWords {
    /// Keys and values, as npm would have them.
    pub settings: Vec<(String, RawValue)>,
    /// The other words.
    pub rest: Vec<OsString>,
}

impl GivenWords {
    fn set(&mut self, key: &str, value: &str) {
        let is_list = Definition::find(key).is_some_and(Definition::is_list);
        let value = RawValue::from_ini(value);
        match self.settings.iter_mut().find(|(given, _)| given == key) {
            Some((_, RawValue::List(items))) if is_list => items.extend(value.text()),
            Some((_, given)) => *given = value,
            None if is_list => {
                self.settings.push((key.to_owned(), RawValue::List(value.list())));
            }
            None => self.settings.push((key.to_owned(), value)),
        }
    }

    /// Returns the value of a setting that was given.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&RawValue> {
        self.settings.iter().find(|(given, _)| given == key).map(|(_, value)| value)
    }
}

/// Takes npm's settings out of the words of a command line. Words that `is_own` recognises stay,
/// and so does everything behind `--`.
pub fn take_words(
    words: impl IntoIterator<Item = OsString>,
    is_own: impl Fn(&str) -> bool,
) -> GivenWords {
    let mut taken = GivenWords::default();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let text = word.to_str().unwrap_or_default();
        if text == "--" {
            taken.rest.push(word);
            taken.rest.extend(words);
            break;
        }
        let name = text.trim_start_matches('-');
        if name.len() == text.len() || name.is_empty() || is_own(text) {
            taken.rest.push(word);
            continue;
        }
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (name, None),
        };
        let (name, fixed) = match SHORT.iter().find(|(short, ..)| *short == name) {
            Some((_, name, fixed)) => (*name, *fixed),
            None => (name, None),
        };
        let (name, is_no) = match name.strip_prefix("no-") {
            Some(rest) if Definition::find(name).is_none() => (rest, true),
            _ => (name, false),
        };
        if let Some(fixed) = fixed {
            taken.set(name, fixed);
            continue;
        }
        let definition = Definition::find(name);
        if let Some(value) = value {
            let value = match (is_no, value.as_str()) {
                (true, "true" | "") => "false".to_owned(),
                (true, "false") => "true".to_owned(),
                _ => value,
            };
            taken.set(name, &value);
            continue;
        }
        let next = words.peek().and_then(|word| word.to_str()).unwrap_or_default();
        let is_switch = is_no || definition.is_none_or(Definition::may_be_switch);
        if is_switch && matches!(next, "true" | "false") {
            let value = (next == "true") != is_no;
            taken.set(name, if value { "true" } else { "false" });
            words.next();
        } else if is_switch {
            taken.set(name, if is_no { "false" } else { "true" });
        } else if next.is_empty() || next.starts_with('-') && next.len() > 1 {
            taken.set(name, "");
        } else {
            taken.set(name, next);
            words.next();
        }
    }
    taken
}
