//! Any text as a `.npmrc` of the user and of a project: refused, or settings that can be asked for,
//! the same ones each time, and without the secrets of the file in what decides an install.

use std::path::Path;

use dx_pkg_compat::npmrc::{Config, ConfigSources};
use dx_pkg_core::PackageName;

const SECRET: &str = "qWertz-secret-9";

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let env =
        [("HOME".to_owned(), "/home/user".to_owned()), ("NAME".to_owned(), "value".to_owned())];
    let secret = format!("//host.example/:_authToken={SECRET}\n{text}");
    let mut sources = ConfigSources {
        default_registry: "https://registry.example/",
        env: &env,
        ..ConfigSources::default()
    };
    sources.user = Some((Path::new("/home/user/.npmrc"), &secret));
    check(&sources);
    sources.user = None;
    sources.project = Some((Path::new("/project/.npmrc"), &text));
    check(&sources);
    if let Ok(config) = Config::load(&sources) {
        let digest = config.digest_input();
        assert_eq!(Config::load(&sources).map(|config| config.digest_input()).ok(), Some(digest));
    }
}

fn check(sources: &ConfigSources<'_>) {
    let config = match Config::load(sources) {
        Ok(config) => config,
        Err(error) => {
            assert!(!error.to_string().contains(SECRET));
            return;
        }
    };
    let registry = config.registry();
    assert!(matches!(registry.scheme(), "http" | "https"), "{registry}");
    let _ = config.registry_for(&PackageName::parse("@scope/name").expect("a name"));
    let _ = config.scoped_registries().count();
    let _ = (config.credentials_for(registry), config.client_certificate_for(registry));
    for warning in config.warnings() {
        assert!(!warning.to_string().contains(SECRET), "{warning}");
    }
    let digest = config.digest_input();
    let has_secret = digest.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    assert!(!has_secret);
    for key in config.keys() {
        let _ = config.raw(key).map(|(value, source)| format!("{value:?} {source:?}"));
    }
    let _ = (config.force().is_ok(), config.omit().is_ok(), config.offline().is_ok());
    let _ = config.release_cutoffs();
}
