//! The folders of scopes, whose contents the identity of `node_modules` does not cover.

use std::collections::BTreeMap;
use std::path::Path;

use dx_pkg_lock::dxl::DxlView;

use crate::tree_files::importer;

/// Returns whether every scope's folder in the `node_modules` of the project and its workspaces has
/// the packages of the record and no others: the identity of `node_modules` does not cover them.
pub(super) fn hold(root: &Path, record: &DxlView<'_>) -> bool {
    let mut scopes: BTreeMap<&str, usize> = BTreeMap::new();
    for package in record.packages() {
        let path = package.path();
        let Some(importer) = importer(path) else { continue };
        let start = importer.len() + usize::from(!importer.is_empty()) + "node_modules/".len();
        let name = path.get(start..).filter(|name| name.starts_with('@'));
        if let Some((scope, name)) = name.and_then(|name| name.split_once('/'))
            && !name.contains('/')
        {
            *scopes.entry(&path[..start + scope.len()]).or_default() += 1;
        }
    }
    scopes.into_iter().all(|(scope, expected)| {
        let Ok(entries) = std::fs::read_dir(root.join(scope)) else {
            return false;
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut present = 0;
        let only_known = names.filter(|name| !name.starts_with('.')).all(|name| {
            present += 1;
            record.position(&format!("{scope}/{name}")).is_some()
        });
        only_known && present == expected
    })
}
