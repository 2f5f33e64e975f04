//! `packageManager` and `devEngines.packageManager`: the package manager that a project names. dx
//! takes the place of any.

use dx_pkg_core::Version;
use serde_json::Value;

use super::Manifest;

/// The package managers that dx takes the place of, besides npm, whatever their version: nobody can
/// say which of theirs it is like.
pub(super) const OTHERS: [&str; 8] = ["aube", "bun", "cnpm", "deno", "pnpm", "tnpm", "vlt", "yarn"];
/// The digests that may follow a version.
const DIGESTS: [&str; 5] = ["sha1", "sha224", "sha256", "sha384", "sha512"];

impl Manifest {
    /// Returns the package manager, other than npm, that the project names and dx stands in for:
    /// its name with its version, and without a digest. What `devEngines` ignores is left out.
    #[must_use]
    pub fn other_manager(&self) -> Option<String> {
        let field = self.package_manager.as_deref();
        let field = field.map(|text| text.split_once('+').map_or(text, |(before, _)| before));
        let demands = self.dev_engines.as_ref().and_then(|engines| engines.get("packageManager"));
        let demands = match demands {
            Some(Value::Array(list)) => list.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let is_known = |name: &str| matches!(name, "npm" | "dx") || OTHERS.contains(&name);
        let named = demands.iter().filter_map(|demand| {
            let name = demand.get("name")?.as_str().filter(|name| is_known(name))?;
            let is_ignored = demand.get("onFail").and_then(Value::as_str) == Some("ignore");
            if is_ignored && !matches!(name, "npm" | "dx") {
                return None;
            }
            let version = demand.get("version").and_then(Value::as_str);
            Some(version.map_or_else(|| name.to_owned(), |version| format!("{name}@{version}")))
        });
        let all: Vec<String> = named.chain(field.map(str::to_owned)).collect();
        let is_ours = |manager: &String| matches!(name(manager), "npm" | "dx");
        // Who names several lets any of them do.
        if all.iter().any(is_ours) { None } else { all.into_iter().find(|it| !name(it).is_empty()) }
    }

    /// Returns why `packageManager` is not of the form that Corepack and others read, in words.
    #[must_use]
    pub fn malformed_package_manager(&self) -> Option<String> {
        let value = self.raw.get("packageManager").filter(|value| !value.is_null())?;
        let wanted = "write a name with an exact version, such as \"pnpm@9.1.0\"";
        let Value::String(text) = value else {
            return Some(format!("packageManager is not text; {wanted}"));
        };
        let (name, version) = text.split_once('@').unwrap_or((text, ""));
        let is_address = version.starts_with("https:") || version.starts_with("http:");
        if name.is_empty() || !is_address && Version::parse(version).is_err() {
            return Some(format!("packageManager is {text:?}; {wanted}"));
        }
        let (_, digest) = version.split_once('+')?;
        let is_digest = digest.split_once('.').is_none_or(|(kind, digits)| {
            !kind.starts_with("sha")
                || DIGESTS.contains(&kind)
                    && !digits.is_empty()
                    && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        });
        (!is_address && !is_digest)
            .then(|| format!("packageManager has the digest {digest:?}, which is none"))
    }
}

/// Returns the name of `name@version`.
fn name(manager: &str) -> &str {
    manager.split('@').next().unwrap_or(manager)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn manifest(value: Value) -> Manifest {
        Manifest::from_value(value).unwrap()
    }

    #[test]
    fn another_manager_is_named_with_its_version() {
        let pnpm = Some("pnpm@9.1.0");
        for (value, expected) in [
            (json!({}), None),
            (json!({ "packageManager": "npm@10.0.0" }), None),
            (json!({ "packageManager": "pnpm@9.1.0" }), pnpm),
            (json!({ "packageManager": "pnpm@9.1.0+sha512.ab" }), pnpm),
            (json!({ "packageManager": "yarn" }), Some("yarn")),
            (json!({ "packageManager": 1 }), None),
            (json!({ "devEngines": { "packageManager": { "name": "bun" } } }), Some("bun")),
            (
                json!({ "devEngines": { "packageManager": [
                    { "name": "pnpm", "version": "^9" }, { "name": "yarn" },
                ] } }),
                Some("pnpm@^9"),
            ),
            (
                json!({ "devEngines": { "packageManager": [{ "name": "yarn" }, { "name": "npm" }] } }),
                None,
            ),
            (json!({ "devEngines": { "runtime": { "name": "node" } } }), None),
            (json!({ "devEngines": { "packageManager": { "name": "pip" } } }), None),
            (
                json!({ "devEngines": { "packageManager": { "name": "bun", "onFail": "ignore" } } }),
                None,
            ),
        ] {
            assert_eq!(manifest(value.clone()).other_manager().as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn the_field_has_corepacks_form() {
        for text in ["pnpm@9.1.0", "yarn@4.0.0-rc.1", "pnpm@9.1.0+sha512.0aF", "npm@1.0.0+build.7"]
        {
            let value = manifest(json!({ "packageManager": text }));
            assert_eq!(value.malformed_package_manager(), None, "{text}");
        }
        let address = json!({ "packageManager": "yarn@https://host.example/yarn.js#sha224.00" });
        assert_eq!(manifest(address).malformed_package_manager(), None);
        for value in [
            json!("pnpm"),
            json!("pnpm@^9"),
            json!("pnpm@latest"),
            json!("pnpm@9"),
            json!("@9.1.0"),
            json!(""),
            json!("pnpm@9.1.0+sha512.xyz"),
            json!("pnpm@9.1.0+sha3.00"),
            json!({ "name": "pnpm" }),
            json!(9),
        ] {
            let manifest = manifest(json!({ "packageManager": value }));
            assert!(manifest.malformed_package_manager().is_some(), "{value}");
        }
    }
}
