use super::*;
use crate::npmrc::ConfigSources;

const DEFAULT: &str = "https://registry.example/";

fn addresses(flags: &[(&str, &str)]) -> OwnAddresses {
    let flags: Vec<(String, String)> =
        flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let sources =
        ConfigSources { default_registry: DEFAULT, flags: &flags, ..ConfigSources::default() };
    let config = Config::load(&sources).unwrap();
    OwnAddresses::new(config, &Url::parse(DEFAULT).unwrap()).unwrap()
}

#[test]
fn own_address_has_the_registrys_scheme_host_port_and_path() {
    let mirror = addresses(&[("registry", "https://mirror.example/npm/")]);
    for (url, own) in [
        ("https://mirror.example/npm/a/-/a-1.0.0.tgz", true),
        ("https://mirror.example:443/npm/a.tgz", true),
        ("https://MIRROR.example/npm/a.tgz", true),
        // The default registry stands for the configured one.
        ("https://registry.example/a/-/a-1.0.0.tgz", true),
        ("http://registry.example/a/-/a-1.0.0.tgz", true),
        ("http://mirror.example/npm/a.tgz", false),
        ("https://mirror.example:8443/npm/a.tgz", false),
        ("https://mirror.example/a.tgz", false),
        ("https://mirror.example/npmx/a.tgz", false),
        ("https://mirror.example/npm/../a.tgz", false),
        ("https://mirror.example/npm/%2e%2e/a.tgz", false),
        ("https://mirror.example/npm/..\\a.tgz", false),
        ("https://mirror.example/npm/.\t./a.tgz", false),
        ("https://mirror.example@other.example/npm/a.tgz", false),
        ("https://other.example/npm/a.tgz", false),
        ("git+https://mirror.example/npm/a.git", false),
        ("nonsense", false),
    ] {
        assert_eq!(mirror.contain("a", url), own, "{url}");
    }
}

#[test]
fn own_address_is_that_of_the_packages_scope() {
    let scoped = addresses(&[("@s:registry", "https://scoped.example/")]);
    assert!(scoped.contain("@s/a", "https://scoped.example/@s/a/-/a-1.0.0.tgz"));
    assert!(!scoped.contain("@s/a", "https://registry.example/@s/a/-/a-1.0.0.tgz"));
    assert!(!scoped.contain("a", "https://scoped.example/a/-/a-1.0.0.tgz"));
}

#[test]
fn replaced_host_counts_as_the_one_that_is_requested() {
    let mirror = ("registry", "https://mirror.example/npm/");
    let url = "https://files.example/a/-/a-1.0.0.tgz";
    for (setting, own) in [
        ("npmjs", false),
        ("never", false),
        ("always", true),
        ("files.example", true),
        ("https://files.example/a/", true),
        ("https://files.example/b/", false),
    ] {
        let addresses = addresses(&[mirror, ("replace-registry-host", setting)]);
        assert_eq!(addresses.contain("a", url), own, "{setting}");
    }
    let never = addresses(&[mirror, ("replace-registry-host", "never")]);
    assert!(!never.contain("a", "https://registry.example/a/-/a-1.0.0.tgz"));
}
