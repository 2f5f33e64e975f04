//! Values as they are written, and how each kind of setting is read from them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A setting's value before its kind is known.
#[derive(Clone, PartialEq, Eq)]
pub enum RawValue {
    /// `null`: the setting is back at its default, whatever a lower layer says.
    Null,
    /// `true` or `false`; a key on its own is `true`.
    Bool(bool),
    /// Anything else.
    Text(String),
    /// `key[]=…` lines or a repeated flag.
    List(Vec<String>),
}

impl RawValue {
    /// A value of a file or a flag: the words `true`, `false` and `null` are not text.
    pub(super) fn from_ini(text: &str) -> RawValue {
        match text {
            "true" => RawValue::Bool(true),
            "false" => RawValue::Bool(false),
            "null" => RawValue::Null,
            text => RawValue::Text(text.to_owned()),
        }
    }

    /// The value as one text; `None` for null and for a list that has not exactly one element.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            RawValue::Null => None,
            RawValue::Bool(value) => Some(value.to_string()),
            RawValue::Text(text) => Some(text.clone()),
            RawValue::List(list) => match list.as_slice() {
                [one] => Some(one.clone()),
                _ => None,
            },
        }
    }

    /// The value as a list; the environment separates elements by an empty line.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        match self {
            RawValue::List(list) => list.clone(),
            RawValue::Text(text) => text.split("\n\n").map(|part| part.trim().to_owned()).collect(),
            other => other.text().into_iter().collect(),
        }
    }

    /// The value for a person to read.
    pub(super) fn display(&self) -> String {
        match self {
            RawValue::Null => "null".to_owned(),
            RawValue::List(list) => list.join(", "),
            other => other.text().unwrap_or_default(),
        }
    }

    /// Applies a change to every text in the value.
    pub(super) fn map_text(self, change: &mut dyn FnMut(&str) -> String) -> RawValue {
        match self {
            RawValue::Text(text) => RawValue::Text(change(&text)),
            RawValue::List(list) => RawValue::List(list.iter().map(|text| change(text)).collect()),
            other => other,
        }
    }
}

impl fmt::Debug for RawValue {
    /// Says only what kind of value it is: any value may be a secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            RawValue::Null => "Null",
            RawValue::Bool(_) => "Bool(…)",
            RawValue::Text(_) => "Text(…)",
            RawValue::List(_) => "List(…)",
        })
    }
}

/// A kind of setting.
pub(super) trait Setting: Sized {
    /// What may be written, to end the sentence "allowed: …".
    const ALLOWED: &'static str;

    /// Reads a value; `None` where it is not allowed. `home` is the user's folder for `~/`.
    fn read(value: &RawValue, home: Option<&Path>) -> Option<Self>;
}

impl<T: Setting> Setting for Option<T> {
    const ALLOWED: &'static str = T::ALLOWED;

    fn read(value: &RawValue, home: Option<&Path>) -> Option<Self> {
        T::read(value, home).map(Some)
    }
}

impl Setting for bool {
    const ALLOWED: &'static str = "true or false";

    fn read(value: &RawValue, _: Option<&Path>) -> Option<bool> {
        match value {
            RawValue::Bool(value) => Some(*value),
            other => match other.text()?.as_str() {
                "" | "true" => Some(true),
                "false" => Some(false),
                text => Some(number(text)? != 0.0),
            },
        }
    }
}

impl Setting for u32 {
    const ALLOWED: &'static str = "a whole number, 0 or more";

    fn read(value: &RawValue, _: Option<&Path>) -> Option<u32> {
        let value = number(&value.text()?)?;
        let whole = value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value);
        // In range and whole, so the conversion is exact.
        whole.then_some(value as u32)
    }
}

impl Setting for f64 {
    const ALLOWED: &'static str = "a number, 0 or more";

    fn read(value: &RawValue, _: Option<&Path>) -> Option<f64> {
        number(&value.text()?).filter(|value| *value >= 0.0)
    }
}

impl Setting for Duration {
    const ALLOWED: &'static str = "a number of milliseconds, 0 or more";

    fn read(value: &RawValue, home: Option<&Path>) -> Option<Duration> {
        Duration::try_from_secs_f64(f64::read(value, home)? / 1000.0).ok()
    }
}

impl Setting for String {
    const ALLOWED: &'static str = "a text";

    fn read(value: &RawValue, _: Option<&Path>) -> Option<String> {
        value.text()
    }
}

impl Setting for Vec<String> {
    const ALLOWED: &'static str = "a text or a list";

    fn read(value: &RawValue, _: Option<&Path>) -> Option<Vec<String>> {
        let list = value.list();
        Some(list.into_iter().filter(|text| !text.is_empty()).collect())
    }
}

impl Setting for PathBuf {
    const ALLOWED: &'static str = "a path";

    fn read(value: &RawValue, home: Option<&Path>) -> Option<PathBuf> {
        let RawValue::Text(text) = value else {
            return None;
        };
        Some(match (text.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
        })
    }
}

/// A number as JavaScript reads a text: decimal with exponent, or `0x`, `0o`, `0b`.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let radix = match text.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => 10,
    };
    if radix != 10 {
        return u32::from_str_radix(&text[2..], radix).ok().map(f64::from);
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Declares a setting that is one of a few words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident, $allowed:literal { $($(#[$variant_meta:meta])* $word:literal => $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_meta])* $variant),+ }

        impl Setting for $name {
            const ALLOWED: &'static str = $allowed;

            fn read(value: &RawValue, _: Option<&Path>) -> Option<Self> {
                match value.text()?.as_str() {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// `install-strategy`: how npm lays out `node_modules`.
    InstallStrategy, "hoisted, nested, shallow or linked" {
        /// As high as possible, without duplicates.
        "hoisted" => Hoisted,
        /// Every dependency inside its dependent.
        "nested" => Nested,
        /// Only direct dependencies at the top.
        "shallow" => Shallow,
        /// One store folder and links.
        "linked" => Linked,
    }
}

words! {
    /// `node-linker`: which layout a project asks for, in pnpm's words.
    NodeLinker, "hoisted, isolated or pnp" {
        /// npm's layout.
        "hoisted" => Hoisted,
        /// A folder for every package and links between them.
        "isolated" => Isolated,
        /// No `node_modules` at all.
        "pnp" => Pnp,
    }
}

words! {
    /// `package-import-method`: how files come from the store into a project.
    ImportMethod, "auto, hardlink, clone, clone-or-copy or copy" {
        /// The best that works.
        "auto" => Auto,
        /// Another name for the same file.
        "hardlink" => Hardlink,
        /// A copy-on-write copy, or an error.
        "clone" => Clone,
        /// A copy-on-write copy, else a plain one.
        "clone-or-copy" => CloneOrCopy,
        /// A plain copy.
        "copy" => Copy,
    }
}

words! {
    /// `loglevel`: how much is reported.
    LogLevel, "silent, error, warn, notice, http, info, verbose or silly" {
        /// Nothing.
        "silent" => Silent,
        /// Errors.
        "error" => Error,
        /// And warnings.
        "warn" => Warn,
        /// And what the user should know; the default.
        "notice" => Notice,
        /// And requests.
        "http" => Http,
        /// And steps.
        "info" => Info,
        /// And details.
        "verbose" => Verbose,
        /// Everything.
        "silly" => Silly,
    }
}

words! {
    /// `allow-git`, `allow-remote`, `allow-file`, `allow-directory`: who may ask for such a source.
    AllowSource, "all, none or root" {
        /// Every package.
        "all" => All,
        /// Nobody.
        "none" => None,
        /// Only the project itself.
        "root" => Root,
    }
}

words! {
    /// `lockfile-version`: the version of `package-lock.json` to write.
    LockfileVersion, "1, 2 or 3" {
        /// npm 5 and 6.
        "1" => V1,
        /// npm 7 and 8.
        "2" => V2,
        /// npm 9 and later.
        "3" => V3,
    }
}

words! {
    /// A kind of dependency that `omit` and `include` name.
    DependencyType, "prod, dev, optional or peer" {
        /// `dependencies`; only `include` knows it.
        "prod" => Prod,
        /// `devDependencies`
        "dev" => Dev,
        /// `optionalDependencies`
        "optional" => Optional,
        /// `peerDependencies`
        "peer" => Peer,
    }
}

impl Setting for Vec<DependencyType> {
    const ALLOWED: &'static str = DependencyType::ALLOWED;

    fn read(value: &RawValue, home: Option<&Path>) -> Option<Self> {
        let words = value.list().into_iter().filter(|word| !word.is_empty());
        let read = |word| DependencyType::read(&RawValue::Text(word), home);
        words.map(read).collect()
    }
}
