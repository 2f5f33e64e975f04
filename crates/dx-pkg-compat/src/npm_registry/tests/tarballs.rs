use super::*;
use dx_pkg_core::IntegrityMismatch;
use dx_pkg_fetch::Bytes;
use dx_pkg_fetch::stream::Piece;

use dx_pkg_registry::{Streaming, Tarball, TarballSink};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};

type Collected = Arc<Mutex<Option<(Bytes, &'static str)>>>;

/// Collects the bytes once they are verified; tarballs of `streamed_from` bytes and more arrive as
/// a stream.
struct Collect {
    streamed_from: u64,
    right: Integrity,
    collected: Collected,
}

impl TarballSink for Collect {
    fn accept(
        self: Arc<Self>,
        tarball: Tarball,
    ) -> Pin<Box<dyn Future<Output = Result<(), IntegrityMismatch>> + Send>> {
        let (bytes, _) = match tarball.verify() {
            Ok(verified) => verified,
            Err(mismatch) => return Box::pin(async { Err(mismatch) }),
        };
        *self.collected.lock().unwrap() = Some((bytes, "whole"));
        Box::pin(async { Ok(()) })
    }

    fn begin(self: Arc<Self>, length: Option<u64>) -> Option<Streaming> {
        if length.is_some_and(|length| length < self.streamed_from) {
            return None;
        }
        let (pieces, mut arriving) = mpsc::channel(1);
        let (done, unpacked) = oneshot::channel();
        tokio::spawn(async move {
            let mut bytes = Vec::new();
            loop {
                match arriving.recv().await {
                    Some(Piece::Bytes(piece)) => bytes.extend_from_slice(&piece),
                    Some(Piece::End) => break,
                    None => return,
                }
            }
            let verdict = self.right.verify(&bytes);
            if verdict.is_ok() {
                *self.collected.lock().unwrap() = Some((bytes.into(), "streamed"));
            }
            let _ = done.send(verdict);
        });
        Some(Streaming { pieces, unpacked })
    }
}

pub(super) async fn fetch(
    client: &NpmRegistry,
    wanted: TarballRequest,
) -> Result<Bytes, RegistryError> {
    fetch_streaming(client, wanted, u64::MAX).await.map(|(bytes, _)| bytes)
}

pub(super) async fn fetch_streaming(
    client: &NpmRegistry,
    wanted: TarballRequest,
    streamed_from: u64,
) -> Result<(Bytes, &'static str), RegistryError> {
    let right = wanted.integrity.clone().unwrap();
    collect(client, wanted, right, streamed_from).await
}

/// Fetches what may be requested without an integrity, and has to be `right`.
pub(super) async fn fetch_as(
    client: &NpmRegistry,
    wanted: TarballRequest,
    right: Integrity,
) -> Result<Bytes, RegistryError> {
    collect(client, wanted, right, u64::MAX).await.map(|(bytes, _)| bytes)
}

async fn collect(
    client: &NpmRegistry,
    wanted: TarballRequest,
    right: Integrity,
    streamed_from: u64,
) -> Result<(Bytes, &'static str), RegistryError> {
    let collected = Collected::default();
    let sink = Collect { streamed_from, right, collected: collected.clone() };
    client.tarball(wanted, Arc::new(sink)).await?;
    let taken = collected.lock().unwrap().take();
    Ok(taken.unwrap())
}

#[tokio::test]
async fn a_tarball_is_fetched_and_checked() {
    let registry = Registry::start();
    let large: Vec<u8> =
        (0..200_000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    registry.package("@s/a", "1.0.0").file("big.bin", large).publish();
    registry.package("b", "1.0.0").publish();
    let client = client_of(&registry);
    for package in ["@s/a", "b"] {
        let tarball = fetch(&client, wanted(&registry, package, "1.0.0")).await.unwrap();
        assert_eq!(
            Integrity::sha512_of(&tarball).to_string(),
            registry.integrity(package, "1.0.0")
        );
    }
    assert_eq!(registry.requests()[0].path, "/@s/a/-/a-1.0.0.tgz");
    assert_eq!(registry.requests()[0].header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn wrong_bytes_are_fetched_once_more_and_then_refused() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let client = client_of(&registry);
    let fault = registry.fault("*/a-1.0.0.tgz", Fault::WrongBytes).times(1);
    fetch(&client, wanted(&registry, "a", "1.0.0")).await.unwrap();
    assert_eq!(fault.hits(), 1);
    let requests = registry.requests();
    assert_eq!(requests[0].header("cache-control"), None);
    assert_eq!(requests[1].header("cache-control"), Some("no-cache"));

    registry.clear_requests();
    registry.clear_faults();
    registry.fault("*/a-1.0.0.tgz", Fault::WrongBytes);
    let error = fetch(&client, wanted(&registry, "a", "1.0.0")).await.unwrap_err();
    assert_eq!(error.code(), "DX_INTEGRITY_MISMATCH");
    assert!(error.to_string().contains(&registry.integrity("a", "1.0.0")), "{error}");
    assert_eq!(registry.requests().len(), 2);
}

#[tokio::test]
async fn a_long_tarball_is_passed_on_as_it_arrives_and_begun_anew_where_it_breaks_off() {
    let registry = Registry::start();
    let large: Vec<u8> =
        (0..200_000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    registry.package("a", "1.0.0").file("big.bin", large).publish();
    let client = client_of(&registry);
    let faults = [None, Some(Fault::Truncate), Some(Fault::Drop), Some(Fault::status(503))];
    for fault in faults {
        let shown = format!("{fault:?}");
        let hits = fault.map(|fault| registry.fault("*/a-1.0.0.tgz", fault).times(1));
        let (bytes, how) =
            fetch_streaming(&client, wanted(&registry, "a", "1.0.0"), 1000).await.unwrap();
        assert_eq!(
            Integrity::sha512_of(&bytes).to_string(),
            registry.integrity("a", "1.0.0"),
            "{shown}"
        );
        assert_eq!(how, "streamed", "{shown}");
        assert_eq!(hits.map_or(1, |fault| fault.hits()), 1, "{shown}");
        registry.clear_faults();
    }
    let (_, how) =
        fetch_streaming(&client, wanted(&registry, "a", "1.0.0"), 10_000_000).await.unwrap();
    assert_eq!(how, "whole");
}

#[tokio::test]
async fn wrong_bytes_that_were_streamed_are_fetched_once_more_and_then_refused() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let client = client_of(&registry);
    registry.fault("*/a-1.0.0.tgz", Fault::WrongBytes).times(1);
    let (_, how) = fetch_streaming(&client, wanted(&registry, "a", "1.0.0"), 0).await.unwrap();
    assert_eq!(how, "streamed");
    assert_eq!(registry.requests()[1].header("cache-control"), Some("no-cache"));

    registry.clear_requests();
    registry.fault("*/a-1.0.0.tgz", Fault::WrongBytes);
    let error = fetch_streaming(&client, wanted(&registry, "a", "1.0.0"), 0).await.unwrap_err();
    assert_eq!(error.code(), "DX_INTEGRITY_MISMATCH");
    assert_eq!(registry.requests().len(), 2);
}

#[tokio::test]
async fn a_resolved_address_of_the_default_registry_is_asked_at_the_configured_one() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let mut request = wanted(&registry, "a", "1.0.0");
    request.url = Some(format!("{DEFAULT}a/-/a-1.0.0.tgz").into());
    fetch(&client_of(&registry), request).await.unwrap();
}

#[tokio::test]
async fn another_host_never_receives_the_registrys_credentials() {
    let (registry, files) = (Registry::start(), Registry::start());
    registry.package("a", "1.0.0").publish();
    files.package("a", "1.0.0").publish();
    let client = client(&with_token(&registry, "registry-token"));
    let elsewhere = files.url().replace("127.0.0.1", "localhost");

    let mut direct = wanted(&registry, "a", "1.0.0");
    direct.url = Some(format!("{elsewhere}a/-/a-1.0.0.tgz").into());
    fetch(&client, direct).await.unwrap();

    registry.fault("*/a-1.0.0.tgz", Fault::Redirect(elsewhere));
    fetch(&client, wanted(&registry, "a", "1.0.0")).await.unwrap();

    assert_eq!(registry.requests()[0].header("authorization"), Some("Bearer registry-token"));
    let received: Vec<_> =
        files.requests().iter().map(|request| request.header("authorization").is_some()).collect();
    assert_eq!(received, [false, false]);
}

#[tokio::test]
async fn missing_and_refused_tarballs_are_told() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let client = client_of(&registry);
    let mut missing = wanted(&registry, "a", "1.0.0");
    missing.version = "9.9.9".into();
    let error = fetch(&client, missing).await.unwrap_err();
    assert_eq!(error.code(), "DX_TARBALL_NOT_FOUND");
    assert!(error.to_string().contains("a-9.9.9.tgz"), "{error}");
    registry.require_token("t");
    let error = fetch(&client, wanted(&registry, "a", "1.0.0")).await.unwrap_err();
    assert_eq!(error.code(), "DX_UNAUTHORIZED");
}

#[tokio::test]
async fn futures_can_be_moved_to_other_threads() {
    let registry = Registry::start();
    registry.package("a", "1.0.0").publish();
    let client = client_of(&registry);
    let request = wanted(&registry, "a", "1.0.0");
    let task = tokio::spawn(async move {
        ask(&client, "a").await?;
        fetch(&client, request).await.map(|tarball| tarball.len())
    });
    assert!(task.await.unwrap().unwrap() > 0);
}

#[test]
fn npm_settings_reach_the_fetcher() {
    let npmrc = "fetch-retries=5\nfetch-retry-factor=3\nfetch-retry-mintimeout=50\nfetch-retry-maxtimeout=900\n\
        fetch-timeout=7000\nmaxsockets=7\nnetwork-concurrency=20\nstrict-ssl=false\ncafile=/etc/ca.pem\n\
        local-address=127.0.0.1\nproxy=http://proxy.example:8080\nnoproxy=inside.example\noffline=true\n";
    let fetch = fetch_config(&config(npmrc), "dx/1".to_owned(), Some("/extra.pem".into())).unwrap();
    assert_eq!((fetch.retry.tries, fetch.retry.factor), (6, 3.0));
    assert_eq!(fetch.retry.first_delay, Duration::from_millis(50));
    assert_eq!(fetch.retry.longest_delay, Duration::from_millis(900));
    assert_eq!(fetch.timeouts.total, Duration::from_secs(7));
    assert_eq!(fetch.timeouts.idle, Duration::from_secs(30));
    let slow = fetch_config(&config("fetch-timeout=600000"), "dx/1".to_owned(), None).unwrap();
    assert_eq!(slow.timeouts.idle, Duration::from_secs(60));
    assert_eq!(
        (fetch.concurrency.metadata, fetch.concurrency.tarballs, fetch.concurrency.per_host),
        (20, 20, 7)
    );
    assert!(!fetch.tls.verify && fetch.offline);
    assert_eq!(fetch.tls.ca_file.as_deref(), Some(Path::new("/etc/ca.pem")));
    assert_eq!(fetch.tls.extra_ca_file.as_deref(), Some(Path::new("/extra.pem")));
    assert_eq!(fetch.local_address, Some("127.0.0.1".parse().unwrap()));
    let proxy = fetch.proxy.unwrap();
    assert_eq!(
        proxy(&url("http://registry.example/a")).unwrap().as_str(),
        "http://proxy.example:8080/"
    );
    assert_eq!(proxy(&url("http://inside.example/a")), None);
    for wrong in ["local-address=here", "fetch-timeout=soon", "network-concurrency=many"] {
        assert!(fetch_config(&config(wrong), String::new(), None).is_err(), "{wrong}");
    }
}
