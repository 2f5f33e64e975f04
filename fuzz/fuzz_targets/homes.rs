//! Any text as the settings file of pnpm, Yarn or Bun, and as requirements: refused, or read.

use dx_pkg_compat::homes::{Approvals, Home, Manager, Meanings, Owner, pins};
use dx_pkg_compat::manifest::Manifest;

const MANIFEST: &str = r#"{"name":"a","dependencies":{"b":"catalog:","c":"workspace:^"},
"resolutions":{"b":"1"},"pnpm":{"overrides":{"b>c":"$b"},"packageExtensions":{"b@1":{}}}}"#;

pub(crate) fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for manager in [Manager::Pnpm, Manager::Yarn, Manager::Bun] {
        for major in [None, Some(1), Some(12)] {
            read(Owner { manager, major, is_named: true }, &text);
        }
    }
}

fn read(owner: Owner, text: &str) {
    let Ok(home) = Home::parse(owner, Some(text)) else { return };
    let mut manifest = Manifest::parse(MANIFEST).expect("the manifest is one");
    home.complete(&mut manifest);
    let _ = (home.settings(), home.workspace_patterns(), home.unread_in_pnpm_field(&manifest));
    let _ = (manifest.extension_rules(), manifest.patch_rules(), manifest.exceptions());
    let _ = manifest.architectures();
    let _ = Approvals::of(&manifest, &home).rules().count();
    let Ok(catalogs) = home.catalogs(&manifest) else { return };
    let meanings = Meanings { owner, catalogs: &catalogs, workspaces: &[] };
    for line in text.lines().take(16) {
        let _ = (meanings.of("w", "b", line), meanings.of("", "b", "catalog:"));
    }
    let _ = pins(&home, &manifest, &meanings);
}
