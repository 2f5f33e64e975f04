//! `dx store`: looking after the store.

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
        StoreAction::Path => report.line(&session.store.root().display().to_string()),
        StoreAction::Settle => {
            let removed = session.store.empty_trash()?;
            report.line(&format!("Emptied the trash: {}", count(removed as u64, "tree")));
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
            report.line(&format!(
                "Checked {}, {} damaged",
                count(checked.packages as u64, "package"),
                checked.damage.len()
            ));
            if !checked.damage.is_empty() && !fix {
                return Err(Failure::new("DX_STORE_DAMAGED", "the store holds damaged packages")
                    .with_hint("dx store verify --fix repairs or removes them"));
            }
        }
    }
    Ok(())
}
