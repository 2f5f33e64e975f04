//! Values as they are written, and the kinds of settings.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dx_pkg_core::Version;
use url::Url;

/// A setting's value before its kind is known.
#[derive(Clone, PartialEq, Eq)]
pub enum RawValue {
    /// `null`: the default, whatever a lower layer says.
    Null,
    /// `true` or `false`; a key on its own is `true`.
    Bool(bool),
    /// Anything else.
    Text(String),
    /// `key[]=…` lines or a repeated flag.
    List(Vec<String>),
}

impl RawValue {
    /// Reads a value of a file or a flag: the words `true`, `false` and `null` are not text.
    pub(super) fn from_ini(text: &str) -> RawValue {
        match text {
            "true" => RawValue::Bool(true),
            "false" => RawValue::Bool(false),
            "null" => RawValue::Null,
            text => RawValue::Text(text.to_owned()),
        }
    }

    /// Returns the value as one text; `None` for null and for a list of more or less than one
    /// element.
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

    /// Returns the value as a list; the environment separates elements by an empty line.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        match self {
            RawValue::List(list) => list.clone(),
            RawValue::Text(text) => text.split("\n\n").map(|part| part.trim().to_owned()).collect(),
            other => other.text().into_iter().collect(),
        }
    }

    /// Returns the value for display.
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
    /// Names the variant only: any value may be a secret.
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
    /// The allowed values in words, as in the sentence "allowed: …".
    const ALLOWED: &'static str;
    /// Whether the value is `true` or `false`.
    const IS_SWITCH: bool = false;
    /// Whether the value is a list.
    const IS_LIST: bool = false;

    /// Reads a value; `None` where it is not allowed. `home` is the user's folder for `~/`.
    fn read(value: &RawValue, home: Option<&Path>) -> Option<Self>;
}

impl<T: Setting> Setting for Option<T> {
    const ALLOWED: &'static str = T::ALLOWED;
    const IS_SWITCH: bool = T::IS_SWITCH;
    const IS_LIST: bool = T::IS_LIST;

    fn read(value: &RawValue, home: Option<&Path>) -> Option<Self> {
        T::read(value, home).map(Some)
    }
}

impl Setting for bool {
    const ALLOWED: &'static str = "true or false";
    const IS_SWITCH: bool = true;

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

impl Setting for Version {
    const ALLOWED: &'static str = "a whole version, such as 1.0.0";

    fn read(value: &RawValue, _: Option<&Path>) -> Option<Version> {
        Version::parse(&value.text()?).ok()
    }
}

impl Setting for Vec<String> {
    const ALLOWED: &'static str = "a text or a list";
    const IS_LIST: bool = true;

    fn read(value: &RawValue, _: Option<&Path>) -> Option<Vec<String>> {
        let list = value.list();
        Some(list.into_iter().filter(|text| !text.is_empty()).collect())
    }
}

impl Setting for Url {
    const ALLOWED: &'static str = "an address that starts with http:// or https://";

    fn read(value: &RawValue, _: Option<&Path>) -> Option<Url> {
        let url = Url::parse(&value.text()?).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.host_str().is_some()).then_some(url)
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

impl Setting for Vec<PathBuf> {
    const ALLOWED: &'static str = "an absolute path, or a list of them";
    const IS_LIST: bool = true;

    fn read(value: &RawValue, home: Option<&Path>) -> Option<Vec<PathBuf>> {
        let texts = value.list().into_iter().filter(|text| !text.is_empty());
        let path = |text: String| {
            let path = PathBuf::read(&RawValue::Text(text), home)?;
            // Without a home folder to put in its place, `~` stays.
            (path.is_absolute() || path.starts_with("~")).then_some(path)
        };
        texts.map(path).collect()
    }
}

/// Parses a number as JavaScript does: decimal with exponent, or `0x`, `0o`, `0b`.
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
    ($(#[$meta:meta])* $name:ident, $allowed:literal {
        $($(#[$variant_meta:meta])* $word:literal => $variant:ident),+ $(,)?
    }) => {
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
    /// `package-import-method`: the way in which files get from the store into a project.
    ImportMethod, "auto, hardlink, clone, clone-or-copy or copy" {
        /// The fastest that works.
        "auto" => Auto,
        /// A hard link.
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
    /// `dxrp`: whether registries are asked for dx's own protocol.
    DxrpMode, "auto, off or required" {
        /// Registries other than the built-in one are asked once.
        "auto" => Auto,
        /// No registry is.
        "off" => Off,
        /// Packages come that way or not at all.
        "required" => Required,
    }
}

words! {
    /// `install-strategy`: the layout of `node_modules`.
    InstallStrategy, "hoisted, nested, shallow or linked" {
        /// Packages as far up as there is no conflict.
        "hoisted" => Hoisted,
        /// Every package in the one that requires it.
        "nested" => Nested,
        /// Only direct dependencies at the top.
        "shallow" => Shallow,
        /// Links into a folder with all packages; not supported.
        "linked" => Linked,
    }
}

words! {
    /// `location`: the file that npm's commands for settings work on.
    Location, "global, user or project" {
        /// The machine's; also the place of globally installed packages.
        "global" => Global,
        /// The user's.
        "user" => User,
        /// The project's.
        "project" => Project,
    }
}

words! {
    /// `lockfile-version`: the version of the lockfile to be written.
    LockfileVersion, "1, 2 or 3" {
        /// That of npm 5 and 6.
        "1" => First,
        /// That of npm 7 and 8, which older ones read too.
        "2" => Second,
        /// That of npm 9 and later.
        "3" => Third,
    }
}

impl LockfileVersion {
    /// Returns the version as a lockfile states it.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
            Self::Third => 3,
        }
    }
}

words! {
    /// `verify`: when the files of a prepared tree are checked.
    VerifyMode, "always, ci or after" {
        /// Before each use.
        "always" => Always,
        /// Before `dx ci` uses it, and after other commands did.
        "ci" => Ci,
        /// After it was used.
        "after" => After,
    }
}

words! {
    /// A kind of dependency that `omit` and `include` name.
    DependencyType, "prod, dev, optional or peer" {
        /// `dependencies`; for `include` only.
        "prod" => Prod,
        /// `devDependencies`
        "dev" => Dev,
        /// `optionalDependencies`
        "optional" => Optional,
        /// `peerDependencies`
        "peer" => Peer,
    }
}

words! {
    /// `allow-git`, `allow-remote`, `allow-file`, `allow-directory`: the dependents that may name a
    /// source outside the registries.
    AllowSource, "all, none or root" {
        /// Every package.
        "all" => All,
        /// No package, not even the project.
        "none" => None,
        /// The project and its workspaces.
        "root" => Root,
    }
}

words! {
    /// `foreign-overrides`: what becomes of pins of versions that only other package managers obey.
    ForeignOverrides, "error, warn or ignore" {
        /// The command stops.
        "error" => Error,
        /// A warning names them.
        "warn" => Warn,
        /// Nothing is said.
        "ignore" => Ignore,
    }
}

impl Setting for Vec<DependencyType> {
    const ALLOWED: &'static str = DependencyType::ALLOWED;
    const IS_LIST: bool = true;

    fn read(value: &RawValue, home: Option<&Path>) -> Option<Self> {
        let words = value.list().into_iter().filter(|word| !word.is_empty());
        let read = |word| DependencyType::read(&RawValue::Text(word), home);
        words.map(read).collect()
    }
}

/// Declares a setting that is one of a few words and whose value is only checked.
macro_rules! checked_words {
    ($($(#[$meta:meta])* $name:ident, $allowed:literal, $words:expr;)+) => {$(
        $(#[$meta])*
        pub(super) struct $name;

        impl Setting for $name {
            const ALLOWED: &'static str = $allowed;

            fn read(value: &RawValue, _: Option<&Path>) -> Option<Self> {
                $words.contains(&value.text()?.as_str()).then_some(Self)
            }
        }
    )+};
}

checked_words! {
    /// `node-linker`.
    NodeLinker, "hoisted, isolated or pnp", ["hoisted", "isolated", "pnp"];
    /// `loglevel`.
    LogLevel, "silent, error, warn, notice, http, info, verbose or silly",
        ["silent", "error", "warn", "notice", "http", "info", "verbose", "silly"];
    /// `only`.
    Production, "prod or production", ["prod", "production"];
    /// `also`.
    Development, "dev or development", ["dev", "development"];
}
