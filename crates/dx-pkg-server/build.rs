//! Sets the registry that `dx-registry` asks if no upstream is configured, as dx's own default is
//! set: `DX_DEFAULT_REGISTRY`, else the registry of the npm on the building machine.

include!("../dx-pkg-cli/default_registry.rs");

fn main() {
    set_default_registry();
}
