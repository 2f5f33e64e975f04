//! The form of SPDX, version 2.3.

use std::collections::HashSet;

use dx_pkg_resolve::graph::Kind;
use serde_json::{Map, Value, json};

use super::{Bill, SbomOptions, encoded, uuid};
use crate::audit::iso_time;

const NONE: &str = "NOASSERTION";

/// Returns the document of a bill of materials.
pub(super) fn document(bill: &Bill<'_>, options: &SbomOptions) -> Value {
    let name = format!("{}@{}", bill.view.project_name(), bill.version(0));
    let escaped = encoded(&bill.view.project_name()).replacen("%40", "@", 1);
    let namespace = format!("http://spdx.org/spdxdocs/{escaped}-{}-{}", bill.version(0), uuid());
    let mut packages = vec![package(bill, 0, Some(&options.kind))];
    packages.extend(bill.unique.iter().map(|place| package(bill, *place, None)));
    json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": namespace,
        "creationInfo": {
            "created": iso_time(options.time),
            "creators": [format!("Tool: dx-{}", env!("CARGO_PKG_VERSION"))],
        },
        "documentDescribes": [id(bill, 0)],
        "packages": packages,
        "relationships": relationships(bill),
    })
}

fn id(bill: &Bill<'_>, place: usize) -> String {
    let name = bill.name(place);
    let name = name.strip_prefix('@').unwrap_or(name).replace('/', ".");
    format!("SPDXRef-Package-{name}-{}", bill.version(place))
}

fn package(bill: &Bill<'_>, place: usize, kind: Option<&str>) -> Value {
    let package = &bill.view.graph.packages[place];
    let link = package.links.first().filter(|_| package.is_workspace);
    let location = &bill.view.graph.packages[link.copied().unwrap_or(place)].path;
    let mut object = Map::new();
    let mut insert = |key: &str, value: Value| object.insert(key.to_owned(), value);
    insert("name", bill.name(place).into());
    insert("SPDXID", id(bill, place).into());
    insert("versionInfo", bill.version(place).into());
    insert("packageFileName", location.clone().into());
    if let Some(description) = bill.text(place, "description") {
        insert("description", description.into());
    }
    if let Some(kind) = kind {
        insert("primaryPackagePurpose", kind.to_uppercase().into());
    }
    insert("downloadLocation", bill.resolved(place).as_deref().unwrap_or(NONE).into());
    insert("filesAnalyzed", false.into());
    insert("homepage", bill.text(place, "homepage").unwrap_or(NONE).into());
    let license = bill.license(place).filter(|text| !text.is_empty());
    insert("licenseDeclared", license.unwrap_or_else(|| NONE.to_owned()).into());
    insert(
        "externalRefs",
        json!([{
            "referenceCategory": "PACKAGE-MANAGER",
            "referenceType": "purl",
            "referenceLocator": bill.purl(place),
        }]),
    );
    if let Some((algorithm, digest)) = bill.digest(place) {
        insert(
            "checksums",
            json!([{ "algorithm": algorithm.to_uppercase(), "checksumValue": digest }]),
        );
    }
    Value::Object(object)
}

/// Returns who requires whom, each once.
fn relationships(bill: &Bill<'_>) -> Vec<Value> {
    let relationship = |element: String, related: String, kind: &str| {
        json!({
            "spdxElementId": element, "relatedSpdxElement": related, "relationshipType": kind,
        })
    };
    let document = "SPDXRef-DOCUMENT".to_owned();
    let mut found = vec![relationship(document, id(bill, 0), "DESCRIBES")];
    let mut seen: HashSet<usize> = HashSet::new();
    for place in &bill.places {
        let place = bill.view.graph.packages[*place].target.unwrap_or(*place);
        if !seen.insert(place) {
            continue;
        }
        let mut own: Vec<Value> = Vec::new();
        for (required, to) in bill.requirements(place) {
            let kind = match required.kind {
                Kind::Peer => "PREREQUISITE_FOR",
                Kind::Optional => "OPTIONAL_DEPENDENCY_OF",
                Kind::Development => "DEV_DEPENDENCY_OF",
                Kind::Production | Kind::OptionalPeer | Kind::Workspace => "DEPENDENCY_OF",
            };
            let one = relationship(id(bill, to), id(bill, place), kind);
            if !own.contains(&one) {
                own.push(one);
            }
        }
        found.extend(own);
    }
    let extraneous =
        bill.places.iter().filter(|place| bill.view.graph.packages[**place].extraneous);
    found.extend(
        extraneous
            .map(|place| relationship(id(bill, *place), id(bill, 0), "OPTIONAL_DEPENDENCY_OF")),
    );
    found
}
