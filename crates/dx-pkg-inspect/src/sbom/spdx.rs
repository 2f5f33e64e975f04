//! The form of SPDX, version 2.3.

use std::collections::HashSet;
use std::iter;

use dx_pkg_compat::hosted::percent;
use dx_pkg_resolve::graph::Kind;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Bill, Each, SbomOptions, uuid};
use crate::audit::iso_time;

const NONE: &str = "NOASSERTION";
const DOCUMENT: &str = "SPDXRef-DOCUMENT";

/// How one package stands to another.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    related_spdx_element: String,
    relationship_type: &'static str,
}

impl Relationship {
    fn new(element: String, related: String, kind: &'static str) -> Self {
        Relationship {
            spdx_element_id: element,
            related_spdx_element: related,
            relationship_type: kind,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<P, R> {
    spdx_version: &'static str,
    data_license: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: String,
    document_namespace: String,
    creation_info: Value,
    document_describes: [String; 1],
    packages: P,
    relationships: R,
}

/// Returns the document of a bill of materials, as JSON.
pub(super) fn document(bill: &Bill<'_>, options: &SbomOptions) -> serde_json::Result<String> {
    let name = format!("{}@{}", bill.view.project_name(), bill.version(0));
    let escaped = percent(&bill.view.project_name()).replacen("%40", "@", 1);
    let packages = || {
        let others = bill.unique.iter().map(|place| package(bill, *place, None));
        iter::once(package(bill, 0, Some(&options.kind))).chain(others)
    };
    serde_json::to_string_pretty(&Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        document_namespace: format!(
            "http://spdx.org/spdxdocs/{escaped}-{}-{}",
            bill.version(0),
            uuid()
        ),
        name,
        creation_info: json!({
            "created": iso_time(options.time),
            "creators": [format!("Tool: dx-{}", env!("CARGO_PKG_VERSION"))],
        }),
        document_describes: [id(bill, 0)],
        packages: Each(packages),
        relationships: Each(|| relationships(bill)),
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
fn relationships<'b>(bill: &'b Bill<'b>) -> impl Iterator<Item = Relationship> + 'b {
    let project = id(bill, 0);
    let described = Relationship::new(DOCUMENT.to_owned(), project.clone(), "DESCRIBES");
    let packages = &bill.view.graph.packages;
    let mut seen: HashSet<usize> = HashSet::new();
    let places = bill.places.iter().map(|place| packages[*place].target.unwrap_or(*place));
    let places = places.filter(move |place| seen.insert(*place));
    let extraneous = bill.places.iter().filter(|place| packages[**place].extraneous);
    let extraneous = extraneous.map(move |place| {
        Relationship::new(id(bill, *place), project.clone(), "OPTIONAL_DEPENDENCY_OF")
    });
    iter::once(described).chain(places.flat_map(|place| required(bill, place))).chain(extraneous)
}

/// Returns what a package requires, each once.
fn required<'b>(bill: &'b Bill<'b>, place: usize) -> impl Iterator<Item = Relationship> + 'b {
    let own = id(bill, place);
    let mut seen: HashSet<(String, &str)> = HashSet::new();
    bill.requirements(place).filter_map(move |(required, to)| {
        let kind = match required.kind {
            Kind::Peer => "PREREQUISITE_FOR",
            Kind::Optional => "OPTIONAL_DEPENDENCY_OF",
            Kind::Development => "DEV_DEPENDENCY_OF",
            Kind::Production | Kind::OptionalPeer | Kind::Workspace => "DEPENDENCY_OF",
        };
        let to = id(bill, to);
        seen.insert((to.clone(), kind)).then(|| Relationship::new(to, own.clone(), kind))
    })
}
