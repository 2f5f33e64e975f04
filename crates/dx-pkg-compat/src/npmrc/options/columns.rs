//! How a row of the table says what dx does with a setting, and the getter that follows from it.

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
