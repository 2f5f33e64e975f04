//! How a row of the table says what dx does with a setting.

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
