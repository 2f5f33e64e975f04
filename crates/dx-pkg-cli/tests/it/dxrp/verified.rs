//! `dx lock verify`: what a lockfile vouches for, compared with what came by DXRP.

use dx_pkg_testkit::Run;
use dx_pkg_testkit::dxrp::{DxrpCarrier, DxrpFault};
use serde_json::Value;

use super::{NAMES, locked, project, registry};
use crate::harness::{dx, fails, impatient, ok};

fn printed(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn what_came_by_dxrp_is_compared_with_the_tarballs() {
    let registry = registry();
    let (_, project) = locked(&registry);
    registry.dxrp(DxrpCarrier::Raw, None);
    ok(&project, ["ci", "--ignore-scripts"]);
    let run = ok(&project, ["lock", "verify", "--json"]);
    assert_eq!(printed(&run)["packages"], NAMES.len() + 3, "{run}");
    assert_eq!((registry.tarball_requests(), &printed(&run)["tarballs"]), (0, &0.into()));
    let before = crate::harness::stored(&project);
    let run = ok(&project, ["lock", "verify", "--deep", "--json"]);
    assert_eq!(registry.tarball_requests(), NAMES.len() + 3);
    assert_eq!(printed(&run)["tarballs"], NAMES.len() + 3, "{run}");
    assert_eq!(printed(&run)["compared"], NAMES.len() + 3, "{run}");
    assert_eq!(crate::harness::stored(&project), before, "nothing of it stays");
    let run = ok(&project, ["lock", "verify", "--deep"]);
    assert!(run.stdout.contains("Checked 27 tarballs of 27 packages"), "{run}");
}

#[test]
fn contents_that_no_tarball_has_are_an_error_that_names_both_roots() {
    let registry = registry();
    let (_, project) = locked(&registry);
    registry.dxrp(DxrpCarrier::Raw, Some(DxrpFault::Lures));
    // The key vouches for what it has signed.
    ok(&project, ["ci", "--ignore-scripts"]);
    assert!(registry.dxrp_packs() > 0);
    let said = fails(dx(&project, ["lock", "verify", "--deep"]), "DX_CONTENTS_DIFFER");
    let words: Vec<&str> = said.split(|c: char| !c.is_ascii_hexdigit()).collect();
    let roots: Vec<&&str> = words.iter().filter(|word| word.len() == 64).collect();
    assert!(roots.len() >= 2 && roots[0] != roots[1], "{said}");
}

#[test]
fn tarballs_are_checked_where_the_store_has_nothing() {
    let registry = registry();
    let (over_http, _) = locked(&registry);
    let other = project(&registry);
    other.write("package-lock.json", over_http.read("package-lock.json"));
    let run = ok(&other, ["lock", "verify", "--deep", "--json"]);
    assert_eq!(printed(&run)["tarballs"], NAMES.len() + 3, "{run}");
    assert_eq!(printed(&run)["compared"], 0, "{run}");
    let text = over_http.read("package-lock.json");
    let at = text.find("sha512-").unwrap() + "sha512-".len();
    let swapped = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    other.write("package-lock.json", format!("{}{swapped}{}", &text[..at], &text[at + 1..]));
    fails(dx(&other, ["lock", "verify", "--deep"]), "DX_INTEGRITY_MISMATCH");
    let empty = impatient(&registry).create();
    fails(dx(&empty, ["lock", "verify"]), "DX_NO_LOCKFILE");
    assert_eq!(dx(&empty, ["lock", "shake"]).status, Some(2));
}
