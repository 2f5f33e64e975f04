//! Tables of settings: the form of a row, and the getter that follows from it.
//!
//! A row is key, kind, default, group and sentence, further fields, and one of these:
//! `getter(name = default)` makes the method [`Config`]`::name`, `through(name)` names the method
//! that reads the setting together with others, `only("value")` lists the supported values, and
//! `ignored("reason")` accepts the setting without effect. `trust(…)` among the further fields is
//! the column for a project's `.npmrc`: without it, the file sets the setting.
//!
//! [`Config`]: super::super::Config

/// Makes the rows of a table and their getters.
macro_rules! options {
    ($all:ident: $($key:literal: $kind:ty, $default:literal, $group:ident, $sentence:literal
        $(, $extra:ident($argument:expr))* => $state:ident($($how:tt)*);)+) => {
        /// The rows of this file.
        pub(super) const $all: &[OptionInfo] = &[$(
            OptionInfo::new::<$kind>(
                $key,
                $default,
                OptionGroup::$group,
                $sentence,
                support!($state $($how)*),
            )$(.$extra($argument))*
        ),+];

        impl Config {
            $(getter!($state, $key, $kind, $sentence, $($how)*);)+
        }

        /// Returns the keys of these rows whose default is not the getter's.
        #[cfg(test)]
        pub(super) fn contradictory_defaults() -> Vec<&'static str> {
            let mut keys = Vec::new();
            $(contradiction!(keys, $state, $key, $kind, $default, $($how)*);)+
            keys
        }
    };
}

macro_rules! support {
    (getter $name:ident = $default:expr) => {
        Support::Used(stringify!($name))
    };
    (through $name:ident) => {
        Support::Used(stringify!($name))
    };
    (only $($value:literal),*) => {
        Support::Only(&[$($value),*])
    };
    (ignored $reason:literal) => {
        Support::Ignored($reason)
    };
}

macro_rules! getter {
    (getter, $key:literal, $kind:ty, $sentence:literal, $name:ident = $default:expr) => {
        #[doc = concat!("`", $key, "`: ", $sentence)]
        ///
        /// # Errors
        /// A value that is not of the setting's kind.
        pub fn $name(&self) -> Result<$kind, ConfigError> {
            self.read($key, || $default)
        }
    };
    ($state:ident, $($rest:tt)*) => {};
}

/// Adds a key whose default, read as if it were written, is not the getter's.
#[cfg(test)]
macro_rules! contradiction {
    ($keys:ident, getter, $key:literal, $kind:ty, $shown:literal, $name:ident = $default:expr) => {
        let shown = crate::npmrc::RawValue::from_ini($shown);
        let read = <$kind as crate::npmrc::value::Setting>::read(&shown, None);
        if !$shown.is_empty() && read != Some($default) {
            $keys.push($key);
        }
    };
    ($keys:ident, $state:ident, $($rest:tt)*) => {};
}
