//! A `dx-registry` that is killed in mid-stream: the install ends right, and nothing that arrived
//! whole comes again.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use dx_pkg_testkit::{Project, ProjectBuilder, Registry};

use super::served::Served;
use super::tree;
use crate::harness::{command, ok};

/// A relay in front of a server, which calls back once when so many bytes have come from there.
struct Relay {
    url: String,
    passed: Arc<AtomicU64>,
    target: Arc<Mutex<String>>,
}

impl Relay {
    fn start(
        target: String,
        after: u64,
        then: impl FnOnce(&Mutex<String>) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (passed, target) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(target)));
        let relay = Relay { url, passed: passed.clone(), target: target.clone() };
        let then: Arc<Mutex<Option<_>>> = Arc::new(Mutex::new(Some(then)));
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let to = target.lock().unwrap().clone();
                // Nobody listens there: the client sees a closed connection.
                let Ok(server) = TcpStream::connect(to) else { continue };
                let (passed, then, target) = (passed.clone(), then.clone(), target.clone());
                let mut halves = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || {
                    let _ = std::io::copy(&mut halves.0, &mut halves.1);
                    let _ = halves.1.shutdown(Shutdown::Both);
                });
                thread::spawn(move || {
                    let mut buffer = vec![0; 16 << 10];
                    let (mut server, mut client) = (server, client);
                    while let Ok(length) = server.read(&mut buffer)
                        && length > 0
                        && client.write_all(&buffer[..length]).is_ok()
                    {
                        let before = passed.fetch_add(length as u64, Ordering::SeqCst);
                        if before + length as u64 > after
                            && let Some(then) = then.lock().unwrap().take()
                        {
                            then(&target);
                        }
                    }
                    let _ = client.shutdown(Shutdown::Both);
                });
            }
        });
        relay
    }

    fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }

    fn project(&self) -> ProjectBuilder {
        let project = Project::offline()
            .npmrc(&format!("registry={}", self.url))
            .npmrc("fetch-retries=3")
            .npmrc("fetch-retry-mintimeout=100")
            .npmrc("fetch-retry-maxtimeout=1000")
            .dep("large", "1")
            .dep("second", "1");
        (0..30).fold(project, |project, number| project.dep(&format!("p{number}"), "^1"))
    }
}

/// The bytes of the large package, which is unpacked while it arrives; the second has half of them,
/// and is not.
const LARGE: usize = 17 << 20;

fn registry() -> Registry {
    let registry = Registry::start();
    for number in 0..30 {
        let data = crate::harness::incompressible().split_off(number * 1000);
        let package = registry.package(&format!("p{number}"), "1.0.0");
        package.file("data.bin", data[..40_000].to_vec()).publish();
    }
    let bytes = crate::harness::incompressible();
    let many: Vec<u8> =
        (0_u8..16).flat_map(|one| bytes.iter().map(move |byte| byte ^ one)).collect();
    assert!(many.len() > LARGE);
    registry.package("large", "1.0.0").file("data.bin", many[..LARGE].to_vec()).publish();
    registry.package("second", "1.0.0").file("data.bin", many[LARGE / 2..LARGE].to_vec()).publish();
    registry
}

/// Returns the files of the tree, without the record of where they came from.
fn files(project: &Project) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut files = tree(project);
    files.remove(".package-lock.json");
    files
}

/// Installs through a server that is killed after so many bytes; `then` is what takes its place.
fn killed(
    after: u64,
    with_lock: bool,
    then: impl FnOnce(&mut Served, &Registry) -> Option<String> + Send + 'static,
) -> Option<(dx_pkg_testkit::Run, u64)> {
    let registry = Arc::new(registry());
    let served = Served::start(&registry)?;
    let whole = Relay::start(served.address(), u64::MAX, |_| ());
    let expected = whole.project().create();
    ok(&expected, ["install"]);
    let size = whole.passed();
    let before = expected.read("package-lock.json").replace(&whole.url, "HERE");
    let address = served.address();
    let upstream = registry.clone();
    let served = Arc::new(Mutex::new(served));
    let owner = served.clone();
    let relay = Relay::start(address, after, move |target| {
        let mut served = served.lock().unwrap();
        served.kill();
        if let Some(next) = then(&mut served, &upstream) {
            *target.lock().unwrap() = next;
        }
    });
    let project = relay.project().create();
    if with_lock {
        project.write("package-lock.json", before.replace("HERE", &relay.url));
    }
    let run = command(&project).args(["install", "--verbose"]).run();
    if run.status == Some(0) {
        assert!(files(&project) == files(&expected), "{run}");
        let lock = project.read("package-lock.json").replace(&relay.url, "HERE");
        assert_eq!(lock, before, "{run}");
    } else {
        assert!(!project.exists("node_modules"), "{run}");
        // It is tried again when the server is there again.
        let mut served = owner.lock().unwrap();
        served.start_again(&registry);
        *relay.target.lock().unwrap() = served.address();
        ok(&project, ["install"]);
        assert!(files(&project) == files(&expected), "{run}");
    }
    ok(&project, ["store", "verify"]);
    drop(owner);
    Some((run, relay.passed().saturating_sub(size)))
}

#[test]
fn a_server_that_is_started_again_is_asked_for_the_rest() {
    for with_lock in [false, true] {
        let again = |served: &mut Served, registry: &Registry| {
            thread::sleep(Duration::from_millis(200));
            served.start_again(registry);
            Some(served.address())
        };
        let Some((run, twice)) = killed(6 << 20, with_lock, again) else { return };
        assert_eq!(run.status, Some(0), "{run}");
        assert!(run.stderr.contains("what is missing is asked for again"), "{run}");
        assert!(!run.stderr.contains("comes over HTTP"), "{run}");
        // Less than a frame of each stream, and of each package that was under way.
        assert!(twice < 3 << 20, "{twice} bytes came twice: {run}");
    }
}

#[test]
fn a_registry_without_dxrp_in_its_place_has_the_rest() {
    let plain = |_: &mut Served, registry: &Registry| {
        Some(registry.url().trim_start_matches("http://").trim_end_matches('/').to_owned())
    };
    let Some((run, _)) = killed(6 << 20, true, plain) else { return };
    assert_eq!(run.status, Some(0), "{run}");
    assert!(run.stderr.contains("comes over HTTP"), "{run}");
}

#[test]
fn a_server_that_stays_away_leaves_nothing_behind() {
    let nobody = |_: &mut Served, _: &Registry| None;
    let Some((run, _)) = killed(6 << 20, true, nobody) else { return };
    assert_eq!(run.status, Some(1), "{run}");
}
