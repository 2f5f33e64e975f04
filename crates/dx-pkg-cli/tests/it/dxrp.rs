//! Installs from a registry that speaks DXRP: what is installed is what comes over HTTP, and a
//! server that goes wrong changes nothing.

mod broken;
mod large;
mod served;
mod verified;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dx_pkg_testkit::dxrp::{DxrpCarrier, DxrpFault};
use dx_pkg_testkit::{Fault, Project, Registry};

use crate::harness::{command, dx, fails, impatient, incompressible, ok, stored, unpacked};

const NAMES: [&str; 24] = [
    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s",
    "t", "u", "v", "w", "x",
];

/// Returns a registry with packages of every kind that makes a difference.
fn registry() -> Registry {
    let registry = Registry::start();
    for name in NAMES {
        registry.package(name, "1.0.0").file("lib/index.js", format!("// {name}")).publish();
    }
    registry
        .package("@scope/tool", "2.0.0")
        .bin("tool", "cli.js")
        .file("cli.js", "#!/usr/bin/env node\nconsole.log('tool')")
        .executable("run.sh", "echo")
        .field("license", "ISC")
        .file("empty", "")
        .dep("native", "^1")
        .publish();
    registry.package("native", "1.0.0").file("binding.gyp", "{}").publish();
    registry.package("large", "1.0.0").file("data.bin", incompressible()).publish();
    registry
}

fn project(registry: &Registry) -> Project {
    let project = impatient(registry).dep("@scope/tool", "^2").dep("large", "*");
    NAMES.iter().fold(project, |project, name| project.dep(name, "^1")).create()
}

/// Returns a project with the lockfile of one that was installed over HTTP.
fn locked(registry: &Registry) -> (Project, Project) {
    let over_http = project(registry);
    ok(&over_http, ["install", "--ignore-scripts", "--dxrp=off"]);
    let other = project(registry);
    other.write("package-lock.json", over_http.read("package-lock.json"));
    registry.clear_requests();
    (over_http, other)
}

/// Returns the files of `node_modules` with their modes, but for dx's own records.
fn tree(project: &Project) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    list(&project.path().join("node_modules"), "", &mut found);
    found
}

fn list(folder: &Path, prefix: &str, found: &mut BTreeMap<String, (u32, Vec<u8>)>) {
    // Where nothing fits the platform there is none.
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && path != ".dx" {
            list(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_file() {
            let contents = fs::read(entry.path()).unwrap();
            found.insert(path, (mode(&entry.path()), contents));
        }
    }
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode()
}

#[cfg(not(unix))]
fn mode(_path: &Path) -> u32 {
    0
}

#[test]
fn packages_that_come_by_dxrp_are_those_that_come_over_http() {
    for carrier in [DxrpCarrier::Raw, DxrpCarrier::Http] {
        let registry = registry();
        let (over_http, project) = locked(&registry);
        registry.dxrp(carrier, None);
        let run = ok(&project, ["ci", "--ignore-scripts"]);
        assert_eq!(registry.dxrp_packs(), NAMES.len() + 3, "{carrier:?}: {run}");
        assert_eq!(registry.tarball_requests(), 0, "{carrier:?}");
        assert!(run.stderr.contains("speaks DXRP and signs with the key"), "{run}");
        assert_eq!(tree(&project), tree(&over_http), "{carrier:?}");
        assert_eq!(project.read("package-lock.json"), over_http.read("package-lock.json"));
        // The key is known then.
        let again = ok(&project, ["ci", "--ignore-scripts"]);
        assert!(!again.stderr.contains("DXRP"), "{again}");
        ok(&project, ["store", "verify"]);
    }
}

#[test]
fn packages_are_stored_at_once_or_as_a_tarball_would_be() {
    let registry = registry();
    let (_, project) = locked(&registry);
    registry.dxrp(DxrpCarrier::Raw, None);
    // In continuous integration, and where files cannot be moved.
    command(&project).args(["ci", "--ignore-scripts"]).env("CI", "1").run().success();
    assert_eq!(registry.tarball_requests(), 0);
    assert_eq!(unpacked(&project).len(), NAMES.len() + 3, "{:?}", stored(&project));
    ok(&project, ["store", "verify"]);
    project.remove("node_modules");
    registry.stop();
    ok(&project, ["ci", "--ignore-scripts", "--offline"]);
}

#[test]
fn a_server_that_goes_wrong_changes_nothing() {
    let faults = [
        DxrpFault::Refuses,
        DxrpFault::HasNothing,
        DxrpFault::Dies,
        DxrpFault::LeavesOut,
        DxrpFault::Miscounts,
        DxrpFault::Repeats,
        DxrpFault::Endless,
        DxrpFault::OutOfOrder,
        DxrpFault::OverLong,
        DxrpFault::Damages,
        DxrpFault::Forges,
        DxrpFault::OtherRoot,
        DxrpFault::OtherContents,
        DxrpFault::Bomb,
        DxrpFault::Lies,
        DxrpFault::Climbs,
        DxrpFault::OtherId,
        DxrpFault::Replays,
        DxrpFault::OtherBase,
        DxrpFault::LongHead,
        DxrpFault::HeadBomb,
        DxrpFault::Sizes,
        DxrpFault::Chatters,
        DxrpFault::Denies,
        DxrpFault::Plans,
    ];
    let registry = registry();
    let (over_http, _) = locked(&registry);
    let expected = tree(&over_http);
    // What comes slowly does so by both carriers.
    let slow = [(DxrpFault::Trickles, DxrpCarrier::Raw), (DxrpFault::Trickles, DxrpCarrier::Http)];
    let carriers = [DxrpCarrier::Raw, DxrpCarrier::Http].into_iter().cycle();
    let others = faults.into_iter().zip(carriers);
    for (fault, carrier) in others.chain(slow) {
        registry.dxrp(carrier, Some(fault));
        let other = project(&registry);
        other.write("package-lock.json", over_http.read("package-lock.json"));
        let run = ok(&other, ["ci", "--ignore-scripts", "--verbose"]);
        assert_eq!(tree(&other), expected, "{fault:?} {carrier:?}");
        // A stream that breaks off may bring the rest when it is asked for again.
        let again = fault == DxrpFault::Dies && run.stderr.contains("is asked for again");
        let says_why = again || run.stderr.contains("the rest comes over HTTP");
        assert_eq!(says_why, fault != DxrpFault::HasNothing, "{fault:?} {carrier:?}: {run}");
        ok(&other, ["store", "verify"]);
        // All packages have come then.
        if matches!(fault, DxrpFault::HasNothing | DxrpFault::Miscounts) {
            continue;
        }
        let strict = project(&registry);
        strict.write("package-lock.json", over_http.read("package-lock.json"));
        let run = dx(&strict, ["ci", "--ignore-scripts", "--dxrp=required"]);
        assert_eq!(run.status, Some(1), "{fault:?} {carrier:?}: {run}");
        assert!(run.stderr.contains("[DX_DXRP_"), "{fault:?} {carrier:?}: {run}");
        assert!(!strict.exists("node_modules"), "{fault:?} {carrier:?}");
    }
}

#[test]
fn another_key_is_an_error_that_names_both() {
    let registry = registry();
    let (_, project) = locked(&registry);
    registry.dxrp(DxrpCarrier::Raw, None);
    ok(&project, ["ci", "--ignore-scripts"]);
    registry.package("y", "1.0.0").publish();
    let locking = impatient(&registry).dep("y", "1").create();
    ok(&locking, ["install", "--dxrp=off"]);
    registry.clear_requests();
    // Another server in its place.
    registry.dxrp(DxrpCarrier::Raw, None);
    let again = impatient(&registry).dep("y", "1").store(project.store()).create();
    again.write("package-lock.json", locking.read("package-lock.json"));
    let said = fails(dx(&again, ["ci"]), "DX_DXRP_OTHER_KEY");
    let words: Vec<&str> = said.split(|c: char| !c.is_ascii_hexdigit()).collect();
    assert_eq!(words.iter().filter(|word| word.len() == 64).count(), 2, "{said}");
    assert_eq!(registry.tarball_requests(), 0);
    ok(&again, ["ci", "--dxrp=off"]);
}

#[test]
fn a_registry_that_does_not_speak_it_is_asked_once() {
    let registry = registry();
    let (_, project) = locked(&registry);
    let run = ok(&project, ["ci", "--ignore-scripts", "--verbose"]);
    assert!(!run.stderr.to_lowercase().contains("dxrp"), "{run}");
    let asked = registry.dxrp_questions();
    assert_eq!(asked, 1);
    project.remove("node_modules");
    ok(&project, ["ci", "--ignore-scripts"]);
    let other = impatient(&registry).dep("a", "^1").store(project.store()).create();
    ok(&other, ["install"]);
    assert_eq!(registry.dxrp_questions(), asked);
    let strict = impatient(&registry).dep("a", "^1").create();
    fails(dx(&strict, ["install", "--dxrp=required"]), "DX_DXRP_NOT_SPOKEN");
}

#[test]
fn a_registry_that_does_not_answer_the_question_is_asked_once_by_a_command() {
    let registry = registry();
    registry.dxrp(DxrpCarrier::Raw, Some(DxrpFault::Silent));
    let began = std::time::Instant::now();
    let run = ok(&project(&registry), ["install", "--ignore-scripts", "--verbose"]);
    assert_eq!(registry.dxrp_questions(), 1, "{run}");
    assert_eq!(run.stderr.matches("the rest comes over HTTP").count(), 1, "{run}");
    // The question has the time of one request.
    assert!(began.elapsed() < std::time::Duration::from_secs(15), "{run}");
    // It is no answer that is remembered.
    let asked = registry.dxrp_questions();
    ok(&project(&registry), ["install", "--ignore-scripts"]);
    assert_eq!(registry.dxrp_questions(), asked + 1);
    let strict = dx(&project(&registry), ["install", "--ignore-scripts", "--dxrp=required"]);
    assert_eq!(strict.status, Some(1), "{strict}");
}

#[test]
fn the_setting_turns_it_off_and_a_project_does_not_turn_it_on() {
    let registry = registry();
    let (_, project) = locked(&registry);
    registry.dxrp(DxrpCarrier::Raw, None);
    ok(&project, ["ci", "--ignore-scripts", "--dxrp=off"]);
    let offline = dx(&project, ["ci", "--ignore-scripts", "--offline"]);
    assert_eq!((offline.status, registry.dxrp_questions()), (Some(0), 0));
    let wrong = impatient(&registry).user_npmrc("dxrp=sometimes").dep("a", "^1").create();
    fails(dx(&wrong, ["install"]), "DX_CONFIG_INVALID");
    let bold = impatient(&registry).npmrc("dxrp=required").dep("a", "^1").create();
    let run = ok(&bold, ["install"]);
    assert!(run.stderr.contains("dxrp"), "{run}");
}

#[test]
fn a_registry_with_a_token_gets_it() {
    let registry = registry();
    let (over_http, _) = locked(&registry);
    registry.require_token("secret");
    for carrier in [DxrpCarrier::Raw, DxrpCarrier::Http] {
        registry.dxrp(carrier, None);
        let project = impatient(&registry)
            .user_npmrc("[HOST]:_authToken=secret")
            .dep("@scope/tool", "^2")
            .dep("large", "*");
        let project = NAMES.iter().fold(project, |project, name| project.dep(name, "^1")).create();
        project.write("package-lock.json", over_http.read("package-lock.json"));
        ok(&project, ["ci", "--ignore-scripts", "--dxrp=required"]);
        assert_eq!(registry.dxrp_packs(), NAMES.len() + 3, "{carrier:?}");
    }
}

#[test]
fn packages_elsewhere_and_refused_ones_come_over_http() {
    let registry = registry();
    let (over_http, project) = locked(&registry);
    registry.dxrp(DxrpCarrier::Raw, None);
    let elsewhere = Registry::start();
    elsewhere.package("a", "1.0.0").file("lib/index.js", "// a").publish();
    let url = format!("{}a/-/a-1.0.0.tgz", registry.url());
    let lock = over_http.read("package-lock.json");
    let text = lock.replace(&url, &format!("{}a/-/a-1.0.0.tgz", elsewhere.url()));
    project.write("package-lock.json", text);
    ok(&project, ["ci", "--ignore-scripts", "--allow-remote=all"]);
    assert_eq!((elsewhere.tarball_requests(), registry.dxrp_packs()), (1, NAMES.len() + 2));
    // A fault of the tarballs shows where they come from.
    registry.fault("*.tgz", Fault::Drop);
    let other = crate::dxrp::project(&registry);
    other.write("package-lock.json", lock);
    ok(&other, ["ci", "--ignore-scripts"]);
}
