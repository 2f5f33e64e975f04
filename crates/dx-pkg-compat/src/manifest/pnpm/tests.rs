use serde_json::json;

use super::*;
use crate::homes::{Home, Owner};

fn manifest(manager: &str, pnpm: Value) -> Manifest {
    completed(json!({ "packageManager": manager, "pnpm": pnpm }), None)
}

/// Returns a manifest as a project has it that has this `pnpm-workspace.yaml`, or none.
fn completed(manifest: Value, file: Option<&str>) -> Manifest {
    let mut manifest = Manifest::from_value(manifest).unwrap();
    let owner = Owner::of(&manifest, |_| false);
    Home::parse(owner, file).unwrap().complete(&mut manifest);
    manifest
}

#[test]
fn settings_count_for_a_pnpm_that_reads_them() {
    let pnpm = json!({ "packageExtensions": { "a": { "dependencies": { "b": "1" } } },
        "patchedDependencies": { "a@1": "a.patch" }, "allowUnusedPatches": true });
    for manager in ["pnpm@9.1.0", "pnpm@10.2.0+sha512.abc", "pnpm"] {
        let manifest = manifest(manager, pnpm.clone());
        assert_eq!(manifest.extension_rules().unwrap().len(), 1, "{manager}");
        assert_eq!(manifest.patch_rules().unwrap().len(), 1);
        assert!(manifest.allows_unused_patches());
        assert!(!manifest.to_project_package().extra.is_empty());
    }
    for manager in ["pnpm@11.0.0", "pnpm@12.1.0", "npm@11.0.0", "yarn@4.0.0"] {
        let manifest = manifest(manager, pnpm.clone());
        assert_eq!(manifest.extension_rules(), Ok(Vec::new()), "{manager}");
        assert_eq!(manifest.patch_rules(), Ok(Vec::new()));
        assert!(manifest.to_project_package().extra.is_empty());
    }
    let engine = json!({ "packageManager": { "name": "pnpm", "version": "^9" } });
    let value = json!({ "devEngines": engine, "pnpm": pnpm });
    assert!(completed(value, None).allows_unused_patches());
}

#[test]
fn settings_of_the_file_count_for_every_pnpm() {
    let file = "ignoredOptionalDependencies: [c]\npackageExtensions:\n  a:\n    dependencies:\n      b: '1'\n";
    for (manager, ignored) in [("pnpm@9.0.0", "c"), ("pnpm@12.0.0", "c")] {
        let pnpm = json!({ "ignoredOptionalDependencies": ["d"], "allowUnusedPatches": true });
        let manifest = json!({ "packageManager": manager, "pnpm": pnpm });
        let manifest = completed(manifest, Some(file));
        assert_eq!(manifest.exceptions().unwrap().ignored_optional, [ignored], "{manager}");
        assert_eq!(manifest.extension_rules().unwrap().len(), 1, "{manager}");
        assert_eq!(manifest.allows_unused_patches(), manager == "pnpm@9.0.0");
    }
}

#[test]
fn exceptions_and_platforms_are_read() {
    let read = manifest(
        "pnpm@9.0.0",
        json!({
            "peerDependencyRules": {
                "ignoreMissing": ["x"], "allowAny": ["@s/*"],
                "allowedVersions": { "react": "17", "a@1>react": "^16 || 17" }
            },
            "ignoredOptionalDependencies": ["fsevents", "@esbuild/*"],
            "supportedArchitectures": { "os": ["linux", "current"], "libc": ["musl"] }
        }),
    );
    let exceptions = read.exceptions().unwrap();
    assert_eq!(exceptions.any_peers, ["@s/*"]);
    assert_eq!(exceptions.allowed_peers[1].dependent.as_deref(), Some("a"));
    assert_eq!(exceptions.allowed_peers[1].name, "react");
    assert_eq!(exceptions.ignored_optional, ["fsevents", "@esbuild/*"]);
    let architectures = read.architectures().unwrap();
    assert_eq!((architectures.os.len(), architectures.cpu.len()), (2, 0));
}

#[test]
fn settings_of_another_shape_are_refused() {
    for pnpm in [
        json!({ "peerDependencyRules": { "allowAny": "x" } }),
        json!({ "peerDependencyRules": { "allowedVersions": ["x"] } }),
        json!({ "peerDependencyRules": { "allowedVersions": { "react": "not a range" } } }),
        json!({ "ignoredOptionalDependencies": [1] }),
    ] {
        assert!(manifest("pnpm@9.0.0", pnpm.clone()).exceptions().is_err(), "{pnpm}");
    }
    let pnpm = json!({ "supportedArchitectures": { "os": "linux" } });
    assert!(manifest("pnpm@9.0.0", pnpm).architectures().is_err());
}
