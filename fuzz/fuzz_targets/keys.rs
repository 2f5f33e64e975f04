//! Any bytes as what a terminal sends: each key takes some of them, and none that are not there.

#[allow(clippy::module_inception, reason = "named as where it lies")]
#[allow(dead_code, reason = "no key is handed to anything")]
#[path = "../../crates/dx-pkg-os/src/terminal/keys.rs"]
mod keys;

pub(crate) fn run(data: &[u8]) {
    let mut rest = data;
    while let Some((_, taken)) = keys::decode(rest) {
        assert!((1..=rest.len()).contains(&taken), "{rest:?}");
        rest = &rest[taken..];
    }
}
