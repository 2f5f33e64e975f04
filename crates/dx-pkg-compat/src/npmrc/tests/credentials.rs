//! Credentials: the URLs that receive them, and above all those that do not.

use super::*;
use dx_pkg_fetch::tls::{Pem, PemSource};

fn header(config: &Config, target: &str) -> Option<String> {
    let authorization = config.credentials_for(&url(target));
    authorization.map(|authorization| authorization.header_value())
}

fn token(text: &str) -> Option<String> {
    Some(format!("Bearer {text}"))
}

#[test]
fn longest_path_wins() {
    let config = user(
        "//r.example/:_authToken=root\n//r.example/a/:_authToken=a\n//r.example/a/b:_authToken=b",
    );
    assert_eq!(header(&config, "https://r.example/x"), token("root"));
    assert_eq!(header(&config, "https://r.example/a"), token("a"));
    assert_eq!(header(&config, "https://r.example/a/x.tgz"), token("a"));
    assert_eq!(header(&config, "https://r.example/a/b"), token("b"));
    assert_eq!(header(&config, "https://r.example/a/b/c"), token("b"));
}

#[test]
fn paths_end_at_slashes() {
    let config = user("//r.example/team:_authToken=t");
    for other in ["/", "/team2/x", "/teams", "/x/team/", "/team%2Fx"] {
        assert_eq!(header(&config, &format!("https://r.example{other}")), None, "{other}");
    }
    assert_eq!(header(&config, "https://r.example/x/../team/y"), token("t"));
    assert_eq!(header(&config, "https://r.example/team/../x"), None);
}

#[test]
fn other_hosts_get_nothing() {
    let config = user("//registry.example/:_authToken=t");
    for other in [
        "https://registry.example.evil/",
        "https://evil-registry.example/",
        "https://sub.registry.example/",
        "https://example/",
        "https://registry.example@evil.test/",
        "https://evil.test/registry.example/",
        "https://evil.test//registry.example/",
        "https://registry.example./",
        "ftp://registry.example/",
    ] {
        assert_eq!(header(&config, other), None, "{other}");
    }
    assert_eq!(header(&config, "https://REGISTRY.example/x"), token("t"));
    assert_eq!(header(&config, "https://user@registry.example/x"), token("t"));
}

#[test]
fn ports_must_be_the_same() {
    let plain = user("registry=http://r.example/\n//r.example/:_authToken=t");
    assert_eq!(header(&plain, "https://r.example:443/"), token("t"));
    assert_eq!(header(&plain, "http://r.example/"), token("t"));
    for other in ["https://r.example:8443/", "https://r.example:80/", "http://r.example:443/"] {
        assert_eq!(header(&plain, other), None, "{other}");
    }
    let port = user("//r.example:8443/:_authToken=t\n//s.example:443/:_authToken=s");
    assert_eq!(header(&port, "https://r.example:8443/x"), token("t"));
    assert_eq!(header(&port, "https://r.example/x"), None);
    assert_eq!(header(&port, "https://r.example:84430/x".replace("84430", "8444").as_str()), None);
    assert_eq!(header(&port, "https://s.example/x"), token("s"));
    assert_eq!(header(&port, "http://s.example/x"), None);
    let address = user("//[::1]:4873/:_authToken=six\n//127.0.0.1:4873/:_authToken=four");
    assert_eq!(header(&address, "http://[::1]:4873/x"), token("six"));
    assert_eq!(header(&address, "http://127.0.0.1:4873/x"), token("four"));
    assert_eq!(header(&address, "http://[::1]/x"), None);
}

#[test]
fn kinds_have_their_order() {
    let all = "//r.example/:username=u\n//r.example/:_password=cDpx\n";
    let basic = |pair: &str| Some(format!("Basic {pair}"));
    assert_eq!(header(&user(all), "https://r.example/"), basic("dTpwOnE="));
    let auth = format!("{all}//r.example/:_auth=dmVyYmF0aW0=\n");
    assert_eq!(header(&user(&auth.clone()), "https://r.example/"), basic("dmVyYmF0aW0="));
    let bearer = format!("{auth}//r.example/:_authToken=t\n");
    assert_eq!(header(&user(&bearer), "https://r.example/"), token("t"));
}

#[test]
fn password_is_read_as_leniently_as_npm_does() {
    // Values from Node: Buffer.from(password, 'base64').
    for (password, expected) in [
        ("cDpx", "dTpwOnE="),
        ("cDo", "dTpwOg=="),
        ("c D\to=x", "dTpwOg=="),
        ("_-8", "dTrvv73vv70="),
        ("c", "dTo="),
    ] {
        let text = format!("//r.example/:username=u\n//r.example/:_password=\"{password}\"");
        let text = text.replace('\t', "\\t");
        assert_eq!(
            header(&user(&text), "https://r.example/"),
            Some(format!("Basic {expected}")),
            "{password}"
        );
    }
}

#[test]
fn half_a_pair_is_no_credential_and_falls_back() {
    let config =
        user("//r.example/:_authToken=root\n//r.example/a/:username=u\n//r.example/b/:_authToken=");
    assert_eq!(header(&config, "https://r.example/a/x"), token("root"));
    assert_eq!(header(&config, "https://r.example/b/x"), token("root"));
}

#[test]
fn parts_of_a_pair_may_come_from_different_layers() {
    let config = Layers {
        user: "//r.example/:_password=cA==",
        env: &[("npm_config_//r.example/:username", "u")],
        ..Layers::default()
    }
    .config();
    assert_eq!(header(&config, "https://r.example/").as_deref(), Some("Basic dTpw"));
    let removed = Layers {
        user: "//r.example/:_authToken=t",
        project: "//r.example/:_authToken=null",
        ..Layers::default()
    };
    assert_eq!(header(&removed.config(), "https://r.example/"), None);
}

#[test]
fn client_certificates_need_both_files() {
    let config = Layers { user: "//r.example/:certfile=~/c.pem\n//r.example/:keyfile=/k.pem\n//s.example/:certfile=/c.pem\n//r.example/a/:_authToken=t", env: &[("HOME", "/home/u")], ..Layers::default() }.config();
    let pem = |name: &str, path: &str| Pem {
        setting: format!("//r.example/:{name}"),
        source: PemSource::File(path.into()),
    };
    let expected = ClientCertificate {
        certificate: pem("certfile", "/home/u/c.pem"),
        key: pem("keyfile", "/k.pem"),
    };
    assert_eq!(config.client_certificate_for(&url("https://r.example/a/x")), Some(expected));
    assert_eq!(config.client_certificate_for(&url("https://s.example/")), None);
    assert_eq!(header(&config, "https://r.example/"), None);
}

#[test]
fn files_beside_a_registry_get_its_client_certificate_and_other_hosts_none() {
    let config = user(
        "registry=https://r.example:8443/npm/\n//r.example:8443/npm/:certfile=/c.pem\n//r.example:8443/npm/:keyfile=/k.pem",
    );
    let found =
        |address: &str| config.client_certificate_for(&url(address)).map(|found| found.key.setting);
    for address in ["https://r.example:8443/npm/a", "https://r.example:8443/files/a.tgz"] {
        assert_eq!(found(address).as_deref(), Some("//r.example:8443/npm/:keyfile"), "{address}");
    }
    for address in [
        "https://r.example/npm/a",
        "https://s.example:8443/npm/a",
        "http://r.example:8443/files/a.tgz",
    ] {
        assert_eq!(found(address), None, "{address}");
    }
}

#[test]
fn a_certificate_as_text_serves_the_registries_and_yields_to_their_own() {
    let config = user(
        "registry=https://r.example/\n@s:registry=https://s.example/\n//s.example/:certfile=/c.pem\n//s.example/:keyfile=/k.pem\ncert=one\\ntwo\nkey=s3cret",
    );
    let found = |address: &str| config.client_certificate_for(&url(address));
    let text = found("https://r.example/a").unwrap();
    assert_eq!(text.certificate.source, PemSource::Text("one\ntwo".to_owned()));
    assert_eq!((text.certificate.setting.as_str(), text.key.setting.as_str()), ("cert", "key"));
    assert_eq!(found("https://s.example/a").unwrap().key.setting, "//s.example/:keyfile");
    assert_eq!(found("https://elsewhere.example/a"), None);
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    assert!(!format!("{config:?}").contains("s3cret"));
    assert_eq!(
        user("cert=one").warnings().len(),
        1,
        "a certificate without a key is passed over in silence"
    );
}

#[test]
fn artifact_of_the_registrys_origin_gets_the_registrys_credential() {
    let config = user("//r.example/npm/:_authToken=t\n//r.example/files/private/:_authToken=p");
    let registry = url("https://r.example/npm/");
    let artifact = |target: &str| {
        config.credentials_for_artifact(&url(target), &registry).map(|found| found.header_value())
    };
    assert_eq!(artifact("https://r.example/files/a.tgz"), token("t"));
    assert_eq!(artifact("https://r.example/files/private/a.tgz"), token("p"));
    for other in [
        "http://r.example/files/a.tgz",
        "https://r.example:444/a.tgz",
        "https://cdn.r.example/a.tgz",
    ] {
        assert_eq!(artifact(other), None, "{other}");
    }
}

#[test]
fn unscoped_credentials_are_refused_with_a_warning() {
    for key in ["_authToken", "_auth", "username", "_password", "certfile", "keyfile"] {
        let text = &format!("{key}=s3cret");
        for config in [user(text), project(text)] {
            assert_eq!(header(&config, "https://registry.example/"), None, "{key}");
            assert_eq!(config.warnings().len(), 1, "{key}");
            assert_eq!(config.warnings()[0].code(), "DX_NPMRC_UNSCOPED_CREDENTIAL");
        }
    }
    let env = Layers {
        env: &[("npm_config__auth", "x"), ("npm_config__authToken", "y")],
        ..Layers::default()
    };
    assert_eq!(env.config().warnings().len(), 2);
}

#[test]
fn malformed_credentials_are_refused_with_a_warning() {
    for text in [
        "//:_authToken=t",
        "///x/:_authToken=t",
        "//r.example:x/:_authToken=t",
        "//u:p@r.example/:_authToken=t",
        "//r.example/?q:_authToken=t",
        "//r.example/:_authToken=\"a\\r\\nX-Evil: b\"",
        "//r.example/:_authToken[]=a\n//r.example/:_authToken[]=b",
    ] {
        let config = user(text);
        assert_eq!(config.warnings().len(), 1, "{text}");
        assert_eq!(config.warnings()[0].code(), "DX_NPMRC_BAD_CREDENTIAL", "{text}");
        assert_eq!(header(&config, "https://r.example/"), None, "{text}");
        assert!(!config.warnings()[0].to_string().contains("u:p"), "{text}");
    }
}
