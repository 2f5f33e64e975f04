//! Any text as a `package.json`: refused, or read the same after an edit is taken back.

use dx_pkg_compat::manifest::{
    AllowScripts, CurrentEngines, ForeignFields, Manifest, ManifestEdit, Section,
};
use serde_json::Value;

/// A name that no seed has.
const NAME: &str = "added-by-a-test";

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut rules = AllowScripts::default();
    text.lines().take(32).for_each(|line| rules.add(line, true));
    let Ok(manifest) = Manifest::parse(&text) else {
        return;
    };
    read(&manifest);
    if !text.contains(NAME) {
        edit(&text, &manifest);
    }
}

fn read(manifest: &Manifest) {
    let _ = (manifest.workspace_patterns(), manifest.override_rules());
    let _ = (manifest.extension_rules(), manifest.patch_rules(), manifest.to_project_package());
    let current = CurrentEngines {
        package_managers: vec![("npm".to_owned(), "11.0.0".to_owned())],
        node: Some("24.0.0".to_owned()),
        os: "linux".to_owned(),
        os_version: None,
        cpu: "x64".to_owned(),
        libc: None,
    };
    let _ = manifest.unmet_dev_engines(&current);
    let _ = manifest.to_lock_package();
    for (command, path) in &manifest.bin {
        assert!(!command.is_empty() && !command.contains(['/', '\\']), "{command:?}");
        assert!(path.split(['/', '\\']).all(|part| part != ".."), "{path:?}");
    }
    let mut foreign = ForeignFields::default();
    foreign.add_project(manifest);
    let _ = (foreign.in_words(), foreign.misspelt_in_words());
}

fn edit(text: &str, before: &Manifest) {
    let Ok(mut edit) = ManifestEdit::new(text) else { return };
    edit.set_dependency(Section::Dev, NAME, "1.0.0");
    let with = edit.finish();
    let after = Manifest::parse(&with).expect("an edited manifest is one");
    assert!(after.dev_dependencies.iter().any(|(name, spec)| name == NAME && spec == "1.0.0"));
    let mut edit = ManifestEdit::new(&with).expect("an edited manifest is one");
    assert!(edit.remove_dependency(None, NAME));
    let without = edit.finish();
    let after = Manifest::parse(&without).expect("an edited manifest is one");
    assert_eq!(without_empty_section(after.raw), without_empty_section(before.raw.clone()));
}

/// Returns a manifest without a section that has no entries, which an edit removes.
fn without_empty_section(mut manifest: Value) -> Value {
    if let Value::Object(fields) = &mut manifest {
        let key = Section::Dev.key();
        let is_empty = match fields.get(key) {
            Some(Value::Object(entries)) => entries.is_empty(),
            _ => true,
        };
        if is_empty {
            fields.remove(key);
        }
    }
    manifest
}
