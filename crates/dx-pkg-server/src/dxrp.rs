//! DXRP: dx's own protocol, by which one request brings the plan of a project and its
//! packages; see `docs/format/dxrp.md`.
//!
//! [`request`] puts together what arrives, [`answer`] answers it into [`out`], whatever the
//! carrier; [`carrier`] knows the two that there are. Packages are converted once, by [`convert`],
//! and kept by [`packs`]; [`deltas`] has differences between them. [`plan`] resolves projects, with
//! the packuments of [`metadata`], which [`meta`] sends too.

mod answer;
mod asker;
mod carrier;
mod convert;
mod counters;
mod deltas;
mod divide;
mod frames;
mod meta;
mod metadata;
mod out;
mod packages;
mod packs;
mod plan;
mod request;
mod running;
mod work;

pub(crate) use asker::Asker;
pub(crate) use carrier::{connection, document, response};

use crate::metrics::Figure;
use crate::state::AppState;
use counters::Counters;
use deltas::Deltas;
use divide::Divisions;
use dx_pkg_core::PackageName;
use dx_pkg_format::dxrp::Capabilities;
use metadata::Metadata;
use packs::Packs;
use plan::Plans;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use work::Work;

/// What this registry can do.
const CAPABILITIES: Capabilities = Capabilities { plan: true, pack: true, delta: true, meta: true };

/// The protocol's server: what it keeps besides the registry's own state, which it leads to.
pub(crate) struct Dxrp {
    state: Arc<AppState>,
    packs: Packs,
    deltas: Deltas,
    plans: Plans,
    metadata: Metadata,
    divisions: Divisions,
    work: Work,
    counters: Counters,
}

impl Deref for Dxrp {
    type Target = AppState;

    fn deref(&self) -> &AppState {
        &self.state
    }
}

impl Dxrp {
    /// Creates the server of a registry. It is told of packages that change in this process, and
    /// its counters are among the registry's.
    pub(crate) fn new(state: Arc<AppState>) -> Arc<Self> {
        let (settings, storage) = (&state.config.dxrp, &state.storage);
        let dxrp = Arc::new(Self {
            packs: Packs::new(storage.clone(), settings.memory.length()),
            deltas: Deltas::new(storage.clone(), settings.deltas_memory.length()),
            plans: Plans::new(storage.clone(), settings.plans),
            metadata: Metadata::new(settings.metadata_memory.length()),
            divisions: Divisions::default(),
            work: Work::new(),
            counters: Counters::default(),
            state,
        });
        let weak = Arc::downgrade(&dxrp);
        let changed: Arc<dyn Fn(&PackageName) + Send + Sync> = Arc::new(move |name| {
            if let Some(dxrp) = weak.upgrade() {
                dxrp.plans.package_changed(&dxrp, name);
            }
        });
        dxrp.state.packages.on_change(Arc::clone(&changed));
        dxrp.state.upstreams.on_change(changed);
        let weak = Arc::downgrade(&dxrp);
        let figures = move || weak.upgrade().map(|dxrp| dxrp.figures()).unwrap_or_default();
        dxrp.state.metrics.add(figures);
        dxrp
    }

    /// Returns the counters with their names and meanings, for metrics.
    fn figures(&self) -> Vec<Figure> {
        let mut figures = self.counters.figures();
        let packs = self.packs.len() as u64;
        let plans = &self.plans;
        let (packuments, bytes) = self.metadata.size();
        figures.extend([
            ("dxrp_packages", "Packages in memory that are ready to be sent.", packs),
            ("dxrp_deltas_made_total", "Differences made.", self.deltas.made()),
            ("dxrp_deltas_improved_total", "Differences made smaller.", self.deltas.improved()),
            ("dxrp_plans", "Plans in memory.", plans.len() as u64),
            ("dxrp_plans_made_total", "Plans that were made.", plans.made.load(Relaxed)),
            ("dxrp_plans_served_total", "Plans served from memory.", plans.served.load(Relaxed)),
            ("dxrp_plans_ahead_total", "Plans made before a question.", plans.ahead.load(Relaxed)),
            ("dxrp_packuments", "Packuments in memory for plans.", packuments as u64),
            ("dxrp_packuments_bytes", "The memory that they take.", bytes as u64),
        ]);
        figures
    }
}
