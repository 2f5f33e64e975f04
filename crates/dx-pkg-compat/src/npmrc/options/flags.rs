//! Command-line flags that stand for settings.

/// A command-line flag that gives a setting a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The name after `--`, such as `no-save`.
    pub long: &'static str,
    /// The letter after `-`.
    pub short: Option<char>,
    /// Further names after `--`.
    pub aliases: &'static [&'static str],
    /// The source of the setting's value.
    pub value: FlagValue,
    /// The arguments that are allowed; empty where the setting's kind decides.
    pub words: &'static [&'static str],
    /// The line in `--help`.
    pub help: &'static str,
}

/// The source of the value that a flag gives its setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlagValue {
    /// The flag's argument, which `--help` shows under this name.
    Argument(&'static str),
    /// The flag itself stands for this value.
    Fixed(&'static str),
    /// The flag is accepted for npm compatibility and sets nothing, for this reason. `--help`
    /// leaves it out.
    Ignored(&'static str),
}

impl Flag {
    /// Returns a flag that stands for a value.
    pub(super) const fn fixed(long: &'static str, value: &'static str, help: &'static str) -> Self {
        let value = FlagValue::Fixed(value);
        Self { long, short: None, aliases: &[], value, words: &[], help }
    }

    /// Returns a flag that is accepted without effect.
    pub(super) const fn ignored(long: &'static str, reason: &'static str) -> Self {
        Self { value: FlagValue::Ignored(reason), ..Self::fixed(long, "", reason) }
    }

    /// Returns a flag that takes its value as an argument.
    pub(super) const fn argument(
        long: &'static str,
        name: &'static str,
        help: &'static str,
    ) -> Self {
        Self { value: FlagValue::Argument(name), ..Self::fixed(long, "", help) }
    }

    /// Adds the letter of the short form.
    pub(super) const fn short(self, letter: char) -> Self {
        Self { short: Some(letter), ..self }
    }

    /// Adds further names.
    pub(super) const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// Restricts the argument to a few words.
    pub(super) const fn words(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }

    /// Returns whether `--help` leaves the flag out.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        matches!(self.value, FlagValue::Ignored(_))
    }

    /// Returns whether an argument is one of [`Self::words`], where these are given.
    #[must_use]
    pub fn allows(&self, argument: &str) -> bool {
        self.words.is_empty() || self.words.contains(&argument)
    }

    /// Returns whether the flag is written like this: `--` and the long name or an alias, or `-`
    /// and the letter.
    #[must_use]
    pub fn is_written(&self, text: &str) -> bool {
        match text.strip_prefix("--") {
            Some(name) => self.long == name || self.aliases.contains(&name),
            None => self.short.is_some_and(|letter| {
                text.strip_prefix('-').and_then(|text| text.strip_prefix(letter)) == Some("")
            }),
        }
    }
}
