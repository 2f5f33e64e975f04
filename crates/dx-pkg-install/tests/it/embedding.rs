//! Installing from Rust, without the `dx` program.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use dx_pkg_acquire::{Cancel, Counters};
use dx_pkg_core::Coded;
use dx_pkg_install::summary::Summary;
use dx_pkg_install::{
    Environment, Events, InstallError, Mode, NoEvents, OpenProject, Options, SessionOptions,
    install,
};
use dx_pkg_testkit::Registry;
use tempfile::TempDir;

/// A project in a folder of its own, with a store beside it.
struct World {
    registry: Registry,
    folder: TempDir,
    cancel: Cancel,
}

impl World {
    /// Returns a project that requires `a@1`, which the registry has.
    fn new() -> Self {
        let registry = Registry::start();
        registry.package("a", "1.0.0").publish();
        let folder = TempDir::new().unwrap();
        let world = World { registry, folder, cancel: Cancel::new() };
        fs::create_dir(world.project()).unwrap();
        world.write(r#"{ "dependencies": { "a": "1" } }"#);
        world
    }

    fn project(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    fn write(&self, manifest: &str) {
        fs::write(self.project().join("package.json"), manifest).unwrap();
    }

    fn environment(&self) -> Environment {
        let store = self.folder.path().join("store").display().to_string();
        Environment {
            folder: self.project(),
            called_from: self.project(),
            variables: vec![("DX_STORE".into(), store)],
            ..Environment::default()
        }
    }

    fn install(&self, mode: Mode, events: &dyn Events) -> Result<Summary, InstallError> {
        let flags = vec![("registry".into(), self.registry.url().to_owned())];
        let cancel = self.cancel.clone();
        let options = SessionOptions { flags, cancel, ..SessionOptions::default() };
        let open = OpenProject::open(self.environment(), options, events)?;
        install(open, &Options { mode, ..Options::default() }, events)
    }
}

fn has(folder: &Path, path: &str) -> bool {
    folder.join(path).exists()
}

#[derive(Default)]
struct Recorded {
    warnings: Mutex<Vec<String>>,
    began: AtomicUsize,
    ended: AtomicUsize,
    maintenance: AtomicUsize,
}

impl Events for Recorded {
    fn warning(&self, text: &str) {
        self.warnings.lock().unwrap().push(text.to_owned());
    }

    fn work_began(&self, _session: &dx_pkg_install::Session, _counters: &Arc<Counters>) {
        self.began.fetch_add(1, Ordering::Relaxed);
    }

    fn work_ended(&self) {
        self.ended.fetch_add(1, Ordering::Relaxed);
    }

    fn maintenance_due(&self, session: &dx_pkg_install::Session) {
        assert!(session.prepared_trees.count > 0);
        self.maintenance.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn an_install_reports_its_work_and_that_maintenance_is_due() {
    let (world, events) = (World::new(), Recorded::default());
    let summary = world.install(Mode::Install, &events).unwrap();
    assert_eq!((summary.added, summary.packages), (1, 1));
    assert!(has(&world.project(), "node_modules/a/package.json"));
    assert!(has(&world.project(), "package-lock.json"));
    assert!(events.began.load(Ordering::Relaxed) > 0);
    assert!(events.ended.load(Ordering::Relaxed) > 0);
    assert_eq!(events.maintenance.load(Ordering::Relaxed), 1);
    assert!(events.warnings.lock().unwrap().is_empty());
}

#[test]
fn a_cancelled_install_writes_nothing_into_the_project() {
    let world = World::new();
    world.cancel.cancel();
    let error = world.install(Mode::Install, &NoEvents).unwrap_err();
    assert!(error.is_cancelled());
    assert_eq!(error.code(), "DX_CANCELLED");
    assert!(!has(&world.project(), "node_modules"));
    assert!(!has(&world.project(), "package-lock.json"));
}

#[test]
fn an_error_has_its_code_and_its_cause() {
    let world = World::new();
    let error = world.install(Mode::Ci, &NoEvents).unwrap_err();
    assert_eq!(error.code(), "DX_NO_LOCKFILE");
    world.write(r#"{ "dependencies": { "b": "1" } }"#);
    let error = world.install(Mode::Install, &NoEvents).unwrap_err();
    assert_eq!(error.code(), "DX_PACKAGE_NOT_FOUND");
    assert!(matches!(error, InstallError::Acquire(_)));
}
