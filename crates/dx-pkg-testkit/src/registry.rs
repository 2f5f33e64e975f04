//! An npm registry on a port of 127.0.0.1, with a log of its requests and faults on demand.

mod answer;
mod serve;

use crate::dxrp::{DxrpCarrier, DxrpFault, Peer};
use crate::fault::{Fault, FaultHandle, Rule};
use crate::http::RecordedRequest;
use crate::packument::{Package, Published};
use serve::Connections;
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A registry that serves what tests publish to it until it is dropped.
#[derive(Debug)]
pub struct Registry {
    url: String,
    shared: Arc<Shared>,
}

/// The state that the connection threads share.
#[derive(Debug)]
struct Shared {
    packages: Mutex<BTreeMap<String, Package>>,
    rules: Mutex<Vec<Arc<Rule>>>,
    log: Mutex<Vec<RecordedRequest>>,
    options: Mutex<Options>,
    connections: Connections,
    /// The server of DXRP, where there is one.
    peer: Mutex<Option<Arc<Peer>>>,
    /// How often a client asked for DXRP, or used it over HTTP.
    dxrp_questions: AtomicUsize,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
}

/// The behaviour of the registry apart from faults.
#[derive(Clone, Debug)]
struct Options {
    authorization: Option<String>,
    cache_control: String,
    bare_not_modified: bool,
    tarball_base: String,
    gzip: bool,
    modified: bool,
}

impl Registry {
    /// Starts an empty registry on a free port.
    pub fn start() -> Registry {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("bind a port of 127.0.0.1");
        let url = format!("http://{}/", listener.local_addr().expect("a bound address"));
        let shared = Arc::new(Shared {
            packages: Mutex::default(),
            rules: Mutex::default(),
            log: Mutex::default(),
            options: Mutex::new(Options {
                authorization: None,
                cache_control: "public, max-age=300".to_owned(),
                bare_not_modified: false,
                tarball_base: url.clone(),
                gzip: true,
                modified: true,
            }),
            connections: Connections::default(),
            peer: Mutex::default(),
            dxrp_questions: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
        });
        serve::accept_in_background(listener, Arc::clone(&shared));
        Registry { url, shared }
    }

    /// The registry's URL, with a slash at its end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        let (_, port) =
            self.url.trim_end_matches('/').rsplit_once(':').expect("the URL has a port");
        port.parse().expect("a port is a number")
    }

    /// Serves DXRP too, with a key of its own; what goes wrong does so in every answer. Without
    /// this, the question for it is answered by 404 and not recorded.
    pub fn dxrp(&self, carrier: DxrpCarrier, fault: Option<DxrpFault>) {
        *self.shared.peer.lock().unwrap() = Some(Arc::new(Peer::new(carrier, fault)));
    }

    /// Returns the number of HTTP requests for DXRP.
    pub fn dxrp_questions(&self) -> usize {
        self.shared.dxrp_questions.load(Ordering::SeqCst)
    }

    /// Returns the number of packages that were sent by DXRP.
    pub fn dxrp_packs(&self) -> usize {
        let peer = self.shared.peer.lock().unwrap();
        peer.as_ref().map_or(0, |peer| peer.packs.load(Ordering::SeqCst))
    }

    /// Returns the number of requests by DXRP.
    pub fn dxrp_requests(&self) -> usize {
        let peer = self.shared.peer.lock().unwrap();
        peer.as_ref().map_or(0, |peer| peer.requests.load(Ordering::SeqCst))
    }

    /// Points a dist-tag at a version.
    pub fn dist_tag(&self, name: &str, tag: &str, version: &str) {
        self.edit(name, |package| {
            package.tags.insert(tag.to_owned(), version.into());
        });
    }

    /// Removes a version, as `npm unpublish` does.
    pub fn unpublish(&self, name: &str, version: &str) {
        self.edit(name, |package| {
            package.versions.retain(|published| published.version != version)
        });
    }

    /// The `dist.integrity` of a published version.
    pub fn integrity(&self, name: &str, version: &str) -> String {
        let packages = self.shared.packages.lock().unwrap();
        let published = packages.get(name).and_then(|package| package.find(version));
        let published = published.unwrap_or_else(|| panic!("{name}@{version} was not published"));
        crate::integrity_sha512(&published.tarball)
    }

    /// Makes requests whose path matches the pattern go wrong; `*` stands for any run of
    /// characters.
    ///
    /// Scoped names are matched decoded (`/@scope/name`). The first fault that strikes wins, but a
    /// [`Fault::Delay`] or [`Fault::FullPackument`] lets later ones strike too.
    pub fn fault(&self, pattern: &str, fault: Fault) -> FaultHandle {
        let rule = Arc::new(Rule::new(pattern, fault));
        self.shared.rules.lock().unwrap().push(Arc::clone(&rule));
        FaultHandle { rule }
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.shared.rules.lock().unwrap().clear();
    }

    /// Answers 401 to requests without `Authorization: Bearer <token>`.
    pub fn require_token(&self, token: &str) {
        self.require_authorization(&format!("Bearer {token}"));
    }

    /// Answers 401 to requests whose `Authorization` header is not this value.
    pub fn require_authorization(&self, value: &str) {
        self.shared.options.lock().unwrap().authorization = Some(value.to_owned());
    }

    /// Leaves `modified` out of abbreviated packuments, as some mirrors do.
    pub fn omit_modified(&self) {
        self.shared.options.lock().unwrap().modified = false;
    }

    /// Sets the `Cache-Control` of packuments; `public, max-age=300` at first.
    pub fn cache_control(&self, value: &str) {
        value.clone_into(&mut self.shared.options.lock().unwrap().cache_control);
    }

    /// Leaves `Cache-Control` out of 304 answers, as RFC 9110 allows.
    pub fn bare_not_modified(&self) {
        self.shared.options.lock().unwrap().bare_not_modified = true;
    }

    /// Makes packuments name tarballs below another base URL, such as another registry's.
    pub fn tarballs_at(&self, base: &str) {
        base.clone_into(&mut self.shared.options.lock().unwrap().tarball_base);
    }

    /// Never compresses packuments, whatever a request accepts.
    pub fn without_gzip(&self) {
        self.shared.options.lock().unwrap().gzip = false;
    }

    /// All requests so far, in the order of arrival.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.log.lock().unwrap().clone()
    }

    /// Returns the number of requests for packuments so far.
    pub fn metadata_requests(&self) -> usize {
        let log = self.shared.log.lock().unwrap();
        log.iter()
            .filter(|request| !request.is_tarball() && !request.path.starts_with("/-/"))
            .count()
    }

    /// Returns the number of requests for tarballs so far.
    pub fn tarball_requests(&self) -> usize {
        self.shared.log.lock().unwrap().iter().filter(|request| request.is_tarball()).count()
    }

    /// Forgets the requests so far and the most that were answered at once.
    pub fn clear_requests(&self) {
        self.shared.log.lock().unwrap().clear();
        self.shared.most_in_flight.store(0, Ordering::SeqCst);
    }

    /// The most requests that were being answered at the same time.
    pub fn most_in_flight(&self) -> usize {
        self.shared.most_in_flight.load(Ordering::SeqCst)
    }

    /// Returns the number of connections that were accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.accepted()
    }

    /// Stops listening and closes every connection: the registry is down.
    pub fn stop(&self) {
        self.shared.connections.close(self.port());
    }

    pub(crate) fn add(&self, name: &str, published: Published) {
        let mut packages = self.shared.packages.lock().unwrap();
        let package = packages.entry(name.to_owned()).or_default();
        assert!(
            package.find(&published.version).is_none(),
            "{name}@{} is published twice",
            published.version
        );
        package.tags.insert("latest".to_owned(), published.version.clone().into());
        package.versions.push(published);
    }

    fn edit(&self, name: &str, change: impl FnOnce(&mut Package)) {
        let mut packages = self.shared.packages.lock().unwrap();
        change(packages.get_mut(name).unwrap_or_else(|| panic!("{name} was not published")));
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Package {
    fn find(&self, version: &str) -> Option<&Published> {
        self.versions.iter().find(|published| published.version == version)
    }
}
