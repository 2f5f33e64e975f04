//! The field `dx` of a manifest: what only dx reads.

use serde_json::Value;

use super::{Manifest, ManifestError};

/// The members of the field.
const MEMBERS: [&str; 1] = ["singleVersion"];

impl Manifest {
    /// Returns the names of `dx.singleVersion`: packages of which one version only is to be used.
    ///
    /// # Errors
    /// The field is no object, has a member that dx does not know, or the member is no list of
    /// names.
    pub fn single_versions(&self) -> Result<Vec<String>, ManifestError> {
        let bad = |what: String| ManifestError::Dx { what };
        let members = match self.raw.get("dx") {
            None => return Ok(Vec::new()),
            Some(Value::Object(members)) => members,
            Some(_) => return Err(bad("dx is not an object".to_owned())),
        };
        if let Some(other) = members.keys().find(|key| !MEMBERS.contains(&key.as_str())) {
            return Err(bad(format!("dx.{other} is nothing that dx knows")));
        }
        let names = match members.get("singleVersion") {
            None => return Ok(Vec::new()),
            Some(Value::Array(names)) => names,
            Some(_) => return Err(bad("dx.singleVersion is not a list".to_owned())),
        };
        let name = |value: &Value| match value.as_str() {
            Some(name) if dx_pkg_core::PackageName::parse(name).is_ok() => Ok(name.to_owned()),
            _ => Err(bad(format!("dx.singleVersion has {value}, which is not a package's name"))),
        };
        let mut names = names.iter().map(name).collect::<Result<Vec<_>, _>>()?;
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(dx: Value) -> Result<Vec<String>, String> {
        let manifest = Manifest::from_value(json!({ "name": "p", "dx": dx })).unwrap();
        manifest.single_versions().map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_sorted_and_each_is_there_once() {
        let names = json!({ "singleVersion": ["react", "@types/react", "react"] });
        assert_eq!(read(names), Ok(vec!["@types/react".to_owned(), "react".to_owned()]));
        assert_eq!(read(json!({})), Ok(Vec::new()));
        assert_eq!(Manifest::from_value(json!({})).unwrap().single_versions(), Ok(Vec::new()));
    }

    #[test]
    fn whatever_cannot_be_carried_out_is_named() {
        for (field, said) in [
            (json!("react"), "package.json: dx is not an object"),
            (json!([]), "package.json: dx is not an object"),
            (json!({ "singleVersions": [] }), "package.json: dx.singleVersions is nothing"),
            (json!({ "singleVersion": "react" }), "package.json: dx.singleVersion is not a list"),
            (json!({ "singleVersion": [1] }), "package.json: dx.singleVersion has 1"),
            (json!({ "singleVersion": ["react@18"] }), "which is not a package's name"),
            (json!({ "singleVersion": [""] }), "which is not a package's name"),
        ] {
            let error = read(field.clone()).unwrap_err();
            assert!(error.contains(said), "{field}: {error}");
        }
    }
}
