//! The table of settings: keys, kinds, defaults, flags, support.
//!
//! Getters, value checks, the tables of docs/settings.md, and the flags of the command line with
//! their help follow from it. Never reads a configuration.

use super::trust::{ProjectRule, Trust};
use super::value::{RawValue, Setting};

#[macro_use]
mod columns;
mod authors;
mod details;
mod flags;
mod table;
mod unread;
mod words;

#[cfg(test)]
mod tests;

pub use details::{DETAILS, OF_ONE_REGISTRY};
pub use flags::{Flag, FlagValue};
pub(super) use unread::is_unread;
pub use words::{MissingValue, Region, SettingWords, take_settings};

/// Every setting that dx knows, apart from those of one scope or one registry.
pub const OPTIONS: &[OptionInfo] = &{
    const ROWS: [&[OptionInfo]; 2] = [table::INSTALL, authors::AUTHORS];
    let mut all = [ROWS[0][0]; ROWS[0].len() + ROWS[1].len()];
    let mut next = 0;
    while next < all.len() {
        let (table, row) = match next.checked_sub(ROWS[0].len()) {
            None => (0, next),
            Some(row) => (1, row),
        };
        all[next] = ROWS[table][row];
        next += 1;
    }
    all
};

/// The part of dx that a setting acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionGroup {
    /// The source of packages.
    Registry,
    /// Requests.
    Network,
    /// The choice of versions, and the lockfile.
    Resolve,
    /// The contents of `node_modules`, and scripts.
    Tree,
    /// The manifest, as `add` and `remove` write it.
    Save,
    /// Versions, tarballs and what a registry is told.
    Publish,
    /// The output; without influence on the result.
    Output,
}

/// The extent to which dx supports a setting. A value of the wrong kind is an error in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Fully, through the method of [`super::Config`] with this name.
    Used(&'static str),
    /// These values only; see [`super::Config::unsupported`].
    Only(&'static [&'static str]),
    /// Accepted for npm compatibility without any effect, for this reason.
    Ignored(&'static str),
}

/// A setting.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// The key in `.npmrc`; the environment variable is `npm_config_` and the key, with `_` for
    /// `-`.
    pub key: &'static str,
    /// The allowed values in words, as in the sentence "allowed: …".
    pub allowed: &'static str,
    /// Whether the value is `true` or `false`.
    pub is_switch: bool,
    /// Whether the value is a list: a flag may be repeated, and its argument is split at commas.
    pub is_list: bool,
    /// The default as it would be written; empty if another part of dx decides.
    pub default: &'static str,
    /// The behaviour without the setting, in Markdown, where [`Self::default`] is empty.
    pub unset: &'static str,
    /// The part of dx that it acts on.
    pub group: OptionGroup,
    /// Its effect.
    pub sentence: &'static str,
    /// The environment variables besides `npm_config_*` that have an influence.
    pub variables: &'static [&'static str],
    /// The extent to which dx supports it.
    pub support: Support,
    /// What a project's `.npmrc` may do about it.
    pub trust: Trust,
    flags: &'static [Flag],
    is_valid: fn(&RawValue) -> bool,
}

impl OptionInfo {
    const fn new<T: Setting>(
        key: &'static str,
        default: &'static str,
        group: OptionGroup,
        sentence: &'static str,
        support: Support,
    ) -> Self {
        Self {
            key,
            allowed: T::ALLOWED,
            is_switch: T::IS_SWITCH,
            is_list: T::IS_LIST,
            default,
            unset: "",
            group,
            sentence,
            variables: &[],
            support,
            trust: Trust::Anyone,
            flags: &[],
            is_valid: is_valid::<T>,
        }
    }

    const fn unset(self, unset: &'static str) -> Self {
        Self { unset, ..self }
    }

    const fn variables(self, variables: &'static [&'static str]) -> Self {
        Self { variables, ..self }
    }

    const fn trust(self, trust: Trust) -> Self {
        Self { trust, ..self }
    }

    const fn with_flags(self, flags: &'static [Flag]) -> Self {
        Self { flags, ..self }
    }

    /// Returns the setting with a key.
    #[must_use]
    pub fn find(key: &str) -> Option<&'static OptionInfo> {
        OPTIONS.iter().find(|option| option.key == key)
    }

    /// Returns the command-line flags that give the setting a value.
    #[must_use]
    pub fn flags(&self) -> &'static [Flag] {
        self.flags
    }

    /// Returns whether a value is of the setting's kind. `null` always is.
    #[must_use]
    pub fn is_valid(&self, value: &RawValue) -> bool {
        *value == RawValue::Null || (self.is_valid)(value)
    }
}

/// Returns the flag that is written like this, such as `--prod` or `-E`, and its setting.
#[must_use]
pub fn find_flag(text: &str) -> Option<(&'static OptionInfo, &'static Flag)> {
    let flags =
        OPTIONS.iter().flat_map(|option| option.flags().iter().map(move |flag| (option, flag)));
    flags.into_iter().find(|(_, flag)| flag.is_written(text))
}

fn is_valid<T: Setting>(value: &RawValue) -> bool {
    T::read(value, None).is_some()
}

/// Returns whether a setting that is written without a value counts as not written: a switch is on
/// without one, a list may be empty, and so may the text in front of a version.
pub(super) fn needs_value(key: &str, empty: &RawValue) -> bool {
    OptionInfo::find(key).is_some_and(|option| {
        let may_be_empty = key.ends_with("-prefix")
            || matches!(key, "message" | "preid")
            || option.is_list && option.is_valid(empty);
        !option.is_switch && !may_be_empty
    })
}

/// Returns what a project's file may do about a setting.
pub(super) fn project_rule(key: &str) -> ProjectRule {
    match OptionInfo::find(key) {
        Some(option) => ProjectRule {
            trust: option.trust,
            default: option.default,
            is_switch: option.is_switch,
            is_valid: option.is_valid,
        },
        None => ProjectRule {
            trust: unread::trust(key),
            default: "",
            is_switch: false,
            is_valid: |_| true,
        },
    }
}

/// Returns whether a setting is about registries, credentials and the network.
pub(super) fn is_for_registries(key: &str) -> bool {
    key.starts_with("//")
        || key.ends_with(":registry")
        || unread::is_of_a_registry(key)
        || OptionInfo::find(key).is_some_and(|option| {
            matches!(option.group, OptionGroup::Registry | OptionGroup::Network)
        })
}

/// Returns whether a key belongs in the digest of settings that can change an install.
pub(super) fn affects_install(key: &str) -> bool {
    key.ends_with(":registry")
        || OptionInfo::find(key).is_some_and(|option| {
            // What goes on after an install changes nothing in it.
            !matches!(option.group, OptionGroup::Output | OptionGroup::Publish)
                && !matches!(key, "background" | "trusted-projects" | "prefix")
        })
}
