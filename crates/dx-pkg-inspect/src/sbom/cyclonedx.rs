//! The form of CycloneDX, version 1.5.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::licenses::{License, parse};
use super::{Bill, Each, SbomOptions, uuid};
use crate::audit::iso_time;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<C, D> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Value,
    components: C,
    dependencies: D,
}

/// Returns the document of a bill of materials, as JSON.
pub(super) fn document(bill: &Bill<'_>, options: &SbomOptions) -> serde_json::Result<String> {
    let phase = if bill.is_locked() { "pre-build" } else { "build" };
    let listed = || std::iter::once(0).chain(bill.unique.iter().copied());
    serde_json::to_string_pretty(&Document {
        schema: "http://cyclonedx.org/schema/bom-1.5.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.5",
        serial_number: format!("urn:uuid:{}", uuid()),
        version: 1,
        metadata: json!({
            "timestamp": iso_time(options.time),
            "lifecycles": [{ "phase": phase }],
            "tools": [{ "vendor": "dx", "name": "dx", "version": env!("CARGO_PKG_VERSION") }],
            "component": component(bill, 0, &options.kind),
        }),
        components: Each(|| bill.unique.iter().map(|place| component(bill, *place, "library"))),
        dependencies: Each(|| listed().map(|place| dependency(bill, place))),
    })
}

fn component(bill: &Bill<'_>, place: usize, kind: &str) -> Value {
    let package = &bill.view.graph.packages[place];
    // As npm reads a lockfile.
    let is_optional = package.optional || package.dev_optional || bill.is_locked() && package.dev;
    let mut object = Map::new();
    let mut insert = |key: &str, value: Value| object.insert(key.to_owned(), value);
    insert("bom-ref", bill.reference(place).into());
    insert("type", kind.into());
    insert("name", bill.name(place).into());
    insert("version", bill.version(place).into());
    insert("scope", if is_optional { "optional" } else { "required" }.into());
    let author = bill.member(place, "author");
    let author = author.map(|author| author.get("name").unwrap_or(author));
    if let Some(author) = author.and_then(Value::as_str) {
        insert("author", author.into());
    }
    if let Some(description) = bill.text(place, "description") {
        insert("description", description.into());
    }
    insert("purl", bill.purl(place).into());
    let is_private = bill.member(place, "private") == Some(&Value::Bool(true));
    let properties = [
        (package.dev, "development"),
        (is_private, "private"),
        (package.extraneous, "extraneous"),
        (bill.bundled[place], "bundled"),
    ];
    let properties = properties
        .iter()
        .filter(|(is_so, _)| *is_so)
        .map(|(_, name)| json!({ "name": format!("cdx:npm:package:{name}"), "value": "true" }));
    insert("properties", properties.collect());
    let url = |key: &str| bill.member(place, key)?.get("url")?.as_str();
    let resolved = bill.resolved(place);
    let references = [
        ("distribution", resolved.as_deref()),
        ("vcs", url("repository")),
        ("website", bill.text(place, "homepage")),
        ("issue-tracker", url("bugs")),
    ];
    let references =
        references.iter().filter_map(|(kind, url)| Some(json!({ "type": kind, "url": (*url)? })));
    insert("externalReferences", references.collect());
    if let Some((algorithm, digest)) = bill.digest(place) {
        let algorithm = match algorithm {
            "sha1" => "SHA-1",
            "sha256" => "SHA-256",
            "sha384" => "SHA-384",
            _ => "SHA-512",
        };
        insert("hashes", json!([{ "alg": algorithm, "content": digest }]));
    }
    let license = bill.license(place).and_then(|text| Some((parse(&text)?, text)));
    match license {
        Some((License::One(id), _)) => {
            insert("licenses", json!([{ "license": { "id": id } }]));
        }
        Some((License::Several, text)) => {
            insert("licenses", json!([{ "expression": text }]));
        }
        None => {}
    }
    Value::Object(object)
}

fn dependency(bill: &Bill<'_>, place: usize) -> Value {
    let mut seen: HashSet<String> = HashSet::new();
    let references = bill.requirements(place).map(|(_, to)| bill.reference(to));
    let below: Vec<String> = references.filter(|one| seen.insert(one.clone())).collect();
    json!({ "ref": bill.reference(place), "dependsOn": below })
}
