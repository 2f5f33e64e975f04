//! The metadata cache.

use std::sync::Arc;

use dx_pkg_core::PackageName;
use dx_pkg_format::packument::{Packument, PackumentData, VersionData};
use dx_pkg_store::metadata::{Form, MetadataRecord};

use crate::Fixture;

fn packument(name: &str, version: &str) -> Packument {
    let versions = vec![VersionData { version: version.into(), ..VersionData::default() }];
    let data = PackumentData { name: name.into(), versions, ..PackumentData::default() };
    Packument::decode(Arc::new(data.encode().unwrap())).unwrap()
}

fn record(packument: &Packument, form: Form) -> MetadataRecord<'_> {
    let (fetched_ms, fresh_until_ms, stale_until_ms) = (10, 20, 30);
    let etag = Some("\"e\"");
    MetadataRecord {
        packument,
        form,
        etag,
        last_modified: None,
        fetched_ms,
        fresh_until_ms,
        stale_until_ms,
        credential: 40,
    }
}

impl Fixture {
    fn put(&self, registry: &str, name: &str, version: &str, form: Form) {
        let packument = packument(name, version);
        let name = PackageName::parse(name).unwrap();
        self.store.put_metadata(registry, &name, &record(&packument, form)).unwrap();
        self.store.save_metadata().unwrap();
    }

    fn cached_version(&self, registry: &str, name: &str, form: Form) -> Option<(String, bool)> {
        let cached = self.store.metadata(registry, &PackageName::parse(name).unwrap(), form)?;
        let version = cached.packument.versions().next()?.version_str().to_owned();
        Some((version, cached.full))
    }
}

#[test]
fn a_packument_comes_back_with_its_validators() {
    let fixture = Fixture::new();
    fixture.put("registry.example", "@scope/a", "1.0.0", Form::Abbreviated);
    let name = PackageName::parse("@scope/a").unwrap();
    let cached = fixture.store.metadata("registry.example", &name, Form::Abbreviated).unwrap();
    assert_eq!(cached.packument.name(), "@scope/a");
    assert_eq!((cached.etag.as_deref(), cached.last_modified), (Some("\"e\""), None));
    assert_eq!(
        (cached.fetched_ms, cached.fresh_until_ms, cached.stale_until_ms, cached.full),
        (10, 20, 30, false)
    );
    assert_eq!(cached.credential, 40);
    assert_eq!(fixture.garbage(), 0);
}

#[test]
fn the_full_form_serves_for_the_abbreviated_but_not_the_reverse() {
    let fixture = Fixture::new();
    fixture.put("r", "a", "1.0.0", Form::Full);
    assert_eq!(
        fixture.cached_version("r", "a", Form::Abbreviated),
        Some(("1.0.0".to_owned(), true))
    );
    fixture.put("r", "a", "2.0.0", Form::Abbreviated);
    assert_eq!(
        fixture.cached_version("r", "a", Form::Abbreviated),
        Some(("2.0.0".to_owned(), false))
    );
    assert_eq!(fixture.cached_version("r", "a", Form::Full), Some(("1.0.0".to_owned(), true)));
    fixture.put("r", "b", "1.0.0", Form::Abbreviated);
    assert_eq!(fixture.cached_version("r", "b", Form::Full), None);
}

#[test]
fn registries_and_names_that_look_alike_are_kept_apart() {
    let fixture = Fixture::new();
    fixture.put("https://one.example/npm", "JSONStream", "1.0.0", Form::Abbreviated);
    fixture.put("https://one.example/npm", "jsonstream", "2.0.0", Form::Abbreviated);
    fixture.put("https://two.example/npm", "JSONStream", "3.0.0", Form::Abbreviated);
    let version =
        |registry, name| fixture.cached_version(registry, name, Form::Abbreviated).unwrap().0;
    assert_eq!(version("https://one.example/npm", "JSONStream"), "1.0.0");
    assert_eq!(version("https://one.example/npm", "jsonstream"), "2.0.0");
    assert_eq!(version("https://two.example/npm", "JSONStream"), "3.0.0");
}
