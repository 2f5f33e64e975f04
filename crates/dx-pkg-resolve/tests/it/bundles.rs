//! Bundled packages beside those of the registry.

use crate::world::{flags, package, project, world};

#[test]
fn optional_peer_that_a_bundle_hides_is_none_too_many() {
    let world = world([
        package("alpha@2.1.0")
            .needs("beta@^1.2.3")
            .needs("delta@^3.0.0")
            .optional_peer("beta@*")
            .optional_peer("gamma@^2.0.0"),
        package("beta@1.2.3")
            .needs("delta@>=3.0.0")
            .needs("gamma@1.x")
            .needs("alpha@^2.0.0")
            .peer("alpha@>=2.1.0"),
        package("gamma@1.1.0"),
        package("gamma@2.0.0")
            .needs("beta@^1.2.3")
            .needs("delta@^3.0.0")
            .needs("alpha@>=2.0.0")
            .needs("leaf@^1"),
        package("leaf@1.0.0"),
        package("gamma@3.0.0")
            .needs("delta@3.0.0")
            .optional_peer("beta@^1.2.3")
            .optional_peer("delta@~3.0.0"),
        package("delta@3.0.0").needs("beta@>=1.2.3").needs("alpha@2").needs("gamma@3"),
        package("pack@1.0.0").needs("beta@>=1.2.3").bundles("beta"),
    ])
    .bundle("pack", &["beta@1.2.3", "delta@3.0.0", "alpha@2.1.0", "gamma@3.0.0"]);
    let resolution = world.install(&project(&["alpha@^2.0.0"]).dev("pack@^1"));
    assert_eq!(flags(&resolution, "node_modules/gamma"), ["optional", "peer"]);
    assert_eq!(flags(&resolution, "node_modules/leaf"), ["optional", "peer"], "it goes with gamma");
}
