use super::*;
use std::net::IpAddr;

fn from(variables: &[(&str, &str)]) -> Result<Config, String> {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let mut variables: Vec<_> = variables.iter().map(own).collect();
    variables.push(("HOME".to_owned(), "/home/someone".to_owned()));
    read(&Sources {
        file: None,
        variables: &variables,
        flags: Vec::new(),
        default_upstream: Some("https://upstream.example"),
    })
}

#[test]
fn the_defaults_are_enough() {
    let config = from(&[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:4873");
    assert_eq!(config.storage.to_str(), Some("/home/someone/.local/share/dx/registry"));
    assert_eq!(config.upstream.unwrap().0.as_str(), "https://upstream.example/");
    let config = from(&[("XDG_DATA_HOME", "/data"), ("DX_REGISTRY_UPSTREAM", "none")]).unwrap();
    assert_eq!(config.storage.to_str(), Some("/data/dx/registry"));
    assert_eq!(config.upstream, None);
}

#[test]
fn every_key_is_a_variable_too() {
    let config = from(&[
        ("DX_REGISTRY_LISTEN", "0.0.0.0:80"),
        ("DX_REGISTRY_LIMITS__BODY_TIME", "2m"),
        ("DX_REGISTRY_LIMITS__CONNECTIONS", "7"),
        ("DX_REGISTRY_TRUSTED_PROXIES", "[\"10.0.0.0/8\", \"::1\"]"),
    ])
    .unwrap();
    assert_eq!(config.listen.port(), 80);
    assert_eq!(config.limits.body_time, Span::seconds(120));
    assert_eq!(config.limits.connections, 7);
    let trusted = |address: &str| {
        let address: IpAddr = address.parse().unwrap();
        config.trusted_proxies.iter().any(|network| network.contains(address))
    };
    assert!(trusted("10.255.0.1") && trusted("::ffff:10.0.0.1") && trusted("::1"));
    assert!(!trusted("11.0.0.1") && !trusted("::2"));
    assert!(from(&[("DX_REGISTRY_LIMITS__BODDY", "1")]).unwrap_err().contains("boddy"));
}

#[test]
fn addresses_inside_are_told_from_public_ones() {
    for inside in [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "ff02::1",
        "2001:db8::1",
        "192.0.0.1",
        "198.18.0.1",
    ] {
        assert!(!is_public(inside.parse().unwrap()), "{inside}");
    }
    for public in ["1.1.1.1", "8.8.8.8", "104.16.0.1", "2606:4700::1", "64:ff9b::808:808"] {
        assert!(is_public(public.parse().unwrap()), "{public}");
    }
}

#[test]
fn the_commented_file_has_every_key_with_its_default() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/registry/dx-registry.toml");
    let text = std::fs::read_to_string(file).unwrap();
    // As it is, it sets nothing that needs more.
    toml::from_str::<Config>(&text).unwrap_or_else(|error| panic!("{error}"));
    // Without its comment signs, each example line is a setting.
    let is_setting = |line: &&str| line.starts_with('[') || line.contains(" = ");
    let settings: String = text
        .lines()
        .map(|line| line.strip_prefix('#').unwrap_or(line))
        .filter(|line| !line.starts_with(' '))
        .filter(is_setting)
        .fold(String::new(), |all, line| all + line + "\n");
    let config: Config =
        toml::from_str(&settings).unwrap_or_else(|error| panic!("{error}\n{settings}"));
    let (limits, cache) = (Limits::default(), Cache::default());
    assert_eq!(format!("{:?}", config.limits), format!("{limits:?}"));
    assert_eq!(config.cache.fresh, cache.fresh);
    assert_eq!(config.dxrp, Dxrp::default());
    assert_eq!(config.listen, Config::default().listen);
}
