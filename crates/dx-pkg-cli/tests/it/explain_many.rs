//! `dx explain` where a package is there for more ways than can be told.

use dx_pkg_testkit::{Project, Registry};
use serde_json::Value;

use crate::harness::{dx, ok};

#[test]
fn ways_without_end_are_told_once() {
    // Each package of a layer depends on all of the next: 3^11 ways to the last.
    const LAYERS: usize = 11;
    let name = |layer: usize, at: usize| format!("layer{layer}-{at}");
    let registry = Registry::start();
    for layer in 0..LAYERS {
        for at in 0..3 {
            let package = registry.package(&name(layer, at), "1.0.0");
            let below = (0..3).map(|at| name(layer + 1, at)).filter(|_| layer + 1 < LAYERS);
            below.fold(package, |package, below| package.dep(&below, "^1.0.0")).publish();
        }
    }
    let project = Project::new(&registry);
    let project = (0..3).fold(project, |project, at| project.dep(&name(0, at), "1")).create();
    ok(&project, ["install"]);
    let last = name(LAYERS - 1, 0);
    let run = dx(&project, ["explain", &last]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("(reasons: see above)"), "{} bytes", run.stdout.len());
    assert!(run.stdout.lines().count() < 500_000);
    for place in ["layer0-0@1.0.0", "layer5-2@1.0.0", "from the root project"] {
        assert!(run.stdout.contains(place), "{place}");
    }
    let run = dx(&project, ["explain", &last, "--json"]);
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(told[0]["name"], last.as_str());
    // What fits is told at each place, as npm does.
    let near = dx(&project, ["explain", "layer4-0"]);
    assert!(!near.stdout.contains("see above"));
    assert_eq!(near.stdout.matches("layer0-0@1").count(), 27, "{}", near.stdout.len());
}
