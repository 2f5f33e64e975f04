//! What is made before it is asked for, once a plan has changed: its packages, and their
//! differences from those of the former plan.

use super::super::packages::{self, Asked};
use super::{Computed, Planned};
use crate::dxrp::Dxrp;
use std::collections::HashMap;

/// Converts the packages of a plan that are not in memory, so that they need not be when they are
/// asked for.
pub(super) async fn convert(state: &Dxrp, computed: &Computed) {
    let Ok(planned) = &computed.outcome else { return };
    for asked in sent(planned).filter(|asked| state.packs.get(asked.id).is_none()) {
        // What fails is tried again when it is asked for.
        let _ = packages::packed_for_registry(state, asked).await;
    }
}

/// Makes the differences of packages that were in the former plan in another version.
pub(super) async fn differences(state: &Dxrp, former: &Computed, computed: &Computed) {
    let (Ok(former), Ok(planned)) = (&former.outcome, &computed.outcome) else { return };
    let mut held: HashMap<&str, Option<&Asked>> = HashMap::new();
    for asked in sent(former) {
        // Of several versions, nobody knows which one a client names.
        let one = held.entry(asked.name.as_str()).or_insert(Some(asked));
        *one = one.filter(|one| one.id == asked.id);
    }
    for asked in sent(planned) {
        let Some(Some(held)) = held.get(asked.name.as_str()) else { continue };
        if held.id != asked.id {
            packages::prepare_difference(state, held, asked).await;
        }
    }
}

fn sent(planned: &Planned) -> impl Iterator<Item = &Asked> {
    let entries = planned.entries.iter().filter(|entry| entry.is_installed);
    entries.filter_map(|entry| entry.package.as_ref())
}
