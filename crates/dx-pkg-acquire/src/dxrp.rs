//! DXRP from a client's side: which registries speak it, by what carrier, and with which key they
//! sign.
//!
//! A registry is asked once, and its answer is recorded in the store beside its packuments. Its key
//! is recorded when it is met first and never replaced by itself.

mod carrier;
mod error;
mod known;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dx_pkg_compat::npm_registry::{announces_dxrp, credentials_of, dxrp_address};
use dx_pkg_compat::npmrc::Config;
use dx_pkg_core::PackageId;
use dx_pkg_fetch::header::{CONTENT_TYPE, HeaderValue};
use dx_pkg_fetch::stream::upgrade::{Connection, IsWanted, Upgrade};
use dx_pkg_fetch::{Bytes, Credentials, Request, StatusCode};
use dx_pkg_format::dxrp::{MEDIA_TYPE, Plan, ServerKey};
use dx_pkg_registry::dxrp::{Answer, Part, encode_request, fingerprint};
use dx_pkg_store::Store;
use url::Url;

use self::carrier::Incoming;
use self::known::Known;
use crate::network::Network;
use crate::notes::{Note, Notes};
use crate::{Cancel, POLL_INTERVAL};

pub(crate) use self::error::DxrpError;
pub(crate) use self::known::Carrier;

/// The name of the protocol in `Upgrade`.
const PROTOCOL: &str = "dxrp/1";

/// How long a registry that need not speak it may take to say so: packages wait for the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A registry that may speak DXRP.
pub(crate) struct Dxrp {
    registry: Url,
    /// The registry's name in the metadata cache.
    registry_key: String,
    address: Url,
    credentials: Credentials,
    store: Store,
    cancel: Cancel,
    notes: Notes,
    /// Whether packages come by DXRP or not at all.
    pub(crate) is_required: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is known, once the record was read or the registry was asked.
    known: Option<Known>,
    /// Whether `carrier` is known to be right, by the record or an answer.
    is_decided: bool,
    /// Why it is not known, where the registry was asked in vain.
    failed: Option<Arc<DxrpError>>,
    /// Connections that wait for the next request.
    idle: Vec<Connection>,
}

impl Dxrp {
    /// Returns the registry of the settings; `None` for an address that can have nothing below it.
    pub(crate) fn new(
        registry: &Url,
        config: &Config,
        (store, cancel, notes): (&Store, &Cancel, &Notes),
        is_required: bool,
    ) -> Option<Self> {
        Some(Dxrp {
            registry: registry.clone(),
            registry_key: config.registry_key(registry),
            address: dxrp_address(registry)?,
            credentials: credentials_of(config, registry),
            store: store.clone(),
            cancel: cancel.clone(),
            notes: notes.clone(),
            is_required,
            state: Mutex::default(),
        })
    }

    /// Returns whether the record says that the registry does not speak it.
    pub(crate) fn is_known_not_to(&self) -> bool {
        let mut state = self.state();
        self.read_record(&mut state);
        state.is_decided && state.known.as_ref().is_some_and(|known| known.carrier == Carrier::None)
    }

    /// Returns whether the registry has said that it speaks it.
    pub(crate) fn is_spoken(&self) -> bool {
        let state = self.state();
        let known = state.known.as_ref().filter(|_| state.is_decided);
        known.is_some_and(|known| known.carrier != Carrier::None)
    }

    /// Returns how the registry speaks DXRP. It is asked unless that is known, once; another thread
    /// that wants to know waits.
    pub(crate) fn carrier(&self, network: &Network) -> Result<Carrier, DxrpError> {
        let mut state = self.state();
        self.read_record(&mut state);
        if state.is_decided {
            return Ok(state.known.as_ref().map_or(Carrier::None, |known| known.carrier));
        }
        if let Some(failed) = &state.failed {
            return Err(DxrpError::Before(failed.clone()));
        }
        let asked = self.ask(network).map_err(Arc::new);
        let (carrier, connection) = asked.map_err(|error| {
            state.failed = Some(error.clone());
            DxrpError::Before(error)
        })?;
        state.idle.extend(connection);
        let known = state.known.get_or_insert_default();
        known.carrier = carrier;
        known.asked_ms = crate::clock::now_ms();
        let bytes = known.encode();
        state.is_decided = true;
        drop(state);
        self.record(&bytes);
        Ok(carrier)
    }

    /// Returns whether a plan is to be asked for: the registry speaks DXRP, or must.
    pub(crate) fn may_plan(&self, network: &Network) -> bool {
        self.is_required || self.carrier(network).is_ok_and(|carrier| carrier != Carrier::None)
    }

    /// Sends a request, and returns the answer up to the server's key, which is right.
    pub(crate) fn send(
        &self,
        network: &Network,
        request: &[u8],
    ) -> Result<Answer<Incoming>, DxrpError> {
        let limit = network.fetcher.total_timeout();
        let answer = match self.carrier(network)? {
            Carrier::None => return Err(DxrpError::NotSpoken { registry: self.shown() }),
            Carrier::Raw => self.send_raw(network, request)?,
            Carrier::Http => {
                let bytes = Bytes::copy_from_slice(request);
                let (address, credentials) = (self.address.clone(), self.credentials.clone());
                let request = Request::conversation(address, bytes).credentials(credentials);
                let request = request.header(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
                Answer::begin(Incoming::over_http(network, request), limit)?
            }
        };
        self.check_key(answer.key())?;
        Ok(answer)
    }

    /// Requests a plan alone.
    pub(crate) fn plan(&self, network: &Network, question: &[u8]) -> Result<Plan, DxrpError> {
        let mut answer = self.send(network, &encode_request(Some(question), None))?;
        let (mut payload, mut plan) = (Vec::new(), None);
        loop {
            match answer.next(&mut payload, |_, _, _| {})? {
                Part::Plan(found) => plan = Some(found),
                Part::End => break,
                Part::Package | Part::Missing(_) => return Err(DxrpError::unasked("packages")),
                Part::Meta(_) => return Err(DxrpError::unasked("packuments")),
            }
        }
        self.keep(answer);
        plan.ok_or_else(|| DxrpError::Plan { reason: "there is none".to_owned() })
    }

    /// Requests the frames of a package's message that follow its first `bytes`; returns them, and
    /// how many bytes precede them after all.
    pub(crate) fn rest_of(
        &self,
        network: &Network,
        id: PackageId,
        bytes: u64,
    ) -> Result<(u64, Bytes), DxrpError> {
        let address = self.address.join(&format!("packages/{id}"));
        let (Ok(address), Ok(tag)) = (address, HeaderValue::from_str(&format!("\"{id}\""))) else {
            return Err(DxrpError::NotSpoken { registry: self.shown() });
        };
        let credentials = self.credentials.clone();
        let request = Request::tarball(address).after(bytes, tag).credentials(credentials);
        let response = network.runtime.block_on(network.fetcher.get(request))?;
        Ok((response.length - response.body.len() as u64, response.body))
    }

    /// Waits; returns whether the command goes on.
    pub(crate) fn pause(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while !self.cancel.is_cancelled() {
            let rest = until.saturating_duration_since(Instant::now());
            if rest.is_zero() {
                return true;
            }
            std::thread::sleep(rest.min(POLL_INTERVAL));
        }
        false
    }

    /// Asks the registry, unless it is known how it speaks DXRP, and opens further connections
    /// while other work goes on.
    pub(crate) fn warm(self: Arc<Self>, network: Network, connections: usize) {
        let open = move || {
            // An error is reported when it is needed.
            if self.carrier(&network).is_ok_and(|carrier| carrier == Carrier::Raw) {
                for _ in 1..connections {
                    let (dxrp, network) = (self.clone(), network.clone());
                    let open = move || {
                        if let Ok(Upgrade::Switched(connection)) = dxrp.upgrade(&network) {
                            dxrp.state().idle.push(connection);
                        }
                    };
                    let _ = std::thread::Builder::new().name("dx-packs".into()).spawn(open);
                }
            }
        };
        let _ = std::thread::Builder::new().name("dx-packs".into()).spawn(open);
    }

    /// Keeps a connection whose answer has ended for the next request.
    pub(crate) fn keep(&self, answer: Answer<Incoming>) {
        if let Some(connection) = answer.into_inner().into_idle() {
            self.state().idle.push(connection);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown(&self) -> String {
        dx_pkg_fetch::redact_url(&self.registry)
    }

    fn read_record(&self, state: &mut State) {
        if state.known.is_none() {
            let record = self.store.protocol(&self.registry_key);
            let known = record.and_then(|record| Known::decode(&record)).unwrap_or_default();
            state.is_decided = known.is_fresh(crate::clock::now_ms());
            state.known = Some(known);
        }
    }

    /// Records what is known. If that fails, the registry is asked again by the next command.
    fn record(&self, bytes: &[u8]) {
        if let Err(error) = self.store.put_protocol(&self.registry_key, bytes) {
            self.notes.add(Note::Detail(format!("dxrp: {error}")));
        }
    }

    /// Asks the registry.
    fn ask(&self, network: &Network) -> Result<(Carrier, Option<Connection>), DxrpError> {
        if network.fetcher.can_upgrade(&self.address) {
            match self.try_upgrade(network)? {
                Upgrade::Switched(connection) => return Ok((Carrier::Raw, Some(connection))),
                Upgrade::Stayed(status) if status.is_client_error() => {
                    return self.refused(Some(status));
                }
                Upgrade::Stayed(_) => {}
            }
        }
        let request = Request::metadata(self.address.clone()).credentials(self.credentials.clone());
        let asked = network.fetcher.get(request);
        let asked = async { tokio::time::timeout(self.patience(), asked).await };
        let Ok(answer) = network.runtime.block_on(asked) else {
            return Err(DxrpError::NotSpoken { registry: self.shown() });
        };
        let carrier = match answer {
            Ok(response) if announces_dxrp(&response.body) => Carrier::Http,
            Ok(_) => Carrier::None,
            Err(error) if error.status().is_some_and(|status| status.is_client_error()) => {
                return self.refused(error.status());
            }
            Err(error) => return Err(error.into()),
        };
        Ok((carrier, None))
    }

    /// Returns what an answer with such a status means. What other credentials may change is not
    /// remembered.
    fn refused(
        &self,
        status: Option<StatusCode>,
    ) -> Result<(Carrier, Option<Connection>), DxrpError> {
        let passing = [
            StatusCode::UNAUTHORIZED,
            StatusCode::FORBIDDEN,
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        match status.is_some_and(|status| passing.contains(&status)) {
            true => Err(DxrpError::NotSpoken { registry: self.shown() }),
            false => Ok((Carrier::None, None)),
        }
    }

    fn upgrade(&self, network: &Network) -> Result<Upgrade, DxrpError> {
        let cancel = self.cancel.clone();
        self.upgrade_while(network, Arc::new(move || !cancel.is_cancelled()))
    }

    /// Requests a connection that is wanted for as long as `is_wanted` says.
    fn upgrade_while(&self, network: &Network, wanted: IsWanted) -> Result<Upgrade, DxrpError> {
        let credentials = Some(&self.credentials);
        Ok(network.fetcher.upgrade(&self.address, PROTOCOL, credentials, wanted)?)
    }

    /// Requests a connection of a registry that may not know what that is, and need not answer.
    fn try_upgrade(&self, network: &Network) -> Result<Upgrade, DxrpError> {
        let (cancel, patience, began) = (self.cancel.clone(), self.patience(), Instant::now());
        let has_answered = Arc::new(AtomicBool::new(false));
        let answered = Arc::clone(&has_answered);
        let wanted = move || {
            !cancel.is_cancelled()
                && (answered.load(Ordering::Relaxed) || began.elapsed() < patience)
        };
        let upgrade = self.upgrade_while(network, Arc::new(wanted));
        has_answered.store(true, Ordering::Relaxed);
        upgrade
    }

    /// Returns how long a registry may take to say whether it speaks DXRP.
    fn patience(&self) -> Duration {
        if self.is_required { Duration::MAX } else { PATIENCE }
    }

    /// Sends a request over a connection that waits, or a new one.
    fn send_raw(&self, network: &Network, request: &[u8]) -> Result<Answer<Incoming>, DxrpError> {
        let limit = network.fetcher.total_timeout();
        let idle = self.state().idle.pop();
        // The server may have closed it meanwhile.
        if let Some(connection) = idle
            && let Ok(incoming) = Incoming::over(connection, request)
            && let Ok(answer) = Answer::begin(incoming, limit)
        {
            return Ok(answer);
        }
        match self.upgrade(network)? {
            Upgrade::Switched(connection) => {
                Ok(Answer::begin(Incoming::over(connection, request)?, limit)?)
            }
            Upgrade::Stayed(_) => {
                // It was another server, or a proxy has come between: it is asked again.
                let mut state = self.state();
                let known = state.known.get_or_insert_default();
                known.asked_ms = 0;
                let bytes = known.encode();
                state.is_decided = false;
                drop(state);
                self.record(&bytes);
                Err(DxrpError::NotSpoken { registry: self.shown() })
            }
        }
    }

    /// Compares the server's key with the one that is known, or records it.
    fn check_key(&self, key: &ServerKey) -> Result<(), DxrpError> {
        let mut state = self.state();
        let known = state.known.get_or_insert_default();
        match &known.key {
            Some(expected) if expected == key => Ok(()),
            Some(expected) => Err(DxrpError::OtherKey {
                registry: self.shown(),
                known: fingerprint(expected),
                found: fingerprint(key),
            }),
            None => {
                known.key = Some(key.clone());
                let bytes = known.encode();
                drop(state);
                self.record(&bytes);
                self.notes.add(Note::Said(format!(
                    "{} speaks DXRP and signs with the key {}, which dx remembers",
                    self.shown(),
                    fingerprint(key),
                )));
                Ok(())
            }
        }
    }

    /// Records why something did not come this way, for `--verbose`.
    pub(crate) fn explain(&self, error: &DxrpError) {
        let text = dx_pkg_core::coded::message_with_causes(error);
        self.notes.add(Note::Detail(format!("dxrp: {text}; the rest comes over HTTP")));
    }

    /// Records why something is asked for again, for `--verbose`.
    pub(crate) fn explain_repetition(&self, error: &DxrpError) {
        let text = dx_pkg_core::coded::message_with_causes(error);
        self.notes.add(Note::Detail(format!("dxrp: {text}; what is missing is asked for again")));
    }
}
