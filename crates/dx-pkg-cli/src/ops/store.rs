//! `dx store`: looking after the store.

use std::time::Duration;

use dx_pkg_store::{Folder, Pruned, Store, Usage};
use serde_json::json;

use crate::arguments::StoreAction;
use crate::failure::Failure;
use crate::ops::background::{self, Settled};
use crate::project::find_root;
use crate::report::{Report, count};
use crate::session::Session;
use crate::surroundings::Surroundings;

/// Carries out `action`.
pub fn store(
    surroundings: &Surroundings,
    action: &StoreAction,
    report: &Report,
) -> Result<(), Failure> {
    let session = Session::open(surroundings, &find_root(&surroundings.folder), &[])?;
    match action {
        StoreAction::Path => {
            let path = session.store.root().display().to_string();
            report.answer(&path, &json!({ "path": path }));
        }
        StoreAction::Status => status(&session.store, report)?,
        StoreAction::Prune { unused_for, max_size } => {
            prune(&session.store, *unused_for, *max_size, report)?
        }
        StoreAction::Maintain { background } => {
            if *background {
                dx_pkg_os::work_in_background();
            }
            let settled = background::settle(&session.store, session.trees, !background)?;
            let Settled { deleted, prepared, patched, repaired } = settled;
            let mut text = format!(
                "Prepared {}, deleted {}",
                count(prepared as u64, "tree"),
                count(deleted as u64, "old one")
            );
            if repaired > 0 {
                text.push_str(&format!(", repaired {}", count(repaired as u64, "file")));
            }
            report.answer(
                &text,
                &json!({ "prepared": prepared, "patched": patched, "deleted": deleted, "repaired": repaired }),
            );
        }
        StoreAction::Verify { fix } => {
            let checked = session.store.verify(*fix)?;
            for damage in &checked.damage {
                report.warning(&format!(
                    "{}: {}{}",
                    damage.id,
                    damage.what,
                    if damage.fixed { " (repaired)" } else { "" }
                ));
            }
            let (packages, damaged) = (checked.packages, checked.damage.len());
            if damaged == 0 || *fix {
                let text =
                    format!("Checked {}, {damaged} damaged", count(packages as u64, "package"));
                report.answer(&text, &json!({ "packages": packages, "damaged": damaged }));
            }
            if !checked.damage.is_empty() && !fix {
                return Err(Failure::new("DX_STORE_DAMAGED", "the store holds damaged packages")
                    .with_hint("dx store verify --fix repairs or removes them"));
            }
        }
    }
    Ok(())
}

/// What the parts of the store are called.
const PARTS: [(Folder, &str, &str); 9] = [
    (Folder::Packages, "packages", "packages"),
    (Folder::Expanded, "expanded", "packages, unpacked"),
    (Folder::Prepared, "preparedTrees", "prepared trees"),
    (Folder::Metadata, "metadata", "packuments"),
    (Folder::Lockfiles, "lockfiles", "compiled lockfiles"),
    (Folder::Resolutions, "resolutions", "remembered installs"),
    (Folder::Pending, "pending", "installs to be stored"),
    (Folder::Tmp, "unfinished", "unfinished entries"),
    (Folder::Trash, "trash", "old trees to be deleted"),
];

fn status(store: &Store, report: &Report) -> Result<(), Failure> {
    let usage = store.usage()?;
    let mut lines = vec![store.root().display().to_string()];
    let mut fields = serde_json::Map::new();
    let mut total = 0;
    for (folder, Usage { entries, bytes }) in usage {
        total += bytes;
        if let Some((_, field, name)) = PARTS.iter().find(|(part, ..)| *part == folder) {
            lines.push(format!("{entries:>8} {name:<24} {:>10}", size(bytes)));
            fields.insert((*field).to_owned(), json!({ "entries": entries, "bytes": bytes }));
        }
    }
    lines.push(format!("{:>8} {:<24} {:>10}", "", "in all", size(total)));
    fields.insert("path".to_owned(), json!(store.root().display().to_string()));
    fields.insert("bytes".to_owned(), json!(total));
    report.answer(&lines.join("\n"), &fields.into());
    Ok(())
}

fn prune(
    store: &Store,
    unused_for: u64,
    max_bytes: Option<u64>,
    report: &Report,
) -> Result<(), Failure> {
    let pruned = background::prune(
        store,
        Duration::from_secs(unused_for.saturating_mul(24 * 60 * 60)),
        max_bytes,
    )?;
    store.empty_trash()?;
    let Pruned { trees, packages, documents, bytes } = pruned;
    let text = format!(
        "Removed {}, {} and {}: {}",
        count(trees as u64, "prepared tree"),
        count(packages as u64, "package"),
        count(documents as u64, "document"),
        size(bytes)
    );
    report.answer(&text, &json!({ "preparedTrees": trees, "packages": packages, "documents": documents, "bytes": bytes }));
    Ok(())
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    const KIB: u64 = 1 << 10;
    match bytes {
        0..KIB => format!("{bytes} B"),
        KIB..0x10_0000 => format!("{} KiB", bytes >> 10),
        0x10_0000..0x4000_0000 => format!("{} MiB", bytes >> 20),
        _ => format!("{}.{} GiB", bytes >> 30, ((bytes % (1 << 30)) * 10) >> 30),
    }
}
