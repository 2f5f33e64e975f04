//! The forms of what was found of signatures: text for people, and npm's JSON.

use serde_json::{Map, Value, json};

use super::{Invalid, Signatures, Signed};

impl Signatures {
    /// Returns whether every package of a registry with keys has signatures that hold.
    #[must_use]
    pub fn hold(&self) -> bool {
        self.invalid.is_empty() && self.missing.is_empty()
    }

    /// Returns the result as JSON, in npm's form; `in_full` adds the attestations that hold.
    #[must_use]
    pub fn json(&self, in_full: bool) -> Value {
        let invalid: Vec<Value> = self.invalid.iter().map(invalid_json).collect();
        let missing: Vec<Value> = self.missing.iter().map(missing_json).collect();
        let mut object = json!({ "invalid": invalid, "missing": missing });
        if in_full {
            let verified = self.attested.iter().map(|(package, told, bundles)| {
                json!({
                    "name": package.name,
                    "version": package.version,
                    "location": package.location,
                    "registry": package.registry,
                    "attestations": told,
                    "attestationBundles": bundles,
                })
            });
            object["verified"] = verified.collect();
        }
        object
    }

    /// Returns the result for people, after `seconds` of work.
    #[must_use]
    pub fn text(&self, seconds: u64) -> String {
        let mut lines = vec![format!(
            "audited {} package{} in {seconds}s",
            self.audited,
            if self.audited > 1 { "s" } else { "" }
        )];
        let mut section = |text: Vec<String>| {
            lines.push(String::new());
            lines.extend(text);
        };
        if self.verified > 0 {
            let (subject, signature) = number(self.verified, "has a", "have");
            section(vec![format!(
                "{subject} verified registry signature{}",
                if signature { "s" } else { "" }
            )]);
        }
        if !self.attested.is_empty() {
            let (subject, several) = number(self.attested.len(), "has an", "have");
            section(vec![
                format!("{subject} attestation{}", if several { "s" } else { "" }),
                "(of these packages, and signed; where the certificates of provenance come from is not checked)"
                    .to_owned(),
                "(--json --include-attestations shows them)".to_owned(),
            ]);
        }
        if !self.missing.is_empty() {
            let (subject, several) = number(self.missing.len(), "has a", "have");
            section(vec![format!(
                "{subject} missing registry signature{} but the registry is providing signing keys:",
                if several { "s" } else { "" }
            )]);
            section(self.missing.iter().map(label).collect());
        }
        for (code, what) in
            [("EINTEGRITYSIGNATURE", "registry signature"), ("EATTESTATIONVERIFY", "attestation")]
        {
            let invalid: Vec<&Invalid> =
                self.invalid.iter().filter(|one| one.code == code).collect();
            if invalid.is_empty() {
                continue;
            }
            let (subject, several) = number(invalid.len(), "has an", "have");
            section(vec![format!("{subject} invalid {what}{}:", if several { "s" } else { "" })]);
            section(invalid.iter().map(|one| label(&one.package)).collect());
            let others = invalid.iter().map(|one| one.message.as_str());
            section(others.filter(|text| text.contains("integrity")).map(str::to_owned).collect());
        }
        if !self.invalid.is_empty() {
            section(vec![
                "What was published may have been changed since: install none of it before you know why."
                    .to_owned(),
            ]);
        }
        let text = lines.join("\n");
        text.trim_end().replace("\n\n\n", "\n\n")
    }
}

/// Returns a number of packages with its verb, and whether there are several.
fn number(count: usize, one: &str, many: &str) -> (String, bool) {
    if count == 1 {
        (format!("1 package {one}"), false)
    } else {
        (format!("{count} packages {many}"), true)
    }
}

fn label(package: &Signed) -> String {
    format!("{}@{} ({})", package.name, package.version, package.registry)
}

/// Returns an object of the members that have a value.
fn object(members: &[(&str, Option<&str>)]) -> Value {
    let given = members.iter().filter_map(|(key, value)| Some(((*key).to_owned(), (*value)?)));
    Value::Object(given.map(|(key, value)| (key, value.into())).collect::<Map<_, _>>())
}

fn missing_json(package: &Signed) -> Value {
    object(&[
        ("integrity", package.integrity.as_deref()),
        ("location", Some(&package.location)),
        ("name", Some(&package.name)),
        ("registry", Some(&package.registry)),
        ("resolved", package.resolved.as_deref()),
        ("version", Some(&package.version)),
    ])
}

fn invalid_json(one: &Invalid) -> Value {
    let package = &one.package;
    object(&[
        ("code", Some(one.code)),
        ("message", Some(&one.message)),
        ("integrity", package.integrity.as_deref()),
        ("keyid", one.key.as_deref()),
        ("location", Some(&package.location)),
        ("name", Some(&package.name)),
        ("registry", Some(&package.registry)),
        ("resolved", package.resolved.as_deref()),
        ("signature", one.signature.as_deref()),
        ("type", Some(package.section)),
        ("version", Some(&package.version)),
    ])
}
