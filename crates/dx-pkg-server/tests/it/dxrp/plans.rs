//! PLAN, and packages of a plan.

use super::client::{Answered, Raw, ask, metric};
use crate::people::{add_user, publish, send};
use crate::server::Server;
use dx_pkg_acquire::{Context, ContextOptions, ResolverInput, resolve};
use dx_pkg_compat::manifest::Manifest;
use dx_pkg_compat::npmrc::{Config, ConfigSources};
use dx_pkg_core::{PackageId, Platform, Version};
use dx_pkg_format::dxrp::{Choice, Filter, Kind, Plan, PlanQuestion, PlanRules, Trouble, Want};
use dx_pkg_lock::dxl::{self, DxlView};
use dx_pkg_lock::{Lock, LockPackage};
use dx_pkg_resolve::Requirements;
use dx_pkg_store::Store;
use dx_pkg_testkit::Registry;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::slice::from_ref;
use std::sync::Arc;
use std::time::{Duration, Instant};

const NODE: &str = "22.0.0";

/// A project: its manifest, and those of its workspaces with their folders.
struct Project {
    root: Value,
    workspaces: Vec<(&'static str, Value)>,
}

impl Project {
    fn of(root: Value) -> Self {
        Self { root, workspaces: Vec::new() }
    }

    fn record(folder: &str, manifest: &Value) -> LockPackage {
        let record = Manifest::parse(&manifest.to_string()).unwrap().to_lock_package();
        LockPackage { path: folder.to_owned(), ..record }
    }

    fn importers(&self) -> Vec<LockPackage> {
        let workspaces =
            self.workspaces.iter().map(|(folder, manifest)| Self::record(folder, manifest));
        std::iter::once(Self::record("", &self.root)).chain(workspaces).collect()
    }

    fn question(&self) -> PlanQuestion {
        let platform = Platform::host(dx_pkg_os::process::libc_family());
        let importers = Lock { format_version: 3, packages: self.importers(), ..Lock::default() };
        let overrides = self.root.get("overrides").map(Value::to_string).unwrap_or_default();
        PlanQuestion {
            rules: PlanRules {
                default_tag: "latest".to_owned(),
                node: NODE.to_owned(),
                os: platform.os.into(),
                cpu: platform.cpu.into(),
                libc: platform.libc.unwrap_or_default().into(),
                ..PlanRules::default()
            },
            overrides,
            importers: dxl::encode(&importers, [0; 32]),
            change: None,
        }
    }

    /// Returns the lock that dx makes of it over HTTP, in the form DXL.
    fn resolved(&self, server: &Server) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let url = server.url();
        let flags = [("min-release-age".to_owned(), "0".to_owned())];
        let sources = ConfigSources { default_registry: &url, flags: &flags, ..Default::default() };
        let config = Config::load(&sources).unwrap();
        let mut importers = self.importers();
        let root = importers.remove(0);
        let overrides = Manifest::parse(&self.root.to_string()).unwrap().override_rules().unwrap();
        let workspaces = importers;
        let requirements = Requirements { root, workspaces, overrides, ..Requirements::default() };
        let node = Version::parse(NODE).ok();
        let mut input = ResolverInput::new(&config, requirements, node, None).unwrap();
        input.options.workspaces =
            self.workspaces.iter().map(|(folder, _)| (*folder).to_owned()).collect();
        let store = Store::open(folder.path()).unwrap();
        let context = Arc::new(Context::new(ContextOptions::new(config, store)));
        let root = Path::new("/project");
        let resolved = resolve(&context, root, &input, None, None, &Arc::default(), None);
        dxl::encode(&resolved.unwrap().resolution.lock, [0; 32])
    }
}

fn question(project: &Project) -> (Kind, Vec<u8>) {
    (Kind::PlanQuestion, project.question().encode())
}

/// Returns the plan of an answer, and its lock in the form DXL.
fn plan(answered: &Answered) -> (Plan, Vec<u8>) {
    assert_eq!(answered.error, None);
    let (kind, payload) = &answered.others[0];
    assert_eq!((*kind, answered.others.len()), (Kind::Plan, 1));
    let plan = Plan::decode(payload).unwrap();
    let lock = zstd::bulk::decompress(&plan.lock, plan.unpacked as usize).unwrap();
    (plan, lock)
}

fn upstream() -> Registry {
    let registry = Registry::start();
    let old = "2020-01-01T00:00:00.000Z";
    registry.package("a", "1.0.0").dep("b", "^1").dep("@s/c", "*").published_at(old).publish();
    registry.package("a", "1.1.0").dep("b", "^1").dep("@s/c", "*").published_at(old).publish();
    registry.package("b", "1.0.0").bin("b", "b.js").file("b.js", "").publish();
    registry.package("b", "2.0.0").engines("node", ">=18").deprecated("old").publish();
    registry.package("@s/c", "1.2.0").optional("other", "1").dep("b", "^2").publish();
    registry.package("other", "1.0.0").os(["aix"]).file("large", vec![7; 5000]).publish();
    registry.package("host", "3.0.0").peer("b", "^2").publish();
    for version in ["1.0.0", "2.0.0"] {
        registry.package("core", version).publish();
    }
    registry.package("plug", "1.0.0").peer("core", "^1").publish();
    registry.package("plug", "2.0.0").peer("core", "^2").publish();
    registry
        .package("bundles", "1.0.0")
        .dep("inside", "1")
        .dep("b", "*")
        .bundle("inside", "1.0.0")
        .publish();
    registry
}

fn projects() -> Vec<Project> {
    vec![
        Project::of(json!({ "name": "p", "version": "1.0.0",
            "dependencies": { "a": "^1", "alias": "npm:b@1" },
            "devDependencies": { "host": "*" }, "optionalDependencies": { "missing": "1" } })),
        Project {
            root: json!({ "name": "p", "workspaces": ["packages/*"],
                "dependencies": { "a": "1.0.0", "w2": "*" }, "overrides": { "b": "2.0.0" } }),
            workspaces: vec![
                (
                    "packages/one",
                    json!({ "name": "w1", "version": "1.0.0",
                    "dependencies": { "mine": "^1", "w2": "^1" } }),
                ),
                (
                    "packages/two",
                    json!({ "name": "w2", "version": "1.3.0",
                    "dependencies": { "bundles": "1", "b": "^1" } }),
                ),
            ],
        },
        Project::of(json!({ "dependencies": { "bundles": "*", "mine": "latest" } })),
        // npm refuses this, dx tells of it.
        Project::of(json!({ "dependencies": { "host": "*", "b": "^1" } })),
        Project::of(json!({})),
    ]
}

#[test]
fn a_plan_is_byte_for_byte_the_lock_that_dx_makes_over_http() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    assert_eq!(server.publish("mine", "1.0.0").status, 201);
    for project in projects() {
        let question = question(&project);
        let (made, lock) = plan(&ask(&server, "", from_ref(&question)));
        assert!(lock == project.resolved(&server), "{}", project.root);
        let packages = DxlView::open(&lock).unwrap().to_lock().packages;
        assert_eq!(made.published_ms.len(), packages.len());
        let a = packages.iter().position(|package| package.path == "node_modules/a");
        if let Some(a) = a {
            assert_eq!(made.published_ms[a], 1_577_836_800_000);
            let url = packages[a].resolved.as_deref().unwrap();
            assert!(url.starts_with(&format!("{}a/-/a-1.", server.url())), "{url}");
        }
        // The next one is served as it is, by any carrier; one without packages takes no work.
        let (again, _) = plan(&Raw::open(&server, "").ask(from_ref(&question)));
        assert!(again.computed_ms == made.computed_ms || packages.len() == 1);
    }
}

#[test]
fn what_cannot_be_planned_is_an_error_with_the_reason() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    for (dependencies, trouble, reason) in [
        (json!({ "a": "^7" }), Trouble::Unsupported, "no version of a"),
        (json!({ "nothing": "*" }), Trouble::Unsupported, "nothing"),
        (json!({ "g": "git+https://git.example/g.git" }), Trouble::Unsupported, "registry"),
        (json!({ "f": "file:../f" }), Trouble::Unsupported, "registry"),
        (json!({ "plug": "*", "core": "^1" }), Trouble::Unsupported, "only the client tells"),
    ] {
        let project = Project::of(json!({ "dependencies": dependencies }));
        let error = ask(&server, "", &[question(&project)]).error;
        let error = error.unwrap_or_else(|| panic!("{dependencies} is planned"));
        assert_eq!(error.trouble, trouble, "{dependencies}: {error:?}");
        assert!(error.message.contains(reason), "{dependencies}: {error:?}");
    }
    let mut broken = projects()[0].question();
    broken.importers.truncate(40);
    let answered = ask(&server, "", &[(Kind::PlanQuestion, broken.encode())]);
    assert_eq!(answered.error.unwrap().trouble, Trouble::Malformed);
    upstream.stop();
    let project = Project::of(json!({ "dependencies": { "unseen": "1" } }));
    let error = ask(&server, "", &[question(&project)]).error.unwrap();
    assert_eq!(error.trouble, Trouble::Unavailable, "{error:?}");
}

#[test]
fn one_request_brings_the_plan_and_what_the_client_lacks() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    let project = Project::of(json!({ "dependencies": { "a": "1.1.0" } }));
    let id = |name: &str, version: &str| {
        let integrity = upstream.integrity(name, version);
        PackageId::from_sha512_text(&integrity).unwrap()
    };
    let want = |filter, part, parts| {
        let choice = Choice::AllBut(filter);
        (Kind::Want, Want { part, parts, choice, held: Vec::new() }.encode())
    };
    let ids = |answered: &Answered| -> BTreeSet<[u8; 64]> {
        answered.packs.iter().map(|(head, ..)| head.package.id.hex()).collect()
    };
    let all: BTreeSet<_> = [("a", "1.1.0"), ("b", "1.0.0"), ("b", "2.0.0"), ("@s/c", "1.2.0")]
        .map(|(name, version)| id(name, version).hex())
        .into_iter()
        .collect();
    let whole = ask(&server, "", &[question(&project), want(Filter::new(&[], 0.01, 1), 0, 1)]);
    let (_, lock) = plan(&whole);
    assert_eq!(ids(&whole), all, "what is for another platform is not sent");
    let held = Filter::new(&[id("b", "1.0.0")], 1e-6, 9);
    let parts: Vec<Answered> = (0..2)
        .map(|part| ask(&server, "", &[question(&project), want(held.clone(), part, 2)]))
        .collect();
    assert_eq!((parts[0].others.len(), parts[1].others.len()), (1, 0), "one has the plan");
    let sent: BTreeSet<_> = parts.iter().flat_map(&ids).collect();
    assert_eq!(sent.len(), 3);
    assert!(!sent.contains(&id("b", "1.0.0").hex()));
    // With the lock that both know now, by its bits.
    let packages = DxlView::open(&lock).unwrap().to_lock().packages;
    let mut bits = vec![0_u8; packages.len().div_ceil(8)];
    for (at, package) in packages.iter().enumerate() {
        if ["node_modules/a", "node_modules/other", ""].contains(&package.path.as_str()) {
            bits[at / 8] |= 1 << (at % 8);
        }
    }
    let of_plan = |lock: [u8; 32]| {
        let choice = Choice::OfPlan { lock, bits: bits.clone() };
        (Kind::Want, Want { part: 0, parts: 1, choice, held: Vec::new() }.encode())
    };
    let some = ask(&server, "", &[of_plan(*blake3::hash(&lock).as_bytes())]);
    let wanted = [id("a", "1.1.0").hex(), id("other", "1.0.0").hex()];
    assert_eq!(ids(&some), wanted.into_iter().collect());
    let unknown = ask(&server, "", &[of_plan([1; 32])]).error.unwrap();
    assert_eq!(unknown.trouble, Trouble::UnknownPlan);
    let alone = ask(&server, "", &[want(Filter::new(&[], 0.01, 1), 0, 1)]).error.unwrap();
    assert_eq!(alone.trouble, Trouble::Malformed);
}

#[test]
fn a_filter_may_contain_everything_and_a_lying_one_is_refused() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    let project = Project::of(json!({ "dependencies": { "a": "1.1.0" } }));
    // Part, parts, kind, salt, positions of an id, bits, nothing held; see docs/format/dxrp.md.
    let filter = |positions: u8, stated: u32, bits: &[u8]| {
        let mut payload = vec![0, 0, 1, 0, 2];
        payload.extend_from_slice(&7_u64.to_le_bytes());
        payload.push(positions);
        payload.extend_from_slice(&stated.to_le_bytes());
        payload.extend_from_slice(bits);
        payload.extend_from_slice(&0_u32.to_le_bytes());
        ask(&server, "", &[question(&project), (Kind::Want, payload)])
    };
    let ones = vec![255; 64 << 10];
    for positions in [1, 20] {
        let nothing = filter(positions, 64 << 10, &ones);
        plan(&nothing);
        assert_eq!((nothing.packs.len(), nothing.end.unwrap().packages), (0, 0));
    }
    assert_eq!(filter(1, 0, &[]).packs.len(), 4);
    let long = vec![0; (64 << 10) + 1];
    for (positions, stated, bits) in [
        (0, 8, &ones[..8]),
        (21, 8, &ones[..8]),
        (3, u32::MAX, &ones[..8]),
        (3, 9, &ones[..8]),
        (3, long.len() as u32, &long),
    ] {
        let error = filter(positions, stated, bits).error.unwrap();
        assert_eq!(error.trouble, Trouble::Malformed, "{positions}, {stated}: {error:?}");
    }
}

#[test]
fn a_manifest_without_end_is_not_planned() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    let requires = |count: usize| {
        let names = (0..count).map(|at| (format!("none-{at}"), json!("*")));
        json!({ "dependencies": names.collect::<serde_json::Map<String, Value>>() })
    };
    let of = |project: &Project| ask(&server, "", &[question(project)]).error;
    let begin = Instant::now();
    let workspaces = ["a", "b", "c"].map(|folder| (folder, requires(33_400))).into();
    let error = of(&Project { root: json!({}), workspaces }).unwrap();
    assert_eq!(error.trouble, Trouble::TooMuch, "{error:?}");
    assert!(error.message.contains("100000 requirements"), "{error:?}");
    let error = of(&Project::of(requires(20_000))).unwrap();
    assert_eq!(error.trouble, Trouble::Unsupported, "{error:?}");
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
}

#[test]
fn a_plan_is_made_again_before_it_is_asked_for_when_a_package_changes() {
    let upstream = upstream();
    let server = Server::start(upstream.url());
    assert_eq!(server.publish("mine", "1.0.0").status, 201);
    let project = Project::of(json!({ "dependencies": { "mine": "*", "a": "*" } }));
    let other = Project::of(json!({ "dependencies": { "a": "*" } }));
    let version = |answered: &Answered| {
        let (made, lock) = plan(answered);
        let lock = DxlView::open(&lock).unwrap().to_lock();
        (made.computed_ms, lock.get("node_modules/mine").and_then(|mine| mine.version.clone()))
    };
    let (_, first) = version(&ask(&server, "", &[question(&project)]));
    let untouched = version(&ask(&server, "", &[question(&other)])).0;
    assert_eq!(first.as_deref(), Some("1.0.0"));
    assert_eq!(server.publish("mine", "1.1.0").status, 201);
    let begin = Instant::now();
    while metric(&server, "dxrp_plans_ahead_total") == 0 {
        assert!(begin.elapsed() < Duration::from_secs(30), "it is not made ahead");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (made, served) =
        (metric(&server, "dxrp_plans_made_total"), metric(&server, "dxrp_plans_served_total"));
    assert_eq!(version(&ask(&server, "", &[question(&project)])).1.as_deref(), Some("1.1.0"));
    assert_eq!(metric(&server, "dxrp_plans_made_total"), made);
    assert_eq!(metric(&server, "dxrp_plans_served_total"), served + 1);
    assert_eq!(metric(&server, "dxrp_plan_seconds_count{kept=\"yes\"}"), served + 1);
    assert!(metric(&server, "dxrp_plan_seconds_count{kept=\"no\"}") >= 2);
    assert_eq!(version(&ask(&server, "", &[question(&other)])).0, untouched);
    while metric(&server, "dxrp_packages") < 4 || metric(&server, "dxrp_deltas_made_total") == 0 {
        assert!(begin.elapsed() < Duration::from_secs(30), "its packages are not converted");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Many who ask the same at once cause one plan.
    let new = Project::of(json!({ "dependencies": { "mine": "1", "a": "1" } }));
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| assert!(ask(&server, "", &[question(&new)]).error.is_none()));
        }
    });
    assert_eq!(metric(&server, "dxrp_plans_made_total"), made + 1);
}

#[test]
fn plans_are_found_again_after_a_restart_and_checked() {
    let upstream = upstream();
    let public = ("DX_REGISTRY_PUBLIC_URL", "http://packages.example/");
    let server = Server::with(upstream.url(), &[public]);
    assert_eq!(server.publish("mine", "1.0.0").status, 201);
    let project = Project::of(json!({ "dependencies": { "mine": "*", "a": "*" } }));
    let (made, lock) = plan(&ask(&server, "", &[question(&project)]));
    let lock = DxlView::open(&lock).unwrap().to_lock();
    let mine = lock.get("node_modules/mine").unwrap().resolved.as_deref();
    assert_eq!(mine, Some("http://packages.example/mine/-/mine-1.0.0.tgz"));
    std::thread::sleep(Duration::from_millis(300));
    let restarted = server.beside_with(upstream.url(), &[public]);
    let (again, _) = plan(&ask(&restarted, "", &[question(&project)]));
    assert_eq!(again.computed_ms, made.computed_ms);
    plan(&ask(&restarted, "", &[question(&project)]));
    assert_eq!(metric(&restarted, "dxrp_plans_made_total"), 0);
    assert_eq!(metric(&restarted, "dxrp_plans_served_total"), 1, "checked once");
    assert_eq!(server.publish("mine", "1.0.1").status, 201);
    let third = server.beside_with(upstream.url(), &[public]);
    let (newer, _) = plan(&ask(&third, "", &[question(&project)]));
    assert!(newer.computed_ms > made.computed_ms);
}

#[test]
fn a_plan_with_a_restricted_package_is_for_its_readers_only() {
    let server = Server::start("none");
    let (alice, bob) = (server.token.clone(), add_user(&server, "bob"));
    assert_eq!(publish(&server, &alice, "@acme/secret", "1.0.0", &[]), 201);
    let project = Project::of(json!({ "dependencies": { "@acme/secret": "*" } }));
    let (_, lock) = plan(&ask(&server, "", &[question(&project)]));
    let body = json!({ "access": "restricted" });
    let access = "/-/package/@acme%2fsecret/access";
    assert_eq!(send(&server, &alice, "POST", access, Some(&body)).status, 200);
    plan(&ask(&server, &alice, &[question(&project)]));
    let too_high = Project::of(json!({ "dependencies": { "@acme/secret": "^2" } }));
    let choice = Choice::OfPlan { lock: *blake3::hash(&lock).as_bytes(), bits: vec![255] };
    let of_plan = (Kind::Want, Want { part: 0, parts: 1, choice, held: Vec::new() }.encode());
    for token in ["", &bob] {
        for project in [&project, &too_high] {
            let error = ask(&server, token, &[question(project)]).error.unwrap();
            assert_eq!(error.trouble, Trouble::Refused);
            assert!(!error.message.contains("secret") && !error.message.contains("1.0.0"));
        }
        let error = ask(&server, token, from_ref(&of_plan)).error.unwrap();
        assert_eq!(error.trouble, Trouble::UnknownPlan);
    }
    assert_eq!(ask(&server, &alice, &[of_plan]).packs.len(), 1);
    let error = ask(&server, &alice, &[question(&too_high)]).error.unwrap();
    assert!(error.message.contains("@acme/secret"), "{error:?}");
}

#[test]
fn a_plan_knows_at_once_what_another_process_has_published() {
    let server = Server::start("none");
    let other = server.beside("none");
    let project = Project::of(json!({ "dependencies": { "tool": "^1" } }));
    let ask_other = || ask(&other, "", &[question(&project)]);
    assert!(ask_other().error.unwrap().message.contains("tool"), "nobody has published it");
    for version in ["1.0.0", "1.1.0"] {
        assert_eq!(server.publish("tool", version).status, 201);
        for _ in 0..2 {
            let (_, lock) = plan(&ask_other());
            let resolved = project.resolved(&other);
            assert!(lock == resolved, "{version}: not what is resolved over HTTP");
        }
    }
}
