//! `dx store`: looking after the store.

use serde_json::json;

use crate::arguments::StoreAction;
use crate::failure::Failure;
use crate::project::find_root;
use crate::report::{Report, count};
use crate::session::Session;
use crate::surroundings::Surroundings;

/// Carries out `action`.
pub fn store(surroundings: &Surroundings, action: &StoreAction, report: &Report) -> Result<(), Failure> {
    let session = Session::open(surroundings, &find_root(&surroundings.folder), &[])?;
    match action {
        StoreAction::Path => {
            let path = session.store.root().display().to_string();
            report.answer(&path, &json!({ "path": path }));
        }
        StoreAction::Settle => {
            let removed = session.store.empty_trash()?;
            let expanded = session.store.expand_all()?;
            let (trees, packages) = (count(removed as u64, "tree"), count(expanded as u64, "package"));
            report.line(&format!("Emptied the trash of {trees}, expanded {packages}"));
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
                let text = format!("Checked {}, {damaged} damaged", count(packages as u64, "package"));
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
