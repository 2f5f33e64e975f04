use super::*;
use std::path::PathBuf;

fn roots(settings: &TlsSettings) -> Result<RootCertStore, FetchCause> {
    trusted(settings).map(|(trusted, _)| trusted.roots)
}

fn refused(settings: &TlsSettings) -> String {
    with_settings(settings, None).expect_err("the settings were accepted").to_string()
}

#[test]
fn default_roots_are_never_empty() {
    assert!(roots(&TlsSettings::default()).unwrap().len() > 50);
}

#[test]
fn ca_replaces_the_default_roots() {
    let settings =
        TlsSettings { ca: vec![certificate().replace('\n', "\\n")], ..TlsSettings::default() };
    assert_eq!(roots(&settings).unwrap().len(), 1);
}

#[test]
fn extra_roots_are_added_and_may_be_missing() {
    let folder = std::env::temp_dir().join(format!("dx-fetch-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("extra.pem");
    std::fs::write(&file, certificate()).unwrap();
    let with = |path: PathBuf| TlsSettings { extra_ca_file: Some(path), ..TlsSettings::default() };
    let usual = roots(&TlsSettings::default()).unwrap().len();
    assert_eq!(roots(&with(file)).unwrap().len(), usual + 1);
    assert_eq!(roots(&with(folder.join("missing.pem"))).unwrap().len(), usual);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn unusable_authorities_are_named() {
    let missing = TlsSettings { ca_file: Some("/nowhere/ca.pem".into()), ..TlsSettings::default() };
    assert!(refused(&missing).contains("cafile") && refused(&missing).contains("/nowhere/ca.pem"));
    let empty = TlsSettings { ca: vec!["no certificate".to_owned()], ..TlsSettings::default() };
    assert!(refused(&empty).contains("no usable certificate"), "{}", refused(&empty));
}

#[test]
fn verification_can_be_switched_off() {
    let settings = TlsSettings {
        verify: false,
        ca_file: Some("/nowhere/ca.pem".into()),
        ..TlsSettings::default()
    };
    assert!(with_settings(&settings, None).is_ok());
}

/// A certificate of a private authority.
fn certificate() -> String {
    rcgen::generate_simple_self_signed(["registry.example".to_owned()]).unwrap().cert.pem()
}
