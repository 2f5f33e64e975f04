//! `dx store`: looking after the store.

use serde_json::json;

use crate::arguments::StoreAction;
use crate::failure::Failure;
use crate::ops::background::{self, Settled};
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
        StoreAction::Settle { background } => {
            let _ = dx_pkg_fs::asked_to_end();
            if *background {
                dx_pkg_fs::work_in_background();
            }
            let spares = background::spare_forests(surroundings, &session)?;
            let settled = background::settle(&session.store, spares, !background)?;
            let Settled { deleted, prepared, repaired } = settled;
            let mut text = format!("Prepared {}, deleted {}", count(prepared as u64, "tree"), count(deleted as u64, "old one"));
            if repaired > 0 {
                text.push_str(&format!(", repaired {}", count(repaired as u64, "file")));
            }
            report.answer(&text, &json!({ "prepared": prepared, "deleted": deleted, "repaired": repaired }));
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
