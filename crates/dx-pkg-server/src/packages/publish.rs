//! Changes of a package: a new version, or other tags, deprecations and maintainers.

use super::document::{Hosted, Maintainer, check_tag};
use super::upload::{Upload, UploadedTarball};
use crate::contents::{Contents, differences};
use crate::failure::Failure;
use dx_pkg_core::{PackageName, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The fields of a manifest that the packument shows for the latest version.
const SHOWN: [&str; 9] = [
    "description",
    "homepage",
    "keywords",
    "repository",
    "author",
    "bugs",
    "license",
    "readme",
    "readmeFilename",
];
/// The longest readme that is kept, in characters; npm's registry cuts there, too.
const README: usize = 64 << 10;

/// A version to be published.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Publication {
    pub(crate) version: String,
    manifest: Map<String, Value>,
    /// The packument's fields, should this version become the latest.
    fields: Map<String, Value>,
    tags: Vec<String>,
    access: Option<String>,
}

impl Publication {
    /// Checks what was sent for the name in the URL.
    ///
    /// # Errors
    /// 400 for what does not agree with itself.
    pub(crate) fn new(
        name: &PackageName,
        document: &Map<String, Value>,
        tarball: &UploadedTarball,
    ) -> Result<Self, Failure> {
        let bad = |message: String| Err(Failure::bad_request(message));
        for field in ["name", "_id"] {
            let own = document.get(field).and_then(Value::as_str);
            if own.is_some_and(|own| own != name.as_str()) || (field == "name" && own.is_none()) {
                let own = quoted(own);
                return bad(format!("the URL names {name}, the document's {field} is {own}"));
            }
        }
        let versions = document.get("versions").and_then(Value::as_object);
        let versions: Vec<_> = versions.into_iter().flatten().collect();
        let [(key, Value::Object(manifest))] = versions[..] else {
            return bad(format!("a publish has one version, not {}", versions.len()));
        };
        let Ok(version) = Version::parse_loose(key) else {
            return bad(format!("{key:?} is no version"));
        };
        let version = version.to_string();
        let told = |manifest: &Map<String, Value>, field: &str| {
            manifest.get(field).and_then(Value::as_str).map(str::to_owned)
        };
        for (whose, manifest) in
            [("manifest", manifest), ("tarball's package.json", &tarball.manifest)]
        {
            if told(manifest, "name").as_deref() != Some(name.as_str()) {
                let own = told(manifest, "name");
                let own = quoted(own.as_deref());
                return bad(format!("the URL names {name}, the name in the {whose} is {own}"));
            }
            let own = told(manifest, "version");
            let parsed = own.as_deref().and_then(|own| Version::parse_loose(own).ok());
            if parsed.map(|own| own.to_string()).as_deref() != Some(version.as_str()) {
                let own = quoted(own.as_deref());
                return bad(format!("{version} is published, the version in the {whose} is {own}"));
            }
        }
        let contents = Contents { gyp: tarball.has_binding, ..Contents::default() };
        let whole = |manifest: &Map<String, Value>| Value::Object(manifest.clone());
        let found = differences(&whole(manifest), &whole(&tarball.manifest), &contents);
        if let Some(sentence) = found.first() {
            return bad(format!("{sentence}: pack and publish again"));
        }
        let (manifest, fields) = prepared(name, &version, manifest, document, tarball)?;
        let tags = tags(document, key)?;
        let access = document.get("access").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { version, manifest, fields, tags, access })
    }

    /// Returns the integrity and the SHA-1 of the tarball.
    pub(crate) fn digests(&self) -> (&str, &str) {
        let text = |key: &str| {
            self.manifest.get("dist").and_then(|dist| dist.get(key)?.as_str()).unwrap_or_default()
        };
        (text("integrity"), text("shasum"))
    }

    /// Returns the tag that it gets first.
    pub(crate) fn tag(&self) -> &str {
        self.tags.first().map_or("latest", String::as_str)
    }

    /// Adds the registry's signature.
    pub(crate) fn sign(&mut self, signature: Value) {
        if let Some(Value::Object(dist)) = self.manifest.get_mut("dist") {
            dist.insert("signatures".to_owned(), json!([signature]));
        }
    }

    /// Adds the address of the version's attestations.
    pub(crate) fn attest(&mut self, url: &str, predicate_type: &Value) {
        if let Some(Value::Object(dist)) = self.manifest.get_mut("dist") {
            let provenance = json!({ "predicateType": predicate_type });
            dist.insert("attestations".to_owned(), json!({ "url": url, "provenance": provenance }));
        }
    }

    /// Returns the document with the new version; a new package belongs to the publisher, if there
    /// is one.
    ///
    /// # Errors
    /// 409 for a version that is there, 403 for one that was unpublished.
    pub(crate) fn apply(
        &self,
        current: Option<&Hosted>,
        publisher: Option<&Maintainer>,
        now: &str,
    ) -> Result<Hosted, Failure> {
        let mut next = current.cloned().unwrap_or_default();
        self.check_free(&next)?;
        if next.maintainers.is_empty() {
            next.maintainers.extend(publisher.cloned());
        }
        if next.access.is_none() || !next.is_there() {
            next.access = self.access.clone().or(next.access);
        }
        let mut manifest = self.manifest.clone();
        manifest.insert("maintainers".to_owned(), json!(next.maintainers));
        if let Some(publisher) = publisher {
            manifest.insert("_npmUser".to_owned(), json!(publisher));
        }
        next.versions.insert(self.version.clone(), Value::Object(manifest));
        next.touch(now);
        next.times.insert(self.version.clone(), now.to_owned());
        for tag in &self.tags {
            if tag != "latest" || self.is_higher_than(next.tags.get("latest")) {
                next.tags.insert(tag.clone(), self.version.clone());
            }
        }
        next.ensure_latest();
        if next.tags.get("latest") == Some(&self.version) {
            next.fields = self.fields.clone();
        }
        Ok(next)
    }

    /// Checks that the version can be published.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub(crate) fn check_free(&self, current: &Hosted) -> Result<(), Failure> {
        let version = &self.version;
        if current.versions.contains_key(version) {
            let message = format!("{version} is published already, and a version never changes");
            return Err(Failure::conflict(message));
        }
        if current.removed.contains_key(version) {
            let message = format!(
                "{version} was published before: its number is not free again, take another"
            );
            return Err(Failure::forbidden(message));
        }
        Ok(())
    }

    fn is_higher_than(&self, latest: Option<&String>) -> bool {
        let parse = |version: &str| Version::parse_loose(version).ok();
        match latest.and_then(|latest| parse(latest)) {
            Some(latest) => parse(&self.version).is_some_and(|own| own > latest),
            None => true,
        }
    }
}

/// Returns a text in quotes, or that there is none.
fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "missing".to_owned(), |text| format!("{text:?}"))
}

/// The manifest of a version and the packument's fields, should it become the latest.
type Prepared = (Map<String, Value>, Map<String, Value>);

/// Returns the manifest as it is kept, with `dist` computed anew, and the packument's fields.
fn prepared(
    name: &PackageName,
    version: &str,
    sent: &Map<String, Value>,
    document: &Map<String, Value>,
    tarball: &UploadedTarball,
) -> Result<Prepared, Failure> {
    let sent_dist = sent.get("dist").and_then(Value::as_object).cloned().unwrap_or_default();
    for (field, own) in [("integrity", &tarball.integrity_text), ("shasum", &tarball.shasum)] {
        let told = sent_dist.get(field).and_then(Value::as_str);
        if let Some(told) = told
            && !told.split_whitespace().any(|told| told == own)
        {
            let message =
                format!("the tarball's {field} is {own}, not {told}: it was changed on its way");
            return Err(Failure::bad_request(message));
        }
    }
    let mut fields: Map<String, Value> = Map::new();
    for field in SHOWN {
        let value = document.get(field).filter(|value| !value.is_null());
        if let Some(value) = value.or_else(|| sent.get(field)) {
            fields.insert(field.to_owned(), value.clone());
        }
    }
    if let Some(Value::String(readme)) = fields.get_mut("readme")
        && let Some((end, _)) = readme.char_indices().nth(README)
    {
        readme.truncate(end);
    }
    let mut manifest = sent.clone();
    manifest.shift_remove("readme");
    manifest.insert("version".to_owned(), json!(version));
    manifest.insert("_id".to_owned(), json!(format!("{name}@{version}")));
    let dist = json!({
        "integrity": tarball.integrity_text,
        "shasum": tarball.shasum,
        "fileCount": tarball.files,
        "unpackedSize": tarball.unpacked,
    });
    manifest.insert("dist".to_owned(), dist);
    Ok((manifest, fields))
}

/// Returns the tags that the publish sets, which all have to be for its version.
fn tags(document: &Map<String, Value>, version: &str) -> Result<Vec<String>, Failure> {
    let mut tags = Vec::new();
    for (tag, target) in document.get("dist-tags").and_then(Value::as_object).into_iter().flatten()
    {
        if target != version {
            let message = format!("the dist-tag {tag:?} is for another version than {version}");
            return Err(Failure::bad_request(message));
        }
        check_tag(tag)?;
        tags.push(tag.clone());
    }
    Ok(tags)
}

/// A change of a package without a tarball.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edit {
    /// The revision that was read before.
    pub(crate) revision: Option<String>,
    /// The versions with their deprecations, if they are in the document.
    versions: Option<BTreeMap<String, Option<String>>>,
    tags: Option<BTreeMap<String, String>>,
    pub(crate) maintainers: Option<Vec<Maintainer>>,
    /// Whether versions that the document lacks are unpublished.
    pub(crate) removes: bool,
}

impl Edit {
    /// Reads a document that was sent for the name in the URL.
    ///
    /// # Errors
    /// 400 for what is no packument of that name.
    pub(crate) fn new(name: &PackageName, upload: Upload) -> Result<Self, Failure> {
        let mut document = upload.document;
        for field in ["name", "_id"] {
            let own = document.get(field).and_then(Value::as_str);
            if own.is_some_and(|own| own != name.as_str()) {
                let own = quoted(own);
                let message = format!("the URL names {name}, the document's {field} is {own}");
                return Err(Failure::bad_request(message));
            }
        }
        let stars = document.get("users").and_then(Value::as_object);
        if stars.is_some_and(|stars| !stars.is_empty()) {
            return Err(Failure::not_found("this registry keeps no stars"));
        }
        let revision = document.get("_rev").and_then(Value::as_str).map(str::to_owned);
        let mut edit = Self { revision, ..Self::default() };
        if let Some(Value::Object(versions)) = document.get("versions") {
            let deprecated = |manifest: &Value| {
                let text = manifest.get("deprecated")?.as_str()?;
                Some(text.to_owned()).filter(|text| !text.is_empty())
            };
            let versions = versions.iter();
            edit.versions = Some(versions.map(|(key, m)| (key.clone(), deprecated(m))).collect());
        }
        let malformed = |error| Failure::bad_request(format!("the document is malformed: {error}"));
        if let Some(tags) = document.remove("dist-tags") {
            edit.tags = Some(serde_json::from_value(tags).map_err(malformed)?);
        }
        if let Some(maintainers) = document.remove("maintainers") {
            edit.maintainers = Some(serde_json::from_value(maintainers).map_err(malformed)?);
        }
        Ok(edit)
    }

    /// Returns whether it unpublishes a version of a package.
    pub(crate) fn removes_from(&self, package: &Hosted) -> bool {
        let kept = self.versions.as_ref();
        let lacks = |version: &String| kept.is_some_and(|kept| !kept.contains_key(version));
        self.removes && package.versions.keys().any(lacks)
    }

    /// Returns the document with the change; `None` where it changes nothing.
    ///
    /// # Errors
    /// 409 for an outdated revision, 400 for what needs a tarball or makes no sense.
    pub(crate) fn apply(&self, current: &Hosted, now: &str) -> Result<Option<Hosted>, Failure> {
        if let Some(revision) = &self.revision {
            current.check_revision(revision)?;
        }
        let mut next = current.clone();
        if let Some(versions) = &self.versions {
            if let Some(new) =
                versions.keys().find(|version| !current.versions.contains_key(*version))
            {
                let message =
                    format!("{new} is no version of this package: publish it with its tarball");
                return Err(Failure::bad_request(message));
            }
            if self.removes {
                let gone =
                    current.versions.keys().filter(|version| !versions.contains_key(*version));
                gone.for_each(|version| next.remove(version, now));
            }
            for (version, text) in versions {
                if let Some(Value::Object(manifest)) = next.versions.get_mut(version) {
                    match text {
                        Some(text) => manifest.insert("deprecated".to_owned(), json!(text)),
                        None => manifest.shift_remove("deprecated"),
                    };
                }
            }
        }
        if let (Some(tags), Some(_)) = (&self.tags, &self.revision) {
            for (tag, version) in tags {
                let is_new = next.tags.get(tag) != Some(version);
                if is_new && !next.versions.contains_key(version) {
                    let message =
                        format!("the dist-tag {tag:?} is for {version:?}, which is no version");
                    return Err(Failure::bad_request(message));
                }
                if is_new {
                    check_tag(tag)?;
                }
            }
            next.tags = tags.clone();
        }
        next.ensure_latest();
        if let Some(maintainers) = &self.maintainers {
            if maintainers.is_empty() {
                return Err(Failure::bad_request("a package needs a maintainer"));
            }
            next.maintainers = maintainers.clone();
        }
        if next == *current {
            return Ok(None);
        }
        next.touch(now);
        Ok(Some(next))
    }
}
