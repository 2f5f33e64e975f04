//! Plan and packages in one request: the packages arrive while the plan is checked and taken.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use dx_pkg_core::{PackageId, Platform};
use dx_pkg_fetch::Priority;
use dx_pkg_format::dxrp::{Choice, Filter, Plan};
use dx_pkg_lock::Lock;

use super::gate::Gate;
use super::{Ordered, Run, STREAMS, requests};
use crate::downloads::{Downloads, Status, request};
use crate::dxrp::{Dxrp, DxrpError};
use crate::package::{needed, package_id};
use crate::{AcquireError, POLL_INTERVAL};

/// The most packages of a store that a filter is made of.
const MOST_HELD: usize = 40_000;
/// The share of packages that the filter may seem to contain and does not; they come later.
const MISTAKEN: f64 = 0.002;

impl Downloads {
    /// Requests a plan, and with it the packages that it needs and the store lacks. `check` returns
    /// the plan's lock; `platform` is the one to install for.
    ///
    /// # Errors
    /// There is no plan that is of use. The packages are then not awaited.
    pub(crate) fn plan(
        &self,
        dxrp: &Arc<Dxrp>,
        question: &[u8],
        platform: &Platform,
        check: impl Fn(&Plan) -> Result<Lock, DxrpError>,
    ) -> Result<Lock, PlanError> {
        let network = self.context.network()?;
        let Some(held) = self.shared.store.ids(MOST_HELD) else {
            return Ok(check(&dxrp.plan(&network, question)?)?);
        };
        let filter = Filter::new(&held, MISTAKEN, RandomState::new().build_hasher().finish());
        let (sender, plan) = channel();
        let run = Arc::new(Run {
            shared: self.shared.clone(),
            network,
            dxrp: dxrp.clone(),
            wanted: OnceLock::new(),
            open: Mutex::default(),
            held: HashMap::new(),
            gate: Gate::default(),
            plan: Mutex::new(Some(sender)),
            started: Mutex::default(),
            large: Mutex::default(),
            seats: Arc::default(),
        });
        // A handful.
        let choice = Choice::AllBut(filter.clone());
        let requests = requests(Some(question), &choice, &[], STREAMS as u16);
        let working = run.clone();
        let work = move || working.fetch(&requests);
        let spawned = thread::Builder::new().name("dx-packs".into()).spawn(work);
        spawned.map_err(|_| DxrpError::Thread)?;
        let lock = self.receive(&plan).and_then(|plan| Ok(check(&plan)?));
        if let Ok(lock) = &lock {
            let expected = self.expected(lock, &filter, platform);
            let mut state = self.shared.lock();
            let needed = expected.values().filter(|ordered| ordered.is_needed);
            for ordered in needed {
                state.entry(ordered.download.id).or_insert(Status::Running);
                self.shared.counters.tarballs_requested.add(1);
            }
            let _ = run.wanted.set(expected.keys().copied().collect());
            *run.open() = expected;
        }
        run.gate.decide(lock.is_ok());
        lock
    }

    fn receive(&self, plan: &Receiver<Result<Plan, DxrpError>>) -> Result<Plan, PlanError> {
        loop {
            self.context.cancel.check()?;
            match plan.recv_timeout(POLL_INTERVAL) {
                Ok(plan) => return Ok(plan?),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(DxrpError::Thread.into()),
            }
        }
    }

    /// Returns the packages of a plan that the server sends.
    fn expected(
        &self,
        lock: &Lock,
        filter: &Filter,
        platform: &Platform,
    ) -> HashMap<PackageId, Ordered> {
        let needed = needed::paths(lock, platform);
        let packages = lock
            .packages
            .iter()
            .filter(|package| !package.in_bundle && !package.link && package.integrity.is_some());
        let mut ordered: HashMap<PackageId, Ordered> = HashMap::new();
        for package in packages {
            let Ok(Some(id)) = package_id(package) else { continue };
            if filter.contains(id) || self.shared.lock().contains_key(&id) {
                continue;
            }
            let is_needed = needed.contains(package.path.as_str());
            if let Some(known) = ordered.get_mut(&id) {
                known.is_needed |= is_needed;
                continue;
            }
            let Ok(request) = request(package, Priority::Normal, None) else { continue };
            let download = self.download(id, package, &request);
            ordered.insert(id, Ordered { download, request, is_needed });
        }
        ordered
    }
}

/// The reason why there is no plan.
#[derive(Debug)]
pub(crate) enum PlanError {
    /// DXRP's: the project is resolved otherwise.
    Dxrp(DxrpError),
    /// Another one.
    Acquire(AcquireError),
}

impl From<DxrpError> for PlanError {
    fn from(error: DxrpError) -> Self {
        Self::Dxrp(error)
    }
}

impl From<AcquireError> for PlanError {
    fn from(error: AcquireError) -> Self {
        Self::Acquire(error)
    }
}
